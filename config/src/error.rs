//! What is wrong with a document, and where.

use std::fmt;

/// The kind of a fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The text is not TOML there.
    #[error("syntax")]
    Syntax {
        /// The fault in the words of the TOML parser.
        what: String,
    },
    /// A key that its table does not have.
    #[error("unknown key")]
    UnknownKey {
        /// The key that it resembles.
        did_you_mean: Option<String>,
    },
    /// A required setting is absent.
    #[error("missing")]
    Missing,
    /// A value of another TOML type.
    #[error("type")]
    Type,
    /// A value of the right TOML type and the wrong form: an address, a URI, a duration…
    #[error("form")]
    Form,
    /// A word that is not among the permitted ones.
    #[error("choice")]
    Choice {
        /// The word that it resembles.
        did_you_mean: Option<String>,
    },
    /// A number, time or count outside its range.
    #[error("range")]
    Range,
    /// A name that nothing in the document has.
    #[error("reference")]
    Reference {
        /// The name that it resembles.
        did_you_mean: Option<String>,
    },
    /// Settings that are right one by one and cannot stand together.
    #[error("conflict")]
    Conflict,
}

/// What stood where something else was expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// Nothing: the setting is absent.
    Nothing,
    /// This, as written.
    Text(String),
    /// Something that must not be printed, described.
    Described(&'static str),
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// Longer values are cut: the place says where to read the rest.
        const LONGEST: usize = 60;
        match self {
            Self::Nothing => f.write_str("nothing"),
            Self::Described(what) => f.write_str(what),
            Self::Text(text) => {
                let line = text.lines().next().unwrap_or_default().trim_end();
                match line.char_indices().nth(LONGEST) {
                    Some((end, _)) => write!(f, "{}…", line.get(..end).unwrap_or_default()),
                    None if line.len() < text.trim_end().len() => write!(f, "{line}…"),
                    None => f.write_str(line),
                }
            }
        }
    }
}

/// One fault of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// The file as named to [`crate::Config::parse`].
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// The setting, such as `trunks.carrier.targets[0]`; empty for the document itself and for syntax.
    pub path: String,
    /// The kind of fault.
    pub fault: Fault,
    /// What stood there.
    pub found: Found,
    /// What was expected, in words.
    pub expected: String,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: ", self.file, self.line, self.column)?;
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        if let Fault::Syntax { what } = &self.fault {
            write!(f, "{what}: ")?;
        }
        write!(f, "found {}, expected {}", self.found, self.expected)?;
        match &self.fault {
            Fault::UnknownKey { did_you_mean: Some(word) }
            | Fault::Choice { did_you_mean: Some(word) }
            | Fault::Reference { did_you_mean: Some(word) } => write!(f, " (did you mean {word:?}?)"),
            Fault::UnknownKey { .. }
            | Fault::Choice { .. }
            | Fault::Reference { .. }
            | Fault::Syntax { .. }
            | Fault::Missing
            | Fault::Type
            | Fault::Form
            | Fault::Range
            | Fault::Conflict => Ok(()),
        }
    }
}

impl std::error::Error for Error {}

/// Every fault of a document, in the order of the text; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Errors(Vec<Error>);

impl Errors {
    pub(crate) fn new(mut errors: Vec<Error>) -> Self {
        errors.sort_by(|a, b| (a.line, a.column, &a.path).cmp(&(b.line, b.column, &b.path)));
        errors.dedup();
        Self(errors)
    }

    /// The faults.
    pub fn iter(&self) -> std::slice::Iter<'_, Error> {
        self.0.iter()
    }

    /// How many there are.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "never empty")]
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

impl<'e> IntoIterator for &'e Errors {
    type Item = &'e Error;
    type IntoIter = std::slice::Iter<'e, Error>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for Errors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            error.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Errors {}
