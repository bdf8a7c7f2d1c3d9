//! The header fields of a message.

use bytes::Bytes;

use super::{Field, field};
use crate::{ByteString, HeaderError, HeaderName, SharedText, SyntaxError, TypedHeader, header::Elements};

/// Typical lists have no more elements than this.
const EXPECTED_ELEMENTS: usize = 4;

/// Where one header field lies.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    start: u32,
    value: u32,
    end: u32,
    name_len: u16,
    name: HeaderName,
    folded: bool,
}

impl Slot {
    /// Offsets are below 4 GiB, which the parser checks; a longer name than 65 535 bytes is cut.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "below 4 GiB; names are cut first")]
    pub(super) fn new(
        name: HeaderName,
        start: usize,
        name_len: usize,
        (value, end): (usize, usize),
        folded: bool,
    ) -> Self {
        let name_len = name_len.min(usize::from(u16::MAX)) as u16;
        Self { start: start as u32, value: value as u32, end: end as u32, name_len, name, folded }
    }

    pub(super) fn name(self) -> HeaderName {
        self.name
    }

    pub(super) fn name_range(self) -> (usize, usize) {
        (self.start as usize, self.start as usize + usize::from(self.name_len))
    }

    pub(super) fn value_range(self) -> (usize, usize) {
        (self.value as usize, self.end as usize)
    }

    pub(super) fn folded(self) -> bool {
        self.folded
    }
}

/// The head of a message, from the start line to the empty line.
#[derive(Clone, Debug)]
pub(super) enum Head {
    /// UTF-8, so that fields need not be checked one by one.
    Text(ByteString),
    /// Not all of it is UTF-8.
    Bytes(Bytes),
}

impl Head {
    /// The first `len` bytes of `raw`.
    pub(super) fn of(raw: &Bytes, len: usize) -> Self {
        match ByteString::try_from(raw.slice(..len)) {
            Ok(text) => Self::Text(text),
            Err(_) => Self::Bytes(raw.slice(..len)),
        }
    }

    fn bytes(&self) -> &Bytes {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Bytes(bytes) => bytes,
        }
    }
}

/// The header fields of a message in order, each as received.
#[derive(Clone, Debug)]
pub struct Headers {
    head: Head,
    slots: Vec<Slot>,
    malformed: Option<usize>,
}

impl Headers {
    pub(super) fn new(head: Head, slots: Vec<Slot>, malformed: Option<usize>) -> Self {
        Self { head, slots, malformed }
    }

    /// The head as received.
    pub(super) fn raw(&self) -> &Bytes {
        self.head.bytes()
    }

    /// A UTF-8 slice of the head.
    pub(super) fn slice(&self, start: usize, end: usize) -> Option<ByteString> {
        match &self.head {
            Head::Text(text) => SharedText::of(text, start, end).map(|part| part.share()),
            Head::Bytes(bytes) if start <= end && end <= bytes.len() => {
                ByteString::try_from(bytes.slice(start..end)).ok()
            }
            Head::Bytes(_) => None,
        }
    }

    /// That part of the head; `None` if it is not UTF-8.
    #[inline]
    pub(super) fn text(&self, (start, end): (usize, usize)) -> Option<&str> {
        match &self.head {
            Head::Text(text) => text.get(start..end),
            Head::Bytes(bytes) => std::str::from_utf8(bytes.get(start..end)?).ok(),
        }
    }

    /// What `read` makes of that part of the head; `None` if it is not UTF-8.
    #[inline]
    pub(super) fn read<R>(
        &self,
        (start, end): (usize, usize),
        read: impl FnOnce(SharedText<'_>) -> R,
    ) -> Option<R> {
        match &self.head {
            Head::Text(text) => SharedText::of(text, start, end).map(read),
            Head::Bytes(_) => self.slice(start, end).map(|text| read((&text).into())),
        }
    }

    /// Byte offset of the first line that is no header field (no token and colon), if there was one. Such lines are
    /// left out; a request that has one is malformed (400).
    #[must_use]
    pub fn malformed(&self) -> Option<usize> {
        self.malformed
    }

    /// Number of header fields.
    #[must_use]
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// All fields, in order.
    pub fn iter(&self) -> impl Iterator<Item = Field<'_>> {
        self.slots.iter().map(|&slot| Field::new(self, slot))
    }

    /// The fields of that name, in order; for [`HeaderName::Unknown`] all unknown ones.
    pub fn all(&self, name: HeaderName) -> impl Iterator<Item = Field<'_>> {
        self.slots.iter().filter(move |slot| slot.name == name).map(|&slot| Field::new(self, slot))
    }

    /// The first field of that name.
    #[must_use]
    pub fn first(&self, name: HeaderName) -> Option<Field<'_>> {
        self.all(name).next()
    }

    /// The fields whose name is `text` in any case (known names are found under any of their forms).
    pub fn named<'a>(&'a self, text: &'a str) -> impl Iterator<Item = Field<'a>> {
        let name = HeaderName::from_bytes(text.as_bytes());
        self.all(name)
            .filter(move |f| name != HeaderName::Unknown || f.name_text().eq_ignore_ascii_case(text))
    }

    /// Whether there is a field of that name.
    #[must_use]
    pub fn contains(&self, name: HeaderName) -> bool {
        self.slots.iter().any(|slot| slot.name == name)
    }

    /// Whether that text stands anywhere in the fields of that name, in any case: without it, no element of theirs is it.
    #[must_use]
    pub fn mentions(&self, name: HeaderName, text: &str) -> bool {
        let text = text.as_bytes();
        self.all(name)
            .any(|f| f.value().windows(text.len().max(1)).any(|part| part.eq_ignore_ascii_case(text)))
    }

    /// The only field of a name that may appear once.
    ///
    /// # Errors
    /// It appears twice, or its value is malformed.
    pub fn get<T: TypedHeader>(&self) -> Result<Option<T>, HeaderError> {
        self.only(T::NAME)?.map(|slot| self.parse(slot)).transpose()
    }

    /// As [`Headers::get`], and the field must be there.
    ///
    /// # Errors
    /// It is missing, appears twice, or its value is malformed.
    pub fn require<T: TypedHeader>(&self) -> Result<T, HeaderError> {
        match self.only(T::NAME)? {
            Some(slot) => self.parse(slot),
            None => Err(HeaderError::Missing(T::NAME)),
        }
    }

    /// The slot of that name, of which there may be one.
    #[inline]
    fn only(&self, name: HeaderName) -> Result<Option<Slot>, HeaderError> {
        let Some((&slot, rest)) = self.starting_with(name).split_first() else { return Ok(None) };
        if rest.iter().any(|slot| slot.name == name) {
            return Err(HeaderError::Duplicate(name));
        }
        Ok(Some(slot))
    }

    /// Every element of every field of that name, comma lists split (RFC 3261 §7.3.1).
    ///
    /// # Errors
    /// An element is malformed.
    pub fn list<T: TypedHeader>(&self) -> Result<Vec<T>, HeaderError> {
        let slots = self.starting_with(T::NAME);
        if slots.is_empty() {
            return Ok(Vec::new());
        }
        let mut list = Vec::with_capacity(EXPECTED_ELEMENTS);
        for slot in slots.iter().filter(|slot| slot.name == T::NAME) {
            self.read_value(*slot, T::NAME, |text| parse_elements(text, &mut list))?;
        }
        Ok(list)
    }

    /// The element of a name of which there is one; `None` if there are none or several.
    ///
    /// # Errors
    /// That element is malformed.
    pub fn sole<T: TypedHeader>(&self) -> Result<Option<T>, HeaderError> {
        let mut sole = None;
        for slot in self.starting_with(T::NAME).iter().filter(|slot| slot.name == T::NAME) {
            let several = self.read_value(*slot, T::NAME, |text| {
                for element in Elements::new(T::NAME, text.as_str()) {
                    if sole.is_some() {
                        return Ok(true);
                    }
                    sole = Some(T::parse_part(text.within(element))?);
                }
                Ok(false)
            })?;
            if several {
                return Ok(None);
            }
        }
        Ok(sole)
    }

    /// The first element of that name, such as the topmost Via or Route; later ones are not looked at.
    ///
    /// # Errors
    /// That element is malformed.
    pub fn first_of<T: TypedHeader>(&self) -> Result<Option<T>, HeaderError> {
        for slot in self.slots.iter().filter(|slot| slot.name == T::NAME) {
            let first = self.read_value(*slot, T::NAME, |text| {
                let element = Elements::new(T::NAME, text.as_str()).next();
                element.map(|element| T::parse_part(text.within(element))).transpose()
            });
            if let Some(element) = first.transpose() {
                return element.map(Some);
            }
        }
        Ok(None)
    }

    /// The slots from the first of that name on; empty if there is none.
    #[inline]
    fn starting_with(&self, name: HeaderName) -> &[Slot] {
        let first = self.slots.iter().position(|slot| slot.name == name);
        first.and_then(|first| self.slots.get(first..)).unwrap_or_default()
    }

    /// The unfolded value as that type.
    #[inline]
    pub(super) fn parse<T: TypedHeader>(&self, slot: Slot) -> Result<T, HeaderError> {
        self.read_value(slot, T::NAME, T::parse_part)
    }

    /// What `read` makes of the unfolded value; `name` is what the error says.
    #[inline]
    fn read_value<R>(
        &self,
        slot: Slot,
        name: HeaderName,
        read: impl FnOnce(SharedText<'_>) -> Result<R, SyntaxError>,
    ) -> Result<R, HeaderError> {
        let not_utf8 = HeaderError::NotUtf8(slot.name);
        if slot.folded {
            let text = self.read(slot.value_range(), |text| field::unfold(text.as_str()).into_owned());
            let text = ByteString::from(text.ok_or(not_utf8)?);
            return read((&text).into()).map_err(|e| e.within(name));
        }
        self.read(slot.value_range(), read).ok_or(not_utf8)?.map_err(|e| e.within(name))
    }
}

/// Appends the elements of one field's value.
#[inline]
pub(super) fn parse_elements<T: TypedHeader>(
    text: SharedText<'_>,
    list: &mut Vec<T>,
) -> Result<(), SyntaxError> {
    for element in Elements::new(T::NAME, text.as_str()) {
        list.push(T::parse_part(text.within(element))?);
    }
    Ok(())
}
