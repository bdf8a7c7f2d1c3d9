use std::time::Duration;

use crate::declare::{Reader, table};
use crate::error::Found;

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

fn check_timers(timers: &Timers, reader: &mut Reader<'_>) {
    if timers.t2 < timers.t1 {
        let found = Found::Text(format!("{:?}", timers.t2));
        reader.conflict("t2", found, format!("at least t1, which is {:?}", timers.t1));
    }
}
