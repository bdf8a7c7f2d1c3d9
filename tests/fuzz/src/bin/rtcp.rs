//! RTCP: whatever comes, it is what it was after a translation there and back, and grows by no more than it may where it is hidden whom it
//! is from (RFC 3550, RFC 8079).
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| assert!(!media::fuzz::rtcp(input)));
