//! Content-Type (RFC 3261 §20.15).

use std::{borrow::Cow, fmt};

use super::TypedHeader;
use crate::{ByteString, HeaderName, Params, SyntaxError, cursor::Cursor, span::Span, text::trim};

/// A media type with parameters.
#[derive(Clone, Debug)]
pub struct ContentType {
    text: ByteString,
    kind: Span,
    subtype: Span,
    params: Span,
}

impl ContentType {
    /// The type, `application`.
    #[must_use]
    pub fn type_(&self) -> &str {
        self.kind.of(&self.text)
    }

    /// The subtype, `sdp`.
    #[must_use]
    pub fn subtype(&self) -> &str {
        self.subtype.of(&self.text)
    }

    /// Whether it is that type and subtype, in any case.
    #[must_use]
    pub fn is(&self, type_: &str, subtype: &str) -> bool {
        // Nearly always they are the same in case too, which is cheaper to see.
        let same = |ours: &str, theirs: &str| ours == theirs || ours.eq_ignore_ascii_case(theirs);
        same(self.type_(), type_) && same(self.subtype(), subtype)
    }

    /// Whether the body has parts (RFC 2046 §5.1).
    #[must_use]
    pub fn is_multipart(&self) -> bool {
        self.type_().eq_ignore_ascii_case("multipart")
    }

    /// All parameters.
    #[must_use]
    pub fn params(&self) -> Params<'_> {
        Params::new(self.params.of(&self.text))
    }

    /// The value of the first parameter of that name, a quoted string read.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<Cow<'_, str>> {
        self.params().get_unquoted(name)
    }

    /// The `boundary` parameter (RFC 2046 §5.1.1).
    #[must_use]
    pub fn boundary(&self) -> Option<Cow<'_, str>> {
        self.param("boundary")
    }
}

impl TypedHeader for ContentType {
    const NAME: HeaderName = HeaderName::ContentType;

    fn parse(text: &ByteString) -> Result<Self, SyntaxError> {
        let mut c = Cursor::new(text)?;
        let (kind, subtype) = media_range(&mut c)?;
        if [kind, subtype].iter().any(|&s| c.slice(s) == b"*") {
            return Err(SyntaxError::new(kind.start(), "a media type"));
        }
        let params = c.params()?;
        Ok(Self { text: text.clone(), kind, subtype, params })
    }
}

/// `type "/" subtype`; `*` is a token and passes.
pub(super) fn media_range(c: &mut Cursor<'_>) -> Result<(Span, Span), SyntaxError> {
    c.skip_space();
    let kind = c.token("a media type")?;
    if !c.eat_spaced(b'/') {
        return c.fail("a slash");
    }
    Ok((kind, c.token("a media subtype")?))
}

impl fmt::Display for ContentType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(trim(&self.text))
    }
}

#[cfg(test)]
mod tests {
    use super::{ContentType, TypedHeader};

    #[test]
    fn rfc3261_20_15_type_subtype_and_parameters() {
        let t = ContentType::parse(&"multipart / Mixed ; boundary=\"a;b\\\"c\" ;x=y".into()).unwrap();
        assert!(t.is("MULTIPART", "mixed") && t.is_multipart());
        assert_eq!(t.boundary().unwrap(), "a;b\"c");
        assert_eq!(t.param("X").unwrap(), "y");
    }

    #[test]
    fn what_is_no_media_type_is_refused() {
        for text in ["", "application", "application/", "/sdp", "a/b c", "*/*", "a/b;", "a/b;x=\"y"] {
            assert!(ContentType::parse(&text.into()).is_err(), "{text}");
        }
    }
}
