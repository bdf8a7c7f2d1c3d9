//! Addresses with display name and parameters (RFC 3261 §20.10, §25.1 `name-addr`, `addr-spec`).

use std::{borrow::Cow, fmt};

use crate::{
    ByteString, Params, SharedText, SyntaxError, Uri,
    chars::{self, DISPLAY, TOKEN},
    cursor::Cursor,
    search,
    span::{MAX_TEXT, Span},
    text::{quote, token_or_quoted, trim, unquote},
    uri::Parts,
};

/// A URI with an optional display name and header parameters. Without angle brackets, a `;` starts the header
/// parameters and a `?` is an error (RFC 3261 §20).
///
/// An unquoted display name may have characters beyond the grammar's tokens (accented letters, `(`, `@`, …) as
/// long as they start nothing else; it is quoted when written.
#[derive(Clone)]
pub struct NameAddr {
    /// The URI's text is the whole value.
    uri: Uri,
    layout: Layout,
}

/// Where the parts besides the URI lie in the text.
#[derive(Clone, Copy)]
struct Layout {
    /// With quotes, if it has them.
    display: Option<Span>,
    /// The display name must be quoted when written.
    sloppy: bool,
    params: Span,
    tag: Option<Span>,
}

/// Whether the angle brackets may be left out.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// `name-addr` only.
    Brackets,
    /// `name-addr / addr-spec`.
    Any,
}

impl NameAddr {
    /// An address as it is written with a display name (quoted here) or without, and no parameters.
    #[must_use]
    pub fn new(display: Option<&str>, uri: &Uri) -> Self {
        Self::compose(display, uri, |_| {}).unwrap_or_else(|| Self::bare(uri))
    }

    /// The URI alone in brackets: cannot fail for a URI shorter than its limit by two bytes, else stays unbracketed.
    fn bare(uri: &Uri) -> Self {
        let (_, whole) = uri.around();
        let end = Span::new(whole.end(), whole.end());
        let layout = Layout { display: None, sloppy: false, params: end, tag: None };
        Self { uri: uri.clone(), layout }
    }

    fn compose(display: Option<&str>, uri: &Uri, params: impl FnOnce(&mut String)) -> Option<Self> {
        Self::parse(&Self::text_of(display, uri, params).into()).ok()
    }

    fn text_of(display: Option<&str>, uri: &Uri, params: impl FnOnce(&mut String)) -> String {
        let uri = uri.as_str();
        let display = display.map(quote);
        let mut text = String::with_capacity(display.as_ref().map_or(0, |d| d.len() + 1) + uri.len() + 2);
        if let Some(display) = display {
            text.push_str(&display);
            text.push(' ');
        }
        text.push('<');
        text.push_str(uri);
        text.push('>');
        params(&mut text);
        text
    }

    /// Reads a `name-addr` or an `addr-spec`, with parameters.
    ///
    /// # Errors
    /// The text is neither.
    pub fn parse(text: &ByteString) -> Result<Self, SyntaxError> {
        Self::parse_form(text.into(), Form::Any)
    }

    #[inline]
    pub(crate) fn parse_form(text: SharedText<'_>, form: Form) -> Result<Self, SyntaxError> {
        let (uri, layout) = Layout::read(text.as_str(), form)?;
        Ok(Self { uri: Uri::from_parts(text.share(), uri), layout })
    }

    fn text(&self) -> &ByteString {
        self.uri.around().0
    }

    /// The URI.
    #[must_use]
    pub fn uri(&self) -> &Uri {
        &self.uri
    }

    /// The display name with quotes and escapes read; `None` if there is none or it is empty.
    #[must_use]
    pub fn display(&self) -> Option<Cow<'_, str>> {
        self.layout.display.map(|s| unquote(s.of(self.text()))).filter(|name| !name.is_empty())
    }

    /// The header parameters (those of the URI are [`Uri::params`]).
    #[must_use]
    pub fn params(&self) -> Params<'_> {
        Params::new(self.layout.params.of(self.text()))
    }

    /// The first header parameter of that name: absent, without value, or its value as received.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<Option<&str>> {
        self.params().get(name)
    }

    /// The `tag` parameter (RFC 3261 §19.3); never empty.
    #[must_use]
    pub fn tag(&self) -> Option<&str> {
        self.layout.tag.map(|s| s.of(self.text()))
    }

    /// With that header parameter in place of any of the same name; a value that is no token is quoted. Unchanged if
    /// `name` is no token or the text would grow past 65 534 bytes.
    #[must_use]
    pub fn with_param(&self, name: &str, value: Option<&str>) -> Self {
        if !chars::is_token(name.as_bytes()) {
            return self.clone();
        }
        self.rebuilt(name, |text| {
            text.push(';');
            text.push_str(name);
            if let Some(value) = value {
                text.push('=');
                text.push_str(&token_or_quoted(value));
            }
        })
    }

    /// Without the header parameters of that name.
    #[must_use]
    pub fn without_param(&self, name: &str) -> Self {
        self.rebuilt(name, |_| {})
    }

    /// With that tag; see [`NameAddr::with_param`].
    #[must_use]
    pub fn with_tag(&self, tag: &str) -> Self {
        self.with_param("tag", Some(tag))
    }

    /// As text without its tag, in memory of its own: what a dialog keeps of From or To.
    #[must_use]
    pub fn untagged(&self) -> Box<str> {
        let text = Self::text_of(self.display().as_deref(), &self.uri, |text| self.push_params(text, "tag"));
        if text.len() > MAX_TEXT {
            return self.to_string().into_boxed_str();
        }
        text.into_boxed_str()
    }

    /// With another URI; display name and parameters stay.
    #[must_use]
    pub fn with_uri(&self, uri: &Uri) -> Self {
        let params = |text: &mut String| text.push_str(self.params().as_str());
        Self::compose(self.display().as_deref(), uri, params).unwrap_or_else(|| self.clone())
    }

    /// Without its header parameters.
    #[must_use]
    pub fn without_params(&self) -> Self {
        Self::new(self.display().as_deref(), &self.uri)
    }

    fn rebuilt(&self, but: &str, extra: impl FnOnce(&mut String)) -> Self {
        let params = |text: &mut String| {
            self.push_params(text, but);
            extra(text);
        };
        Self::compose(self.display().as_deref(), &self.uri, params).unwrap_or_else(|| self.clone())
    }

    /// The header parameters except those named `but`, as received.
    fn push_params(&self, text: &mut String, but: &str) {
        for (name, value) in self.params().filter(|(n, _)| !n.eq_ignore_ascii_case(but)) {
            text.push(';');
            text.push_str(name);
            if let Some(value) = value {
                text.push('=');
                text.push_str(value);
            }
        }
    }
}

impl Layout {
    fn read(text: &str, form: Form) -> Result<(Parts, Self), SyntaxError> {
        let mut c = Cursor::new(text)?;
        c.skip_space();
        let start = c.at();
        let mut display = None;
        let mut sloppy = false;
        if c.peek() == Some(b'"') {
            display = Some(c.quoted()?);
            c.skip_space();
        } else if c.peek() != Some(b'<') {
            let words = c.take_while(DISPLAY);
            if c.peek() == Some(b'<') {
                display = Some(trim_end(&c, words));
                sloppy = !c.slice(words).iter().all(|&b| chars::is(b, TOKEN) || chars::is_wsp(b));
            } else if form == Form::Any && c.peek() == Some(b':') {
                c.seek(start);
                return Self::addr_spec(text, c);
            }
        }
        if !c.eat(b'<') {
            return c.fail(if form == Form::Any { "an address" } else { "an address in angle brackets" });
        }
        let uri_at = c.at();
        let Some(len) = search::find(c.rest(), b'>') else { return c.fail("a closing angle bracket") };
        let uri = Parts::parse(text, uri_at, uri_at + len).map_err(|e| uri_fault(uri_at + e.at))?;
        c.seek(uri_at + len + 1);
        let (params, tag) = read_params(&mut c, text.len(), false)?;
        Ok((uri, Self { display, sloppy, params, tag }))
    }

    /// The URI ends where something begins that it must not contain without brackets.
    fn addr_spec(text: &str, mut c: Cursor<'_>) -> Result<(Parts, Self), SyntaxError> {
        let start = c.at();
        let ends = |b: &u8| matches!(b, b';' | b',' | b'?' | b' ' | b'\t' | b'<' | b'>' | b'"');
        let len = c.rest().iter().position(ends).unwrap_or(c.rest().len());
        let uri = Parts::parse(text, start, start + len).map_err(|e| uri_fault(start + e.at))?;
        c.seek(start + len);
        if c.peek() == Some(b'?') {
            return c.fail("angle brackets around a URI with headers");
        }
        let (params, tag) = read_params(&mut c, text.len(), true)?;
        Ok((uri, Self { display: None, sloppy: false, params, tag }))
    }
}

fn uri_fault(at: usize) -> SyntaxError {
    SyntaxError::new(at, "a well-formed URI")
}

fn trim_end(c: &Cursor<'_>, span: Span) -> Span {
    let len = c.slice(span).trim_ascii_end().len();
    Span::new(span.start(), span.start() + len)
}

/// `bare`: without brackets an `@` in a parameter means that the URI should have had them.
fn read_params(c: &mut Cursor<'_>, end: usize, bare: bool) -> Result<(Span, Option<Span>), SyntaxError> {
    let start = c.at();
    let mut tag = None;
    loop {
        let at = c.at();
        let Some(param) = c.param()? else { return Ok((Span::new(start, end), tag)) };
        let value = param.value.unwrap_or_default();
        if bare && value.first() != Some(&b'"') && value.contains(&b'@') {
            return Err(SyntaxError::new(at, "angle brackets around a URI with parameters"));
        }
        if chars::is_word(param.name, b"tag") {
            if tag.is_some() || value.is_empty() {
                return Err(SyntaxError::new(at, "one tag with a value"));
            }
            tag = param.span();
        }
    }
}

impl fmt::Display for NameAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.layout.sloppy {
            return f.write_str(trim(self.text()));
        }
        let display = self.display().unwrap_or_default();
        write!(f, "{} <{}>{}", quote(&display), self.uri, trim(self.params().as_str()))
    }
}

impl fmt::Debug for NameAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NameAddr({:?})", &**self.text())
    }
}

#[cfg(test)]
mod tests;
