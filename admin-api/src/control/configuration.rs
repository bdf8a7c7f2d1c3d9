//! Read models of the configuration and of its changes.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::values::Timestamp;

/// The configuration in force.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ConfigurationInForce {
    /// Counts up from 1 at every configuration put in force since the process started.
    pub version: u64,
    /// The file that it was read from; null when it is built in.
    #[schema(examples("/etc/liaison/liaison.toml"))]
    pub source: Option<String>,
    /// When it was put in force.
    pub loaded_at: Timestamp,
    /// The document, defaults filled in. Secrets are the references that the file has, never values.
    #[schema(value_type = Object)]
    pub configuration: Value,
    /// The settings whose values in the file, as of the last reload, wait for a restart.
    pub waiting_for_restart: Vec<String>,
}

/// What a reload does with a document that has no faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReloadMode {
    /// Put it in force.
    Apply,
    /// Only say what would change.
    DryRun,
}

/// What a reload found.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ReloadOutcome {
    /// The version in force after it. It stays when nothing changed, and in a dry run.
    pub version: u64,
    /// When that version was put in force.
    pub loaded_at: Timestamp,
    /// False in a dry run.
    pub applied: bool,
    /// The settings that differ from the version that was in force, in the order of the document; then those that wait
    /// for a restart (effect `restart`), which are named again by each reload until then.
    pub changes: Vec<Change>,
}

/// One setting that differs between two versions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Change {
    /// Where it is in the document.
    #[schema(examples("trunks.carrier.max_calls"))]
    pub path: String,
    /// When its new value counts.
    pub effect: Effect,
}

/// When a changed setting takes effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// At once, for calls in progress too.
    Live,
    /// For calls that begin afterwards; running ones keep what they began with.
    Pinned,
    /// When the process starts again.
    Restart,
}

/// One fault of a configuration document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ConfigurationFault {
    /// The file; null when the configuration is built in.
    #[schema(examples("/etc/liaison/liaison.toml"))]
    pub file: Option<String>,
    /// Line in the file, from 1; null for a fault of no one place, such as a file that cannot be read.
    #[schema(minimum = 1)]
    pub line: Option<usize>,
    /// Column in the line in characters, from 1; null as for `line`.
    #[schema(minimum = 1)]
    pub column: Option<usize>,
    /// The setting at fault; null for the document itself and for syntax.
    #[schema(examples("trunks.carrier.max_calls"))]
    pub path: Option<String>,
    /// The kind of fault in a word.
    #[schema(examples("range"))]
    pub kind: String,
    /// What stood there.
    #[schema(examples("-1"))]
    pub found: String,
    /// What was expected.
    #[schema(examples("0 to 1000000"))]
    pub expected: String,
    /// What was probably meant; null without a guess.
    pub did_you_mean: Option<String>,
}
