//! Bodies of several parts. Up to the first line end is the Content-Type, the rest the body.
#![no_main]

use bytes::Bytes;
use liaison_fuzz::text;
use libfuzzer_sys::fuzz_target;
use sip_types::TypedHeader;
use sip_types::header::ContentType;
use sip_types::multipart::Multipart;

fuzz_target!(|input: &[u8]| {
    let end = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
    let (first, body) = input.split_at(end);
    let Some(text) = text(first) else { return };
    let Ok(content_type) = ContentType::parse(&text) else { return };
    let body = Bytes::copy_from_slice(body.get(1..).unwrap_or_default());
    let _ = Multipart::parse(&content_type, &body);
});
