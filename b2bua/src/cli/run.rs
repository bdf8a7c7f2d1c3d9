//! `liaison run`.

use super::check;
use super::lock::StateLock;
use super::{files, log};
use crate::node::{Loader, Node};
use crate::out::{complain, say};
use admin_api::Options;
use admin_api::control::ControlError;
use admin_api::token::Token;
use anyhow::Context;
use config::Config;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;

/// How often it is looked whether a drain is over.
const LOOK: Duration = Duration::from_millis(100);

/// Runs until a signal ends it.
pub(super) fn run(file: &Path) -> ExitCode {
    let mut loader = match Loader::open(file) {
        Ok(loader) => loader,
        Err(error) => return check::refuse(&error),
    };
    let config = loader.current().config().clone();
    let log = log::begin(&config.log);
    loader.observe(move |config| log.set(&config.log));
    loader.warn();
    files::raise(&config);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let served = match runtime {
        Ok(runtime) => runtime.block_on(serve(loader, &config)),
        Err(error) => Err(error.into()),
    };
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(format_args!("liaison: {error:#}{}", files::hint(&error)));
            ExitCode::FAILURE
        }
    }
}

async fn serve(loader: Loader, config: &Config) -> anyhow::Result<()> {
    let mut signals = Signals::install()?;
    let state = &config.node.state_directory;
    std::fs::create_dir_all(state).with_context(|| format!("cannot make {}", state.display()))?;
    let _lock = StateLock::take(state)?;
    let token_path = config.admin.token_path(&config.node);
    let loaded = Token::load_or_create(&token_path)?;
    let listen = config.admin.listen;
    let admin = TcpListener::bind(listen)
        .await
        .with_context(|| format!("the admin API cannot listen on {listen}"))?;
    let admin_address = admin.local_addr()?;
    let node = Node::start(loader)?;
    for listener in node.listeners() {
        say(format_args!("listening on {} {}", listener.transport.name(), listener.address));
    }
    say(format_args!("admin API at http://{admin_address}/v1, its token in {}", token_path.display()));
    let (stop, stopped) = oneshot::channel::<()>();
    let shutdown = async {
        // A dropped sender means the same.
        let _ = stopped.await;
    };
    let api =
        tokio::spawn(admin_api::serve(admin, node.control(), loaded.token, Options::default(), shutdown));
    let obeyed = signals.obey(&node).await;
    let _ = stop.send(());
    api.await??;
    obeyed
}

/// The signals that a node obeys.
struct Signals {
    hangup: Signal,
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn install() -> std::io::Result<Self> {
        Ok(Self {
            hangup: signal(SignalKind::hangup())?,
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Reloads and drains as told, until the node is over. A second SIGTERM or SIGINT ends what is left at once.
    /// A node that loses a shard drains likewise, and fails then.
    async fn obey(&mut self, node: &Node) -> anyhow::Result<()> {
        let mut look = tokio::time::interval(LOOK);
        let (mut draining, mut lost) = (false, false);
        loop {
            let told = tokio::select! {
                _ = self.hangup.recv() => {
                    reload(node);
                    false
                }
                _ = self.terminate.recv() => true,
                _ = self.interrupt.recv() => true,
                _ = look.tick() => false,
            };
            if !draining && node.has_lost_shard() {
                tracing::error!("a shard has ended by itself");
                lost = true;
            }
            if told || (lost && !draining) {
                let patience = if draining { Duration::ZERO } else { node.config().node.drain };
                draining = true;
                tracing::info!(?patience, "draining: no new calls");
                if let Err(error) = node.drain(patience)
                    && !lost
                {
                    tracing::error!(%error, "cannot drain");
                    return Err(error.into());
                }
            }
            if node.is_over(draining) {
                anyhow::ensure!(!lost, "a shard has ended by itself");
                return Ok(());
            }
        }
    }
}

fn reload(node: &Node) {
    match node.reload() {
        Ok(outcome) => {
            let changes: Vec<_> = outcome.changes.iter().map(|c| c.path.as_str()).collect();
            tracing::info!(version = outcome.version, ?changes, "configuration reloaded");
        }
        Err(ControlError::InvalidConfiguration(faults)) => {
            for fault in faults {
                // Where nothing else was expected, what was found is the whole reason.
                let (found, expected, why) = match fault.expected {
                    expected if expected.is_empty() => (None, None, Some(fault.found)),
                    expected => (Some(fault.found), Some(expected), None),
                };
                tracing::error!(
                    file = fault.file,
                    line = fault.line,
                    column = fault.column,
                    path = fault.path,
                    kind = fault.kind,
                    found,
                    expected,
                    why,
                    "configuration not reloaded"
                );
            }
        }
        Err(error) => tracing::error!(%error, "configuration not reloaded"),
    }
}
