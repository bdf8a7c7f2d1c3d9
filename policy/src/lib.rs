//! Pure decisions.
#![forbid(unsafe_code)]
