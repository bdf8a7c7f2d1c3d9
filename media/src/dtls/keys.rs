//! From what a handshake exports to the keys of SRTP (RFC 5764 §4.2).

use zeroize::Zeroizing;

use super::Role;
use super::engine::Exported;
use crate::srtp::{MasterKey, Protection, Suite};

/// The label of the exporter.
pub(super) const LABEL: &str = "EXTRACTOR-dtls_srtp";

/// How many octets a suite wants of the exporter: a key and a salt for each side.
pub(super) fn exported_length(suite: Suite) -> usize {
    2 * (suite.key_length() + suite.salt_length())
}

/// The keys of both directions; `None` where the material has another length than the suite wants.
///
/// The client's key comes first, then the server's, then both salts in that order; each side protects what it sends with its own.
pub(super) fn protection(exported: &Exported, role: Role) -> Option<Protection> {
    let (suite, material) = (exported.agreed.suite, &exported.material);
    if material.len() != exported_length(suite) {
        return None;
    }
    let (client, rest) = material.split_at_checked(suite.key_length())?;
    let (server, salts) = rest.split_at_checked(suite.key_length())?;
    let (client_salt, server_salt) = salts.split_at_checked(suite.salt_length())?;
    let of_client = master(suite, client, client_salt)?;
    let of_server = master(suite, server, server_salt)?;
    let (send, receive) = match role {
        Role::Client => (of_client, of_server),
        Role::Server => (of_server, of_client),
    };
    Some(Protection { receive: Box::new([receive]), send })
}

fn master(suite: Suite, key: &[u8], salt: &[u8]) -> Option<MasterKey> {
    let mut octets = Zeroizing::new(Vec::with_capacity(key.len() + salt.len()));
    octets.extend_from_slice(key);
    octets.extend_from_slice(salt);
    MasterKey::new(suite, &octets).ok()
}
