//! `a=crypto` (RFC 4568 §9): no panic; what is accepted has keys of its suite.
#![no_main]

use libfuzzer_sys::fuzz_target;
use media::CryptoLine;

fuzz_target!(|input: &[u8]| {
    let Some(line) = std::str::from_utf8(input).ok().and_then(CryptoLine::parse) else { return };
    let suite = line.suite().expect("it has a key");
    assert!(line.keys.iter().all(|key| key.suite() == suite));
    assert!(line.keys.len() == 1 || line.keys.iter().all(|key| key.mki().is_some()));
    assert!(!format!("{line:?}").contains("inline"));
});
