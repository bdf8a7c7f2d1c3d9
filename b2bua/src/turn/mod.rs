//! The TURN servers of a node: their thread, with its sockets, around the cores of `media::turn`.
//!
//! One thread serves all of them, apart from the shards and the relay: what clients send through them is theirs, and no call waits
//! for it. Orders reach it through a bounded queue.

mod connection;
mod outbox;
mod settings;
mod sockets;
mod thread;
mod view;

use settings::uris;
pub(crate) use settings::{Service, listeners, services};
pub(crate) use view::{credentials, page};

use admin_api::control::{ControlError, Unavailability};
use config::{Config, NetworkName, TurnTransport};
use media::turn::{Counters, Totals, View};
use sip::ids::Ids;
use sockets::Bound;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use thread::Prepared;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{Notify, mpsc, oneshot};

/// Orders that may wait for the thread.
const ORDERS: usize = 64;
/// How long it may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// Why the TURN servers did not start.
#[derive(Debug, thiserror::Error)]
pub enum TurnError {
    /// A listener could not be bound.
    #[error("cannot bind the TURN listener {address} of network {network}")]
    Bind {
        /// The network.
        network: NetworkName,
        /// Where.
        address: SocketAddr,
        /// What the system says.
        source: std::io::Error,
    },
    /// The thread could not be started.
    #[error("the thread of the TURN servers could not be started")]
    Thread(#[source] std::io::Error),
}

/// What the thread is told.
enum Order {
    /// Goes on under another configuration.
    Adopt(Vec<Service>),
    /// Says which allocations there are.
    Show(oneshot::Sender<Vec<(NetworkName, View)>>),
}

/// What the sockets of one server count.
#[derive(Debug, Default)]
pub(crate) struct Connections {
    pub(crate) open: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) failed_handshakes: AtomicU64,
}

/// The counters of one server.
#[derive(Clone, Debug)]
pub(crate) struct Counts {
    server: Arc<Counters>,
    connections: Arc<Connections>,
}

impl Counts {
    /// What the server has counted; and its connections, those that were refused, and the handshakes that have failed.
    pub(crate) fn read(&self) -> (Totals, [u64; 3]) {
        let Connections { open, refused, failed_handshakes } = &*self.connections;
        (
            self.server.read(),
            [open, refused, failed_handshakes].map(|counter| counter.load(Ordering::Relaxed)),
        )
    }
}

/// The TURN servers of a node.
pub(crate) struct Turn {
    orders: mpsc::Sender<Order>,
    stop: Arc<Notify>,
    thread: Mutex<Option<JoinHandle<()>>>,
    /// By network.
    pub(crate) counts: Vec<Counts>,
    /// The listeners, in words.
    pub(crate) listeners: Vec<String>,
}

impl Turn {
    /// Binds the listeners and starts the thread; `None` where no network has a server.
    ///
    /// # Errors
    /// See [`TurnError`].
    pub(crate) fn start(
        config: &Config,
        services: &[Service],
        ids: &mut dyn Ids,
    ) -> Result<Option<Self>, TurnError> {
        let (mut prepared, mut counts, mut listeners) = (Vec::new(), Vec::new(), Vec::new());
        for service in services {
            let network = &service.network;
            let Some(turn) = config.networks.get(network).and_then(|n| n.turn.as_ref()) else { continue };
            let bound = turn.listeners.iter().map(|listener| {
                let failed =
                    |source| TurnError::Bind { network: network.clone(), address: listener.address, source };
                listeners.push(format!("turn {} {}", listener.transport, listener.address));
                Bound::at(listener.address, listener.transport == TurnTransport::Udp).map_err(failed)
            });
            let bound = bound.collect::<Result<_, TurnError>>()?;
            let its = Counts { server: Arc::default(), connections: Arc::default() };
            let mut key = [0; 32];
            key.chunks_mut(8).for_each(|part| part.copy_from_slice(&ids.next_u64().to_le_bytes()));
            prepared.push(Prepared {
                service: service.clone(),
                bound,
                key,
                counters: its.server.clone(),
                connections: its.connections.clone(),
                most: (turn.connections, turn.connections_per_address),
            });
            counts.push(its);
        }
        if prepared.is_empty() {
            return Ok(None);
        }
        let (orders, inbox) = mpsc::channel(ORDERS);
        let stop = Arc::new(Notify::new());
        let told = Arc::clone(&stop);
        let body = move || thread::run(prepared, inbox, &told);
        let thread = std::thread::Builder::new().name("liaison-turn".to_owned()).spawn(body);
        let thread = Mutex::new(Some(thread.map_err(TurnError::Thread)?));
        Ok(Some(Self { orders, stop, thread, counts, listeners }))
    }

    /// Room for the order to go on under another configuration.
    ///
    /// # Errors
    /// The thread takes no orders.
    pub(crate) fn reserve(&self) -> Result<Room<'_>, ControlError> {
        self.orders.try_reserve().map(Room).map_err(|error| refused(&error))
    }

    /// Whether the thread is gone.
    pub(crate) fn is_over(&self) -> bool {
        self.orders.is_closed()
    }

    /// Ends the thread, and all allocations with it.
    pub(crate) fn stop(&self) {
        self.stop.notify_one();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread of the TURN servers has panicked");
        }
    }

    /// The allocations that there are, by network.
    ///
    /// # Errors
    /// The thread does not answer.
    pub(crate) async fn allocations(&self) -> Result<Vec<(NetworkName, View)>, ControlError> {
        let (answer, answered) = oneshot::channel();
        self.order(Order::Show(answer))?;
        match tokio::time::timeout(PATIENCE, answered).await {
            Ok(Ok(views)) => Ok(views),
            Ok(Err(_)) => Err(unavailable(Unavailability::Stopped)),
            Err(_) => Err(unavailable(Unavailability::TimedOut)),
        }
    }

    fn order(&self, order: Order) -> Result<(), ControlError> {
        self.orders.try_send(order).map_err(|error| refused(&error))
    }
}

/// Room for an order that is to follow.
pub(crate) struct Room<'t>(mpsc::Permit<'t, Order>);

impl Room<'_> {
    /// Goes on under another configuration.
    pub(crate) fn adopt(self, services: &[Service]) {
        self.0.send(Order::Adopt(services.to_vec()));
    }
}

fn refused<T>(error: &TrySendError<T>) -> ControlError {
    match error {
        TrySendError::Full(_) => unavailable(Unavailability::Overloaded),
        TrySendError::Closed(_) => unavailable(Unavailability::Stopped),
    }
}

fn unavailable(why: Unavailability) -> ControlError {
    let retry_after = (why != Unavailability::Stopped).then_some(PATIENCE);
    ControlError::Unavailable { component: "the TURN server".to_owned(), why, retry_after }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.stop();
    }
}
