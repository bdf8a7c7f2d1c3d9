use std::fmt;
use std::path::PathBuf;

use serde_json::Value as Json;
use toml::de::DeValue;

use crate::declare::{Effect, Node, Reader, Setting, Shape, Table, Value};

const EXPECTED: &str = r#"a reference: { env = "NAME" } or { file = "PATH" }"#;

/// Where a secret is to be found. The document never holds one; whoever needs it resolves the reference.
#[derive(Clone, PartialEq, Eq)]
pub enum Secret {
    /// The value of an environment variable.
    Environment(String),
    /// The contents of a file, without the line end that closes it.
    File(PathBuf),
}

impl Secret {
    const TABLE: Table = Table {
        name: "Secret",
        doc: &[" A reference to a secret: exactly one of the two."],
        words: Some(EXPECTED),
        settings: &[
            Setting {
                name: "env",
                doc: &[" The environment variable that holds it."],
                effect: Effect::live,
                optional: true,
                shape: <bytestring::ByteString as Value>::shape,
                ..Setting::NONE
            },
            Setting {
                name: "file",
                doc: &[" The file that holds it."],
                effect: Effect::live,
                optional: true,
                shape: <PathBuf as Value>::shape,
                ..Setting::NONE
            },
        ],
    };
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Environment(name) => write!(f, "Secret(env {name})"),
            Self::File(path) => write!(f, "Secret(file {})", path.display()),
        }
    }
}

impl Value for Secret {
    fn shape() -> Shape {
        Shape::Table(&Self::TABLE)
    }

    /// A value at fault is described, never shown: it may be the secret itself.
    fn read(node: Node<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let DeValue::Table(table) = node.get_ref() else {
            return reader.refuse_unseen(node, "a value that is not shown", EXPECTED);
        };
        let mut entries = table.iter().map(|(key, value)| (key.get_ref().as_ref(), value.get_ref()));
        match (entries.next(), entries.next()) {
            (Some(("env", DeValue::String(name))), None) if is_variable(name) => {
                Some(Self::Environment(name.to_string()))
            }
            (Some(("file", DeValue::String(path))), None) if !path.is_empty() => {
                Some(Self::File(path.as_ref().into()))
            }
            _ => reader.refuse_unseen(node, "a table that is not shown", EXPECTED),
        }
    }

    fn json(&self) -> Json {
        match self {
            Self::Environment(name) => serde_json::json!({ "env": name }),
            Self::File(path) => serde_json::json!({ "file": path.display().to_string() }),
        }
    }
}

/// A name that an environment variable can have.
fn is_variable(name: &str) -> bool {
    !name.is_empty() && !name.contains(['=', '\0'])
}
