//! Whatever clients of a TURN server send, with and without a credential, and peers: no panic, no port without proof, nobody reached but
//! the one peer there is, and no answer is long.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| assert!(!media::fuzz::turn(input)));
