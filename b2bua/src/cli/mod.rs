//! The command line.

mod check;
mod files;
mod lock;
mod log;
mod run;

use crate::out::{say, verdict};
use clap::{Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

/// A session border controller that is a user agent on each side.
#[derive(Debug, Parser)]
#[command(name = "liaison", version, disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run until SIGTERM, which drains. SIGHUP reads the configuration again.
    Run {
        /// The configuration.
        #[arg(long, value_name = "FILE", default_value = "/etc/liaison/liaison.toml")]
        config: PathBuf,
    },
    /// Say every mistake in a configuration. Exit code 2 if there is one.
    Check {
        /// The configuration.
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Print the JSON Schema of the configuration.
    Schema,
    /// Place a call between two built-in telephones on loopback, and show what happens.
    Demo(crate::demo::Options),
    /// Print the version.
    Version,
}

/// Runs the program.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) if error.use_stderr() => {
            // Where standard error cannot be written, there is nobody left to tell.
            let _ = error.print();
            return ExitCode::from(check::FAULTY);
        }
        Err(help) => {
            say(help.render());
            return verdict(ExitCode::SUCCESS);
        }
    };
    verdict(match arguments.command {
        Command::Run { config } => run::run(&config),
        Command::Check { file } => check::check(&file),
        Command::Schema => check::schema(),
        Command::Demo(options) => crate::demo::demo(&options),
        Command::Version => {
            say(format_args!("liaison {}", env!("CARGO_PKG_VERSION")));
            ExitCode::SUCCESS
        }
    })
}
