//! Values that are strings of a form of their own.

mod aor;
mod auto;
mod cause;
mod dscp;
mod duration;
mod host;
mod instance;
mod name;
mod pattern;
mod ports;
mod score;
mod secret;
mod server;
mod sip;
mod tls;
mod token;
mod user;

pub use aor::AddressOfRecord;
pub use auto::Auto;
pub use cause::Cause;
pub use dscp::Dscp;
pub use host::{Domain, HostPort, PeerHost};
pub use instance::InstanceId;
pub use name::{NetworkName, ProfileName, RouteName, TrunkName};
pub use pattern::Pattern;
pub use ports::PortRange;
pub use score::Score;
pub use secret::Secret;
pub use server::{ServerTransport, ServerUri};
pub use tls::{Fingerprint, Origin, UrlPath};
pub use token::{MediaType, Token};
pub use user::UserPart;
