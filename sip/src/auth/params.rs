//! Writing a list of auth-params.

use std::fmt::{self, Display, Write};

/// A comma-separated list of parameters that is being written.
pub(super) struct Params {
    text: String,
    first: bool,
}

impl Params {
    /// A list behind the scheme `Digest`.
    pub(super) fn digest() -> Self {
        Self::of("Digest ")
    }

    /// A list behind the scheme `Bearer`.
    pub(super) fn bearer() -> Self {
        Self::of("Bearer ")
    }

    fn of(scheme: &str) -> Self {
        let mut text = String::with_capacity(320);
        text.push_str(scheme);
        Self { text, first: true }
    }

    /// A bare list, as in Authentication-Info.
    pub(super) fn bare() -> Self {
        Self { text: String::with_capacity(160), first: true }
    }

    fn name(&mut self, name: &str) {
        if !self.first {
            self.text.push_str(", ");
        }
        self.first = false;
        self.text.push_str(name);
        self.text.push('=');
    }

    /// Adds `name="value"`.
    pub(super) fn quoted(mut self, name: &str, value: &str) -> Self {
        self.name(name);
        self.text.push_str(&sip_types::quote(value));
        self
    }

    /// Adds `name=value`; `value` is a token.
    pub(super) fn token(mut self, name: &str, value: impl Display) -> Self {
        self.name(name);
        // Writing to a String cannot fail, and our Display impls do not.
        let _: fmt::Result = write!(self.text, "{value}");
        self
    }

    /// The text.
    pub(super) fn finish(self) -> String {
        self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc3261_25_1_quotes_are_escaped_and_lines_never_end() {
        let text = Params::digest().quoted("realm", "a\"b\\c\r\nX: y").token("stale", true).finish();
        insta::assert_snapshot!(text, @r#"Digest realm="a\"b\\c  X: y", stale=true"#);
    }
}
