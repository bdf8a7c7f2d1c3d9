//! How good a stream is.

use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use super::Seconds;

/// A number with two digits after the point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ToSchema)]
#[schema(value_type = f64, minimum = 0, examples(4.13))]
pub struct Hundredths(pub u32);

impl Serialize for Hundredths {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(f64::from(self.0) / 100.0)
    }
}

/// What the peer makes of the conversation: the VoIP metrics of its extended reports (RFC 3611 §4.7), as it told them last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct VoipMetrics {
    /// The share of packets lost on the way to it, in percent.
    pub loss_percent: Hundredths,
    /// The share of those that came too late or too early to be played, in percent.
    pub discard_percent: Hundredths,
    /// Between it and the other end, there and back.
    pub round_trip_seconds: Seconds,
    /// The rating R of the E-model; null where it does not say.
    #[schema(examples(93))]
    pub r_factor: Option<u8>,
    /// The mean opinion score of listening; null where it does not say.
    pub mos_lq: Option<Hundredths>,
    /// That of conversation; null where it does not say.
    pub mos_cq: Option<Hundredths>,
}
