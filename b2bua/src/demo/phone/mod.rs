//! A telephone: a complete SIP user agent on a thread of its own, and a line for its audio.

mod agent;
mod alaw;
mod description;
mod line;
mod rtp;
mod tone;
mod trace;

pub(super) use agent::{Happened, title};
pub(super) use description::audio_address;
pub(super) use line::Heard;
pub(super) use tone::Recognised;
pub(super) use trace::Entry;

use agent::{Agent, Dial, Order};
use anyhow::{Context as _, bail};
use line::Line;
use sip::driver::clock::Clock;
use sip::driver::ids::{RandomIds, hasher};
use sip::driver::sockets::{Bind, Sockets};
use sip::driver::{self, Waker};
use sip::ids::Ids as _;
use sip::{Endpoint, NetworkId, Transport};
use sip_types::{Fields, Uri};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use trace::Trace;

/// Orders, and things that happened, that may wait.
const QUEUE: usize = 32;

/// The way to one telephone.
pub(super) struct Phone {
    /// Who it belongs to.
    pub(super) name: &'static str,
    /// The frequency of its tone, in Hz.
    pub(super) frequency: u32,
    /// Where it takes SIP.
    pub(super) address: SocketAddr,
    line: Line,
    trace: Trace,
    orders: mpsc::Sender<Order>,
    waker: Waker,
    told: mpsc::Receiver<Happened>,
    thread: JoinHandle<anyhow::Result<()>>,
}

impl Phone {
    /// Binds its sockets on loopback and starts its threads. It takes calls as soon as this returns.
    ///
    /// # Errors
    /// What the system refuses: sockets, threads or random bits.
    pub(super) fn start(name: &'static str, frequency: u32, clock: Clock) -> anyhow::Result<Self> {
        let bind = Bind {
            network: NetworkId(0),
            transport: Transport::Udp,
            address: ([127, 0, 0, 1], 0).into(),
            dscp: 0,
        };
        let sockets = Sockets::bind(&[bind])?;
        let address = sockets.listeners().next().context("no listener")?.address;
        let mut ids = RandomIds::new()?;
        let [ssrc @ .., _, _, _, _] = ids.next_u64().to_be_bytes();
        let line = Line::open(name, frequency, u32::from_be_bytes(ssrc), clock)?;
        let (orders, obey) = mpsc::channel(QUEUE);
        let (tell, told) = mpsc::channel(QUEUE);
        let trace = Trace::default();
        let agent = Agent {
            name,
            endpoint: Endpoint::new(settings(name, address), Box::new(ids), hasher()?),
            audio: line.address,
            line: line.orders.clone(),
            trace: trace.clone(),
            orders: obey,
            tell,
            session: None,
            remote: None,
            io: VecDeque::new(),
        };
        let waker = Waker::new();
        let mut driver = driver::Settings::new()?;
        driver.clock = clock;
        let thread = run(agent, driver, sockets, waker.clone())?;
        Ok(Self { name, frequency, address, line, trace, orders, waker, told, thread })
    }

    /// Calls `uri`.
    pub(super) fn call(&self, uri: Uri, from: &str, to: &str, fields: Fields) -> anyhow::Result<()> {
        self.order(Order::Call(Box::new(Dial { uri, from: from.into(), to: to.into(), fields })))
    }

    /// Takes the call that rings.
    pub(super) fn answer(&self) -> anyhow::Result<()> {
        self.order(Order::Answer)
    }

    /// Stops the tone; what comes is still heard.
    pub(super) fn fall_silent(&self) -> anyhow::Result<()> {
        self.line.orders.try_send(line::Order::Silence).context("its line takes no orders")
    }

    /// Ends the call.
    pub(super) fn hang_up(&self) -> anyhow::Result<()> {
        self.order(Order::HangUp)
    }

    /// Waits until this has happened.
    ///
    /// # Errors
    /// Its call failed or ended instead, or nothing happened in time.
    pub(super) async fn wait_for(&mut self, wanted: Happened, limit: Duration) -> anyhow::Result<()> {
        let name = self.name;
        let happens = async {
            while let Some(happened) = self.told.recv().await {
                match happened {
                    happened if happened == wanted => return Ok(()),
                    Happened::Failed(why) => bail!("{name}: {why}"),
                    Happened::Ended => bail!("{name}: the other side hung up"),
                    Happened::Rings | Happened::OtherRings | Happened::Established => {}
                }
            }
            bail!("{name}'s telephone has ended")
        };
        match tokio::time::timeout(limit, happens).await {
            Ok(happened) => happened,
            Err(_) => bail!("{name} waited {limit:?} in vain for {}", what(&wanted)),
        }
    }

    /// What its line has sent and heard.
    pub(super) fn heard(&self) -> Heard {
        *self.line.heard.borrow()
    }

    /// The same, as it changes.
    pub(super) fn watch(&self) -> watch::Receiver<Heard> {
        self.line.heard.clone()
    }

    /// Every message that it has sent and got.
    pub(super) fn messages(&self) -> Vec<Entry> {
        self.trace.entries()
    }

    /// Ends it.
    pub(super) fn stop(self) -> anyhow::Result<()> {
        self.order(Order::Stop)?;
        let ended = self.thread.join();
        self.line.close();
        // A panic of that thread has been reported where it happened.
        ended.unwrap_or(Ok(()))
    }

    fn order(&self, order: Order) -> anyhow::Result<()> {
        self.orders.try_send(order).with_context(|| format!("{}'s telephone takes no orders", self.name))?;
        self.waker.wake();
        Ok(())
    }
}

fn run(
    agent: Agent,
    settings: driver::Settings,
    sockets: Sockets,
    waker: Waker,
) -> std::io::Result<JoinHandle<anyhow::Result<()>>> {
    std::thread::Builder::new().name(format!("telephone-{}", agent.name)).spawn(move || {
        driver::drive(agent, settings, sockets, waker)?;
        Ok(())
    })
}

fn settings(name: &str, address: SocketAddr) -> sip::Settings {
    let listener = sip::Listener::new(NetworkId(0), Transport::Udp, address);
    sip::Settings {
        listeners: vec![listener],
        user_agent: Some(format!("{name}-telephone").into()),
        ..sip::Settings::default()
    }
}

/// What a telephone waits for, in words.
fn what(happened: &Happened) -> &'static str {
    match happened {
        Happened::Rings => "a call",
        Happened::OtherRings => "180 Ringing",
        Happened::Established => "the call to be established",
        Happened::Ended => "the end of the call",
        Happened::Failed(_) => "a failure",
    }
}
