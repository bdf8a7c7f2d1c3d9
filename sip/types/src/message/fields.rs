//! An owned list of header fields.

use bytes::Bytes;

use super::OwnedField;
use crate::{ByteString, HeaderError, HeaderName, TypedHeader};

/// Header fields in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields(Vec<OwnedField>);

impl Fields {
    /// No fields.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends a field of a known name.
    pub fn push(&mut self, name: HeaderName, value: impl Into<ByteString>) {
        self.0.push(OwnedField::new(name, value));
    }

    /// Appends a field whose name is that text.
    pub fn push_unknown(&mut self, name_text: impl Into<ByteString>, value: Bytes) {
        self.0.push(OwnedField::unknown(name_text, value));
    }

    /// Appends a field.
    pub fn push_field(&mut self, field: OwnedField) {
        self.0.push(field);
    }

    /// All fields, in order.
    pub fn iter(&self) -> std::slice::Iter<'_, OwnedField> {
        self.0.iter()
    }

    /// The first field of that name.
    #[must_use]
    pub fn first(&self, name: HeaderName) -> Option<&OwnedField> {
        self.all(name).next()
    }

    /// The fields of that name, in order; for [`HeaderName::Unknown`] all unknown ones.
    pub fn all(&self, name: HeaderName) -> impl Iterator<Item = &OwnedField> {
        self.0.iter().filter(move |f| f.name() == name)
    }

    /// The fields whose name is `text` in any case (known names are found under any of their forms).
    pub fn named<'a>(&'a self, text: &'a str) -> impl Iterator<Item = &'a OwnedField> {
        let name = HeaderName::from_bytes(text.as_bytes());
        self.all(name)
            .filter(move |f| name != HeaderName::Unknown || f.name_text().eq_ignore_ascii_case(text))
    }

    /// Whether there is a field of that name.
    #[must_use]
    pub fn contains(&self, name: HeaderName) -> bool {
        self.first(name).is_some()
    }

    /// The only field of a name that may appear once.
    ///
    /// # Errors
    /// It appears twice, or its value is malformed.
    pub fn get<T: TypedHeader>(&self) -> Result<Option<T>, HeaderError> {
        let mut fields = self.all(T::NAME);
        let Some(field) = fields.next() else { return Ok(None) };
        if fields.next().is_some() {
            return Err(HeaderError::Duplicate(T::NAME));
        }
        field.parse().map(Some)
    }

    /// Every element of every field of that name.
    ///
    /// # Errors
    /// An element is malformed.
    pub fn list<T: TypedHeader>(&self) -> Result<Vec<T>, HeaderError> {
        let mut list = Vec::new();
        for field in self.all(T::NAME) {
            list.extend(field.list()?);
        }
        Ok(list)
    }

    /// Takes out all fields of that name; returns how many there were.
    pub fn remove(&mut self, name: HeaderName) -> usize {
        let before = self.0.len();
        self.0.retain(|f| f.name() != name);
        before - self.0.len()
    }

    /// Keeps the fields for which `keep` is true.
    pub fn retain(&mut self, keep: impl FnMut(&OwnedField) -> bool) {
        self.0.retain(keep);
    }

    /// Number of fields.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Extend<OwnedField> for Fields {
    fn extend<I: IntoIterator<Item = OwnedField>>(&mut self, fields: I) {
        self.0.extend(fields);
    }
}

impl FromIterator<OwnedField> for Fields {
    fn from_iter<I: IntoIterator<Item = OwnedField>>(fields: I) -> Self {
        Self(fields.into_iter().collect())
    }
}

impl IntoIterator for Fields {
    type Item = OwnedField;
    type IntoIter = std::vec::IntoIter<OwnedField>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Fields {
    type Item = &'a OwnedField;
    type IntoIter = std::slice::Iter<'a, OwnedField>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}
