//! The document: every setting, declared once.

mod config;
mod limits;
mod network;
mod node;
mod profile;
mod route;
mod tls;
mod trunk;

pub use config::Config;
pub use limits::Limits;
pub use network::{Latch, Listener, Network, NetworkMedia, Strangers, Transport};
pub use node::{Admin, Cdr, Log, LogFormat, LogLevel, Media, Node, Signalling};
pub use profile::{Algorithm, Carry, Digest, MediaMode, Profile, Redirects, TcpMedia, Timers};
pub use route::{Number, Reject, Route, Target, TargetUri};
pub use tls::{Certificate, ClientCertificates, ListenerTls, NetworkTls, Pin, WebSocket};
pub(crate) use trunk::target_transport;
pub use trunk::{Challenge, Credentials, Trunk, User};
