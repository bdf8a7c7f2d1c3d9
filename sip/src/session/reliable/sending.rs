//! The reliable provisional responses that we send in an early dialog (RFC 3262 §3).

use crate::session::Reply;
use crate::time::Mono;
use bytes::Bytes;
use std::collections::VecDeque;
use std::time::Duration;

/// Responses that may wait for the PRACK of the one before them.
const WAITING: usize = 8;

/// What is sent in one early dialog: one response at a time, each until its PRACK comes.
#[derive(Debug)]
pub(crate) struct Sending {
    /// The number that the next one gets.
    pub(super) next: u32,
    /// CSeq of the INVITE.
    pub(super) cseq: u32,
    /// Whether one has had its PRACK.
    pub(super) pracked: bool,
    /// The one that waits for its PRACK.
    pub(super) out: Option<Unpracked>,
    /// Those that wait for that.
    pub(super) waiting: VecDeque<Reply>,
}

/// A reliable provisional response that waits for its PRACK.
#[derive(Debug)]
pub(crate) struct Unpracked {
    pub(super) number: u32,
    /// Whether it has a session description: then a 2xx waits for the PRACK.
    pub(super) described: bool,
    pub(super) bytes: Bytes,
    pub(super) interval: Duration,
    pub(super) repeat_at: Mono,
    pub(super) give_up_at: Mono,
}

impl Sending {
    /// With the number of the first response, below 2³¹.
    pub(super) fn new(first: u32, cseq: u32) -> Self {
        Self { next: first, cseq, pracked: false, out: None, waiting: VecDeque::new() }
    }

    /// Has a response wait for those before it; `false` where too many do.
    pub(super) fn queue(&mut self, reply: &Reply) -> bool {
        let room = self.waiting.len() < WAITING;
        if room {
            self.waiting.push_back(reply.clone());
        }
        room
    }

    /// Whether one waits for its PRACK.
    pub(crate) fn is_out(&self) -> bool {
        self.out.is_some()
    }

    /// Whether one has had its PRACK: then the dialog is there on the other side too.
    pub(crate) fn is_pracked(&self) -> bool {
        self.pracked
    }

    /// Whether a session description has not had its PRACK yet.
    pub(crate) fn is_describing(&self) -> bool {
        self.out.as_ref().is_some_and(|out| out.described) || self.waiting.iter().any(has_description)
    }
}

/// Whether a response has a body.
pub(super) fn has_description(reply: &Reply) -> bool {
    reply.parts.body.as_ref().is_some_and(|body| !body.bytes.is_empty())
}
