//! Message bodies.

pub mod multipart;
