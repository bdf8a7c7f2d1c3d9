use std::fmt::Write;

use crate::declare::{Effect, Setting, Shape, Table};
use crate::model::Config;
use crate::print::prose;

const HEAD: &str = "\
# Configuration

<!-- Generated from the declarations of the crate `config`; its tests say how to write it anew. -->

Liaison reads one TOML document. `liaison check FILE` names every fault in it, with line and column; `liaison schema`
prints its JSON Schema. Durations are strings such as `\"500ms\"`, `\"180s\"` or `\"1h30m\"`. Secrets never stand in the
document: `{ env = \"NAME\" }` or `{ file = \"PATH\" }` says where to find them.

A changed setting takes effect after a reload (SIGHUP, or the admin API): *at once*, for calls in progress too; for *new
calls*, while running ones keep what they began with; or after a *restart*.
";

/// The reference page (Markdown) of every setting.
#[must_use]
pub fn reference() -> String {
    let mut page = HEAD.to_owned();
    table(&mut page, &Config::TABLE, "");
    page
}

fn table(page: &mut String, of: &Table, path: &str) {
    if path.is_empty() {
        let _ = write!(page, "\n## The document\n\n");
    } else {
        let _ = write!(page, "\n## `{path}`\n\n{}\n\n", prose(of.doc));
    }
    page.push_str("| setting | value | default | changes |\n|---|---|---|---|\n");
    for setting in of.settings {
        row(page, setting, path);
    }
    page.push('\n');
    for setting in of.settings {
        let _ = writeln!(page, "- **`{}`**: {}", setting.name, prose(setting.doc));
        if let Shape::Choice(variants) = (setting.shape)() {
            for variant in variants {
                let _ = writeln!(page, "  - `\"{}\"`: {}", variant.text, prose(variant.doc));
            }
        }
    }
    for setting in of.settings {
        if let Some((inner, path)) = section(setting, path) {
            table(page, inner, &path);
        }
    }
}

fn row(page: &mut String, setting: &Setting, path: &str) {
    let value = match section(setting, path) {
        Some((_, path)) => format!("[`{path}`](#{})", anchor(&path)),
        None => cell(&setting.form()),
    };
    let default = match setting.default {
        Some(default) => format!("`{}`", cell(default)),
        None if setting.optional => "none".to_owned(),
        None => "required".to_owned(),
    };
    let changes = match setting.effect {
        Effect::live => "at once",
        Effect::pinned => "new calls",
        Effect::restart => "restart",
    };
    let _ = writeln!(page, "| `{}` | {value} | {default} | {changes} |", setting.name);
}

/// The section that describes the table in a setting.
fn section(setting: &Setting, path: &str) -> Option<(&'static Table, String)> {
    let shape = (setting.shape)();
    let step = match &shape {
        Shape::Table(_) => setting.name.to_owned(),
        Shape::List(_) => format!("{}[]", setting.name),
        Shape::Map { .. } => format!("{}.NAME", setting.name),
        Shape::Either(_) | Shape::Boolean | Shape::Integer | Shape::Text { .. } | Shape::Choice(_) => {
            return None;
        }
    };
    let inner = shape.inner_table()?;
    Some((inner, if path.is_empty() { step } else { format!("{path}.{step}") }))
}

/// The anchor that Markdown renderers give to the heading of `path`.
fn anchor(path: &str) -> String {
    path.to_lowercase().chars().filter(|c| c.is_alphanumeric() || "_-".contains(*c)).collect()
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}
