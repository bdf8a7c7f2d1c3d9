//! What a handshake is for its association, whoever makes it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use zeroize::Zeroizing;

use super::records::Facts;
use super::{Agreed, Failure};

/// One handshake, and what is left of it when it is done. No clock and no I/O: datagrams and time go in, datagrams come out of
/// [`Engine::transmit`], after a failure too.
pub(super) trait Engine: Send {
    /// Takes a whole datagram, of which is known what it has.
    ///
    /// # Errors
    /// Why the handshake has failed.
    fn receive(&mut self, now: Instant, datagram: &[u8], facts: &Facts) -> Result<Progress, Failure>;

    /// Sends the last flight again (RFC 6347 §4.2.4), or does what [`Self::due`] has said.
    ///
    /// # Errors
    /// Why the handshake has failed.
    fn repeat(&mut self, now: Instant) -> Result<(), Failure>;

    /// When [`Self::repeat`] is due, by an engine that has a timer of its own, also when the handshake is done (RFC 9147 §5.8.1: what a
    /// client sends last is acknowledged). The timer of others is their owner's.
    fn due(&self) -> Option<Instant> {
        None
    }

    /// Tells the peer that no more is coming.
    fn close(&mut self, now: Instant);

    /// The next datagram to send.
    fn transmit(&mut self) -> Option<Vec<u8>>;
}

/// What has come of a datagram.
pub(super) enum Progress {
    /// Nothing that anybody has to know.
    Going,
    /// The peer repeats what was answered: the answer was lost.
    Repeated,
    /// The handshake is done.
    Done(Exported),
    /// The peer has sent close_notify.
    Closed,
}

/// What a handshake was for.
pub(super) struct Exported {
    /// What was agreed on.
    pub(super) agreed: Agreed,
    /// Keys and salts of both (RFC 5764 §4.2).
    pub(super) material: Zeroizing<Vec<u8>>,
}

/// Says whether a certificate in DER is the peer's.
pub(super) type Verify = Arc<dyn Fn(&[u8]) -> bool + Send + Sync>;

/// What somebody else's code says; a panic in it is a failure.
pub(super) fn fenced<T>(work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or(Err(Failure::Internal))
}
