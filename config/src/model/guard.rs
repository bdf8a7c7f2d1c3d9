use std::time::Duration;

use crate::declare::{Reader, table};
use crate::error::Found;

table! {
    /// How scanners are met: a source that is refused again and again, or challenged without ever answering well, is not heard
    /// for a while. What comes from it gets no answer, and its connections are closed. Always heard are: addresses (`from`, unless
    /// that is nearly everybody's) and certificates of trunks, dialogs that stand, and the flows of users who have proved who they are. Where such a user shares
    /// the source, each of its flows is counted and cut off by itself.
    pub struct Guard {
        /// False to answer everybody.
        live enabled: bool = true;
        /// Refusals (403, 404), unanswered challenges and unreadable messages that lead to quarantine.
        live refusals: u32 = 50, in 2..=1_000_000;
        /// In what time.
        live within: Duration = "1m", in "1s"..="1h";
        /// How long a challenge may wait for a right answer, by anybody of the source, until it counts.
        live grace: Duration = "5s", in "0s"..="1m";
        /// How long a source is not heard.
        live quarantine: Duration = "10m", in "1s"..="30d";
        /// How long a right answer to a challenge speaks for its flow and its source: longer than registrations last.
        live proven_for: Duration = "2h", in "1m"..="30d";
        /// Bits of an IPv4 address that make its source.
        live ipv4_prefix: u8 = 32, in 8..=32;
        /// Bits of an IPv6 address that make its source.
        live ipv6_prefix: u8 = 64, in 16..=128;
        /// Sources and flows that are remembered as refused, and as many as proven; beyond, what was touched longest ago is
        /// forgotten.
        live entries: usize = 100_000, in 16..=10_000_000;
    }
    check check_guard;
}

fn check_guard(guard: &Guard, reader: &mut Reader<'_>) {
    if guard.grace >= guard.within {
        let found = Found::Text(format!("{:?}", guard.grace));
        reader.conflict("grace", found, format!("less than `within`, which is {:?}", guard.within));
    }
}
