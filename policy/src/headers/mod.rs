//! Which header fields cross from one leg to another: three classes, one table.
//!
//! (a) Fields of one hop or of one dialog never cross. (b) A user agent's statement about itself is composed by each
//! leg, which claims only what it and the far side can honour together. (c) All else crosses, unknown fields included, but for
//! what means nothing in the message that it stands in.

mod carry;
mod contact;
mod place;
mod proof;
mod statement;
mod table;
mod warning;

pub use carry::{Verdict, carry, is_forbidden, verdict};
pub use contact::{conference_user, contact_params};
pub use place::On;
pub use statement::{info_packages, own_allow, required, statement};
pub use table::{Class, Row, TABLE};
pub use warning::WARN_AGENT;
