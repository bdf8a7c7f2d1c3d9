//! Pure decisions: facts in, a decision and its explanation out. No I/O, no clock, no chance.
//!
//! - [`Compiled`] is made from a configuration: which trunk a request comes from ([`Compiled::peer`]), where it goes
//!   ([`Compiled::route`]), which credentials answer a challenge ([`Compiled::credentials`]).
//! - What crosses from one leg to another: header fields ([`carry`], [`statement`], [`contact_params`]), methods
//!   ([`method_crosses`], [`goes_outside`]), messages ([`message_crosses`]), bodies ([`body_crosses`]), failures ([`failure`], [`fails_over`]).
//! - Every decision can say why: refusals and verdicts are small enums that print, and a [`Trail`] collects the steps of
//!   a call, formatted when somebody reads them.
#![forbid(unsafe_code)]

mod body;
mod cause;
mod compiled;
mod credentials;
mod crossing;
mod diverted;
mod early;
mod explain;
mod failure;
mod headers;
mod message;
mod method;
mod reached;
mod route;

pub use body::{BodyRefused, body_crosses, is_acceptable, is_protected};
pub use cause::{add_cause, status_by_cause};
pub use compiled::Compiled;
pub use credentials::{ChallengeFacts, Refusal};
pub use crossing::Crossing;
pub use diverted::{Redirected, Target as CalledTarget, Tried, history, history_back, privacy_left};
pub use early::early_media;
pub use explain::{Step, Trail};
pub use failure::{Mapped, Rule, fails_over, failure, is_of_a_loop, map_failure};
pub use headers::{
    Class, On, Row, TABLE, Verdict, WARN_AGENT, carry, conference_user, contact_params, info_packages,
    is_forbidden, own_allow, required, statement, verdict,
};
pub use message::{MessageRefused, message_crosses};
pub use method::{MethodRefused, goes_outside, is_own, method_crosses};
pub use route::{Decision, Miss, RouteFacts, Target, referred};

#[cfg(test)]
mod testing;
