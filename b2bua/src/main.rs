//! The binary `liaison`.
#![forbid(unsafe_code)]

fn main() {}
