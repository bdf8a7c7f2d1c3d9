//! The virtual network's connections: bytes in order, cut anywhere, with an end; and a record of each.

use crate::browser::Browser;
use crate::ids::Seeded;
use bytes::Bytes;
use sip::driver::connections::{OpenError, Wire, Wires};
use sip::driver::tls::{Identity, Peer, Source};
use sip::time::Mono;
use sip::{ConnectionId, Domain, ListenerId, Transport};
use std::cell::RefCell;
use std::collections::{BTreeSet, VecDeque};
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

/// How long bytes are on their way.
const LATENCY: Duration = Duration::from_millis(5);
/// The longest piece that bytes arrive in.
const PIECE: u64 = 700;

/// One connection that there was.
#[derive(Clone, Debug)]
pub struct Line {
    /// Who opened it.
    pub from: SocketAddr,
    /// Whom it leads to.
    pub to: SocketAddr,
    /// When it began.
    pub begun: Mono,
    /// When it was over for the first of its ends.
    pub over: Option<Mono>,
    /// Over TLS: for whom it was opened.
    domain: Option<Domain>,
    ends: [End; 2],
}

/// One end of a connection: that of who opened it first.
#[derive(Clone, Debug, Default)]
struct End {
    /// Which station has it, and what it calls it.
    holder: Option<(usize, ConnectionId)>,
    /// When it is open.
    open: Option<Mono>,
    refused: bool,
    broken: bool,
    /// Pieces on their way to it, in order.
    coming: VecDeque<(Mono, Bytes)>,
    /// When it is told that nothing more comes.
    last: Option<Mono>,
}

/// Something that is to be done at its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    /// A connection comes to whom it leads to.
    Comes(usize),
    /// An end has something to look at.
    Look(usize, ConnectionId),
}

/// Where connections are taken.
#[derive(Clone, Debug)]
struct Place {
    station: usize,
    listener: ListenerId,
    address: SocketAddr,
    transport: Transport,
}

struct State {
    now: Mono,
    chance: Seeded,
    lines: Vec<Line>,
    due: BTreeSet<(Mono, u64, Due)>,
    count: u64,
    places: Vec<Place>,
    /// What the certificate of each station proves.
    names: Vec<Vec<Domain>>,
}

/// All connections; a handle.
#[derive(Clone)]
pub struct Lines(Rc<RefCell<State>>);

/// What is to be done next.
pub(crate) enum Next {
    /// A connection has come to a listener of a station.
    Comes { station: usize, listener: ListenerId, line: usize, peer: SocketAddr },
    /// A connection of a station has something.
    Look { station: usize, id: ConnectionId },
}

impl Lines {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Rc::new(RefCell::new(State {
            now: Mono::default(),
            chance: Seeded(seed),
            lines: Vec::new(),
            due: BTreeSet::new(),
            count: 0,
            places: Vec::new(),
            names: Vec::new(),
        })))
    }

    /// Another station, with its listeners and the domains that its certificate proves.
    pub(crate) fn join(&self, listeners: &[(Transport, SocketAddr)], names: &[&str]) -> Plug {
        let mut state = self.0.borrow_mut();
        let station = state.names.len();
        state.names.push(names.iter().map(|name| Domain::new(name)).collect());
        for (n, (transport, address)) in (0..).zip(listeners) {
            let place = Place { station, listener: ListenerId(n), address: *address, transport: *transport };
            state.places.push(place);
        }
        Plug { lines: self.clone(), station, listeners: listeners.to_vec(), browser: false }
    }

    /// A browser, which opens WebSockets.
    pub(crate) fn join_browser(&self, address: SocketAddr) -> Plug {
        Plug { browser: true, ..self.join(&[(Transport::Tcp, address)], &[]) }
    }

    /// The certificate of a station proves other domains from now on.
    pub fn rename(&self, station: usize, names: &[&str]) {
        self.0.borrow_mut().names[station] = names.iter().map(|name| Domain::new(name)).collect();
    }

    /// Every connection that there was.
    pub fn all(&self) -> Vec<Line> {
        self.0.borrow().lines.clone()
    }

    /// Connections that are not over.
    pub fn standing(&self) -> Vec<usize> {
        let state = self.0.borrow();
        (0..state.lines.len()).filter(|n| state.lines[*n].over.is_none()).collect()
    }

    /// A connection is lost: both ends hear of it at once.
    pub fn cut(&self, line: usize) {
        let mut state = self.0.borrow_mut();
        let now = state.now;
        state.lines[line].over.get_or_insert(now);
        for side in 0..2 {
            state.lines[line].ends[side].broken = true;
            state.look(line, side, now);
        }
    }

    /// What time it is.
    pub(crate) fn at(&self, now: Mono) {
        self.0.borrow_mut().now = now;
    }

    /// When something is to be done next.
    pub(crate) fn next(&self) -> Option<Mono> {
        self.0.borrow().due.first().map(|(at, ..)| *at)
    }

    /// What is to be done now.
    pub(crate) fn poll(&self) -> Option<Next> {
        let mut state = self.0.borrow_mut();
        loop {
            let now = state.now;
            let (.., due) = state.due.first().filter(|(at, ..)| *at <= now).copied()?;
            state.due.pop_first();
            match due {
                Due::Look(station, id) => return Some(Next::Look { station, id }),
                Due::Comes(line) => {
                    let (peer, to) = (state.lines[line].from, state.lines[line].to);
                    match state.places.iter().find(|p| p.address == to && p.transport != Transport::Udp) {
                        Some(place) => {
                            let (station, listener) = (place.station, place.listener);
                            return Some(Next::Comes { station, listener, line, peer });
                        }
                        None => state.refuse(line),
                    }
                }
            }
        }
    }
}

impl State {
    fn plan(&mut self, at: Mono, due: Due) {
        self.count += 1;
        self.due.insert((at, self.count, due));
    }

    fn look(&mut self, line: usize, side: usize, at: Mono) {
        if let Some((station, id)) = self.lines[line].ends[side].holder {
            self.plan(at, Due::Look(station, id));
        }
    }

    fn refuse(&mut self, line: usize) {
        let (now, at) = (self.now, self.now + LATENCY);
        self.lines[line].over = Some(now);
        self.lines[line].ends[0].refused = true;
        self.look(line, 0, at);
    }

    fn write(&mut self, line: usize, to: usize, bytes: &[u8]) {
        let mut rest = bytes;
        while !rest.is_empty() {
            let length = usize::try_from(1 + self.chance.below(PIECE)).unwrap().min(rest.len());
            let (piece, after) = rest.split_at(length);
            rest = after;
            let jitter = Duration::from_micros(self.chance.below(900));
            let end = &mut self.lines[line].ends[to];
            let before = end.coming.back().map_or(self.now, |(at, _)| *at);
            let at = before.max(self.now + LATENCY) + jitter;
            end.coming.push_back((at, Bytes::copy_from_slice(piece)));
            self.look(line, to, at);
        }
    }

    /// Nothing more is sent to an end.
    fn close(&mut self, line: usize, to: usize) {
        let now = self.now;
        self.lines[line].over.get_or_insert(now);
        let end = &mut self.lines[line].ends[to];
        if end.last.is_none() {
            let at = end.coming.back().map_or(now, |(at, _)| *at).max(now + LATENCY);
            end.last = Some(at);
            self.look(line, to, at);
        }
    }
}

/// What a station's connections run over.
pub struct Plug {
    lines: Lines,
    station: usize,
    listeners: Vec<(Transport, SocketAddr)>,
    /// What it opens are WebSockets.
    browser: bool,
}

impl Plug {
    /// The end of who a connection has come to.
    pub(crate) fn answer(&self, line: usize, id: ConnectionId) -> LineEnd {
        let mut state = self.lines.0.borrow_mut();
        let now = state.now;
        // Over TLS there is a round trip before either end has proved who it is.
        let trip = if state.lines[line].domain.is_some() { 2 * LATENCY } else { Duration::ZERO };
        state.lines[line].ends[1].holder = Some((self.station, id));
        for (side, at) in [(0, now + LATENCY + trip), (1, now + trip)] {
            state.lines[line].ends[side].open = Some(at);
            state.look(line, side, at);
        }
        LineEnd { lines: self.lines.clone(), line, side: 1, browser: None }
    }
}

impl Wires for Plug {
    type Wire = LineEnd;

    fn transport(&self, listener: ListenerId) -> Option<Transport> {
        self.listeners.get(usize::from(listener.0)).map(|(transport, _)| *transport)
    }

    fn open(
        &mut self,
        id: ConnectionId,
        listener: ListenerId,
        peer: SocketAddr,
        domain: Option<&Domain>,
    ) -> Option<LineEnd> {
        let (_, local) = self.listeners[usize::from(listener.0)];
        let mut state = self.lines.0.borrow_mut();
        let line = state.lines.len();
        let port = 32_768 + u16::try_from(line % 30_000).unwrap();
        let (now, from) = (state.now, SocketAddr::new(local.ip(), port));
        let own = End { holder: Some((self.station, id)), ..End::default() };
        let ends = [own, End::default()];
        state.lines.push(Line { from, to: peer, begun: now, over: None, domain: domain.cloned(), ends });
        state.plan(now + LATENCY, Due::Comes(line));
        let browser = self.browser.then(Browser::default);
        Some(LineEnd { lines: self.lines.clone(), line, side: 0, browser })
    }
}

/// One end of a connection.
pub struct LineEnd {
    lines: Lines,
    line: usize,
    side: usize,
    /// What a browser makes of its bytes.
    browser: Option<Browser>,
}

impl LineEnd {
    fn other(&self) -> usize {
        1 - self.side
    }

    /// Whether bytes can travel, and who is there.
    fn opened(&self) -> Poll<Result<Option<Peer>, OpenError>> {
        let state = self.lines.0.borrow();
        let line = &state.lines[self.line];
        let end = &line.ends[self.side];
        if end.refused || end.broken {
            return Poll::Ready(Err(OpenError::Connect));
        }
        if end.open.is_none_or(|at| at > state.now) {
            return Poll::Pending;
        }
        let Some(domain) = &line.domain else { return Poll::Ready(Ok(None)) };
        let names = |side: usize| line.ends[side].holder.map(|(station, _)| state.names[station].clone());
        let called = names(1).unwrap_or_default();
        if !called.contains(domain) {
            let why = io::Error::new(io::ErrorKind::InvalidData, "NotValidForName");
            return Poll::Ready(Err(OpenError::Handshake(why)));
        }
        let theirs = names(self.other()).unwrap_or_default();
        let identities = theirs.into_iter().map(|domain| Identity { domain, source: Source::Dns }).collect();
        let domain = (self.side == 0).then(|| domain.clone());
        Poll::Ready(Ok(Some(Peer { identities, domain, protocol: "TLS".into() })))
    }

    /// Bytes as they come.
    fn come(&self, into: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut state = self.lines.0.borrow_mut();
        let now = state.now;
        let end = &mut state.lines[self.line].ends[self.side];
        if end.broken {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        match end.coming.front_mut().filter(|(at, _)| *at <= now) {
            Some((_, piece)) => {
                let read = piece.split_to(piece.len().min(into.len()));
                into[..read.len()].copy_from_slice(&read);
                if piece.is_empty() {
                    end.coming.pop_front();
                }
                Poll::Ready(Ok(read.len()))
            }
            None if end.last.is_some_and(|at| at <= now) => Poll::Ready(Ok(0)),
            None => Poll::Pending,
        }
    }

    /// The same, as far as a browser understands them.
    fn come_to_browser(&mut self) -> Poll<io::Result<usize>> {
        let mut bytes = [0; 2048];
        loop {
            let read = match self.come(&mut bytes) {
                Poll::Ready(Ok(read)) if read > 0 => read,
                over => return over,
            };
            self.browser.as_mut().unwrap().take(&bytes[..read]);
        }
    }
}

impl Wire for LineEnd {
    fn poll_open(&mut self) -> Poll<Result<Option<Peer>, OpenError>> {
        let opened = self.opened();
        let asks = match (&mut self.browser, &opened) {
            (Some(browser), Poll::Ready(Ok(_))) => browser.ask(),
            _ => return opened,
        };
        if let Some(request) = asks {
            self.lines.0.borrow_mut().write(self.line, self.other(), request);
        }
        match self.come_to_browser() {
            _ if self.browser.as_ref().is_some_and(Browser::is_open) => Poll::Ready(Ok(None)),
            Poll::Pending => Poll::Pending,
            Poll::Ready(_) => Poll::Ready(Err(OpenError::Connect)),
        }
    }

    fn poll_read(&mut self, into: &mut [u8]) -> Poll<io::Result<usize>> {
        if self.browser.is_none() {
            return self.come(into);
        }
        let over = self.come_to_browser();
        let browser = self.browser.as_mut().unwrap();
        match browser.read(into) {
            0 if browser.closed => Poll::Ready(Ok(0)),
            0 => over,
            read => Poll::Ready(Ok(read)),
        }
    }

    fn poll_write(&mut self, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let mut state = self.lines.0.borrow_mut();
        if state.lines[self.line].ends[self.side].broken {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        if self.browser.is_some() {
            // Each is a message.
            for slice in slices {
                state.write(self.line, self.other(), &Browser::frame(slice));
            }
            return Poll::Ready(Ok(slices.iter().map(|slice| slice.len()).sum()));
        }
        let bytes: Vec<u8> = slices.iter().flat_map(|slice| slice.iter().copied()).collect();
        // What a socket takes is not always all.
        let all = u64::try_from(bytes.len()).unwrap();
        let taken = usize::try_from(all - state.chance.below(all)).unwrap();
        state.write(self.line, self.other(), &bytes[..taken]);
        Poll::Ready(Ok(taken))
    }

    fn poll_flush(&mut self) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn shut_down(&mut self) {
        self.lines.0.borrow_mut().close(self.line, self.other());
    }

    fn requeue(&self) {
        let mut state = self.lines.0.borrow_mut();
        let now = state.now;
        state.look(self.line, self.side, now);
    }
}

impl Drop for LineEnd {
    fn drop(&mut self) {
        let mut state = self.lines.0.borrow_mut();
        state.lines[self.line].ends[self.side].holder = None;
        state.close(self.line, self.other());
    }
}
