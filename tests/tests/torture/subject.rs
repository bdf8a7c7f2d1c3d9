//! What is tried: a plain user agent, or the whole B2BUA.

use crate::plain::Plain;
use crate::table::Wire;
use b2bua::registrar::Keeping;
use b2bua::shard::{Common, Core, Setup};
use b2bua::snapshot::{Protected, Secrets, Snapshot, sip_listener};
use config::Config;
use liaison_tests::ids::Seeded;
use media::VirtualPorts;
use sip::auth::{Credential, Secret};
use sip::registration::server::GruuKeys;
use sip::time::{Mono, Now, Wall};
use sip::{Endpoint, Listener, NetworkId, Transport};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

const DOCUMENT: &str = r#"
# Everything comes from one address, and most of it is refused.
[guard]
enabled = false

[networks.near]
strangers = "route"
listeners = [
    { transport = "udp", address = "198.51.100.1:5060" },
    { transport = "udp", address = "[2001:db8::10]:5060" },
    { transport = "tcp", address = "198.51.100.1:5060" },
]
media = { address = "198.51.100.1", ports = "10000-59999" }

[networks.far]
strangers = "route"
listeners = [
    { transport = "udp", address = "203.0.113.1:5060" },
    { transport = "tcp", address = "203.0.113.1:5060" },
]
media = { address = "203.0.113.1", ports = "10000-59999" }

[[routes]]
name = "all"
networks = ["near"]
to = [{ uri = "sip:203.0.113.2:5060", network = "far" }]
"#;

/// For the REGISTERs of both RFCs: the domains of their Request-URIs, and whom their To names.
const REGISTRAR: &str = r#"
nat = "off"

[networks.near.registrar]
domains = ["example.com", "[2001:db8::10]", "[2001:db8::10:5070]", "[2001:db8::10]:5070"]
challenge = { realm = "sbc", users = [{ username = "user", password = { env = "X" } }] }
accounts = [
    { address = "null-%00-null@example.com", users = ["user"] },
    { address = "j.user@example.com", users = ["user"] },
    { address = "user@example.com", users = ["user"] },
    { address = "watson@example.com", users = ["user"] },
]
"#;

/// Who may register.
pub const USER: &str = "user";
/// And proves it with.
pub const PASSWORD: &str = "wonderland";

/// What is tried.
pub enum Subject {
    /// A plain user agent.
    Plain(Box<Plain>),
    /// The whole B2BUA.
    Whole(Box<Core>),
}

impl Subject {
    /// As its driver sees it.
    pub fn core(&mut self) -> &mut dyn sip::driver::Core {
        match self {
            Self::Plain(plain) => &mut **plain,
            Self::Whole(core) => &mut **core,
        }
    }
}

/// A plain user agent with carrying off.
pub fn strict() -> (Subject, Vec<Listener>) {
    let listener =
        |transport, address: &str| Listener::new(NetworkId(0), transport, address.parse().unwrap());
    let listeners = vec![
        listener(Transport::Udp, "198.51.100.1:5060"),
        listener(Transport::Udp, "[2001:db8::10]:5060"),
        listener(Transport::Tcp, "198.51.100.1:5060"),
    ];
    let settings = sip::Settings { listeners: listeners.clone(), ..sip::Settings::default() };
    let hasher = ahash::RandomState::with_seeds(1, 2, 3, 4);
    let plain = Plain::new(Endpoint::new(settings, Box::new(Seeded(1)), hasher));
    (Subject::Plain(Box::new(plain)), listeners)
}

/// The whole B2BUA with its default profile, its far side reached over `wire`.
pub fn whole(wire: Wire, seed: u64) -> (Subject, Vec<Listener>) {
    let far = match wire {
        Wire::Udp => "sip:203.0.113.2:5060",
        Wire::Tcp => "sip:203.0.113.2:5060;transport=tcp",
    };
    of(&DOCUMENT.replace("sip:203.0.113.2:5060", far), |_| Secrets::default(), seed)
}

/// The whole B2BUA with a registrar, that [`USER`] with [`PASSWORD`] may register everybody at.
pub fn registrar() -> (Subject, Vec<Listener>) {
    let secrets = |config: &Config| {
        let network = config.networks.keys().find(|network| network.as_str() == "near").unwrap().clone();
        let user = Arc::new(Credential::new(USER, Secret::password(PASSWORD)));
        let users = BTreeMap::from([(USER.into(), user)]);
        Secrets { inbound: BTreeMap::from([(Protected::Registrar(network), users)]), ..Secrets::default() }
    };
    of(&DOCUMENT.replace("[networks.far]", &format!("{REGISTRAR}\n[networks.far]")), secrets, 1)
}

fn of(document: &str, secrets: impl Fn(&Config) -> Secrets, seed: u64) -> (Subject, Vec<Listener>) {
    let config = Config::parse("torture.toml", document).unwrap_or_else(|errors| panic!("{errors}"));
    let networks: Vec<_> = config.networks.keys().cloned().collect();
    let secrets = secrets(&config);
    let snapshot = Arc::new(Snapshot::new(Arc::new(config), networks, secrets, 1));
    let listeners = listeners_of(&snapshot);
    let (_, commands) = mpsc::channel(1);
    let core = Core::new(Setup {
        sip: sip::Settings { listeners: listeners.clone(), ..sip::Settings::default() },
        link: Box::new(VirtualPorts::new(snapshot.media.iter().flatten())),
        identity: None,
        snapshot,
        sip_ids: Box::new(Seeded(seed)),
        ids: Box::new(Seeded(seed ^ 0xffff)),
        hasher: ahash::RandomState::with_seeds(seed, 5, 6, 7),
        epoch: Instant::now(),
        shard: 0,
        common: Common::new(
            1,
            start(),
            10_000,
            GruuKeys::new(&[1; 16], &[2; 32]),
            &mut Seeded(!seed),
            ahash::RandomState::with_seeds(seed, 6, 7, 8),
        ),
        keeping: Keeping::nothing(start()),
        records: Box::new(drop),
        commands,
    });
    (Subject::Whole(Box::new(core)), listeners)
}

/// When everything begins.
pub fn start() -> Now {
    Now { mono: Mono::from_epoch(Duration::from_secs(1)), wall: Wall(1_790_000_000_000) }
}

fn listeners_of(snapshot: &Snapshot) -> Vec<Listener> {
    let mut listeners = Vec::new();
    for (n, name) in snapshot.networks.iter().enumerate() {
        let network = &snapshot.config().networks[name];
        for listener in &network.listeners {
            let id = NetworkId(u16::try_from(n).unwrap());
            listeners.extend(sip_listener(id, name, &snapshot.policy, listener, listener.address));
        }
    }
    listeners
}
