//! Sources of one side under names that the other side cannot trace: SSRC, CNAME, and with them where numbers begin.
//!
//! What a source is called is made of a secret of the leg that sees it and of what its owner calls it: so a description and the packets
//! say the same of it, a source that was forgotten has its old name when it comes again, and nobody without the secret tells which
//! is which.

mod name;
mod sources;
#[cfg(test)]
mod tests;

pub use name::Veil;
pub(crate) use sources::Veiled;
