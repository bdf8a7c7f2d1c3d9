//! From text to [`Config`].

use std::collections::BTreeSet;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::check;
use crate::declare::{Entry, Kind, Reader, Value};
use crate::error::{Error, Errors, Fault, Found};
use crate::model::{Config, Network, Profile, Trunk};
use crate::text::ProfileName;

impl Config {
    /// Reads and checks a document. `file` only names it in errors.
    ///
    /// # Errors
    /// Every fault of type and meaning, and the first fault of syntax in each line.
    pub fn parse(file: &str, text: &str) -> Result<Self, Errors> {
        let (document, syntax) = DeTable::parse_recoverable(text);
        let root = Spanned::new(0..0, DeValue::Table(document.into_inner()));
        let mut reader = Reader::new(text);
        reader.define(Kind::Profile, ProfileName::DEFAULT);
        let config = Self::read(&root, &mut reader);
        reader.resolve_references();
        check::claims(&mut reader);
        if let Some(config) = &config {
            check::model(config, &mut reader);
        }
        let mut entries = std::mem::take(&mut reader.entries);
        if !syntax.is_empty() {
            // Where syntax is broken, keys and tables are lost: what they would have meant is unknown.
            entries.retain(|entry| {
                matches!(entry.fault, Fault::Type | Fault::Form | Fault::Choice { .. } | Fault::Range)
            });
            entries.extend(syntax.iter().map(syntax_entry));
        }
        match config {
            Some(config) if entries.is_empty() => Ok(config.with_default_profile()),
            _ => Err(Errors::new(Lines::new(text).place(file, entries))),
        }
    }

    /// As [`Self::parse`], of a document that may not be text.
    ///
    /// # Errors
    /// Those of [`Self::parse`], and the first place that is not UTF-8 (TOML 1.0, "Spec").
    pub fn parse_bytes(file: &str, document: &[u8]) -> Result<Self, Errors> {
        let error = match str::from_utf8(document) {
            Ok(text) => return Self::parse(file, text),
            Err(error) => error,
        };
        let (valid, rest) = document.split_at_checked(error.valid_up_to()).unwrap_or((document, &[]));
        let text = str::from_utf8(valid).unwrap_or_default();
        let (line, column) = Lines::new(text).position(text.len());
        let byte = rest.first().copied().unwrap_or_default();
        Err(Errors::new(vec![Error {
            file: file.to_owned(),
            line,
            column,
            path: String::new(),
            fault: Fault::Syntax { what: "not UTF-8".to_owned() },
            found: Found::Text(format!("the byte 0x{byte:02x}")),
            expected: "UTF-8".to_owned(),
        }]))
    }

    /// Line and column, from 1, of settings in a document by their paths, or of the nearest table around each; those of the
    /// beginning where there is neither.
    #[must_use]
    pub fn positions<'p>(document: &[u8], paths: impl IntoIterator<Item = &'p str>) -> Vec<(usize, usize)> {
        let text = String::from_utf8_lossy(document);
        let (document, _) = DeTable::parse_recoverable(&text);
        let root = Spanned::new(0..0, DeValue::Table(document.into_inner()));
        let mut reader = Reader::new(&text);
        // What is wrong with it is not asked here; reading it tells where everything stands.
        let _ = Self::read(&root, &mut reader);
        let lines = Lines::new(&text);
        paths.into_iter().map(|path| lines.position(reader.span_of(path).start)).collect()
    }

    fn with_default_profile(mut self) -> Self {
        if let Some(name) = ProfileName::default_profile() {
            self.profiles.entry(name).or_default();
        }
        self
    }

    /// The profile of that name; the profile `default` when none is named.
    #[must_use]
    pub fn profile(&self, name: Option<&ProfileName>) -> Option<&Profile> {
        self.profiles.get(name.map_or(ProfileName::DEFAULT, ProfileName::as_str))
    }

    /// The name of the profile of a leg: the trunk's, else the network's, else `default`.
    #[must_use]
    pub fn profile_name<'c>(&'c self, network: &'c Network, trunk: Option<&'c Trunk>) -> &'c str {
        let name = trunk.and_then(|trunk| trunk.profile.as_ref()).or(network.profile.as_ref());
        name.map_or(ProfileName::DEFAULT, ProfileName::as_str)
    }

    /// The configuration in force. Secrets are in it as the references they are.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        self.json()
    }
}

/// All of its settings have defaults.
impl Default for Profile {
    #[expect(clippy::expect_used, reason = "every setting has a default, and a test reads them all")]
    fn default() -> Self {
        let empty = Spanned::new(0..0, DeValue::Table(DeTable::new()));
        Self::read(&empty, &mut Reader::new("")).expect("the defaults of a profile")
    }
}

fn syntax_entry(error: &toml::de::Error) -> Entry {
    let (what, expected) = error.message().split_once(", expected ").unwrap_or((error.message(), "TOML"));
    Entry {
        span: error.span().unwrap_or(0..0),
        path: String::new(),
        fault: Fault::Syntax { what: what.to_owned() },
        found: Found::Nothing,
        expected: expected.to_owned(),
    }
}

/// The lines of the text, by byte offset.
struct Lines<'t> {
    text: &'t str,
    starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    fn new(text: &'t str) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        Self { text, starts: std::iter::once(0).chain(ends.map(|(at, _)| at + 1)).collect() }
    }

    /// Line and column, from 1.
    fn position(&self, at: usize) -> (usize, usize) {
        let line = self.starts.partition_point(|start| *start <= at);
        let start = line.checked_sub(1).and_then(|index| self.starts.get(index)).copied().unwrap_or(0);
        let column = self.text.get(start..at).map_or(0, |before| before.chars().count());
        (line.max(1), column + 1)
    }

    fn place(&self, file: &str, entries: Vec<Entry>) -> Vec<Error> {
        let mut syntax_lines = BTreeSet::new();
        let (broken, whole): (Vec<_>, Vec<_>) =
            entries.into_iter().partition(|entry| matches!(entry.fault, Fault::Syntax { .. }));
        let mut errors = Vec::with_capacity(broken.len() + whole.len());
        for entry in broken {
            let (line, column) = self.position(entry.span.start);
            if syntax_lines.insert(line) {
                let found = self.character(entry.span.start);
                errors.push(Self::error(file, (line, column), entry, found));
            }
        }
        for mut entry in whole {
            let (line, column) = self.position(entry.span.start);
            if !syntax_lines.contains(&line) {
                let found = std::mem::replace(&mut entry.found, Found::Nothing);
                errors.push(Self::error(file, (line, column), entry, found));
            }
        }
        errors
    }

    fn error(file: &str, (line, column): (usize, usize), entry: Entry, found: Found) -> Error {
        let Entry { path, fault, expected, .. } = entry;
        Error { file: file.to_owned(), line, column, path, fault, found, expected }
    }

    /// What stands at the place of a syntax error: a character, no more, as it may be part of a secret.
    fn character(&self, at: usize) -> Found {
        match self.text.get(at..).and_then(|rest| rest.chars().next()) {
            None => Found::Described("the end of the document"),
            Some('\n' | '\r') => Found::Described("the end of the line"),
            Some(character) => Found::Text(format!("{character:?}")),
        }
    }
}
