//! Why a configuration cannot be put in force, as the admin API shows it.

use super::LoadError;
use crate::secrets::SecretError;
use admin_api::control::ConfigurationFault;
use config::{Config, Conflict, Fault};
use std::fmt;

/// A secret, a certificate or a key that cannot be had or used, and where the document refers to it.
#[derive(Debug)]
pub struct SecretFault {
    /// The document.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is wrong.
    pub error: SecretError,
}

impl fmt::Display for SecretFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, column, error } = self;
        write!(f, "{file}:{line}:{column}: {error}")
    }
}

/// With the place of each in the document, in its order.
pub(super) fn placed(file: &str, document: &[u8], errors: Vec<SecretError>) -> LoadError {
    let places = Config::positions(document, errors.iter().map(|error| &*error.path));
    let placed = errors.into_iter().zip(places).map(|(error, (line, column))| {
        let file = file.to_owned();
        SecretFault { file, line, column, error }
    });
    let mut faults: Vec<_> = placed.collect();
    faults.sort_by_key(|fault| (fault.line, fault.column));
    LoadError::Secrets(faults)
}

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
            .map(|SecretFault { file, line, column, error }| ConfigurationFault {
                line: Some(*line),
                column: Some(*column),
                ..plain(Some(file.clone()), Some(error.path.clone()), "secret", error.why.clone())
            })
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
