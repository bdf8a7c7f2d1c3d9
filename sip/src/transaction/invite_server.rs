//! The INVITE server transaction (RFC 3261 §17.2.1 as updated by RFC 6026 §8.5).
//!
//! ```text
//!            INVITE
//!              │    ┌─ INVITE: resend last, 1xx: send
//!              ▼    ▼
//!           ┌────────────┐ 2xx: send  ┌──────────┐ ◄┐ 2xx: send
//!           │ Proceeding ├───────────►│ Accepted ├──┘──► L
//!           └─────┬──────┘            └──────────┘  INVITE, ACK: see below
//!    300-699: send│
//!                 ▼    ┌─ INVITE, G: resend
//!           ┌───────────┐ ◄┘  ACK   ┌───────────┐
//!      H ◄──┤ Completed ├──────────►│ Confirmed ├──► I
//!           └───────────┘           └───────────┘
//! ```
//! A transport error changes no state (RFC 6026 §7.1); the timers end the transaction.
//! An ACK of a 2xx has a branch of its own and goes past the transaction, to the dialog.

/// Where the transaction stands; `Terminated` is its absence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// The user agent has not answered finally.
    Proceeding,
    /// A 2xx was sent; repeats of the INVITE are absorbed.
    Accepted,
    /// A failure was sent and waits for its ACK.
    Completed,
    /// The ACK came; its repeats are absorbed.
    Confirmed,
}

/// What can happen to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    /// The INVITE again.
    Invite,
    /// An ACK with the branch of the INVITE.
    Ack,
    /// The user agent sends a 1xx.
    SendProvisional,
    /// The user agent sends a 2xx, or the same 2xx again.
    SendSuccess,
    /// The user agent sends a 300-699.
    SendFailure,
    /// Timer G.
    Retransmit,
    /// Timer H, I or L, by state.
    Expire,
}

/// What the transaction does about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    /// Nothing.
    Ignore,
    /// Send the response.
    Send,
    /// Send the last response again.
    Resend,
}

/// The state after `input` (`None`: terminated), and what to do.
pub(crate) fn step(state: State, input: Input) -> (Option<State>, Act) {
    use Act::{Ignore, Resend, Send};
    use Input::{Ack, Expire, Invite, Retransmit, SendFailure, SendProvisional, SendSuccess};
    use State::{Accepted, Completed, Confirmed, Proceeding};
    match (state, input) {
        (Proceeding, Invite) => (Some(Proceeding), Resend),
        (Proceeding, SendProvisional) => (Some(Proceeding), Send),
        (Proceeding | Accepted, SendSuccess) => (Some(Accepted), Send),
        (Proceeding, SendFailure) => (Some(Completed), Send),
        (Proceeding, Ack | Retransmit | Expire) => (Some(Proceeding), Ignore),
        (Accepted | Completed | Confirmed, Expire) => (None, Ignore),
        (Accepted, Invite | Ack | SendProvisional | SendFailure | Retransmit) => (Some(Accepted), Ignore),
        (Completed, Invite | Retransmit) => (Some(Completed), Resend),
        (Completed, Ack) => (Some(Confirmed), Ignore),
        (Completed, SendProvisional | SendSuccess | SendFailure) => (Some(Completed), Ignore),
        (Confirmed, Invite | Ack | SendProvisional | SendSuccess | SendFailure | Retransmit) => {
            (Some(Confirmed), Ignore)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // conforms: RFC3261-17.2.1-3,4,5,7,9 RFC6026-7.1-1,2,3 RFC6026-8.5-1,2 RFC6026-8.7-1,3
    #[test]
    fn rfc6026_8_5_every_pair() {
        use {Act::*, Input::*, State::*};
        let inputs = [Invite, Ack, SendProvisional, SendSuccess, SendFailure, Retransmit, Expire];
        let stay = |state, act| (Some(state), act);
        let table = [
            (
                Proceeding,
                [
                    stay(Proceeding, Resend),
                    stay(Proceeding, Ignore),
                    stay(Proceeding, Send),
                    stay(Accepted, Send),
                    stay(Completed, Send),
                    stay(Proceeding, Ignore),
                    stay(Proceeding, Ignore),
                ],
            ),
            (
                Accepted,
                [
                    stay(Accepted, Ignore),
                    stay(Accepted, Ignore),
                    stay(Accepted, Ignore),
                    stay(Accepted, Send),
                    stay(Accepted, Ignore),
                    stay(Accepted, Ignore),
                    (None, Ignore),
                ],
            ),
            (
                Completed,
                [
                    stay(Completed, Resend),
                    stay(Confirmed, Ignore),
                    stay(Completed, Ignore),
                    stay(Completed, Ignore),
                    stay(Completed, Ignore),
                    stay(Completed, Resend),
                    (None, Ignore),
                ],
            ),
            (
                Confirmed,
                [
                    stay(Confirmed, Ignore),
                    stay(Confirmed, Ignore),
                    stay(Confirmed, Ignore),
                    stay(Confirmed, Ignore),
                    stay(Confirmed, Ignore),
                    stay(Confirmed, Ignore),
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
