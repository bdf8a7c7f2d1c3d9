//! What a reload changes.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use crate::declare::{self, Shape, Table};
use crate::model::Config;

/// When a changed setting takes effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// At once, for calls in progress too.
    Live,
    /// For calls that begin afterwards; running ones keep what they began with.
    Pinned,
    /// When the process starts again.
    Restart,
}

/// One setting that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The setting, such as `networks.carrier.trusted`.
    pub path: String,
    /// When its new value counts.
    pub effect: Effect,
}

/// The settings that differ between two versions, in the order of the document. Entries of maps (networks, trunks,
/// profiles) are compared by name; lists are compared whole.
#[must_use]
pub fn diff(old: &Config, new: &Config) -> Vec<Change> {
    let mut changes = Vec::new();
    compare_table(&Config::TABLE, "", &old.to_json(), &new.to_json(), &mut changes);
    changes
}

fn compare_table(table: &Table, path: &str, old: &Json, new: &Json, changes: &mut Vec<Change>) {
    for setting in table.settings {
        let path = if path.is_empty() { setting.name.to_owned() } else { format!("{path}.{}", setting.name) };
        let (old, new) =
            (old.get(setting.name).unwrap_or(&Json::Null), new.get(setting.name).unwrap_or(&Json::Null));
        compare(&(setting.shape)(), setting.effect.into(), path, old, new, changes);
    }
}

fn compare(shape: &Shape, effect: Effect, path: String, old: &Json, new: &Json, changes: &mut Vec<Change>) {
    if old == new {
        return;
    }
    match (shape, old, new) {
        (Shape::Table(table), Json::Object(_), Json::Object(_)) => {
            compare_table(table, &path, old, new, changes);
        }
        (Shape::Map { value, .. }, Json::Object(before), Json::Object(after)) => {
            for key in before.keys().chain(after.keys()).collect::<BTreeSet<_>>() {
                let (before, after) =
                    (before.get(key).unwrap_or(&Json::Null), after.get(key).unwrap_or(&Json::Null));
                compare(value, effect, format!("{path}.{key}"), before, after, changes);
            }
        }
        _ => changes.push(Change { path, effect }),
    }
}

impl From<declare::Effect> for Effect {
    fn from(effect: declare::Effect) -> Self {
        match effect {
            declare::Effect::live => Self::Live,
            declare::Effect::pinned => Self::Pinned,
            declare::Effect::restart => Self::Restart,
        }
    }
}
