//! The non-INVITE server transaction (RFC 3261 §17.2.2).
//!
//! ```text
//!   ┌────────┐ 1xx: send ┌────────────┐
//!   │ Trying ├──────────►│ Proceeding │   request: resend last
//!   └───┬────┘           └─────┬──────┘
//!       │200-699: send         │200-699: send
//!       └──────┬───────────────┘
//!              ▼    request: resend
//!        ┌───────────┐
//!        │ Completed ├──► J
//!        └───────────┘
//! ```

/// Where the transaction stands; `Terminated` is its absence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Nothing was sent yet; repeats are absorbed.
    Trying,
    /// A provisional response was sent.
    Proceeding,
    /// The final response was sent.
    Completed,
}

/// What can happen to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    /// The request again.
    Request,
    /// The user agent sends a 1xx.
    SendProvisional,
    /// The user agent sends a 200-699.
    SendFinal,
    /// Timer J.
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
    use Input::{Expire, Request, SendFinal, SendProvisional};
    use State::{Completed, Proceeding, Trying};
    match (state, input) {
        (Trying, Request | Expire) => (Some(Trying), Ignore),
        (Trying | Proceeding, SendProvisional) => (Some(Proceeding), Send),
        (Trying | Proceeding, SendFinal) => (Some(Completed), Send),
        (Proceeding, Request) => (Some(Proceeding), Resend),
        (Proceeding, Expire) => (Some(Proceeding), Ignore),
        (Completed, Request) => (Some(Completed), Resend),
        (Completed, SendProvisional | SendFinal) => (Some(Completed), Ignore),
        (Completed, Expire) => (None, Ignore),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // conforms: RFC3261-17.2.2-1,2,3,4,5,7,8,9
    #[test]
    fn rfc3261_17_2_2_every_pair() {
        use {Act::*, Input::*, State::*};
        let inputs = [Request, SendProvisional, SendFinal, Expire];
        let table = [
            (
                Trying,
                [
                    (Some(Trying), Ignore),
                    (Some(Proceeding), Send),
                    (Some(Completed), Send),
                    (Some(Trying), Ignore),
                ],
            ),
            (
                Proceeding,
                [
                    (Some(Proceeding), Resend),
                    (Some(Proceeding), Send),
                    (Some(Completed), Send),
                    (Some(Proceeding), Ignore),
                ],
            ),
            (
                Completed,
                [
                    (Some(Completed), Resend),
                    (Some(Completed), Ignore),
                    (Some(Completed), Ignore),
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
