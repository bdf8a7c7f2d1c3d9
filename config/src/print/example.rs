use std::fmt::Write;

use crate::declare::{Shape, Table};
use crate::model::Config;

const HEAD: &str = "\
# Every setting of Liaison.
#
# A line that begins with `#` and no space is a setting left at its default, or one that is optional.
# Take the `#` away to set it.
";

/// Longest line of a comment.
const WIDTH: usize = 110;

/// A complete document with a comment for every setting; it parses, and so does each setting that it leaves out.
#[must_use]
pub fn example() -> String {
    let mut document = HEAD.to_owned();
    table(&mut document, &Config::TABLE, "", true);
    document
}

fn table(document: &mut String, of: &Table, path: &str, enabled: bool) {
    let (sections, lines): (Vec<_>, Vec<_>) =
        of.settings.iter().partition(|of| (of.shape)().inner_table().is_some());
    for setting in lines {
        let value = match setting.default {
            _ if setting.said => setting.example,
            // An empty default teaches nothing about the form.
            Some("[]" | "{}") => setting.example.or(setting.default),
            Some(default) => Some(default),
            None => setting.example,
        };
        comment(document, setting.doc);
        let enabled = enabled && (setting.required() || setting.said);
        let off = if enabled { "" } else { "#" };
        let _ = writeln!(document, "{off}{} = {}", setting.name, value.unwrap_or_default());
    }
    for setting in sections {
        let shape = (setting.shape)();
        let Some(inner) = shape.inner_table() else { continue };
        let name = if path.is_empty() { setting.name.to_owned() } else { format!("{path}.{}", setting.name) };
        let (path, header) = match shape {
            Shape::List(_) => (name.clone(), format!("[[{name}]]")),
            Shape::Map { .. } => {
                let path = format!("{name}.{}", setting.example.unwrap_or("name"));
                (path.clone(), format!("[{path}]"))
            }
            _ => (name.clone(), format!("[{name}]")),
        };
        let enabled = enabled && (of.name == Config::TABLE.name || setting.required() || setting.said);
        document.push('\n');
        comment(document, setting.doc);
        let off = if enabled { "" } else { "#" };
        let _ = writeln!(document, "{off}{header}");
        table(document, inner, &path, enabled);
    }
}

fn comment(document: &mut String, doc: &[&str]) {
    let mut line = String::from("#");
    for word in doc.iter().flat_map(|line| line.split_whitespace()) {
        if line.len() + 1 + word.len() > WIDTH {
            let _ = writeln!(document, "{line}");
            line = String::from("#");
        }
        line.push(' ');
        line.push_str(word);
    }
    let _ = writeln!(document, "{line}");
}
