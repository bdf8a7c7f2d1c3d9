//! MSRP between two legs (RFC 4975): on each of them we have a URI of our own, so that the messages that cross have the paths of the leg
//! that they go to, and those of the other leg are not seen there. Where connections are those of the session description alone (RFC
//! 6714), that changes nothing.

mod path;
mod rewriter;
#[cfg(test)]
mod tests;

pub(crate) use path::{own_path, session};
pub(crate) use rewriter::{Broken, Rewriter};

/// The paths of one leg.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths {
    /// What its peer has described: URIs with spaces between them, its own last (RFC 4975 §6.2).
    pub theirs: Box<str>,
    /// Our URI that it was told.
    pub ours: Box<str>,
}
