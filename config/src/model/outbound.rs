use std::time::Duration;

use sip_types::Uri;

use crate::declare::{Reader, table};
use crate::error::Found;
use crate::model::target_transport;
use crate::text::InstanceId;

table! {
    /// Outbound (RFC 5626): several registrations of one instance, each by a flow of its own that is kept open and watched.
    /// Calls of either direction take any flow that works. A trunk whose first hop or registrar lacks outbound is registered
    /// without it, by one flow at a time.
    pub struct Outbound {
        /// The edge proxies, a flow to each, numbered in this order. REGISTERs and calls have them as their first Route.
        /// Without any, there is a flow to each of the first four registrars.
        live proxies: Vec<Uri> = [], in 0..=4, such as ["sip:edge1.example.com;transport=tcp", "sip:edge2.example.com;transport=tcp"];
        /// Our name as an instance, the same for ever and nobody else's. Without it, the node makes one up when it first needs
        /// it, and keeps it in `instance` in its state directory.
        live instance: Option<InstanceId>, such as "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6";
        /// How often a flow is sent a keepalive at the latest, where the registrar does not say so (Flow-Timer); each comes
        /// after four fifths of that time at the earliest. Absent: 2 min on connections, 29 s over UDP (RFC 5626 §4.4).
        live keepalive: Option<Duration>, in "5s"..="15m", such as "2m";
        /// After a failed attempt the next one waits for half to all of this time, doubled with every failure in a row, while
        /// all flows have failed (RFC 5626 §4.5).
        live wait_all_failed: Duration = "30s", in "1s"..="10m";
        /// The same while another flow stands.
        live wait_some_left: Duration = "90s", in "1s"..="10m";
        /// The longest that these waits become.
        live wait_longest: Duration = "30m", in "1s"..="1d";
    }
    check check_outbound;
}

fn check_outbound(outbound: &Outbound, reader: &mut Reader<'_>) {
    for (index, uri) in outbound.proxies.iter().enumerate() {
        let expected = match target_transport(uri) {
            Err(expected) => expected,
            Ok(_) if uri.user().is_some() => "a URI without a user: it names a proxy",
            Ok(_) => continue,
        };
        reader.conflict(&reader.element("proxies", index), Found::Text(format!("\"{uri}\"")), expected);
    }
    let least = outbound.wait_all_failed.max(outbound.wait_some_left);
    if outbound.wait_longest < least {
        let found = Found::Text(format!("\"{}s\"", outbound.wait_longest.as_secs()));
        let expected = format!("at least {} s, as the waits begin with that", least.as_secs());
        reader.conflict("wait_longest", found, expected);
    }
}
