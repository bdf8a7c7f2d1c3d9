//! Semicolon-separated parameters of URIs and header fields.

use std::borrow::Cow;

use crate::{
    chars::{self, PARAM_TEXT},
    search,
    text::{is_name, trim, trim_start, unquote},
};

/// Parameters in order: name and, after a `=`, the value as received (a quoted string with its quotes; see [`Params::get_unquoted`]).
/// The text was checked when its URI or header field was parsed.
#[derive(Clone, Debug)]
pub struct Params<'a> {
    rest: &'a str,
}

impl<'a> Params<'a> {
    /// `text` starts at the first `;`, or is empty.
    pub(crate) fn new(text: &'a str) -> Self {
        Self { rest: text }
    }

    /// Reads parameters out of a text that they were written to before: what follows their grammar.
    #[must_use]
    pub fn of_checked(text: &'a str) -> Self {
        Self::new(text)
    }

    /// The first parameter of that name (any case): absent, present without value, or its value as received.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Option<&'a str>> {
        self.clone().find(|(n, _)| is_name(n, name)).map(|(_, value)| value)
    }

    /// The value of the first parameter of that name, a quoted string read.
    #[must_use]
    pub fn get_unquoted(&self, name: &str) -> Option<Cow<'a, str>> {
        self.get(name).flatten().map(unquote)
    }

    /// Whether there is a parameter of that name.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// The text from the first `;` on, as received.
    #[must_use]
    pub fn as_str(&self) -> &'a str {
        self.rest
    }
}

impl<'a> Iterator for Params<'a> {
    type Item = (&'a str, Option<&'a str>);

    fn next(&mut self) -> Option<Self::Item> {
        let text = trim_start(self.rest).strip_prefix(';')?;
        let (name, rest) = text.split_at_checked(chars::run(text.as_bytes(), PARAM_TEXT))?;
        let Some(rest) = rest.strip_prefix('=') else {
            self.rest = rest;
            return Some((trim(name), None));
        };
        let (value, rest) = rest.split_at_checked(value_len(rest.as_bytes()))?;
        self.rest = rest;
        Some((trim(name), Some(trim(value))))
    }
}

/// Where the value that `bytes` starts with ends: at a `;` outside quotes.
#[inline]
fn value_len(bytes: &[u8]) -> usize {
    let plain = search::find_either(bytes, b';', b'"').unwrap_or(bytes.len());
    if bytes.get(plain) == Some(&b'"') { quoted_len(bytes, plain) } else { plain }
}

/// As [`value_len`], the first quote being at `from`.
fn quoted_len(bytes: &[u8], from: usize) -> usize {
    let mut quoted = false;
    let mut escaped = false;
    for (at, &byte) in bytes.iter().enumerate().skip(from) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b';' if !quoted => return at,
            _ => {}
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::Params;

    #[test]
    fn parameters_come_in_order_with_values_as_received() {
        let params = Params::new(" ; a;b = c ; d=\"x;\\\";y\";e=");
        let all: Vec<_> = params.clone().collect();
        assert_eq!(all, [("a", None), ("b", Some("c")), ("d", Some("\"x;\\\";y\"")), ("e", Some(""))]);
        assert_eq!(params.get("B"), Some(Some("c")));
        assert_eq!(params.get("a"), Some(None));
        assert_eq!(params.get("z"), None);
        assert_eq!(params.get_unquoted("d").unwrap(), "x;\";y");
    }

    #[test]
    fn no_text_has_no_parameters() {
        assert_eq!(Params::new("").next(), None);
    }
}
