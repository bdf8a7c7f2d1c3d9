//! Whatever a peer of a DTLS-SRTP association sends: no panic, no keys for nobody's certificate, and few answers.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| assert!(!media::fuzz::dtls(input)));
