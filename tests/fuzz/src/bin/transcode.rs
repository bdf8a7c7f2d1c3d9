//! Transcoding: whatever comes as RTP and RTCP, in whatever order and of whatever codec, nothing panics and no more is made than there is time for.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| assert!(!media::fuzz::transcode(input)));
