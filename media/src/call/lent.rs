//! The ports that a call has borrowed.

use std::net::{IpAddr, SocketAddr};

use super::CallMedia;
use super::party::Stream;
use crate::negotiate::{End, Ends, Refusal};
use crate::relay::{Command, TcpOrder};
use crate::srtp::MasterKey;
use crate::{ContextId, MAX_CONTEXTS, PairId, PartyId, PortPair, Ports, PortsError};

/// A borrowed pair, and which of its contexts are in use, one bit each.
#[derive(Debug)]
pub(super) struct Lent {
    pub(super) pair: PortPair,
    pub(super) contexts: u16,
    /// Connections are taken at its port.
    pub(super) tcp: bool,
}

/// Of a stream in an offer of ours that several answer: its context, and what was told of its keys.
pub(super) type Told = (Option<ContextId>, Vec<MasterKey>, Option<Box<str>>);

const _: () = assert!(MAX_CONTEXTS as u32 == u16::BITS);

impl CallMedia {
    /// A context of its own on each of these pairs.
    pub(super) fn share(&mut self, contexts: Vec<Told>) -> Result<Vec<Stream>, Refusal> {
        let mut streams = Vec::with_capacity(contexts.len());
        for (context, keys, tls_id) in contexts {
            let shared =
                context.and_then(|context| self.pairs.iter_mut().find(|lent| lent.pair.id == context.pair));
            let context = match shared.map(Lent::next_context) {
                None => None,
                Some(Some(context)) => Some(context),
                Some(None) => {
                    self.give_back(streams);
                    return Err(Refusal::TooManyDialogs);
                }
            };
            streams.push(Stream { context, fresh: true, keys, tls_id, ..Stream::default() });
        }
        Ok(streams)
    }

    /// Borrows a pair for one stream.
    pub(super) fn borrow(&mut self, party: PartyId, ports: &mut dyn Ports) -> Result<ContextId, Refusal> {
        let network = self.party(party)?.network;
        let pair = ports.take(network, self.thread).map_err(Refusal::Ports)?;
        if self.thread.is_some_and(|thread| thread != pair.id.thread) {
            self.commands.push_back(Command::Release { pair: pair.id });
            return Err(Refusal::Ports(PortsError::Exhausted(network)));
        }
        self.thread = Some(pair.id.thread);
        self.pairs.reserve_exact(1);
        let id = pair.id;
        self.pairs.push(Lent { pair, contexts: 1, tcp: false });
        Ok(ContextId { pair: id, remote: 0 })
    }

    /// Another remote on a pair that is borrowed; `None` where there is no room for it.
    pub(super) fn another_on(&mut self, pair: PairId) -> Option<ContextId> {
        self.pairs.iter_mut().find(|lent| lent.pair.id == pair)?.next_context()
    }

    pub(super) fn port(&self, pair: PairId) -> Option<u16> {
        self.pairs.iter().find(|lent| lent.pair.id == pair).map(|lent| lent.pair.port)
    }

    /// Where a pair of a party's is reached from beyond the NAT that it is behind, if it is behind one.
    pub(super) fn ends(&self, context: Option<ContextId>, ip: IpAddr) -> Option<Ends> {
        let id = context?.pair;
        let pair = self.pairs.iter().find(|lent| lent.pair.id == id).map(|lent| &lent.pair)?;
        let [rtp, rtcp] = pair.reach.as_ref()?.read();
        let end = |port, beyond| End { host: SocketAddr::new(ip, port), beyond };
        Some(Ends { rtp: end(pair.port, rtp), rtcp: end(pair.port.saturating_add(1), rtcp) })
    }

    pub(super) fn give_back(&mut self, streams: Vec<Stream>) {
        for stream in streams {
            if let Some(context) = stream.context {
                self.drop_context(context, stream.applied.is_some());
            }
            if let Some(spare) = stream.spare {
                self.drop_context(spare, false);
            }
        }
    }

    /// Frees a context, and its pair with the last one.
    pub(super) fn drop_context(&mut self, context: ContextId, applied: bool) {
        let Some(index) = self.pairs.iter().position(|lent| lent.pair.id == context.pair) else { return };
        let Some(lent) = self.pairs.get_mut(index) else { return };
        lent.contexts &= !(1u16.checked_shl(context.remote.into()).unwrap_or_default());
        if lent.tcp {
            let pair = context.pair;
            let order =
                if lent.contexts == 0 { TcpOrder::Release { pair } } else { TcpOrder::Clear { context } };
            self.commands.push_back(Command::Tcp(order));
        }
        if lent.contexts == 0 {
            self.pairs.swap_remove(index);
            self.commands.push_back(Command::Release { pair: context.pair });
            if self.pairs.is_empty() {
                self.thread = None;
            }
        } else if applied {
            self.commands.push_back(Command::Clear { context });
        }
    }
}

impl Lent {
    /// A context that is free.
    fn next_context(&mut self) -> Option<ContextId> {
        let bit = self.contexts.trailing_ones();
        let remote = u8::try_from(bit).ok().filter(|remote| *remote < MAX_CONTEXTS)?;
        self.contexts |= 1u16.checked_shl(bit)?;
        Some(ContextId { pair: self.pair.id, remote })
    }
}

#[cfg(test)]
impl CallMedia {
    /// Any of the borrowed pairs.
    pub(crate) fn first_pair(&self) -> Option<PairId> {
        self.pairs.first().map(|lent| lent.pair.id)
    }
}
