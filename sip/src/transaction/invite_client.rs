//! The INVITE client transaction (RFC 3261 §17.1.1 as updated by RFC 6026 §8.4).
//!
//! ```text
//!             INVITE sent
//!                 │  ┌─ A: resend
//!                 ▼  ▼
//!             ┌─────────┐ 1xx   ┌────────────┐
//!        B ◄──┤ Calling ├──────►│ Proceeding │◄┐ 1xx
//!             └─┬─────┬─┘       └──┬──────┬──┴─┘
//!        300-699│     │2xx      2xx│      │300-699
//!           ACK ▼     └─────┬──────┘      ▼ ACK
//!        ┌───────────┐      ▼       ┌───────────┐
//!     D ◄┤ Completed │ ┌──────────┐ │ Completed │
//!        └───────────┘ │ Accepted ├►M└──────────┘
//!                      └──────────┘ 2xx: deliver
//! ```

/// Where the transaction stands; `Terminated` is its absence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// The INVITE is out, nothing came back.
    Calling,
    /// A provisional response came.
    Proceeding,
    /// A 2xx came; more of them may.
    Accepted,
    /// A final failure came and was acknowledged; its repeats are too.
    Completed,
}

/// What can happen to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    /// A 1xx response.
    Provisional,
    /// A 2xx response.
    Success,
    /// A 300-699 response.
    Failure,
    /// Timer A.
    Retransmit,
    /// Timer B, D or M, by state.
    Expire,
    /// The transport could not send.
    TransportFailed,
}

/// What the transaction does about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    /// Nothing.
    Ignore,
    /// Send the INVITE again.
    Resend,
    /// Hand the response to the user agent.
    Deliver,
    /// Acknowledge, and hand the response to the user agent.
    AckAndDeliver,
    /// Acknowledge a repeated failure.
    Ack,
    /// Tell the user agent that nobody answered.
    ReportTimeout,
    /// Tell the user agent that the transport failed.
    ReportTransportFailed,
    /// Tell the user agent that no further 2xx can come.
    ReportEnd,
}

/// The state after `input` (`None`: terminated), and what to do.
pub(crate) fn step(state: State, input: Input) -> (Option<State>, Act) {
    use Act::{Ack, AckAndDeliver, Deliver, Ignore, ReportEnd, ReportTimeout, ReportTransportFailed, Resend};
    use Input::{Expire, Failure, Provisional, Retransmit, Success, TransportFailed};
    use State::{Accepted, Calling, Completed, Proceeding};
    match (state, input) {
        (Calling | Proceeding, Provisional) => (Some(Proceeding), Deliver),
        (Calling | Proceeding | Accepted, Success) => (Some(Accepted), Deliver),
        (Calling | Proceeding, Failure) => (Some(Completed), AckAndDeliver),
        (Calling, Retransmit) => (Some(Calling), Resend),
        (Calling, Expire) => (None, ReportTimeout),
        (Calling, TransportFailed) => (None, ReportTransportFailed),
        // Only an INVITE that was given up has a deadline here (RFC 3261 §9.1).
        (Proceeding, Expire) => (None, ReportTimeout),
        (Proceeding, Retransmit | TransportFailed) => (Some(Proceeding), Ignore),
        (Accepted, Expire) => (None, ReportEnd),
        (Accepted, Provisional | Failure | Retransmit | TransportFailed) => (Some(Accepted), Ignore),
        (Completed, Failure) => (Some(Completed), Ack),
        (Completed, Expire | TransportFailed) => (None, Ignore),
        (Completed, Provisional | Success | Retransmit) => (Some(Completed), Ignore),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // conforms: RFC3261-13.2.2.3-1 RFC3261-17.1.1.2-10,11,12,13,15,16 RFC6026-7.2-1,2
    // conforms: RFC6026-8.4-1,2,5,7,8,10
    #[test]
    fn rfc6026_8_4_every_pair() {
        use {Act::*, Input::*, State::*};
        let inputs = [Provisional, Success, Failure, Retransmit, Expire, TransportFailed];
        let table = [
            (
                Calling,
                [
                    (Some(Proceeding), Deliver),
                    (Some(Accepted), Deliver),
                    (Some(Completed), AckAndDeliver),
                    (Some(Calling), Resend),
                    (None, ReportTimeout),
                    (None, ReportTransportFailed),
                ],
            ),
            (
                Proceeding,
                [
                    (Some(Proceeding), Deliver),
                    (Some(Accepted), Deliver),
                    (Some(Completed), AckAndDeliver),
                    (Some(Proceeding), Ignore),
                    (None, ReportTimeout),
                    (Some(Proceeding), Ignore),
                ],
            ),
            (
                Accepted,
                [
                    (Some(Accepted), Ignore),
                    (Some(Accepted), Deliver),
                    (Some(Accepted), Ignore),
                    (Some(Accepted), Ignore),
                    (None, ReportEnd),
                    (Some(Accepted), Ignore),
                ],
            ),
            (
                Completed,
                [
                    (Some(Completed), Ignore),
                    (Some(Completed), Ignore),
                    (Some(Completed), Ack),
                    (Some(Completed), Ignore),
                    (None, Ignore),
                    (None, Ignore),
                ],
            ),
        ];
        for (state, row) in table {
            for (input, want) in inputs.into_iter().zip(row) {
                assert_eq!(step(state, input), want, "{state:?} {input:?}");
            }
        }
    }
}
