//! The call as the admin API shows it.

use super::http;
use anyhow::Context as _;
use serde::Deserialize;
use std::net::SocketAddr;

/// What `GET /v1/calls/{id}` says, as far as it is shown.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Call {
    /// Liaison's name of the call.
    pub(super) id: String,
    /// The caller's leg, then the called one.
    pub(super) legs: Vec<Leg>,
    /// What policy decided, and why.
    pub(super) policy_trail: Vec<Step>,
}

/// One leg.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Leg {
    /// Its streams.
    pub(super) streams: Vec<Stream>,
}

/// One stream.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Stream {
    /// What came from the telephone.
    pub(super) received: Option<Counters>,
    /// What was sent to it.
    pub(super) sent: Option<Counters>,
}

/// The counters of one direction.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub(super) struct Counters {
    /// RTP packets.
    pub(super) packets: u64,
    /// Packets that never came.
    pub(super) lost_packets: Option<i64>,
    /// Interarrival jitter.
    pub(super) jitter_seconds: Option<f64>,
}

/// One decision.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Step {
    /// What it was about.
    pub(super) subject: String,
    /// What was decided.
    pub(super) decision: String,
    /// Why.
    pub(super) reason: String,
}

#[derive(Deserialize)]
struct Page {
    calls: Vec<Named>,
}

#[derive(Deserialize)]
struct Named {
    id: String,
}

/// The one call that there is.
///
/// # Errors
/// The API does not answer, or knows no call.
pub(super) async fn call(api: SocketAddr, token: &str) -> anyhow::Result<Call> {
    let page: Page = serde_json::from_str(&http::get(api, "/v1/calls", token).await?)?;
    let named = page.calls.first().context("the admin API lists no call")?;
    let text = http::get(api, &format!("/v1/calls/{}", named.id), token).await?;
    serde_json::from_str(&text).context("the admin API shows a call in an unknown form")
}

impl Call {
    /// What came in and went out on a leg: 0 is the caller's.
    pub(super) fn counters(&self, leg: usize) -> (Counters, Counters) {
        let stream = self.legs.get(leg).and_then(|leg| leg.streams.first());
        let received = stream.and_then(|stream| stream.received);
        let sent = stream.and_then(|stream| stream.sent);
        (received.unwrap_or_default(), sent.unwrap_or_default())
    }
}
