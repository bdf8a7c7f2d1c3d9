//! A connection's bytes give the same messages however they are cut; the first byte says how.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sip::driver::fuzz;

fuzz_target!(|input: &[u8]| {
    let Some((cut, stream)) = input.split_first() else { return };
    let pieces = usize::from(*cut) % 32 + 1;
    assert_eq!(fuzz::tcp(stream.chunks(pieces)), fuzz::tcp([stream].into_iter()));
});
