//! A SIP user agent without I/O.
#![forbid(unsafe_code)]
