//! Whatever comes to a port with ICE: no panic, nobody is taken for one who knows the password, and no answer is long.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| assert!(!media::fuzz::stun(input)));
