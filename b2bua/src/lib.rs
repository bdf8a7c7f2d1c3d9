//! Calls and the bridge.
#![forbid(unsafe_code)]
