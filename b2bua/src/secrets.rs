//! Resolving the secrets that a configuration refers to.

mod strength;

use crate::snapshot::{IssuerKeys, Protected, Secrets};
use config::{
    CardCredentials, Challenge, Config, Credentials, NetworkName, NetworkTurn, OperatorKey,
    Secret as Reference, Traversal, Trunk, TrunkName, User,
};
use sip::auth::aka::{Card, Operator};
use sip::auth::bearer::KeySet;
use sip::auth::{Credential, Hash, Secret};
use std::sync::Arc;
use strength::Weakness;
use zeroize::Zeroizing;

/// Fewest characters of what credentials are made with: whoever has one of these can try secrets at home.
const SHORTEST_SECRET: usize = 16;

/// A secret that could not be had, or that is none. The value itself is in no message.
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
/// All that cannot be had, and the passwords of users that are easily guessed.
pub(crate) fn resolve(config: &Config) -> Result<Secrets, Vec<SecretError>> {
    let mut secrets = Secrets::default();
    let mut errors = Vec::new();
    for (name, trunk) in &config.trunks {
        let mut of_trunk =
            Reading { of: Protected::Trunk(name.clone()), secrets: &mut secrets, errors: &mut errors };
        of_trunk.outbound(name, trunk);
        trunk.challenge.iter().for_each(|challenge| of_trunk.inbound(challenge));
    }
    for (name, network) in &config.networks {
        if let Some(turn) = &network.turn {
            self::turn(name, turn, &mut secrets, &mut errors);
        }
        if let Some(traversal) = network.media.as_ref().and_then(|media| media.traversal.as_ref()) {
            self::traversal(name, traversal, &mut secrets, &mut errors);
        }
        let Some(registrar) = &network.registrar else { continue };
        let of = Protected::Registrar(name.clone());
        Reading { of, secrets: &mut secrets, errors: &mut errors }.inbound(&registrar.challenge);
    }
    if errors.is_empty() { Ok(secrets) } else { Err(errors) }
}

/// What the credentials of a TURN server are made with, the one in use first.
fn turn(network: &NetworkName, turn: &NetworkTurn, secrets: &mut Secrets, errors: &mut Vec<SecretError>) {
    let given = [("secret", Some(&turn.secret)), ("previous_secret", turn.previous_secret.as_ref())];
    for (setting, reference) in given {
        let Some(reference) = reference else { continue };
        let long = |text: Zeroizing<String>| match text.chars().count() {
            0..SHORTEST_SECRET => Err(format!("the secret has fewer than {SHORTEST_SECRET} characters")),
            _ => Ok(text),
        };
        match read(reference).and_then(long) {
            Ok(text) => secrets.turn.entry(network.clone()).or_default().push(text),
            Err(why) => {
                let path = format!("networks.{network}.turn.{setting}");
                errors.push(SecretError { path, why });
            }
        }
    }
}

/// What proves us to the servers that lead through a NAT, in their order.
fn traversal(
    network: &NetworkName,
    traversal: &Traversal,
    secrets: &mut Secrets,
    errors: &mut Vec<SecretError>,
) {
    for (n, server) in traversal.servers.iter().enumerate() {
        let given = [("password", server.password.as_ref()), ("secret", server.secret.as_ref())];
        let mut found = None;
        for (setting, reference) in given {
            match reference.map(read).transpose() {
                Ok(text) => found = found.or(text),
                Err(why) => {
                    let path = format!("networks.{network}.media.traversal.servers[{n}].{setting}");
                    errors.push(SecretError { path, why });
                }
            }
        }
        secrets.traversal.entry(network.clone()).or_default().push(found);
    }
}

/// The secrets of a trunk or registrar.
struct Reading<'a> {
    of: Protected,
    secrets: &'a mut Secrets,
    errors: &'a mut Vec<SecretError>,
}

impl Reading<'_> {
    /// What a setting leads to, or the error is kept.
    fn take<T>(&mut self, path: &str, outcome: Result<T, String>) -> Option<T> {
        outcome
            .map_err(|why| {
                self.errors.push(SecretError { path: format!("{}.{path}", self.of), why });
            })
            .ok()
    }

    /// What answers the trunk's challenges.
    fn outbound(&mut self, name: &TrunkName, trunk: &Trunk) {
        let mut known = Vec::new();
        for (n, given) in trunk.credentials.iter().enumerate() {
            let read = read(&given.password).map(|text| password(given, &text));
            let credential = self.take(&format!("credentials[{n}].password"), read);
            known.extend(credential.map(|credential| (&given.realm, credential)));
        }
        for (n, given) in trunk.card_credentials.iter().enumerate() {
            let key = self.take(&format!("card_credentials[{n}].key"), key(&given.key));
            let operator = self.take(&format!("card_credentials[{n}].operator"), self::key(&given.operator));
            if let (Some(key), Some(operator)) = (key, operator) {
                known.push((&given.realm, card(given, &key, &operator)));
            }
        }
        for (realm, credential) in known {
            let by_realm = self.secrets.outbound.entry(name.clone()).or_default();
            by_realm.insert((&**realm).into(), Arc::new(credential));
        }
    }

    /// Who may answer ours.
    fn inbound(&mut self, challenge: &Challenge) {
        for (n, user) in challenge.users.iter().enumerate() {
            let outcome = read(&user.password).and_then(|text| strong(user, text));
            if let Some(text) = self.take(&format!("challenge.users[{n}].password"), outcome) {
                let credential = Credential::new(&*user.username, Secret::password(text.as_str()));
                let by_name = self.secrets.inbound.entry(self.of.clone()).or_default();
                by_name.insert((&*user.username).into(), Arc::new(credential));
            }
        }
        let Some(bearer) = &challenge.bearer else { return };
        let keys = read(&bearer.keys).and_then(|text| {
            let set = KeySet::read(&text).map_err(|error| error.to_string())?;
            Ok(Arc::new(IssuerKeys { text: text.as_str().into(), set }))
        });
        if let Some(keys) = self.take("challenge.bearer.keys", keys) {
            self.secrets.issuers.insert(self.of.clone(), keys);
        }
    }
}

fn password(given: &Credentials, text: &str) -> Credential {
    let weakest = given.weakest.map_or(Hash::Md5, crate::snapshot::hash);
    Credential { weakest, ..Credential::new(&*given.username, Secret::password(text)) }
}

fn card(given: &CardCredentials, key: &[u8; 16], operator: &[u8; 16]) -> Credential {
    let operator = match given.operator_is {
        OperatorKey::Op => Operator::Op(*operator),
        OperatorKey::Opc => Operator::Opc(*operator),
    };
    Credential::new(&*given.username, Secret::card(Arc::new(Card::new(*key, operator, 0))))
}

/// The password, unless it is easily guessed.
fn strong(user: &User, text: Zeroizing<String>) -> Result<Zeroizing<String>, String> {
    match Weakness::of(&user.username, &text) {
        None => Ok(text),
        Some(weakness) => Err(weakness.to_string()),
    }
}

/// 128 bits in hexadecimal.
fn key(reference: &Reference) -> Result<Zeroizing<[u8; 16]>, String> {
    let text = read(reference)?;
    let digits = text.trim();
    let whole = digits.len() == 32 && digits.bytes().all(|b| b.is_ascii_hexdigit());
    let value = u128::from_str_radix(digits, 16).ok().filter(|_| whole);
    let bytes = value.map(|value| Zeroizing::new(value.to_be_bytes()));
    bytes.ok_or_else(|| "not 32 hexadecimal digits".to_owned())
}

/// The text of a secret; a file's last line end does not count.
fn read(reference: &Reference) -> Result<Zeroizing<String>, String> {
    let text = Zeroizing::new(match reference {
        Reference::Environment(name) => {
            std::env::var(name).map_err(|_| format!("the environment has no text in {name}"))?
        }
        Reference::File(path) => {
            let mut text =
                std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
            let line = text.strip_suffix('\n').map(|line| line.strip_suffix('\r').unwrap_or(line).len());
            text.truncate(line.unwrap_or(text.len()));
            text
        }
    });
    if text.is_empty() { Err("the secret is empty".to_owned()) } else { Ok(text) }
}
