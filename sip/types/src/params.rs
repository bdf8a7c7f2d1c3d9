//! Semicolon-separated parameters of URIs and header fields.

use std::borrow::Cow;

use crate::{
    chars::{self, PARAM_TEXT},
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
        let bytes = text.as_bytes();
        let name = chars::run(bytes, PARAM_TEXT);
        let end = match bytes.get(name) {
            Some(b'=') => value_end(bytes, name + 1),
            Some(b';') | None => name,
            Some(_) => quoted_end(bytes, name),
        };
        let (param, rest) = text.split_at_checked(end).unwrap_or((text, ""));
        self.rest = rest;
        let (name, value) = param.split_at_checked(name).unwrap_or((param, ""));
        Some((trim(name), value.get(1..).map(trim)))
    }
}

/// Where the value that starts at `from` ends: at a `;` outside quotes.
fn value_end(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    loop {
        at += chars::run(bytes.get(at..).unwrap_or_default(), PARAM_TEXT);
        match bytes.get(at) {
            Some(b'=') => at += 1,
            Some(b'"') => return quoted_end(bytes, at),
            _ => return at,
        }
    }
}

/// As [`value_end`], from the first quote on.
fn quoted_end(bytes: &[u8], from: usize) -> usize {
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
