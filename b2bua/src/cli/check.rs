//! `liaison check` and `liaison schema`.

use crate::node::{LoadError, Loader};
use crate::out::{complain, say};
use std::path::Path;
use std::process::ExitCode;

/// The exit code for a configuration that cannot be put in force.
pub(super) const FAULTY: u8 = 2;

/// Says every mistake in a file, or what is none and probably not meant.
pub(super) fn check(file: &Path) -> ExitCode {
    match Loader::open(file) {
        Ok(loader) => {
            for advice in &loader.current().advice {
                complain(format_args!("{}:{advice}", file.display()));
            }
            say(format_args!("{}: no mistakes", file.display()));
            ExitCode::SUCCESS
        }
        Err(error) => refuse(&error),
    }
}

/// Prints why a configuration cannot be put in force.
pub(super) fn refuse(error: &LoadError) -> ExitCode {
    complain(error);
    ExitCode::from(FAULTY)
}

/// Prints the JSON Schema.
pub(super) fn schema() -> ExitCode {
    say(format_args!("{:#}", config::schema()));
    ExitCode::SUCCESS
}
