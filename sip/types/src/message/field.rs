//! One header field, as received.

use std::borrow::Cow;

use bytes::Bytes;

use super::headers::{Headers, Slot, parse_elements};
use crate::{ByteString, HeaderError, HeaderName, TypedHeader};

/// One header field of a message.
#[derive(Clone, Copy, Debug)]
pub struct Field<'m> {
    headers: &'m Headers,
    slot: Slot,
}

impl<'m> Field<'m> {
    pub(super) fn new(headers: &'m Headers, slot: Slot) -> Self {
        Self { headers, slot }
    }

    /// The name; [`HeaderName::Unknown`] if this crate has none for it.
    #[must_use]
    pub fn name(&self) -> HeaderName {
        self.slot.name()
    }

    /// The name as received: in its case, maybe compact.
    #[must_use]
    pub fn name_text(&self) -> &'m str {
        self.headers.text(self.slot.name_range()).unwrap_or_default()
    }

    /// The value as received, trimmed at both ends, folds inside.
    #[must_use]
    pub fn value(&self) -> &'m [u8] {
        let (start, end) = self.slot.value_range();
        self.headers.raw().get(start..end).unwrap_or_default()
    }

    /// The value as text, folds inside.
    ///
    /// # Errors
    /// It is not UTF-8.
    pub fn text(&self) -> Result<&'m str, HeaderError> {
        self.headers.text(self.slot.value_range()).ok_or(HeaderError::NotUtf8(self.name()))
    }

    /// The value with each fold as one space (RFC 3261 §7.3.1); bytes that are not UTF-8 as U+FFFD.
    #[must_use]
    pub fn unfolded(&self) -> Cow<'m, str> {
        unfolded(self.value(), self.slot.folded())
    }

    /// An owned copy that shares the message's memory.
    #[must_use]
    pub fn to_owned(&self) -> OwnedField {
        let (start, end) = self.slot.name_range();
        let (value, value_end) = self.slot.value_range();
        OwnedField {
            name: self.name(),
            name_text: self.headers.slice(start, end).unwrap_or_default(),
            value: self.headers.raw().slice(value..value_end.max(value)),
        }
    }

    /// The value as that type, whatever the field's name.
    ///
    /// # Errors
    /// It is malformed or not UTF-8.
    pub fn parse<T: TypedHeader>(&self) -> Result<T, HeaderError> {
        self.headers.parse(self.slot)
    }
}

fn unfolded(value: &[u8], folded: bool) -> Cow<'_, str> {
    let text = String::from_utf8_lossy(value);
    if !folded {
        return text;
    }
    match text {
        Cow::Borrowed(text) => unfold(text),
        Cow::Owned(text) => Cow::Owned(unfold(&text).into_owned()),
    }
}

/// Line ends that white space follows, with that white space, become one space; white space before them goes too.
pub(crate) fn unfold(text: &str) -> Cow<'_, str> {
    if memchr::memchr(b'\n', text.as_bytes()).is_none() {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    for (number, line) in text.split('\n').enumerate() {
        let line = line.strip_suffix('\r').unwrap_or(line);
        if number == 0 {
            out.push_str(line.trim_end_matches([' ', '\t']));
        } else {
            out.push(' ');
            out.push_str(line.trim_matches([' ', '\t']));
        }
    }
    Cow::Owned(out)
}

/// An owned header field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnedField {
    name: HeaderName,
    name_text: ByteString,
    value: Bytes,
}

impl OwnedField {
    /// A field of a known name; for [`HeaderName::Unknown`] use [`OwnedField::unknown`].
    #[must_use]
    pub fn new(name: HeaderName, value: impl Into<ByteString>) -> Self {
        let name_text = ByteString::from_static(name.as_str());
        Self { name, name_text, value: value.into().into_bytes() }
    }

    /// A field whose name is that text; it gets its [`HeaderName`] if it has one.
    #[must_use]
    pub fn unknown(name_text: impl Into<ByteString>, value: Bytes) -> Self {
        let name_text = name_text.into();
        Self { name: HeaderName::from_bytes(name_text.as_bytes()), name_text, value }
    }

    /// The name; [`HeaderName::Unknown`] if this crate has none for it.
    #[must_use]
    pub fn name(&self) -> HeaderName {
        self.name
    }

    /// The name as received or given.
    #[must_use]
    pub fn name_text(&self) -> &str {
        &self.name_text
    }

    /// The value, folds inside.
    #[must_use]
    pub fn value(&self) -> &Bytes {
        &self.value
    }

    /// The value as text, folds inside.
    ///
    /// # Errors
    /// It is not UTF-8.
    pub fn text(&self) -> Result<&str, HeaderError> {
        std::str::from_utf8(&self.value).map_err(|_| HeaderError::NotUtf8(self.name))
    }

    /// The value with each fold as one space; bytes that are not UTF-8 as U+FFFD.
    #[must_use]
    pub fn unfolded(&self) -> Cow<'_, str> {
        unfolded(&self.value, true)
    }

    fn unfolded_text(&self) -> Result<ByteString, HeaderError> {
        let text = ByteString::try_from(self.value.clone()).map_err(|_| HeaderError::NotUtf8(self.name))?;
        Ok(match unfold(&text) {
            Cow::Borrowed(_) => text,
            Cow::Owned(text) => text.into(),
        })
    }

    /// The value as that type, whatever the field's name.
    ///
    /// # Errors
    /// It is malformed or not UTF-8.
    pub fn parse<T: TypedHeader>(&self) -> Result<T, HeaderError> {
        T::parse(&self.unfolded_text()?).map_err(|e| e.within(T::NAME))
    }

    /// The elements of the value as that type, split as the type's field is.
    ///
    /// # Errors
    /// An element is malformed or the value not UTF-8.
    pub fn list<T: TypedHeader>(&self) -> Result<Vec<T>, HeaderError> {
        let mut list = Vec::new();
        parse_elements((&self.unfolded_text()?).into(), &mut list).map_err(|e| e.within(T::NAME))?;
        Ok(list)
    }
}
