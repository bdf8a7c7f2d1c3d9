//! The shell that gives a core sockets, clocks and names.
//!
//! [`drive`] drives one [`Core`] on one thread with one task: it serves every socket that has something, carries
//! out what the core wants, and sleeps when nothing is left to do. There is no lock on the way of a message, no
//! task for a call, and one wake-up for all that came while the thread slept.
//!
//! Several drivers can stand behind the same addresses ([`Place::among`]): each hands on what is another's.

pub mod clock;
pub mod connections;
pub mod counters;
pub mod ids;
pub mod sockets;
pub mod tls;

mod exchange;
mod framer;
#[cfg(feature = "fuzz")]
pub mod fuzz;
mod icmp;
mod letter;
mod ready;
mod resolver;
mod security;
mod settings;
mod shell;
mod stun;
mod tcp;
mod timer;
mod trace;
mod udp;
mod websocket;

pub use connections::ConnectionEvent;
pub use exchange::Place;
pub use letter::Letter;
pub use ready::Waker;
pub use security::Security;
pub use settings::{Limits, ResolverSettings, Settings};
pub use websocket::Rules as WebSocketRules;

use crate::Map;
use crate::action::{Connect, Transmit, TransmitId};
use crate::flow::{ConnectionId, Flow, ListenerId};
use crate::home::ShardNo;
use crate::location::{Answer, ConnectId, Query, QueryId};
use crate::time::{Mono, Now};
use bytes::Bytes;
use sockets::Sockets;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::{Builder, LocalOptions};

/// What a driver drives. After each call the driver polls [`poll_io`](Self::poll_io) until it is empty.
pub trait Core {
    /// One message: a datagram, or what framing has cut from a connection.
    fn handle_input(&mut self, now: Now, flow: Flow, bytes: Bytes);

    /// Whether a connection that has come to a listener is taken; else it is closed without a byte. It wants no actions.
    fn takes_connection(&mut self, now: Now, listener: ListenerId, peer: SocketAddr) -> bool {
        let _ = (now, listener, peer);
        true
    }

    /// Whether who asks for STUN by a datagram is answered (RFC 5626 §8); the driver does that. It wants no actions.
    fn hears_stun(&mut self, now: Now, flow: &Flow) -> bool {
        let _ = (now, flow);
        true
    }

    /// What became of a connection over TLS. What it has proved is told before anything that came on it.
    fn handle_connection(&mut self, _now: Now, _event: ConnectionEvent) {}

    /// What came of a question to the name servers.
    fn handle_resolved(&mut self, now: Now, query: QueryId, answer: Answer);

    /// A connection that was wanted is open, or could not be opened. One over TLS is open after its handshake.
    fn handle_connected(&mut self, now: Now, connect: ConnectId, open: bool);

    /// A message could not be sent: no way to the peer, or its connection is gone or full.
    fn handle_send_failed(&mut self, now: Now, id: TransmitId);

    /// ICMP says that datagrams from a listener to that address do not arrive (RFC 3261 §18.4). A core without
    /// transactions has nothing to do.
    fn handle_unreachable(&mut self, now: Now, listener: ListenerId, peer: SocketAddr) {
        let _ = (now, listener, peer);
    }

    /// Something that another shard sent on a flow has failed, and this one is to know whether the flow does.
    fn handle_doubt(&mut self, now: Now, flow: Flow) {
        let _ = (now, flow);
    }

    /// What another shard tells this one.
    fn handle_letter(&mut self, now: Now, letter: Letter) {
        let _ = (now, letter);
    }

    /// A deadline has come.
    fn handle_timeout(&mut self, now: Now);

    /// Somebody called [`Waker::wake`]. `Break` ends the driver, once the actions that are polled then are
    /// carried out as far as that needs no waiting.
    fn handle_wake(&mut self, now: Now) -> ControlFlow<()>;

    /// The next thing for the driver to do.
    fn poll_io(&mut self) -> Option<IoAction>;

    /// When [`handle_timeout`](Self::handle_timeout) wants to be called next.
    fn poll_timeout(&self) -> Option<Mono>;

    /// The thread has worked for that long since it last slept, or since it was last told. Called before
    /// [`flush`](Self::flush). It wants no actions.
    fn worked(&mut self, now: Now, time: Duration) {
        let _ = (now, time);
    }

    /// Called before the driver sleeps, to hand over what was gathered for other threads. It wants no actions.
    fn flush(&mut self, now: Now);
}

/// What a core wants of its driver, in the order given.
#[derive(Debug)]
pub enum IoAction {
    /// Send a message; what fails comes back in [`Core::handle_send_failed`].
    Transmit(Transmit),
    /// Ask the name servers; the answer comes in [`Core::handle_resolved`], perhaps at once.
    Resolve(Query),
    /// Open a connection, or find one open; what comes of it is told by [`Core::handle_connected`], perhaps at once.
    Connect(Connect),
    /// Nobody waits for that connection any more: it is closed if it is still being opened for nobody else.
    Disconnect(ConnectId),
    /// Close a connection, after what was sent on it.
    CloseConnection(ConnectionId),
    /// Send a ping on a connection, and tell of the next pong on it by [`ConnectionEvent::Ponged`] (RFC 5626 §4.4.1).
    Ping(ConnectionId),
    /// Use a connection for requests to its peer's address and this port too, if its peer has proved who it is
    /// (RFC 5923 §8.2).
    Alias {
        /// The connection.
        connection: ConnectionId,
        /// The port.
        port: u16,
    },
    /// Tell of the end of a connection by [`ConnectionEvent::Closed`], whatever it runs over; at once if it is gone.
    Watch {
        /// The connection.
        connection: ConnectionId,
        /// How long it may bring nothing from now on; then it is closed (RFC 5626 §5.4). Each shard has its own word, and the
        /// least holds.
        silence: Option<Duration>,
    },
    /// Tell a shard that something on a flow has failed, by [`Core::handle_doubt`]. Where there is no room on the way, or no such
    /// shard, nobody is told.
    Doubt(ShardNo, Flow),
    /// Tell a shard something, by [`Core::handle_letter`]. Where there is no room on the way, or no such shard, it is lost.
    Tell(ShardNo, Letter),
    /// From now on take and make connections with these; those that are open stay as they are.
    Adopt(Arc<Security>),
}

/// A driver that could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The runtime could not be made.
    #[error("cannot make the runtime of a driver")]
    Runtime(#[source] io::Error),
    /// The runtime did not take a socket.
    #[error("cannot register listener {}", listener.0)]
    Register {
        /// The listener.
        listener: ListenerId,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The resolver could not be made.
    #[error("cannot make the resolver")]
    Resolver(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Drives `core` on this thread until its [`handle_wake`](Core::handle_wake) breaks, and gives it back; connections
/// are closed then. A panic of the core goes on in the caller.
pub fn drive<C: Core + 'static>(
    core: C,
    settings: Settings,
    sockets: Sockets,
    place: impl Into<Place>,
) -> Result<C, StartError> {
    let mut builder = Builder::new_current_thread();
    // While more comes than can be served, every second turn looks at the other sockets and the timers.
    builder.enable_io().enable_time().event_interval(2);
    let runtime = builder.build_local(LocalOptions::default());
    let runtime = runtime.map_err(StartError::Runtime)?;
    // As a task and not as the main future: waking that one costs a second epoll_wait each time. The core in a box, for
    // the runtime moves room for a task's output each time it polls the task.
    let place = place.into();
    let task = runtime.spawn_local(async { run(core, settings, sockets, place).await.map(Box::new) });
    let ended = runtime.block_on(task).unwrap_or_else(|error| match error.try_into_panic() {
        Ok(panic) => std::panic::resume_unwind(panic),
        Err(_) => Err(StartError::Runtime(io::ErrorKind::Interrupted.into())),
    });
    ended.map(|core| *core)
}

/// What [`drive`] does, for an owner with a runtime of its own: a current-thread one, as a task of it.
pub async fn run<C: Core>(
    core: C,
    settings: Settings,
    sockets: Sockets,
    place: impl Into<Place>,
) -> Result<C, StartError> {
    let mut shell = shell::Shell::start(core, &settings, sockets, place.into())?;
    shell.begin();
    // Without tokio's budget: the shell bounds its own turns and yields.
    tokio::task::unconstrained(poll_fn(|context| shell.poll(context))).await;
    Ok(shell.into_core())
}

#[cfg(test)]
mod tests;
