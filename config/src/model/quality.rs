use std::time::Duration;

use crate::declare::table;
use crate::text::Score;

table! {
    /// From which quality of a stream on it is poor. It is judged while a call stands, each direction by what was counted since the last
    /// time, and noted where that changes: in the log, the metrics, the API and the call's record. Nothing is judged where no bound is
    /// set.
    pub struct Quality {
        /// The share of packets lost above which it is poor, in percent: of those from the peer, or by its reports of ours.
        pinned loss: Option<u8>, in 1..=100, unit "percent", such as 3;
        /// The interarrival jitter (RFC 3550 §6.4.1) above which it is poor.
        pinned jitter: Option<Duration>, in "1ms"..="10s", such as "50ms";
        /// The time to the peer and back above which it is poor.
        pinned round_trip: Option<Duration>, in "1ms"..="10s", such as "400ms";
        /// The estimate of the mean opinion score below which it is poor: the E-model of ITU-T G.107, for audio of codecs that have been
        /// measured.
        pinned mos: Option<Score>, such as "3.6";
        /// How often it is judged.
        pinned every: Duration = "10s", in "1s"..="10m";
    }
}

impl Quality {
    /// Whether there is anything to be judged by.
    #[must_use]
    pub fn is_bounded(&self) -> bool {
        self.loss.is_some() || self.jitter.is_some() || self.round_trip.is_some() || self.mos.is_some()
    }
}
