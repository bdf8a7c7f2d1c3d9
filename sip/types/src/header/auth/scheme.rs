//! What challenges and credentials have in common: a scheme and its parameters.

use std::borrow::Cow;

use crate::{
    ByteString, SyntaxError,
    chars::{GEN_VALUE, TOKEN},
    cursor::Cursor,
    span::Span,
    text::{trim, unquote},
};

/// Parameters of one challenge or of credentials.
const MAX_PARAMS: usize = 64;

/// A parameter: where its name is, and its value as received.
type Param = (Span, Span);

/// A scheme with comma-separated parameters, or with one opaque token (RFC 7235 §2.1).
#[derive(Clone)]
pub(super) struct SchemeParams {
    text: ByteString,
    scheme: Span,
    rest: Span,
    params: Vec<Param>,
}

impl SchemeParams {
    pub(super) fn parse(text: &ByteString) -> Result<Self, SyntaxError> {
        let mut c = Cursor::new(text)?;
        c.skip_space();
        let scheme = c.token("an authentication scheme")?;
        let spaced = c.skip_space();
        let rest = Span::new(c.at(), text.len());
        let mut params = Vec::new();
        if !c.rest().is_empty() {
            if !spaced {
                return c.fail("a space");
            }
            // As many as credentials have that are challenged with qop.
            params.reserve(12);
            read(&mut c, &mut params)?;
        }
        Ok(Self { text: text.clone(), scheme, rest, params })
    }

    /// The whole text.
    pub(super) fn text(&self) -> &str {
        trim(&self.text)
    }

    pub(super) fn scheme(&self) -> &str {
        self.scheme.of(&self.text)
    }

    /// Names and values as received.
    pub(super) fn params(&self) -> impl Iterator<Item = (&str, &str)> {
        self.params.iter().map(|(name, value)| (name.of(&self.text), value.of(&self.text)))
    }

    /// The one token in place of parameters.
    pub(super) fn token68(&self) -> Option<&str> {
        let text = trim(self.rest.of(&self.text));
        let padding = text.trim_end_matches('=');
        let plain = !padding.is_empty() && !padding.contains(['=', ',', '"', ' ', '\t']);
        plain.then_some(text)
    }

    pub(super) fn raw(&self, name: &str) -> Option<&str> {
        // Few names have the same length, and to compare that is cheaper than to cut a name out of the text.
        let named = |(n, _): &&Param| n.len() == name.len() && n.of(&self.text).eq_ignore_ascii_case(name);
        self.params.iter().find(named).map(|(_, value)| value.of(&self.text))
    }

    pub(super) fn get(&self, name: &str) -> Option<Cow<'_, str>> {
        self.raw(name).map(unquote)
    }

    /// The same without the parameters of these names.
    pub(super) fn without(&self, names: &[&str]) -> Self {
        let dropped = |name: &str| names.iter().any(|gone| gone.eq_ignore_ascii_case(name));
        if !self.params().any(|(name, _)| dropped(name)) {
            return self.clone();
        }
        let mut text = self.scheme().to_owned();
        let scheme = Span::new(0, text.len());
        let mut params = Vec::with_capacity(self.params.len());
        for (name, value) in self.params().filter(|(name, _)| !dropped(name)) {
            text.push_str(if params.is_empty() { " " } else { ", " });
            let name = pushed(&mut text, name);
            text.push('=');
            params.push((name, pushed(&mut text, value)));
        }
        let rest = Span::new(text.len().min(scheme.end() + 1), text.len());
        Self { text: text.into(), scheme, rest, params }
    }
}

/// Puts `part` at the end of `text`, and says where that is.
fn pushed(text: &mut String, part: &str) -> Span {
    let start = text.len();
    text.push_str(part);
    Span::new(start, text.len())
}

/// `auth-param *(COMMA auth-param)`, empty elements let through; or a `token68`, which has no parameters.
fn read(c: &mut Cursor<'_>, params: &mut Vec<Param>) -> Result<(), SyntaxError> {
    let start = c.at();
    for _ in 0..MAX_PARAMS {
        while c.eat_spaced(b',') {}
        if c.rest().is_empty() && c.at() > start {
            return Ok(());
        }
        let name = c.token("a parameter name")?;
        if !c.eat_spaced(b'=') {
            params.clear();
            return token68(c, start);
        }
        let value = if c.peek() == Some(b'"') { c.quoted()? } else { c.take_while(GEN_VALUE) };
        if value.is_empty() {
            params.clear();
            return token68(c, start);
        }
        params.push((name, value));
        c.skip_space();
        if c.rest().is_empty() {
            return Ok(());
        }
        if c.peek() != Some(b',') {
            return c.fail("a comma or the end");
        }
    }
    c.fail("fewer parameters")
}

/// One token of letters, digits and `-._~+/=`, such as those of Basic or Bearer.
fn token68(c: &mut Cursor<'_>, start: usize) -> Result<(), SyntaxError> {
    let at = c.at();
    c.seek(start);
    let len = c.rest().iter().position(|&b| !crate::chars::is(b, TOKEN) && !b"/=".contains(&b));
    c.seek(start + len.unwrap_or(c.rest().len()));
    c.finish("the end").map_err(|_| SyntaxError::new(at, "an equals sign and a value"))
}
