use std::collections::BTreeMap;
use std::time::Duration;

use sip_types::StatusCode;

use crate::declare::{Reader, choice, table};
use crate::error::Found;
use crate::text::{MediaType, Token};

table! {
    /// A bundle of policy for legs: of the trunk's profile where the trunk is known, for legs that we dial always, for
    /// those that come in once the INVITE has been taken. Until then the network's counts: the timers of the transactions
    /// that peers begin, and what is refused before a call is made.
    pub struct Profile {
        /// How media flows. It goes around us only where the profiles of both legs say so.
        pinned media: MediaMode = "anchored";
        /// What becomes of streams over connections of the peers' own, such as MSRP and BFCP over TCP, where media is
        /// anchored: our relay carries datagrams only. They go around us only where the profiles of both legs say so.
        pinned tcp_media: TcpMedia = "refuse";
        /// How long a leg that we dial may ring before it is cancelled.
        pinned ring_limit: Duration = "180s", in "1s"..="1h";
        /// How long a call may last once answered; the shorter one of both legs counts.
        pinned max_duration: Duration = "12h", in "1s"..="30d";
        /// How long a side that may send can stay without any RTP or RTCP before the call is ended; `"0s"` is for
        /// ever.
        pinned media_inactivity: Duration = "5m", in "0s"..="24h";
        /// The least time between provisional responses while a call is pending (RFC 3261 §13.3.1.1).
        pinned provisional_interval: Duration = "60s", in "1s"..="170s";
        /// What a redirection (3xx) of the called side leads to.
        pinned redirects: Redirects = "carry";
        /// Option tags that may stand in Require although we don't know them: they cross, both sides see to them.
        pinned transparent: Vec<Token> = [], in 0..=64, such as ["replaces"];
        /// What crosses from one side to the other.
        pinned carry: Carry = {};
        /// How digest authentication is done.
        pinned digest: Digest = {};
        /// What the status of a failed leg becomes on the other side, by status; it comes before the built-in rules:
        /// 401 and 407 become 403, 503 becomes 500, 408 of other requests than INVITE becomes 504, all else stays.
        pinned failures: BTreeMap<StatusCode, StatusCode> = {}, in 0..=300, such as { "480" = 486 };
        /// The statuses after which the next target is tried, as when a target does not answer at all: those that speak
        /// of the way, not of the called party.
        pinned failover: Vec<StatusCode> = [408, 430, 500, 502, 503, 504], in 0..=300;
        /// The timers of SIP.
        pinned timers: Timers = {};
    }
}

choice! {
    /// How media flows.
    pub enum MediaMode {
        /// Through our relay.
        Anchored = "anchored",
        /// Directly between the sides.
        Bypass = "bypass",
    }
}

choice! {
    /// What becomes of media over TCP, SCTP and DCCP, and over other networks than the Internet.
    pub enum TcpMedia {
        /// It is offered and answered with port 0; an offer of nothing else is refused with 488 and Warning 302.
        Refuse = "refuse",
        /// Its lines cross as they are: each side sees the addresses of the other one.
        Around = "around",
    }
}

choice! {
    /// What becomes of a redirection.
    pub enum Redirects {
        /// The other side gets it, with its Contact.
        Carry = "carry",
        /// We call where it points to, without credentials.
        Follow = "follow",
    }
}

table! {
    /// What crosses from one side to the other, beside what we understand ourselves.
    pub struct Carry {
        /// Whether methods that we don't know cross within a dialog; else they are answered 405.
        pinned unknown_methods: bool = true;
        /// Whether bodies other than session descriptions cross; else they are answered 415.
        pinned unknown_bodies: bool = true;
        /// Whether header fields that we don't know cross.
        pinned unknown_header_fields: bool = true;
        /// Methods that never cross.
        pinned forbid_methods: Vec<Token> = [], in 0..=256, such as ["MESSAGE"];
        /// Media types of bodies that never cross.
        pinned forbid_bodies: Vec<MediaType> = [], in 0..=256, such as ["application/isup", "image/*"];
        /// Header fields that never cross, beside those of the built-in table.
        pinned forbid_header_fields: Vec<Token> = [], in 0..=256, such as ["X-Internal"];
    }
}

table! {
    /// How digest authentication is done (RFC 3261 §22, RFC 8760).
    pub struct Digest {
        /// The algorithms that we offer, in this order, and answer.
        pinned algorithms: Vec<Algorithm> = ["SHA-256", "MD5"], in 1..=2;
        /// Whether a challenge without qop is answered, in the way of RFC 2069.
        pinned allow_without_qop: bool = false;
    }
    check check_digest;
}

choice! {
    /// A digest algorithm.
    pub enum Algorithm {
        /// SHA-256 (RFC 8760).
        Sha256 = "SHA-256",
        /// MD5 (RFC 3261 §22.4).
        Md5 = "MD5",
    }
}

table! {
    /// The timers of SIP (RFC 3261 §17, table 4).
    pub struct Timers {
        /// The estimate of a round trip.
        pinned t1: Duration = "500ms", in "50ms"..="10s";
        /// The longest interval of retransmission.
        pinned t2: Duration = "4s", in "100ms"..="60s";
        /// The longest time that a message stays in the network.
        pinned t4: Duration = "5s", in "100ms"..="60s";
    }
    check check_timers;
}

fn check_digest(digest: &Digest, reader: &mut Reader<'_>) {
    if let [first, second] = digest.algorithms.as_slice()
        && first == second
    {
        reader.conflict("algorithms[1]", Found::Text(format!("\"{second}\" again")), "each algorithm once");
    }
}

fn check_timers(timers: &Timers, reader: &mut Reader<'_>) {
    if timers.t2 < timers.t1 {
        let found = Found::Text(format!("{:?}", timers.t2));
        reader.conflict("t2", found, format!("at least t1, which is {:?}", timers.t1));
    }
}
