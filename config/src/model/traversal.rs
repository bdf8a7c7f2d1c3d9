use std::path::PathBuf;

use bytestring::ByteString;

use crate::declare::{Reader, table};
use crate::error::Found;
use crate::text::{Secret, ServerUri};

table! {
    /// How the NAT is crossed that the media ports of a network are behind. We are a full ICE agent in such a network (RFC 8445),
    /// and who has no ICE is told the address that is most likely to be reached: a relayed one, else the one that a STUN server
    /// sees. Pairs of ports are kept ready with all their addresses, so that no call waits for a server.
    pub struct Traversal {
        /// STUN and TURN servers, each of which is looked up once, when the node starts. Of each kind the first that answers is
        /// used; one that has failed is passed over for 30 s.
        restart servers: Vec<TraversalServer>, in 1..=8, such as [{ uri = "stun:stun.example.com" }];
        /// Pairs of ports kept ready for each shard and media thread. With a TURN server each has two allocations there.
        restart ready: u16 = 8, in 1..=256, unit "pairs of ports";
        /// The file of the root certificates that servers' are believed by, in PEM. Default: those of the system.
        restart roots: Option<PathBuf>, such as "/etc/liaison/tls/turn.pem";
    }
}

table! {
    /// A STUN or TURN server.
    pub struct TraversalServer {
        /// Where it is (RFC 7064, RFC 7065).
        restart uri: ServerUri, such as "turn:turn.example.com";
        /// The username that a TURN server knows us by; with `secret` the part after the colon.
        restart username: Option<ByteString>, such as "liaison";
        /// The password that goes with it.
        restart password: Option<Secret>, such as { file = "/etc/liaison/turn.password" };
        /// In place of `password`, what credentials are made with that last a day (draft-uberti-behave-turn-rest-00).
        restart secret: Option<Secret>, such as { file = "/etc/liaison/turn.secret" };
    }
    check check_server;
}

fn check_server(server: &TraversalServer, reader: &mut Reader<'_>) {
    let uri = Found::Text(format!("\"{}\"", server.uri));
    let given = [server.password.is_some(), server.secret.is_some()];
    if !server.uri.is_turn() {
        let any = [("username", server.username.is_some()), ("password", given[0]), ("secret", given[1])];
        for (setting, _) in any.into_iter().filter(|(_, given)| *given) {
            reader.conflict(setting, uri.clone(), "a TURN server, as a STUN server asks for no proof");
        }
        return;
    }
    let name = server.username.as_deref().unwrap_or_default();
    let proper = !name.is_empty() && name.len() <= 400 && name.bytes().all(|b| matches!(b, b' '..=b'~'));
    if !proper || name.contains(['"', '\\']) {
        let found = Found::Text(format!("{name:?}"));
        reader.conflict("username", found, "1 to 400 characters of ASCII without quotes and backslashes");
    }
    match given {
        [false, false] => reader.conflict("uri", uri, "a STUN server, or `password` or `secret`"),
        [true, true] => {
            reader.conflict("secret", Found::Text("`password`, too".to_owned()), "only one of the two");
        }
        [true, false] | [false, true] => {}
    }
}
