//! Standard output, for a person.

use std::fmt::Display;
use std::io::IsTerminal as _;

/// How text is set off: in colour on a terminal, not at all elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ink {
    /// Plain text.
    Plain,
    /// ANSI escape sequences.
    Colour,
}

impl Ink {
    /// Colour if standard output is a terminal and nobody has asked for none (`NO_COLOR`).
    pub(super) fn of_stdout() -> Self {
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        if wanted && std::io::stdout().is_terminal() { Self::Colour } else { Self::Plain }
    }

    /// A heading.
    pub(super) fn heading(self, text: impl Display) -> String {
        self.set("1", text)
    }

    /// What matters less.
    pub(super) fn faint(self, text: impl Display) -> String {
        self.set("2", text)
    }

    /// What is as it should be.
    pub(super) fn good(self, text: impl Display) -> String {
        self.set("32", text)
    }

    /// What is not.
    pub(super) fn bad(self, text: impl Display) -> String {
        self.set("1;31", text)
    }

    fn set(self, code: &str, text: impl Display) -> String {
        match self {
            Self::Plain => text.to_string(),
            Self::Colour => format!("\x1b[{code}m{text}\x1b[0m"),
        }
    }
}
