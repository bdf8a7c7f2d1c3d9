//! Streams over TCP: whose connections are taken and where one is made (RFC 4145).

use std::sync::Arc;

use bytes::Bytes;
use sdp::{Attribute, Media};

use super::party::{Link, Side, Stream};
use super::{CallMedia, sections};
use crate::msrp::{Paths, session};
use crate::negotiate::{Setup, is_plain_msrp, is_tcp, opening};
use crate::relay::{Command, Opening, Sources, TcpOrder, TcpStream};
use crate::{ContextId, NetworkId, PartyId};

/// How the connection of a stream comes about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tcp {
    opening: Opening,
    /// The answer says that it is another one than before (RFC 4145 §5).
    pub(super) is_new: bool,
    paths: Option<Paths>,
}

/// What two sections have agreed on.
pub(super) fn by((ours, theirs): (&Media<'_>, &Media<'_>), answered: Side) -> Tcp {
    let answer = match answered {
        Side::Us => ours,
        Side::Them => theirs,
    };
    let connection = answer.inherited("connection").and_then(Attribute::text);
    let path = |media: &Media<'_>| {
        let path = media.section().attribute("path").and_then(Attribute::text)?;
        session(path).map(|_| path.trim_ascii().into())
    };
    let read = is_plain_msrp(ours.line().proto);
    let paths = || Some(Paths { theirs: path(theirs)?, ours: path(ours)? });
    Tcp {
        opening: opening(Setup::of(ours), Setup::of(theirs), answered == Side::Them),
        is_new: connection.is_some_and(|connection| connection.trim_ascii() == "new"),
        paths: read.then(paths).flatten(),
    }
}

impl CallMedia {
    /// Has connections taken at the ports of an offer of ours, for its peer may come before its answer does.
    pub(super) fn listen(&mut self, party: PartyId, offer: &Bytes) {
        let offer = sections::reread(offer);
        let Ok(found) = self.party(party) else { return };
        let network = found.network;
        let of_tcp = |media: &Media<'_>| media.line().port != 0 && is_tcp(media.line().proto);
        let streams = found.streams.iter().zip(offer.media()).filter(|(_, media)| of_tcp(media));
        let contexts: Vec<_> = streams.filter_map(|(stream, _)| stream.context).collect();
        for context in contexts {
            let Some(lent) = self.pairs.iter_mut().find(|lent| lent.pair.id == context.pair) else {
                continue;
            };
            if !std::mem::replace(&mut lent.tcp, true) {
                let (at, counters) = ((network, lent.pair.port), Arc::default());
                self.commands.push_back(Command::Tcp(TcpOrder::Set { context, at, stream: None, counters }));
            }
        }
    }
}

impl Stream {
    /// What the thread of connections is told of it, if that is something new.
    pub(super) fn connect(
        &mut self,
        at: (NetworkId, u16),
        (sources, peer): (Sources, Option<ContextId>),
    ) -> Option<Command> {
        let context = self.context?;
        let Link { remote, send, tcp, .. } = self.link.as_ref()?;
        let Tcp { opening, paths, .. } = tcp.as_ref()?;
        let wanted = TcpStream {
            remote: *remote,
            sources,
            opening: if *send { *opening } else { Opening::Nobodys },
            connection: self.connections,
            peer,
            paths: paths.clone(),
        };
        if self.connected.as_ref() == Some(&wanted) {
            return None;
        }
        self.connected = Some(wanted.clone());
        let counters = Arc::clone(self.counters.get_or_insert_default());
        Some(Command::Tcp(TcpOrder::Set { context, at, stream: Some(Box::new(wanted)), counters }))
    }
}
