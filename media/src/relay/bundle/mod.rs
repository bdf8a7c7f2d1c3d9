//! Several sections on one transport (RFC 9143): which of them a packet is of.
//!
//! The remote whose address, ICE session and keys they all go by is their *transport*; each section is a remote beside it, with counters
//! and a peer of its own. A packet is taken by the transport and then given to its section: by the identification tag that it carries, by
//! its source, or by its payload type (§9.2).

mod copies;
#[cfg(any(test, feature = "fuzz"))]
mod fuzz;
mod report;
mod table;
#[cfg(test)]
mod tests;

use super::context::Context;
use crate::rtp::{self, Header, extension};
#[cfg(any(test, feature = "fuzz"))]
pub(crate) use fuzz::fuzzed;
pub(super) use table::Tables;

/// The share of a remote in a transport that several have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    /// The number of the remote that is the transport; it may be this one.
    pub transport: u8,
    /// How packets of this section are told; `None` where it is nothing but the transport.
    pub section: Option<Tags>,
}

/// How packets of a section are told from those of others on its transport.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tags {
    /// Its identification tag (RFC 5888 §4).
    pub mid: Box<str>,
    /// The number of the header extension that has the tag in what the peer sends, where that was agreed on.
    pub extension: Option<u8>,
    /// The other leg has no such extension, or another tag: it is not told of this one.
    pub blank: bool,
    /// The payload types that the peer sends.
    pub payloads: Box<[u8]>,
    /// The synchronization sources that it has named (RFC 5576).
    pub sources: Box<[u32]>,
}

/// The sections that a packet is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Assigned {
    /// The number of the remote that it is of.
    pub(super) section: u8,
    /// The numbers of all others, one bit each: what is said of several sections in one packet of RTCP is for them as well.
    pub(super) others: u16,
}

/// The sections of a transport.
fn sections(contexts: &[Context], transport: u8) -> impl Iterator<Item = (u8, &Tags)> {
    contexts.iter().filter_map(move |context| Some((context.remote, context.tags(transport)?)))
}

/// The section of a transport that a packet is of, which has come unprotected; `None` where there is none.
pub(super) fn assign(contexts: &mut [Context], transport: u8, packet: &[u8]) -> Option<Assigned> {
    let at = contexts.iter().position(|context| context.remote == transport)?;
    let mut tables = contexts.get_mut(at)?.tables.take()?;
    let assigned = match rtp::is_rtcp(packet) {
        true => report::assign(contexts, transport, &mut tables, packet),
        false => {
            of_rtp(contexts, transport, &mut tables, packet).map(|section| Assigned { section, others: 0 })
        }
    };
    if let Some(context) = contexts.get_mut(at) {
        context.tables = Some(tables);
    }
    assigned
}

fn of_rtp(contexts: &[Context], transport: u8, tables: &mut Tables, packet: &[u8]) -> Option<u8> {
    let header = Header::read(packet)?;
    let mut number = sections(contexts, transport).filter_map(|(_, tags)| tags.extension);
    let mid = number.next().and_then(|number| packet.get(extension::element(packet, number)?));
    let known = tables.incoming.get(header.ssrc);
    let (section, tags) = match mid {
        Some(mid) => sections(contexts, transport).find(|(_, tags)| tags.mid.as_bytes() == mid)?,
        None => sections(contexts, transport)
            .find(|(section, _)| known == Some(*section))
            .or_else(|| by_source(contexts, transport, header.ssrc))
            .or_else(|| by_payload(contexts, transport, header.payload))?,
    };
    if !tags.payloads.contains(&header.payload) {
        return None;
    }
    if known != Some(section) {
        tables.incoming.learn(header.ssrc, section);
    }
    Some(section)
}

fn by_source(contexts: &[Context], transport: u8, ssrc: u32) -> Option<(u8, &Tags)> {
    sections(contexts, transport).find(|(_, tags)| tags.sources.contains(&ssrc))
}

/// The section that alone has a payload type.
fn by_payload(contexts: &[Context], transport: u8, payload: u8) -> Option<(u8, &Tags)> {
    let mut having = sections(contexts, transport).filter(|(_, tags)| tags.payloads.contains(&payload));
    let first = having.next()?;
    having.next().is_none().then_some(first)
}
