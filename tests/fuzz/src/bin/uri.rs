//! URIs: what reads is written and reads as the same, and is equal to itself (RFC 3261 §19.1.4).
#![no_main]

use liaison_fuzz::text;
use libfuzzer_sys::fuzz_target;
use sip_types::{ByteString, Uri};

fuzz_target!(|input: &[u8]| {
    let Some(text) = text(input) else { return };
    let Ok(uri) = Uri::parse(&text) else { return };
    let written = uri.to_string();
    let again = Uri::parse(&ByteString::from(written.as_str()))
        .unwrap_or_else(|error| panic!("{written:?}: {error:?}"));
    assert_eq!(again.to_string(), written);
    assert!(uri == again, "{written:?} is not equal to itself");
});
