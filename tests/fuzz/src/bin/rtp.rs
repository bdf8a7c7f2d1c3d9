//! RTP: whatever comes, no payload and no header extension is read beyond it, taking one out leaves the rest, and a section of a bundle has it
//! or none (RFC 3550 §5.1, RFC 8285 §4, RFC 9143 §9.2).
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| assert!(!media::fuzz::rtp(input)));
