//! Everything that the demonstration needs, started: Liaison, its admin API, and the two telephones.

use super::config;
use super::phone::Phone;
use super::state::StateDirectory;
use crate::node::{Loader, Node};
use admin_api::Options;
use admin_api::token::Token;
use anyhow::Context as _;
use sip::driver::clock::Clock;
use sip::driver::ids::RandomIds;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// The tone of Alice's telephone, in Hz.
const ALICE_TONE: u32 = 440;
/// The tone of Bob's.
const BOB_TONE: u32 = 620;

/// What stands while the demonstration plays.
pub(super) struct Stage {
    /// The caller, on the carrier's side.
    pub(super) alice: Phone,
    /// The called one, on the enterprise's.
    pub(super) bob: Phone,
    /// Where Liaison takes SIP on the carrier's side.
    pub(super) outside: SocketAddr,
    /// And on the enterprise's.
    pub(super) inside: SocketAddr,
    /// Where the admin API is.
    pub(super) api: SocketAddr,
    /// The file of its token.
    pub(super) token_path: PathBuf,
    /// The token.
    pub(super) token: String,
    /// The file of call detail records.
    pub(super) records: PathBuf,
    node: Node,
    stop: oneshot::Sender<()>,
    served: JoinHandle<std::io::Result<()>>,
    /// Removed when all else has ended.
    _state: StateDirectory,
}

impl Stage {
    /// Starts everything.
    ///
    /// # Errors
    /// What did not start.
    pub(super) async fn set() -> anyhow::Result<Self> {
        let clock = Clock::start();
        let alice = Phone::start("Alice", ALICE_TONE, clock).context("Alice's telephone")?;
        let bob = Phone::start("Bob", BOB_TONE, clock).context("Bob's telephone")?;
        let state = StateDirectory::make().context("a folder for state")?;
        let media = config::media_ports(&mut RandomIds::new()?);
        let document = config::document(state.path(), alice.address, bob.address, media);
        let loader = Loader::built_in(&document)?;
        let config = loader.current().config().clone();
        let token_path = config.admin.token_path(&config.node);
        let loaded = Token::load_or_create(&token_path)?;
        let token = std::fs::read_to_string(&token_path)?.trim().to_owned();
        let admin = TcpListener::bind(config.admin.listen).await.context("the admin API")?;
        let api = admin.local_addr()?;
        let node = Node::start(loader)?;
        let mut addresses = node.listeners().iter().map(|listener| listener.address);
        let (outside, inside) = addresses.next().zip(addresses.next()).context("two listeners")?;
        let (stop, stopped) = oneshot::channel::<()>();
        let shutdown = async {
            // A dropped sender means the same.
            let _ = stopped.await;
        };
        let served =
            tokio::spawn(admin_api::serve(admin, node.control(), loaded.token, Options::default(), shutdown));
        let records = config.cdr.path(&config.node);
        let stage = Self {
            alice,
            bob,
            outside,
            inside,
            api,
            token_path,
            token,
            records,
            node,
            stop,
            served,
            _state: state,
        };
        Ok(stage)
    }

    /// Ends what can be ended at once.
    ///
    /// # Errors
    /// What did not run well until now.
    pub(super) async fn strike(self) -> anyhow::Result<()> {
        self.node.drain(Duration::ZERO)?;
        // A receiver that is gone means that the API has ended, which the next line shows.
        let _ = self.stop.send(());
        self.served.await??;
        self.alice.stop()?;
        self.bob.stop()
    }
}
