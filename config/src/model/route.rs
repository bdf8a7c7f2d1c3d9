use std::time::Duration;

use bytestring::ByteString;
use serde_json::Value as Json;
use sip_types::{Method, StatusCode, Uri};
use toml::de::DeValue;

use crate::declare::{self, Claim, Reader, Shape, Value, table};
use crate::error::Found;
use crate::text::{HostPort, NetworkName, Pattern, ProfileName, RouteName, TrunkName};

table! {
    /// A rule from match to targets. It matches when everything that it asks for does; an empty list asks nothing.
    pub struct Route {
        /// Its name in explanations and call detail records.
        pinned name: RouteName, such as "to-provider";
        /// Routes of a higher priority are tried first, whatever their patterns.
        pinned priority: u8 = 0, in 0..=255;
        /// The networks that the request comes from.
        pinned networks: Vec<NetworkName> = [], such as ["carrier"];
        /// The trunks that the request comes from.
        pinned trunks: Vec<TrunkName> = [], such as ["provider"];
        /// The methods.
        pinned methods: Vec<Method> = [], such as ["INVITE"];
        /// The Request-URI: `"+4930*"` a number or user that begins so, `"112"` exactly, `"alice@example.com"` at
        /// any port and scheme, `"@example.com"` any user there, `"sip:…"` the URI (RFC 3261 §19.1.4), `"*"` any.
        /// The most specific entry that matches counts.
        pinned called: Vec<Pattern> = [], in 0..=65_536, such as ["+49*", "112"];
        /// The URI of From, in the same forms.
        pinned calling: Vec<Pattern> = [], in 0..=65_536, such as ["@example.com"];
        /// Where the call goes, tried in this order: names of trunks, URIs with the network to use as in
        /// `{ uri = "sip:alice@192.0.2.7", network = "carrier" }`, and the devices that the called user has registered in
        /// a domain of ours as in `{ domain = "example.com" }`.
        pinned to: Vec<Target> = [], in 0..=64, say ["provider"];
        /// Refuses the request, instead of `to`.
        pinned reject: Option<Reject>;
        /// Rewrites the called number or user for trunks.
        pinned number: Option<Number>;
        /// The profile of the legs that this route dials, instead of their trunk's.
        pinned profile: Option<ProfileName>, such as "default";
    }
    check check_route;
}

table! {
    /// How a route refuses.
    pub struct Reject {
        /// The status.
        pinned status: StatusCode = 403;
        /// The reason phrase; the status's own when absent.
        pinned reason: Option<ByteString>, such as "Not from here";
        /// The Retry-After (RFC 3261 §20.33).
        pinned retry_after: Option<Duration>, in "1s"..="7d", such as "60s";
    }
}

table! {
    /// How a number or user is rewritten: first `strip`, then `prefix`.
    pub struct Number {
        /// What is taken off the front, when it stands there.
        pinned strip: ByteString = "";
        /// What is put in front.
        pinned prefix: ByteString = "";
    }
    check check_number;
}

/// One place where a route sends a call.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// A trunk, with all of its targets.
    Trunk(TrunkName),
    /// A URI in a network, without a trunk.
    Uri(TargetUri),
    /// What the called user has registered in a domain.
    Domain(TargetDomain),
}

table! {
    /// A URI to call without a trunk.
    pub struct TargetUri {
        /// The URI, which becomes the Request-URI as it stands.
        pinned uri: Uri, such as "sip:alice@192.0.2.7";
        /// The network to call from.
        pinned network: NetworkName, such as "carrier";
    }
    check check_target;
}

table! {
    /// The devices of the called user.
    pub struct TargetDomain {
        /// A domain of a network's registrar. Devices are called one after the other, the preferred first (RFC 3261 §16.6),
        /// and of those alike the one that registered last. A user who is not known there is answered 404, one without
        /// a device 480.
        pinned domain: HostPort, such as "example.com";
    }
}

impl Value for Target {
    fn shape() -> Shape {
        Shape::Either(vec![TrunkName::shape(), TargetUri::shape(), TargetDomain::shape()])
    }

    fn read(node: declare::Node<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        match node.get_ref() {
            DeValue::Table(table) if table.contains_key("domain") => {
                TargetDomain::read(node, reader).map(Self::Domain)
            }
            DeValue::Table(_) => TargetUri::read(node, reader).map(Self::Uri),
            _ => TrunkName::read(node, reader).map(Self::Trunk),
        }
    }

    fn json(&self) -> Json {
        match self {
            Self::Trunk(name) => name.json(),
            Self::Uri(target) => target.json(),
            Self::Domain(target) => target.json(),
        }
    }
}

fn check_route(route: &Route, reader: &mut Reader<'_>) {
    reader.claim("name", Claim::Route { name: route.name.clone() });
    let expected = "either targets in `to` or a refusal in `reject`";
    if route.to.is_empty() && route.reject.is_none() && !reader.faulty_here() {
        reader.conflict("", Found::Text("neither".to_owned()), expected);
    }
    if !route.to.is_empty() && route.reject.is_some() {
        reader.conflict("reject", Found::Text("both".to_owned()), expected);
    }
    if route.number.is_some() && route.reject.is_some() {
        reader.conflict("number", Found::Text("a rewriting".to_owned()), "none in a route that refuses");
    }
}

fn check_number(number: &Number, reader: &mut Reader<'_>) {
    for (name, text) in [("strip", &number.strip), ("prefix", &number.prefix)] {
        if !text.chars().all(|c| c.is_ascii_alphanumeric() || "+*#-_.!~'()&=$".contains(c)) {
            reader.conflict(
                name,
                Found::Text(format!("{:?}", &**text)),
                "digits, letters and +*#-_.!~'()&=$",
            );
        }
    }
}

fn check_target(target: &TargetUri, reader: &mut Reader<'_>) {
    if let Err(expected) = super::trunk::target_transport(&target.uri) {
        reader.conflict("uri", Found::Text(format!("\"{}\"", target.uri)), expected);
    }
}
