//! One leg's end of a stream.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use super::connection::Connection;
use super::{Opening, Stream};
use crate::Counters;
use crate::relay::Sources;

/// How often a connection is tried that is refused, and after which time again: the peer may not be ready yet.
const ATTEMPTS: u8 = 6;
const PAUSE_MILLIS: u64 = 500;

pub(super) struct End {
    /// Its number on its port.
    pub(super) remote: u8,
    pub(super) stream: Stream,
    pub(super) counters: Arc<Counters>,
    pub(super) connection: Option<Connection>,
    /// Another connection of the peer may take the place of the one that there is.
    pub(super) renews: bool,
    attempts: u8,
    /// When a connection is due that we make.
    pub(super) due_millis: Option<u64>,
}

impl End {
    pub(super) fn new(remote: u8, stream: Stream, counters: Arc<Counters>, now_millis: u64) -> Self {
        let mut end =
            Self { remote, stream, counters, connection: None, renews: false, attempts: 0, due_millis: None };
        end.begin(now_millis);
        end
    }

    /// Other settings; a connection that these do not have is to be closed by whom this is answered true.
    pub(super) fn change(&mut self, stream: Stream, now_millis: u64) -> bool {
        let before = std::mem::replace(&mut self.stream, stream);
        let (now, paths) = (&self.stream, self.stream.paths.as_ref());
        if let Some(connection) = &mut self.connection {
            connection.change(paths);
        }
        let same = (before.opening, before.connection) == (now.opening, now.connection)
            && (before.remote == now.remote || now.opening == Opening::Theirs);
        if same {
            return false;
        }
        // What the peer makes anew comes when it comes; until then what there is goes on.
        self.renews = now.opening == Opening::Theirs && before.opening == Opening::Theirs;
        self.begin(now_millis);
        !self.renews
    }

    fn begin(&mut self, now_millis: u64) {
        self.attempts = 0;
        self.due_millis = (self.stream.opening == Opening::Ours).then_some(now_millis);
    }

    /// An attempt to connect has failed.
    pub(super) fn failed(&mut self, now_millis: u64) {
        self.attempts += 1;
        self.due_millis = (self.attempts < ATTEMPTS).then_some(now_millis + PAUSE_MILLIS);
    }

    /// Whether a connection from there is its peer's, which it has not yet.
    pub(super) fn takes(&self, source: SocketAddr) -> bool {
        let permitted = match self.stream.sources {
            Sources::Described | Sources::Exactly => same(source.ip(), self.stream.remote.ip()),
            Sources::Only(ip) => same(source.ip(), ip),
            Sources::Any => true,
        };
        self.stream.opening == Opening::Theirs && permitted && (self.connection.is_none() || self.renews)
    }
}

fn same(a: IpAddr, b: IpAddr) -> bool {
    a.to_canonical() == b.to_canonical()
}
