//! A connection with a peer.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};

use super::MOST_WAITING;
use super::poller::Interest;
use crate::msrp::{Broken, Paths, Rewriter};

/// How far a connection that we make has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Not there yet; given up at that time in milliseconds.
    Opening(u64),
    Open,
}

#[derive(Debug)]
pub(super) struct Connection {
    pub(super) stream: TcpStream,
    /// What its events are known by.
    pub(super) number: u64,
    pub(super) stage: Stage,
    /// What is to be sent to the peer, the first octets of it sent already.
    out: Vec<u8>,
    sent: usize,
    /// The peer sends nothing more.
    pub(super) ended: bool,
    /// Nothing more is sent to the peer: once all is sent, it is told so.
    closing: bool,
    told: bool,
    rewriter: Option<Rewriter>,
    pub(super) interest: Interest,
    /// When something came or went last.
    pub(super) last_millis: u64,
}

/// What came of reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    /// So many octets.
    Octets(usize),
    /// Nothing for now.
    Nothing,
    /// The peer has ended its direction.
    End,
    /// It is no more.
    Failed,
}

impl Connection {
    pub(super) fn new(
        stream: TcpStream,
        number: u64,
        stage: Stage,
        paths: Option<&Paths>,
        now_millis: u64,
    ) -> Self {
        Self {
            stream,
            number,
            stage,
            out: Vec::new(),
            sent: 0,
            ended: false,
            closing: false,
            told: false,
            rewriter: paths.cloned().map(Rewriter::new),
            interest: Interest::default(),
            last_millis: now_millis,
        }
    }

    /// Goes by other paths.
    pub(super) fn change(&mut self, paths: Option<&Paths>) {
        match (&mut self.rewriter, paths) {
            (Some(rewriter), Some(paths)) => rewriter.change(paths),
            (rewriter, paths) => *rewriter = paths.cloned().map(Rewriter::new),
        }
    }

    pub(super) fn is_open(&self) -> bool {
        self.stage == Stage::Open
    }

    /// Whether it takes more.
    pub(super) fn has_room(&self) -> bool {
        self.is_open() && !self.closing && self.waiting() < MOST_WAITING
    }

    fn waiting(&self) -> usize {
        self.out.len() - self.sent
    }

    /// What it is to be waited for; `taken`: whether what comes would go anywhere.
    pub(super) fn wanted(&self, taken: bool) -> Interest {
        let write = !self.is_open() || self.waiting() > 0;
        Interest { read: self.is_open() && !self.ended && taken, write }
    }

    pub(super) fn read(&mut self, room: &mut [u8]) -> Taken {
        match self.stream.read(room) {
            Ok(0) => {
                self.ended = true;
                Taken::End
            }
            Ok(length) => Taken::Octets(length),
            Err(error) if is_nothing(&error) => Taken::Nothing,
            Err(_) => Taken::Failed,
        }
    }

    /// Has octets sent to the peer.
    ///
    /// # Errors
    /// They are no MSRP, and should be.
    pub(super) fn push(&mut self, octets: &[u8]) -> Result<(), Broken> {
        match &mut self.rewriter {
            Some(rewriter) => rewriter.push(octets, &mut self.out),
            None => {
                self.out.extend_from_slice(octets);
                Ok(())
            }
        }
    }

    /// Sends nothing more after what waits.
    pub(super) fn close(&mut self) {
        self.closing = true;
    }

    /// Sends what there is; how many octets that were, `None` where it is no more.
    pub(super) fn flush(&mut self) -> Option<usize> {
        let mut gone = 0;
        while self.is_open() && self.sent < self.out.len() {
            match self.stream.write(self.out.get(self.sent..).unwrap_or_default()) {
                Ok(length) => {
                    self.sent += length;
                    gone += length;
                }
                Err(error) if is_nothing(&error) => break,
                Err(_) => return None,
            }
        }
        if self.waiting() == 0 {
            self.out.clear();
            self.sent = 0;
            if self.closing && !std::mem::replace(&mut self.told, true) {
                // Where it fails, the peer has gone by itself.
                let _ = self.stream.shutdown(Shutdown::Write);
            }
        } else if self.sent >= MOST_WAITING {
            self.out.drain(..std::mem::take(&mut self.sent));
        }
        Some(gone)
    }

    /// Whether both directions have ended.
    pub(super) fn is_over(&self) -> bool {
        self.ended && self.told
    }
}

fn is_nothing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}
