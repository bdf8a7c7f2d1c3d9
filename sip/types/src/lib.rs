//! SIP messages, URIs and header fields.
#![forbid(unsafe_code)]
