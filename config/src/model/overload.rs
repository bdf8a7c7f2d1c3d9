use std::time::Duration;

use crate::declare::{Reader, choice, table};
use crate::error::Found;
use crate::text::Token;

table! {
    /// What the node does when it is offered more than it can serve (RFC 7339).
    pub struct Overload {
        /// Whether a shard that is overloaded has its clients send less: those that follow overload control are asked to, and
        /// of the new requests of all others some are refused, with 503 without Retry-After. Else it takes what comes, up to
        /// its limits.
        live protect: bool = true;
        /// The share of its time that a shard works, in percent, at which it is overloaded once that has lasted for a second.
        live onset: u8 = 95, in 10..=100, unit "percent";
        /// The share that an overloaded shard is brought back to. At most `onset`.
        live target: u8 = 85, in 5..=100, unit "percent";
        /// What clients are asked for that know both.
        live algorithm: OverloadAlgorithm = "loss";
        /// How long clients keep to what they were told last (RFC 7339 §4.3).
        live validity: Duration = "500ms", in "200ms"..="10m";
        /// What of Resource-Priority (RFC 4412) puts a request above others: namespaces, or single values such as
        /// `dsn.flash`. Such requests of trusted networks, like those for an emergency service (`urn:service:sos`), are never refused because of
        /// overload, and are sent to an overloaded peer as long as it takes any.
        live priorities: Vec<Token> = ["esnet", "ets", "wps"], in 0..=64;
    }
    check check_overload;
}

choice! {
    /// What an overloaded node asks its clients for.
    pub enum OverloadAlgorithm {
        /// A share of their requests to leave out (RFC 7339 §7).
        Loss = "loss",
        /// A number of requests a second not to exceed (RFC 7415).
        Rate = "rate",
    }
}

table! {
    /// Overload control between neighbours (RFC 7339).
    pub struct OverloadControl {
        /// Whether requests of the leg say that we follow overload control (`oc` in Via), and we send fewer to a peer that asks
        /// for that: some calls then go to the next target, or fail with 503.
        pinned heed: Heed = "loss";
        /// Whether peers that follow overload control are told our load, in the Via of responses. The network's profile
        /// counts. Those that are not told are treated like those that don't follow it.
        live tell: bool = true;
    }
}

choice! {
    /// What we follow of overload control.
    pub enum Heed {
        /// Nothing: Via does not speak of it.
        Nothing = "nothing",
        /// Control by loss (RFC 7339), which everybody knows who takes part.
        Loss = "loss",
        /// Control by rate too (RFC 7415), where the peer chooses it. For peers that can read the list that our Via has then:
        /// Kamailio 5 takes no message with its comma.
        LossAndRate = "loss-and-rate",
    }
}

fn check_overload(overload: &Overload, reader: &mut Reader<'_>) {
    if overload.target > overload.onset {
        let found = Found::Text(overload.target.to_string());
        reader.conflict("target", found, format!("at most onset, which is {}", overload.onset));
    }
}
