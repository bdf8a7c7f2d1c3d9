//! The non-INVITE client transaction (RFC 3261 §17.1.2).
//!
//! ```text
//!   ┌────────┐ 1xx ┌────────────┐
//!   │ Trying ├────►│ Proceeding │   E: resend in both, F: time-out in both
//!   └───┬────┘     └─────┬──────┘
//!       │200-699         │200-699
//!       └──────┬─────────┘
//!              ▼
//!        ┌───────────┐
//!        │ Completed ├──► K
//!        └───────────┘
//! ```

/// Where the transaction stands; `Terminated` is its absence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// The request is out, nothing came back.
    Trying,
    /// A provisional response came.
    Proceeding,
    /// A final response came; repeats are absorbed.
    Completed,
}

/// What can happen to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    /// A 1xx response.
    Provisional,
    /// A 200-699 response.
    Final,
    /// Timer E.
    Retransmit,
    /// Timer F or K, by state.
    Expire,
    /// The transport could not send.
    TransportFailed,
}

/// What the transaction does about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    /// Nothing.
    Ignore,
    /// Send the request again.
    Resend,
    /// Hand the response to the user agent.
    Deliver,
    /// Tell the user agent that nobody answered.
    ReportTimeout,
    /// Tell the user agent that the transport failed.
    ReportTransportFailed,
}

/// The state after `input` (`None`: terminated), and what to do.
pub(crate) fn step(state: State, input: Input) -> (Option<State>, Act) {
    use Act::{Deliver, Ignore, ReportTimeout, ReportTransportFailed, Resend};
    use Input::{Expire, Final, Provisional, Retransmit, TransportFailed};
    use State::{Completed, Proceeding, Trying};
    match (state, input) {
        (Trying | Proceeding, Provisional) => (Some(Proceeding), Deliver),
        (Trying | Proceeding, Final) => (Some(Completed), Deliver),
        (Trying | Proceeding, Retransmit) => (Some(state), Resend),
        (Trying | Proceeding, Expire) => (None, ReportTimeout),
        (Trying | Proceeding, TransportFailed) => (None, ReportTransportFailed),
        (Completed, Expire) => (None, Ignore),
        (Completed, Provisional | Final | Retransmit | TransportFailed) => (Some(Completed), Ignore),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // conforms: RFC3261-17.1.2.2-3,4,5,6,7,9
    #[test]
    fn rfc3261_17_1_2_2_every_pair() {
        use {Act::*, Input::*, State::*};
        let inputs = [Provisional, Final, Retransmit, Expire, TransportFailed];
        let table = [
            (
                Trying,
                [
                    (Some(Proceeding), Deliver),
                    (Some(Completed), Deliver),
                    (Some(Trying), Resend),
                    (None, ReportTimeout),
                    (None, ReportTransportFailed),
                ],
            ),
            (
                Proceeding,
                [
                    (Some(Proceeding), Deliver),
                    (Some(Completed), Deliver),
                    (Some(Proceeding), Resend),
                    (None, ReportTimeout),
                    (None, ReportTransportFailed),
                ],
            ),
            (
                Completed,
                [
                    (Some(Completed), Ignore),
                    (Some(Completed), Ignore),
                    (Some(Completed), Ignore),
                    (None, Ignore),
                    (Some(Completed), Ignore),
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
