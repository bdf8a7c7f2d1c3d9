//! The line-preserving session description.
#![forbid(unsafe_code)]
