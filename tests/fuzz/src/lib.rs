//! What the fuzz targets share.
#![forbid(unsafe_code)]

use sip_types::{ByteString, TypedHeader};
use std::fmt::Display;

/// The input as a text, if it is one without line ends: what typed values are read from.
pub fn text(bytes: &[u8]) -> Option<ByteString> {
    let text = std::str::from_utf8(bytes).ok()?;
    (!text.contains(['\r', '\n'])).then(|| ByteString::from(text))
}

/// That what is read can be written, and that this reads as the same.
///
/// # Panics
/// It does not.
pub fn written_as_read<T: TypedHeader + Display>(text: &ByteString) {
    let Ok(value) = T::parse(text) else { return };
    let written = value.to_string();
    let again = T::parse(&ByteString::from(written.as_str()));
    let again = again
        .unwrap_or_else(|error| panic!("{text:?} is written as {written:?}, which does not read: {error:?}"));
    assert_eq!(again.to_string(), written, "of {text:?}");
}
