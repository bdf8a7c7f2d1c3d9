//! The typed configuration document.
#![forbid(unsafe_code)]
