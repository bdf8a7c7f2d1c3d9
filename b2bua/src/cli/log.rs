//! The log, on standard error.

use config::{Log, LogFormat, LogLevel};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::reload::{self, Handle};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry};

/// Changes what is logged while the process runs.
#[derive(Clone)]
pub(super) struct LogControl(Handle<LevelFilter, Registry>);

impl LogControl {
    /// Logs from this severity on.
    pub(super) fn set(&self, log: &Log) {
        // It fails only when the log is gone, and then there is nothing to change.
        let _ = self.0.reload(filter(log.level));
    }
}

/// Begins to log; what standard error does not take is lost, and nothing else. Where the process logs already, that goes on.
pub(super) fn begin(log: &Log) -> LogControl {
    let (level, handle) = reload::Layer::new(filter(log.level));
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).log_internal_errors(false);
    let lines: Box<dyn Layer<_> + Send + Sync> = match log.format {
        LogFormat::Text => Box::new(lines),
        LogFormat::Json => Box::new(lines.json()),
    };
    let _ = tracing_subscriber::registry().with(level).with(lines).try_init();
    LogControl(handle)
}

fn filter(level: LogLevel) -> LevelFilter {
    match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    }
}
