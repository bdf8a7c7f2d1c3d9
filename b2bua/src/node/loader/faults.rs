//! Why a configuration cannot be put in force, as the admin API shows it.

use super::LoadError;
use admin_api::control::ConfigurationFault;
use config::{Conflict, Fault};

/// Every fault.
pub(super) fn faults(error: &LoadError) -> Vec<ConfigurationFault> {
    let plain = |file: Option<String>, path: Option<String>, kind: &str, found: String| ConfigurationFault {
        file,
        line: None,
        column: None,
        path,
        kind: kind.to_owned(),
        found,
        expected: String::new(),
        did_you_mean: None,
    };
    match error {
        LoadError::File { path, source } => {
            vec![plain(Some(path.display().to_string()), None, "unreadable", source.to_string())]
        }
        LoadError::Secrets(secrets) => secrets
            .iter()
            .map(|secret| plain(None, Some(secret.path.clone()), "secret", secret.why.clone()))
            .collect(),
        LoadError::Media { file, path, found, expected } => vec![ConfigurationFault {
            expected: expected.clone(),
            ..plain(Some(file.clone()), Some(path.clone()), "conflict", found.clone())
        }],
        LoadError::Waits { file, conflicts, waiting } => {
            let waits = waiting.join(", ");
            let fault = |conflict: &Conflict| ConfigurationFault {
                expected: format!("{}; these wait for a restart: {waits}", conflict.expected),
                ..plain(
                    Some(file.clone()),
                    Some(conflict.path.clone()),
                    "restart",
                    conflict.found.to_string(),
                )
            };
            conflicts.iter().map(fault).collect()
        }
        LoadError::Document(errors) => errors
            .iter()
            .map(|error| ConfigurationFault {
                file: Some(error.file.clone()),
                line: Some(error.line),
                column: Some(error.column),
                path: (!error.path.is_empty()).then(|| error.path.clone()),
                kind: error.fault.to_string(),
                found: error.found.to_string(),
                expected: error.expected.clone(),
                did_you_mean: guess(&error.fault),
            })
            .collect(),
    }
}

fn guess(fault: &Fault) -> Option<String> {
    match fault {
        Fault::UnknownKey { did_you_mean }
        | Fault::Choice { did_you_mean }
        | Fault::Reference { did_you_mean } => did_you_mean.clone(),
        _ => None,
    }
}
