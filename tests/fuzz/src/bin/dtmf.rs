//! DTMF: whatever comes as events, tones, INFO and RTCP, no key is said that was not heard (RFC 4733).
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| assert!(!media::fuzz::dtmf(input)));
