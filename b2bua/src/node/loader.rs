//! Reading the configuration, at the start and again.

mod faults;
mod restart;

pub use self::faults::SecretFault;
use self::faults::{faults, placed};
use self::restart::{changes_in_force, keep_until_restart};
use super::cards::CardsRef;
use super::instance;
use super::security;
use super::shards;
use super::start::relay_settings;
use crate::secrets::{self, SecretError};
use crate::snapshot::{
    Advice, Secrets, Snapshot, advice_of, location_settings, message_limits, overload_settings, sip_limits,
    sip_listener, sip_transport,
};
use crate::turn;
use admin_api::control::{Change, ConfigurationInForce, ControlError, Effect, ReloadMode, ReloadOutcome};
use bytestring::ByteString;
use config::{Config, Conflict, Dscp, Errors, NetworkName};
use media::relay;
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
    /// Secrets, certificates and keys that it refers to cannot be had or used.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Secrets(Vec<SecretFault>),
    /// A network has too few media ports for this machine.
    #[error("{file}: {path}: found {found}, expected {expected}")]
    Media {
        /// The document.
        file: String,
        /// The setting.
        path: String,
        /// The ports that it has.
        found: String,
        /// Those that it needs.
        expected: String,
    },
    /// What would be in force does not fit together with what stays as it is until a restart.
    #[error("{file}: what waits for a restart is needed now")]
    Waits {
        /// The document.
        file: String,
        /// What does not fit.
        conflicts: Vec<Conflict>,
        /// The settings that wait.
        waiting: Vec<String>,
    },
}

/// The configuration in force and where it came from.
pub struct Loader {
    path: Option<PathBuf>,
    current: Arc<Snapshot>,
    /// The listeners as they are bound, in the order of their numbers.
    bound: Vec<Bind>,
    /// Settings whose values in the file wait for a restart, as of the last reload.
    waiting: Vec<String>,
    /// What takes over settings that no shard has.
    observer: Option<Observer>,
    /// What keeps the sequence numbers of cards.
    cards: CardsRef,
}

type Observer = Box<dyn Fn(&Config) + Send>;

/// A configuration to hand to the shards.
pub(crate) type Adopted = (Arc<Snapshot>, sip::Settings);

impl Loader {
    /// Reads a file.
    ///
    /// # Errors
    /// See [`LoadError`].
    pub fn open(path: &Path) -> Result<Self, LoadError> {
        let document = read(path)?;
        Self::with(&path.display().to_string(), &document, Some(path.to_owned()))
    }

    /// Takes a document that is built in.
    ///
    /// # Errors
    /// See [`LoadError`].
    pub fn built_in(text: &str) -> Result<Self, LoadError> {
        Self::with("built-in", text.as_bytes(), None)
    }

    fn with(name: &str, document: &[u8], path: Option<PathBuf>) -> Result<Self, LoadError> {
        let config = Arc::new(parse(name, document)?);
        let networks: Vec<NetworkName> = config.networks.keys().cloned().collect();
        let source = path.as_ref().map(|p| p.display().to_string().into_boxed_str());
        let current = snapshot(config, networks, (name, document), source, 1, None)?;
        let (bound, waiting, cards) = (Vec::new(), Vec::new(), CardsRef::default());
        Ok(Self { path, current, bound, waiting, observer: None, cards })
    }

    /// Calls `observer` with every configuration that a reload puts in force, whoever asked for it.
    pub fn observe(&mut self, observer: impl Fn(&Config) + Send + 'static) {
        self.observer = Some(Box::new(observer));
    }

    /// Has the sequence numbers of cards kept, in this configuration and in those that follow.
    pub(super) fn keep_cards(&mut self, cards: CardsRef) {
        cards.serve(&self.current.secrets);
        self.cards = cards;
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
            let Some(network) = self.current.config().networks.get(name) else { continue };
            let dscp = network.dscp.and_then(Dscp::value).unwrap_or_default();
            for listener in &network.listeners {
                let transport = sip_transport(listener.transport);
                binds.push(Bind { network: NetworkId(n), transport, address: listener.address, dscp });
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
        let listeners = self.bound.iter().filter_map(|bind| {
            let name = snapshot.network_name(bind.network)?;
            let network = config.networks.get(name)?;
            let listener = network.listeners.iter().find(|l| is_bound_as(l, bind))?;
            sip_listener(bind.network, name, &snapshot.policy, listener, bind.address)
        });
        let listeners = listeners.collect();
        let product = |text: &ByteString| (!text.is_empty()).then(|| text.clone());
        sip::Settings {
            listeners,
            message: message_limits(limits),
            limits: sip_limits(limits),
            user_agent: product(&config.signalling.user_agent),
            server: product(&config.signalling.server),
            retry_after: u32::try_from(limits.retry_after.as_secs()).unwrap_or(u32::MAX),
            location: location_settings(config),
            overload: overload_settings(config),
            domains: snapshot.registrar_domains(),
        }
    }

    /// What the admin API shows.
    pub(crate) fn in_force(&self) -> ConfigurationInForce {
        ConfigurationInForce {
            version: self.current.version,
            source: self.current.source.as_deref().map(str::to_owned),
            loaded_at: self.current.loaded.into(),
            configuration: self.current.config().to_json(),
            waiting_for_restart: self.waiting.clone(),
        }
    }

    /// Reads the file again. What changes with a restart only stays as it is, and is named among the changes. What is
    /// to be put in force is in force once it has been handed to [`commit`](Self::commit).
    pub(crate) fn reload(
        &mut self,
        mode: ReloadMode,
    ) -> Result<(ReloadOutcome, Option<Adopted>), ControlError> {
        let next = self.read_again().map_err(|error| ControlError::InvalidConfiguration(faults(&error)))?;
        let (mut changes, mut waiting, mut adopted) = (Vec::new(), Vec::new(), None);
        if let Some((file, next)) = next {
            changes = changes_in_force(&self.current, &next);
            waiting = config::diff(next.config(), &file).into_iter().map(|change| change.path).collect();
            if mode == ReloadMode::Apply && !changes.is_empty() {
                let settings = self.sip_settings(&next);
                self.cards.serve(&next.secrets);
                adopted = Some((next, settings));
            }
        }
        let after = adopted.as_ref().map_or(&self.current, |(next, _)| next);
        let (version, loaded_at) = (after.version, after.loaded.into());
        let at_restart = |path: &String| Change { path: path.clone(), effect: Effect::Restart };
        changes.extend(waiting.iter().map(at_restart));
        if mode == ReloadMode::Apply {
            self.waiting = waiting;
        }
        Ok((ReloadOutcome { version, loaded_at, applied: mode == ReloadMode::Apply, changes }, adopted))
    }

    /// What a reload gave has been handed to every shard.
    pub(crate) fn commit(&mut self, adopted: Arc<Snapshot>) {
        self.current = adopted;
        self.warn();
        if let Some(observer) = &self.observer {
            observer(self.current.config());
        }
    }

    /// Logs what in the configuration in force is probably not meant.
    pub fn warn(&self) {
        for advice in &self.current.advice {
            let Advice { line, column, path, found, expected } = advice;
            tracing::warn!(line, column, path, found, expected, "the configuration has a pitfall");
        }
    }

    /// The document as the file has it now, and what of it can be put in force without a restart; `None` for one
    /// that is built in.
    fn read_again(&self) -> Result<Option<(Config, Arc<Snapshot>)>, LoadError> {
        let Some(path) = &self.path else { return Ok(None) };
        let file = path.display().to_string();
        let document = read(path)?;
        let config = parse(&file, &document)?;
        let version = self.current.version + 1;
        let networks = self.current.networks.clone();
        let mut next = config.clone();
        keep_until_restart(self.current.config(), &mut next);
        let conflicts = next.conflicts();
        if !conflicts.is_empty() {
            let waiting = config::diff(&next, &config).into_iter().map(|change| change.path);
            let waiting = waiting.filter(|path| path.starts_with("networks.")).collect();
            return Err(LoadError::Waits { file, conflicts, waiting });
        }
        let before = Some(&self.current.secrets);
        let source = self.current.source.clone();
        let next = snapshot(Arc::new(next), networks, (&file, &document), source, version, before)?;
        Ok(Some((config, next)))
    }
}

/// Whether a listener of the document is the one that is bound so.
fn is_bound_as(listener: &config::Listener, bind: &Bind) -> bool {
    let same_transport = sip_transport(listener.transport) == bind.transport;
    let any_port = listener.address.port() == 0 && listener.address.ip() == bind.address.ip();
    same_transport && (listener.address == bind.address || any_port)
}

fn parse(file: &str, document: &[u8]) -> Result<Config, LoadError> {
    let config = Config::parse_bytes(file, document).map_err(LoadError::Document)?;
    fits(file, &config)?;
    Ok(config)
}

/// Whether each network has media ports enough for this machine.
fn fits(file: &str, config: &Config) -> Result<(), LoadError> {
    let settings = relay_settings(config, shards::count(config.signalling.shards).into());
    let Err(why) = relay::check(&settings) else { return Ok(()) };
    let at = match why {
        relay::StartError::Address(no) | relay::StartError::Ports(no) => Some(usize::from(no.0)),
        relay::StartError::Bind { .. } | relay::StartError::Thread(_) => None,
    };
    let Some((name, network)) = at.and_then(|at| config.networks.iter().nth(at)) else { return Ok(()) };
    let Some(media) = &network.media else { return Ok(()) };
    let (threads, shards) = (settings.threads, settings.shards);
    Err(LoadError::Media {
        file: file.to_owned(),
        path: format!("networks.{name}.media.ports"),
        found: format!("{}-{}", media.ports.start(), media.ports.end()),
        expected: format!(
            "an even port and the next for each shard on each media thread: {} pairs for {threads} threads and \
             {shards} shards",
            usize::from(threads) * usize::from(shards)
        ),
    })
}

fn read(path: &Path) -> Result<Vec<u8>, LoadError> {
    std::fs::read(path).map_err(|source| LoadError::File { path: path.to_owned(), source })
}

#[expect(clippy::disallowed_methods, reason = "loading is where the process reads its files; it happens now")]
fn snapshot(
    config: Arc<Config>,
    networks: Vec<NetworkName>,
    (file, document): (&str, &[u8]),
    source: Option<Box<str>>,
    version: u64,
    before: Option<&Secrets>,
) -> Result<Arc<Snapshot>, LoadError> {
    let (mut secrets, material) = match (secrets::resolve(&config), security::read(&config, &networks)) {
        (Ok(secrets), Ok(material)) => (secrets, material),
        (secrets, material) => {
            let faults = secrets.err().into_iter().chain(material.err()).flatten();
            return Err(placed(file, document, faults.collect()));
        }
    };
    if let Some(before) = before {
        secrets.inherit(before);
    }
    let instance = instance::of(&config)
        .map_err(|(path, why)| placed(file, document, vec![SecretError { path, why }]))?;
    let now = SystemTime::now();
    let advice = advice_of(&config, &material.names, &material.own, now, document);
    let mut snapshot = Snapshot::new(config, networks, secrets, version);
    snapshot.advice = advice;
    snapshot.instance = instance;
    (snapshot.security, snapshot.files) = (Arc::new(material.security), material.files);
    snapshot.loaded = now;
    snapshot.certificates = material.own;
    snapshot.turn = turn::services(&snapshot, material.turn);
    snapshot.source = source;
    Ok(Arc::new(snapshot))
}

#[cfg(test)]
mod tests;
