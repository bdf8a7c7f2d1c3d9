//! The client's part: what a 401 or 407 asks, what we are willing to answer, and the fields that do it.
//!
//! A caller keeps one [`Authorizer`] per leg, registration or subscription (RFC 3261 §22.3: credentials are not kept
//! across dialogs) and one [`Attempt`] per request:
//!
//! 1. [`Authorizer::authorize`] gives the fields to write, from the first request on that they are known for.
//! 2. A 401 or 407 is read into a [`Demand`]. The caller looks up who may be shown there, and says so with a [`Grant`].
//! 3. [`Authorizer::answer`] tells whether a repeated request (CSeq + 1, a new branch) can do better; then 1 again.
//! 4. [`Authorizer::settled`] hears any other final response, [`Authorizer::informed`] the Authentication-Info of a 2xx.

mod authorizer;
mod demand;
mod grant;
mod info;
mod session;

pub use authorizer::{Answer, Attempt, Authorizer, Denial, Denied, Informed, Limits};
pub use demand::{Acceptance, Asked, Demand, Unacceptable, Unusable};
pub use grant::{Grant, PeerId};

#[cfg(test)]
mod tests;
