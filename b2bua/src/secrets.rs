//! Resolving the secrets that a configuration refers to.

use crate::snapshot::Secrets;
use config::{Config, Secret as Reference};
use sip::auth::{Credential, Secret};
use std::sync::Arc;

/// A secret that could not be had. The value itself is in no message.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {why}")]
pub struct SecretError {
    /// The setting that refers to it.
    pub path: String,
    /// What is wrong with it.
    pub why: String,
}

/// Reads every secret of a configuration.
///
/// # Errors
/// All that cannot be had.
pub(crate) fn resolve(config: &Config) -> Result<Secrets, Vec<SecretError>> {
    let mut secrets = Secrets::default();
    let mut errors = Vec::new();
    for (name, trunk) in &config.trunks {
        for (n, credentials) in trunk.credentials.iter().enumerate() {
            let path = || format!("trunks.{name}.credentials[{n}].password");
            match read(&credentials.password) {
                Ok(password) => {
                    let known = secrets.outbound.entry(name.clone()).or_default();
                    known.insert((&*credentials.realm).into(), credential(&credentials.username, password));
                }
                Err(why) => errors.push(SecretError { path: path(), why }),
            }
        }
        for (n, user) in trunk.challenge.iter().flat_map(|c| &c.users).enumerate() {
            let path = || format!("trunks.{name}.challenge.users[{n}].password");
            match read(&user.password) {
                Ok(password) => {
                    let known = secrets.inbound.entry(name.clone()).or_default();
                    known.insert((&*user.username).into(), credential(&user.username, password));
                }
                Err(why) => errors.push(SecretError { path: path(), why }),
            }
        }
    }
    if errors.is_empty() { Ok(secrets) } else { Err(errors) }
}

fn credential(username: &str, password: String) -> Arc<Credential> {
    Arc::new(Credential { username: username.into(), secret: Secret::password(password) })
}

/// The text of a secret; a file's last line end does not count.
fn read(reference: &Reference) -> Result<String, String> {
    let text = match reference {
        Reference::Environment(name) => {
            std::env::var(name).map_err(|_| format!("the environment has no text in {name}"))?
        }
        Reference::File(path) => {
            let text =
                std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
            text.strip_suffix('\n').map(|t| t.strip_suffix('\r').unwrap_or(t).to_owned()).unwrap_or(text)
        }
    };
    if text.is_empty() { Err("the secret is empty".to_owned()) } else { Ok(text) }
}
