//! The configuration: one TOML document in, one checked and immutable [`Config`] out, or every fault at once with
//! its place in the text.
//!
//! Each setting is declared once, in `model`. From that declaration come the reader, the JSON Schema ([`schema`]), the
//! reference page ([`reference()`]), the example document ([`example`]), the configuration in force as JSON
//! ([`Config::to_json`]) and the comparison of two versions ([`diff`]).
//!
//! ```
//! let text = r#"
//!     [networks.inside]
//!     listeners = [{ transport = "udp", address = "127.0.0.1:5060" }]
//!     media = { address = "127.0.0.1", ports = "20000-20999" }
//! "#;
//! let config = config::Config::parse("liaison.toml", text)?;
//! assert_eq!(config.limits.calls, 10_000);
//!
//! let errors = config::Config::parse("liaison.toml", "[limits]\ncals = 5").unwrap_err();
//! assert!(errors.to_string().contains(r#"liaison.toml:2:1: limits.cals: found the key "cals""#));
//! # Ok::<(), config::Errors>(())
//! ```
#![forbid(unsafe_code)]

mod check;
mod declare;
mod diff;
mod error;
mod model;
mod parse;
mod print;
mod text;

pub use check::Conflict;
pub use diff::{Change, Effect, diff};
pub use error::{Error, Errors, Fault, Found};
pub use model::*;
pub use print::{example, reference, schema};
pub use text::{
    AddressOfRecord, Auto, Cause, Domain, Dscp, Fingerprint, HostPort, InstanceId, MediaType, NetworkName,
    Origin, Pattern, PeerHost, PortRange, ProfileName, RouteName, Score, Secret, ServerTransport, ServerUri,
    Token, TrunkName, UrlPath, UserPart,
};

#[cfg(test)]
mod tests;
