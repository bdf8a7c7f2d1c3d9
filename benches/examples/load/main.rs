//! User agents that load a server: they register, ask OPTIONS, and open connections, over UDP, TCP, TLS, and WebSockets.
//!
//!     load TRANSPORT SERVER [ROOT]
//!
//! TRANSPORT is `udp`, `tcp`, `tls`, `ws` or `wss`; SERVER an address with its port; ROOT the file of the certificate that the
//! server's is issued by, in PEM. Each line of standard input is an [`order::Order`] as JSON, each line of standard
//! output what came of it. User agents, their connections and what they were challenged with stay from one order to the
//! next.
#![forbid(unsafe_code)]

mod agent;
mod digest;
mod handshakes;
mod link;
mod load;
mod message;
mod order;
mod stream;
mod tls;
mod websocket;

use link::{Links, Transport};
use load::Load;
use order::{Order, Outcome};
use std::io::Write;

fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let (transport, server, root) = match arguments.as_slice() {
        [transport, server] => (transport, server, None),
        [transport, server, root] => (transport, server, Some(root.as_str())),
        _ => panic!("usage: load TRANSPORT SERVER [ROOT]"),
    };
    let transport: Transport = transport.parse().expect("a transport");
    let server = server.parse().expect("an address and a port");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(serve(Links::new(transport, server, root.map(tls::believing))));
}

/// Carries out orders until there are no more.
async fn serve(links: Links) {
    let mut load = Load::new(links);
    for line in std::io::stdin().lines() {
        let line = line.expect("a line of text");
        let order: Order = serde_json::from_str(&line).expect("an order");
        let outcome = match order {
            Order::Register { from, to, rate, again } => load.register(from..to, rate, again).await,
            Order::Query { from, to, rate } => load.query(from..to, rate).await,
            Order::Ping { connections, count, rate } => load.ping(connections, count, rate).await,
            Order::Connect { count, rate } => handshakes::open(load.links(), count, rate).await,
        };
        tell(&outcome);
    }
}

fn tell(outcome: &Outcome) {
    let mut out = std::io::stdout().lock();
    serde_json::to_writer(&mut out, outcome).expect("a reader");
    writeln!(out).and_then(|()| out.flush()).expect("a reader");
}
