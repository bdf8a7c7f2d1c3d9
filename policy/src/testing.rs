//! What tests of several modules share.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use config::Config;
use sip_types::{Limits, Message};

use crate::Compiled;

/// Two networks; what follows goes on in the table of `b`.
pub(crate) const NETWORKS: &str = r#"
[networks.a]
listeners = [{ transport = "udp", address = "127.0.0.1:5060" }]
media = { address = "127.0.0.1", ports = "20000-20999" }
[networks.b]
listeners = [{ transport = "udp", address = "127.0.0.1:5070" }, { transport = "tcp", address = "127.0.0.1:5070" }]
media = { address = "127.0.0.1", ports = "21000-21999" }
"#;

pub(crate) fn compiled(text: &str) -> Compiled {
    let config = Config::parse("test.toml", text).unwrap_or_else(|errors| panic!("{errors}"));
    Compiled::new(Arc::new(config))
}

/// The key of a map that reads so.
pub(crate) fn name<'m, K: ToString, V>(map: &'m BTreeMap<K, V>, text: &str) -> &'m K {
    map.keys().find(|key| key.to_string() == text).unwrap()
}

/// An INVITE with these header fields, each line without its CRLF.
pub(crate) fn invite(fields: &[&str]) -> Message {
    let mut text = "INVITE sip:b@example.com SIP/2.0\r\n".to_owned();
    for field in fields {
        text.push_str(field);
        text.push_str("\r\n");
    }
    text.push_str("\r\n");
    Message::parse(Bytes::from(text), &Limits::default()).unwrap()
}

/// The default profile with these lines in it.
pub(crate) fn profile(lines: &str) -> config::Profile {
    let policy = compiled(&format!("{NETWORKS}[profiles.default]\n{lines}"));
    policy.config().profile(None).unwrap().clone()
}
