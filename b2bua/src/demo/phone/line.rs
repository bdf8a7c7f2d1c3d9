//! The audio of a telephone: one socket, one thread, a packet every 20 ms.

use super::rtp::{PCMA, Packet, Reception};
use super::tone::{self, Ear, FRAME, Recognised};
use sip::driver::clock::Clock;
use sip::time::Mono;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::watch;

/// The time between two packets.
const INTERVAL: Duration = Duration::from_millis(20);
/// Orders that may wait.
const ORDERS: usize = 8;
/// More than any packet of a telephone has.
const LONGEST: usize = 2048;

/// What a line is told to do.
#[derive(Clone, Copy, Debug)]
pub(super) enum Order {
    /// Send the tone there.
    Talk(SocketAddr),
    /// Send nothing more; what comes is still heard.
    Silence,
    /// End.
    Close,
}

/// What a line has sent and heard so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Heard {
    /// Whether the line is sending.
    pub(crate) talking: bool,
    /// Packets sent.
    pub(crate) sent: u32,
    /// Packets heard.
    pub(crate) packets: u32,
    /// Packets that never came.
    pub(crate) lost: i64,
    /// Interarrival jitter, in seconds.
    pub(crate) jitter_seconds: f64,
    /// Datagrams that were no packet of PCMA.
    pub(crate) strange: u32,
    /// The tone.
    pub(crate) tone: Option<Recognised>,
}

/// The way to a line.
pub(super) struct Line {
    /// Where it hears.
    pub(super) address: SocketAddr,
    /// What it is told; orders are lost once it has ended.
    pub(super) orders: SyncSender<Order>,
    /// What it has heard, as it hears it.
    pub(super) heard: watch::Receiver<Heard>,
    thread: JoinHandle<()>,
}

impl Line {
    /// Binds a socket on loopback and begins to listen. `ssrc` is also where its sequence numbers begin.
    pub(super) fn open(name: &str, frequency: u32, ssrc: u32, clock: Clock) -> io::Result<Self> {
        let socket = UdpSocket::bind(("127.0.0.1", 0))?;
        let address = socket.local_addr()?;
        let (orders, told) = sync_channel(ORDERS);
        let (tell, heard) = watch::channel(Heard::default());
        let [_, _, high, low] = ssrc.to_be_bytes();
        let work = Work {
            socket,
            clock,
            ssrc,
            first: u16::from_be_bytes([high, low]),
            table: tone::table(frequency),
            talking: false,
            sent: 0,
            strange: 0,
            reception: Reception::default(),
            ear: Ear::default(),
            tell,
        };
        let thread =
            std::thread::Builder::new().name(format!("audio-{name}")).spawn(move || work.run(&told))?;
        Ok(Self { address, orders, heard, thread })
    }

    /// Ends it.
    pub(super) fn close(self) {
        // An order that finds no room or nobody: the thread ends all the same, when the last sender is gone.
        let _ = self.orders.try_send(Order::Close);
        drop(self.orders);
        // A panic of that thread has been reported where it happened.
        let _ = self.thread.join();
    }
}

/// What the thread has.
struct Work {
    socket: UdpSocket,
    clock: Clock,
    ssrc: u32,
    first: u16,
    table: Vec<u8>,
    talking: bool,
    sent: u32,
    strange: u32,
    reception: Reception,
    ear: Ear,
    tell: watch::Sender<Heard>,
}

impl Work {
    fn run(mut self, told: &Receiver<Order>) {
        let mut buffer = [0; LONGEST];
        let mut packet = Vec::with_capacity(LONGEST);
        // Who is talked to, and when next.
        let mut talk: Option<(SocketAddr, Mono)> = None;
        loop {
            match told.try_recv() {
                Ok(Order::Talk(peer)) => {
                    talk = Some((peer, self.clock.now().mono));
                    self.talking = true;
                }
                Ok(Order::Silence) => {
                    talk = None;
                    self.talking = false;
                    self.report();
                }
                Ok(Order::Close) | Err(TryRecvError::Disconnected) => return,
                Err(TryRecvError::Empty) => {}
            }
            let wait = match &mut talk {
                None => INTERVAL,
                Some((peer, next)) => {
                    let now = self.clock.now().mono;
                    if *next <= now {
                        self.send(*peer, &mut packet);
                        *next = *next + INTERVAL;
                    }
                    next.since(now)
                }
            };
            self.hear(wait, &mut buffer);
        }
    }

    /// Sends the next 20 ms of the tone.
    fn send(&mut self, peer: SocketAddr, packet: &mut Vec<u8>) {
        let frames = self.table.len() / usize::from(FRAME);
        let frame = usize::try_from(self.sent).unwrap_or(0).checked_rem(frames).unwrap_or(0);
        let Some(payload) = self.table.chunks_exact(usize::from(FRAME)).nth(frame) else { return };
        let [_, _, high, low] = self.sent.to_be_bytes();
        let outgoing = Packet {
            marker: self.sent == 0,
            payload_type: PCMA,
            sequence: self.first.wrapping_add(u16::from_be_bytes([high, low])),
            timestamp: self.ssrc.wrapping_add(self.sent.wrapping_mul(u32::from(FRAME))),
            ssrc: self.ssrc,
            payload,
        };
        outgoing.write(packet);
        // What cannot be sent is as good as lost on the way, and is counted at the other end.
        let _ = self.socket.send_to(packet, peer);
        self.sent = self.sent.saturating_add(1);
        self.report();
    }

    /// Listens until something came or the time is over.
    fn hear(&mut self, wait: Duration, buffer: &mut [u8]) {
        // A time of zero would mean for ever.
        if wait.is_zero() || self.socket.set_read_timeout(Some(wait)).is_err() {
            return;
        }
        let Ok((length, _)) = self.socket.recv_from(buffer) else { return };
        match Packet::read(buffer.get(..length).unwrap_or_default()) {
            Some(packet) if packet.payload_type == PCMA => {
                self.reception.arrived(&packet, self.clock.now().mono);
                self.ear.hear(packet.payload);
            }
            _ => self.strange = self.strange.saturating_add(1),
        }
        self.report();
    }

    fn report(&self) {
        self.tell.send_replace(Heard {
            talking: self.talking,
            sent: self.sent,
            packets: self.reception.packets(),
            lost: self.reception.lost(),
            jitter_seconds: self.reception.jitter_seconds(),
            strange: self.strange,
            tone: self.ear.recognised(),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn two_lines_hear_each_other() {
        let clock = Clock::start();
        let one = Line::open("one", 440, 0xffff, clock).unwrap();
        let mut other = Line::open("other", 620, 2, clock).unwrap();
        one.orders.send(Order::Talk(other.address)).unwrap();
        let enough = other.heard.wait_for(|heard| heard.packets >= 10);
        let heard = *tokio::time::timeout(Duration::from_secs(10), enough).await.unwrap().unwrap();
        assert_eq!((heard.lost, heard.strange), (0, 0));
        assert_eq!(heard.tone, Some(Recognised { frequency: 440, percent: 100 }));
        one.close();
        other.close();
    }
}
