//! Reading the configuration, at the start and again.

use crate::secrets::{self, SecretError};
use crate::snapshot::{Snapshot, sip_listener};
use admin_api::control::{
    Change, ConfigurationFault, ConfigurationInForce, ControlError, Effect, ReloadMode, ReloadOutcome,
};
use bytestring::ByteString;
use config::{Config, Errors, Fault, NetworkName};
use sip::NetworkId;
use sip::driver::sockets::Bind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

/// Why a configuration cannot be put in force.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file cannot be read.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The document has faults.
    #[error("{0}")]
    Document(Errors),
    /// Secrets that it refers to cannot be had.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Secrets(Vec<SecretError>),
}

/// The configuration in force and where it came from.
pub struct Loader {
    path: Option<PathBuf>,
    current: Arc<Snapshot>,
    /// The listeners as they are bound, in the order of their numbers.
    bound: Vec<Bind>,
}

/// A configuration to hand to the shards.
pub(crate) type Adopted = (Arc<Snapshot>, sip::Settings);

impl Loader {
    /// Reads a file.
    ///
    /// # Errors
    /// See [`LoadError`].
    pub fn open(path: &Path) -> Result<Self, LoadError> {
        let text = read(path)?;
        Self::with(&path.display().to_string(), &text, Some(path.to_owned()))
    }

    /// Takes a document that is built in.
    ///
    /// # Errors
    /// See [`LoadError`].
    pub fn built_in(text: &str) -> Result<Self, LoadError> {
        Self::with("built-in", text, None)
    }

    fn with(name: &str, text: &str, path: Option<PathBuf>) -> Result<Self, LoadError> {
        let config = Arc::new(Config::parse(name, text).map_err(LoadError::Document)?);
        let networks: Vec<NetworkName> = config.networks.keys().cloned().collect();
        let source = path.as_ref().map(|p| p.display().to_string().into_boxed_str());
        let current = snapshot(config, networks, source, 1)?;
        Ok(Self { path, current, bound: Vec::new() })
    }

    /// The configuration in force.
    #[must_use]
    pub fn current(&self) -> &Arc<Snapshot> {
        &self.current
    }

    /// The listeners to bind, in the order of their numbers.
    pub(crate) fn listeners(&self) -> Vec<Bind> {
        let mut binds = Vec::new();
        for (n, name) in self.current.networks.iter().enumerate() {
            let Ok(n) = u16::try_from(n) else { continue };
            for listener in self.current.config().networks.get(name).iter().flat_map(|n| &n.listeners) {
                let transport = match listener.transport {
                    config::Transport::Udp => sip::Transport::Udp,
                    config::Transport::Tcp => sip::Transport::Tcp,
                };
                binds.push(Bind { network: NetworkId(n), transport, address: listener.address });
            }
        }
        binds
    }

    /// Notes the addresses that the listeners have got, and makes the user agents' settings.
    pub(crate) fn bound(&mut self, bound: Vec<Bind>) -> sip::Settings {
        self.bound = bound;
        self.sip_settings(&self.current)
    }

    /// The user agents' settings under a configuration, on the listeners that are bound.
    fn sip_settings(&self, snapshot: &Snapshot) -> sip::Settings {
        let config = snapshot.config();
        let limits = &config.limits;
        let mut listeners = Vec::with_capacity(self.bound.len());
        for (n, name) in snapshot.networks.iter().enumerate() {
            let Some(network) = config.networks.get(name) else { continue };
            let Ok(n) = u16::try_from(n) else { continue };
            let profile = snapshot.policy.profile(name, None, None);
            let bound = self.bound.iter().filter(|bind| bind.network == NetworkId(n));
            for (listener, bind) in network.listeners.iter().zip(bound) {
                listeners.push(sip_listener(NetworkId(n), network, listener, bind.address, &profile));
            }
        }
        let product = |text: &ByteString| (!text.is_empty()).then(|| text.clone());
        sip::Settings {
            listeners,
            message: sip_types::Limits {
                message: limits.message,
                start_line: limits.start_line,
                header_count: limits.header_count,
                header_length: limits.header_length,
                body: limits.body,
            },
            limits: sip::Limits {
                sessions: limits.sessions,
                transactions: limits.transactions,
                early_dialogs: limits.early_dialogs,
                ..sip::Limits::default()
            },
            user_agent: product(&config.signalling.user_agent),
            server: product(&config.signalling.server),
            retry_after: u32::try_from(limits.retry_after.as_secs()).unwrap_or(u32::MAX),
        }
    }

    /// What the admin API shows.
    pub(crate) fn in_force(&self) -> ConfigurationInForce {
        ConfigurationInForce {
            version: self.current.version,
            source: self.current.source.as_deref().map(str::to_owned),
            loaded_at: self.current.loaded.into(),
            configuration: self.current.config().to_json(),
        }
    }

    /// Reads the file again. What changes with a restart only stays as it is, and is named among the changes.
    pub(crate) fn reload(
        &mut self,
        mode: ReloadMode,
    ) -> Result<(ReloadOutcome, Option<Adopted>), ControlError> {
        let next = self.read_again().map_err(|error| ControlError::InvalidConfiguration(faults(&error)))?;
        let changes: Vec<Change> = match &next {
            Some(next) => config::diff(self.current.config(), next.config()).iter().map(change).collect(),
            None => Vec::new(),
        };
        let mut adopted = None;
        if let (ReloadMode::Apply, Some(next), false) = (mode, next, changes.is_empty()) {
            let next = Arc::new(next);
            self.current = next.clone();
            let settings = self.sip_settings(&next);
            adopted = Some((next, settings));
        }
        let outcome = ReloadOutcome {
            version: self.current.version,
            loaded_at: self.current.loaded.into(),
            applied: mode == ReloadMode::Apply,
            changes,
        };
        Ok((outcome, adopted))
    }

    /// The configuration as the file has it now; `None` for one that is built in.
    fn read_again(&self) -> Result<Option<Snapshot>, LoadError> {
        let Some(path) = &self.path else { return Ok(None) };
        let text = read(path)?;
        let config = Config::parse(&path.display().to_string(), &text).map_err(LoadError::Document)?;
        let version = self.current.version + 1;
        let networks = self.current.networks.clone();
        let next = snapshot(Arc::new(config), networks, self.current.source.clone(), version)?;
        Ok(Arc::into_inner(next))
    }
}

fn read(path: &Path) -> Result<String, LoadError> {
    std::fs::read_to_string(path).map_err(|source| LoadError::File { path: path.to_owned(), source })
}

#[expect(clippy::disallowed_methods, reason = "loading is where the process reads its files; it happens now")]
fn snapshot(
    config: Arc<Config>,
    networks: Vec<NetworkName>,
    source: Option<Box<str>>,
    version: u64,
) -> Result<Arc<Snapshot>, LoadError> {
    let secrets = secrets::resolve(&config).map_err(LoadError::Secrets)?;
    let mut snapshot = Snapshot::new(config, networks, secrets, version);
    snapshot.loaded = SystemTime::now();
    snapshot.source = source;
    Ok(Arc::new(snapshot))
}

fn change(change: &config::Change) -> Change {
    let effect = match change.effect {
        config::Effect::Live => Effect::Live,
        config::Effect::Pinned => Effect::Pinned,
        config::Effect::Restart => Effect::Restart,
    };
    Change { path: change.path.clone(), effect }
}

/// Every fault, as the admin API shows it.
fn faults(error: &LoadError) -> Vec<ConfigurationFault> {
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
