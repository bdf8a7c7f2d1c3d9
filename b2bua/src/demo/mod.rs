//! `liaison demo`: a call between two built-in telephones through a Liaison of its own, on loopback.

mod config;
mod http;
mod json;
mod ladder;
mod legs;
mod phone;
mod play;
mod report;
mod screen;
mod seen;
mod sound;
mod stage;
mod state;

use crate::out::say;
use screen::Ink;
use stage::Stage;
use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};
use tracing::Level;

/// How the demonstration runs.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Options {
    /// How long the two talk, in seconds: 1 to 60.
    #[arg(long, value_name = "SECONDS", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=60))]
    pub(crate) seconds: u32,
}

/// Places the call and shows what happened. The exit code is 0 only if both heard each other and everything that
/// was counted makes sense, and 1 otherwise.
#[must_use]
pub(crate) fn demo(options: &Options) -> ExitCode {
    let log = tracing_subscriber::fmt().with_writer(std::io::stderr).with_max_level(Level::WARN);
    // Only the first subscriber of a process counts; it is as good as this one.
    let _ = log.try_init();
    let ink = Ink::of_stdout();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let shown = match runtime {
        Ok(runtime) => runtime.block_on(show(options.seconds, ink)),
        Err(error) => Err(error.into()),
    };
    match shown {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            say(format_args!("\n{}  {error:#}", ink.bad("failed")));
            ExitCode::FAILURE
        }
    }
}

/// Shows everything, unless somebody ends it first.
async fn show(seconds: u32, ink: Ink) -> anyhow::Result<bool> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        shown = act(seconds, ink) => shown,
        _ = interrupt.recv() => anyhow::bail!("interrupted"),
        _ = terminate.recv() => anyhow::bail!("terminated"),
    }
}

async fn act(seconds: u32, ink: Ink) -> anyhow::Result<bool> {
    say(ink.heading(format_args!("Liaison {}: a call through two user agents", env!("CARGO_PKG_VERSION"))));
    say("\nstarting Liaison and two telephones on loopback");
    let mut stage = Stage::set().await?;
    say(format_args!(
        "  network carrier      Liaison at {}   Alice at {}",
        stage.outside, stage.alice.address
    ));
    say(format_args!("  network enterprise   Liaison at {}   Bob   at {}", stage.inside, stage.bob.address));
    say(format_args!(
        "  admin API            http://{}/v1, token in {}",
        stage.api,
        stage.token_path.display()
    ));
    match play::play(&mut stage, seconds, ink).await {
        Ok(played) => {
            let report = report::report(&played, &stage, seconds, ink);
            say(report.text.trim_end());
            stage.strike().await?;
            Ok(report.success)
        }
        Err(error) => {
            say(format_args!("\n{}", report::unfinished(&stage)));
            Err(error)
        }
    }
}
