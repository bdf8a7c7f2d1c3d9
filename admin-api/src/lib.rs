//! The REST admin API.
#![forbid(unsafe_code)]
