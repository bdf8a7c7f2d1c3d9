//! Descriptors: what a setting is, apart from its Rust type.

use std::fmt::Write;

/// When a changed setting takes effect after a reload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(non_camel_case_types, reason = "the words of the declarations")]
pub(crate) enum Effect {
    /// At once, for calls in progress too.
    live,
    /// For calls that begin afterwards.
    pinned,
    /// When the process starts again.
    restart,
}

/// One word of a choice.
#[derive(Debug)]
pub(crate) struct Variant {
    pub(crate) text: &'static str,
    pub(crate) doc: &'static [&'static str],
}

/// One table of the document.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) name: &'static str,
    pub(crate) doc: &'static [&'static str],
    pub(crate) settings: &'static [Setting],
    /// For a table that stands in its line, as values do: its form in words.
    pub(crate) words: Option<&'static str>,
}

/// One setting of a table.
#[derive(Debug)]
pub(crate) struct Setting {
    pub(crate) name: &'static str,
    pub(crate) doc: &'static [&'static str],
    pub(crate) effect: Effect,
    pub(crate) optional: bool,
    pub(crate) shape: fn() -> Shape,
    /// TOML.
    pub(crate) default: Option<&'static str>,
    /// TOML, both ends included.
    pub(crate) range: Option<(&'static str, &'static str)>,
    pub(crate) unit: Option<&'static str>,
    /// TOML; for a map of tables the key of the example.
    pub(crate) example: Option<&'static str>,
    /// Whether the example document has the setting although it could be left out.
    pub(crate) said: bool,
}

impl Setting {
    pub(crate) const NONE: Self = Self {
        name: "",
        doc: &[],
        effect: Effect::live,
        optional: false,
        shape: || Shape::Boolean,
        default: None,
        range: None,
        unit: None,
        example: None,
        said: false,
    };

    pub(crate) fn required(&self) -> bool {
        self.default.is_none() && !self.optional
    }

    /// The form of value in words, with range and unit.
    pub(crate) fn form(&self) -> String {
        let shape = (self.shape)();
        let mut text = shape.words();
        if let Some((low, high)) = self.range {
            let _ = match shape {
                Shape::List(_) | Shape::Map { .. } => write!(text, " ({low} to {high} of them)"),
                _ => write!(text, " from {low} to {high}"),
            };
        }
        if let Some(unit) = self.unit {
            let _ = write!(text, " ({unit})");
        }
        text
    }

    /// As [`Self::form`], with an example where the form alone may not be plain.
    pub(crate) fn expected(&self) -> String {
        let plain = !matches!((self.shape)(), Shape::Text { .. } | Shape::List(_));
        match self.example.or(self.default) {
            Some(example) if !plain && !matches!(example, "[]" | r#""""#) => {
                format!("{}, such as {example}", self.form())
            }
            _ => self.form(),
        }
    }
}

/// The form of a value.
#[derive(Debug)]
pub(crate) enum Shape {
    Boolean,
    Integer,
    /// A string of the named form, and a regular expression for editors (a hint: the reader is stricter).
    Text {
        expected: &'static str,
        pattern: Option<&'static str>,
    },
    Choice(&'static [Variant]),
    List(Box<Shape>),
    /// A table whose keys the operator chooses; `key` says of what form.
    Map {
        key: &'static str,
        value: Box<Shape>,
    },
    Table(&'static Table),
    Either(Vec<Shape>),
}

impl Shape {
    /// The form in words.
    pub(crate) fn words(&self) -> String {
        match self {
            Self::Boolean => "true or false".to_owned(),
            Self::Integer => "an integer".to_owned(),
            Self::Text { expected, .. } => (*expected).to_owned(),
            Self::Choice(variants) => one_of(variants.iter().map(|variant| format!("{:?}", variant.text))),
            Self::List(of) => format!("a list, each {}", of.words()),
            Self::Map { key, value } if matches!(**value, Self::Table(_)) => {
                format!("tables, each under {key}")
            }
            Self::Map { key, value } => format!("a table from {key} to {}", value.words()),
            Self::Table(table) => table.words.unwrap_or("a table").to_owned(),
            Self::Either(shapes) => one_of(shapes.iter().map(Self::words)),
        }
    }

    /// The table within, when the shape is a table, or a list or map of tables, and deserves a section of its own.
    pub(crate) fn inner_table(&self) -> Option<&'static Table> {
        match self {
            Self::Table(table) => Some(*table).filter(|table| table.words.is_none()),
            Self::List(of) | Self::Map { value: of, .. } => of.inner_table(),
            Self::Boolean | Self::Integer | Self::Text { .. } | Self::Choice(_) | Self::Either(_) => None,
        }
    }
}

/// `a, b or c`.
pub(crate) fn one_of(words: impl Iterator<Item = String>) -> String {
    let mut words: Vec<String> = words.collect();
    let last = words.pop().unwrap_or_default();
    if words.is_empty() { last } else { format!("{} or {last}", words.join(", ")) }
}
