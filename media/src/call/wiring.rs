//! From what was negotiated to what the relay is told.

use std::net::IpAddr;
use std::sync::Arc;

use sdp::{Description, Direction};

use super::CallMedia;
use super::party::{Link, Party, Stream};
use crate::dtmf::Plan;
use crate::relay::{Command, Settings, Share, Sources, TcpOrder};
use crate::transcode;
use crate::veil::Veil;
use crate::{ContextId, Latching, PartyId, Payloads, Police, Rate, Ssrcs, Together};

impl CallMedia {
    /// Where the signalling of a party comes from: with [`crate::Latching::SignallingSource`] its media is taken from
    /// that address alone. To be told before the description, and again when it changes. Until it is known, its media is taken from where
    /// it is described.
    pub fn signalling_source(&mut self, party: PartyId, source: IpAddr) {
        self.signalling_from(party, (source, false));
    }

    /// The same for a party of which nobody could tell before it has answered: what was told stays.
    pub fn signalling_seen(&mut self, party: PartyId, source: IpAddr) {
        let found = self.party(party);
        if found.is_ok_and(|found| found.signalling.is_none() || found.seen) {
            self.signalling_from(party, (source, true));
        }
    }

    fn signalling_from(&mut self, party: PartyId, (source, seen): (IpAddr, bool)) {
        let Ok(found) = self.party_mut(party) else { return };
        found.seen = seen;
        if found.signalling.replace(source) != Some(source) {
            self.apply(party, false);
        }
    }

    /// What is done about packets of a party that were not negotiated; to be told before the first description.
    pub fn police(&mut self, party: PartyId, police: Police) {
        if let Ok(party) = self.party_mut(party) {
            party.police = police;
        }
    }

    /// That offer of ours is on its way to a party: it may send what that allows before its answer is here (RFC 3264 §5.1).
    pub(super) fn allow_offered(&mut self, to: PartyId, offer: &Description) {
        let Ok(party) = self.party_mut(to) else { return };
        if !party.police.payload_types {
            return;
        }
        let mut any = false;
        for (stream, section) in party.streams.iter_mut().zip(offer.media()) {
            if let Some(link) = &mut stream.link {
                link.allowed.offer(Payloads::of(&section));
                any = true;
            }
        }
        if any {
            self.apply(to, false);
        }
    }

    /// Tells the relay what has changed about a party's streams. `unlatch`: a new description came from it.
    pub(super) fn apply(&mut self, party: PartyId, unlatch: bool) {
        let Ok(index) = self.index(party) else { return };
        let (peers, plans, shares) = (self.peer_contexts(index), self.plans(index), self.shares(index));
        let (veils, codings) = (self.veils(index), self.codings(index));
        let ports = self.tcp_ports(index);
        let Some(party) = self.parties.get_mut(index) else { return };
        let network = party.network;
        let (latching, signalling) = (party.latching, party.signalling);
        let transport = party.bundle.as_ref().map(|bundle| bundle.context);
        let mut transports = Vec::new();
        for (section, stream) in party.streams.iter_mut().enumerate() {
            let peer = peers.get(section).copied().flatten();
            let described = stream.link.as_ref().map(|link| link.remote.ip());
            let sources = described.map(|described| sources(latching, signalling, described));
            let plan = plans.get(section).cloned().flatten();
            let share = shares.get(section).cloned().flatten();
            if share.is_some() {
                let wanted = stream.link.as_ref().zip(sources);
                transports.push(wanted.map(|(link, sources)| settings(link, sources, Onward::default())));
            } else {
                transports.push(None);
            }
            if stream.link.is_none() && transport.is_some() && stream.context == transport {
                // It is the others' as well.
                stream.applied = None;
                continue;
            }
            if let Some(port) = ports.get(section).copied().flatten() {
                let sources = sources.unwrap_or(Sources::Described);
                self.commands.extend(stream.connect((network, port), (sources, peer)));
                continue;
            }
            if stream.connected.take().is_some()
                && let Some(context) = stream.context
            {
                self.commands.push_back(Command::Tcp(TcpOrder::Clear { context }));
            }
            let coding = codings.get(section).cloned().flatten();
            let veil = veils.get(section).cloned().flatten();
            let police = party.police;
            let together = party.together.clone();
            let onward = Onward { peer, plan, veil, coding, share, police, together };
            self.commands.extend(stream.apply(sources, onward, unlatch));
        }
        self.apply_transport(index, &transports);
    }

    /// The port of each stream of this party that is over TCP.
    fn tcp_ports(&mut self, index: usize) -> Vec<Option<u16>> {
        let Some(party) = self.parties.get(index) else { return Vec::new() };
        let pairs = &mut self.pairs;
        let port = |stream: &Stream| {
            stream.link.as_ref().and_then(|link| link.tcp.as_ref())?;
            let context = stream.context?;
            let lent = pairs.iter_mut().find(|lent| lent.pair.id == context.pair)?;
            lent.tcp = true;
            Some(lent.pair.port)
        };
        party.streams.iter().map(port).collect()
    }

    /// Where each stream of this party goes: the live contexts of its peer, as far as the gates of both are open.
    fn peer_contexts(&self, index: usize) -> Vec<Option<ContextId>> {
        let Some(party) = self.parties.get(index) else { return Vec::new() };
        let Some(peer) = party.peer.and_then(|peer| self.party(peer).ok()) else { return Vec::new() };
        // What one peer protects for the other is nothing to one that talks with us, nor the other way round.
        let is_alike = |section| {
            let unread = |party: &Party| party.link(section).map(|link| (link.dtls, link.tcp.is_some()));
            unread(party) == unread(peer)
        };
        let is_open =
            |section| party.gate(section).sends() && peer.gate(section).receives() && is_alike(section);
        let live = |(section, stream): (usize, &Stream)| stream.live_context().filter(|_| is_open(section));
        peer.streams.iter().enumerate().map(live).collect()
    }

    /// Lets of a party's streams pass only so much, each as the party sees it and the last one for all further ones, whatever has been
    /// negotiated (RFC 5009 §8). `None` or nothing: all.
    pub fn gate(&mut self, party: PartyId, gate: Option<&[Direction]>) {
        let Ok(found) = self.party_mut(party) else { return };
        if found.gate.as_deref() == gate {
            return;
        }
        found.gate = gate.map(Into::into);
        let peer = found.peer;
        for touched in [Some(party), peer].into_iter().flatten() {
            self.apply(touched, false);
        }
    }
}

/// Whose packets are taken. Until it is known where the signalling comes from, those from where the stream is described.
fn sources(latching: Latching, signalling: Option<IpAddr>, described: IpAddr) -> Sources {
    let by_signalling = signalling.map_or(Sources::Described, Sources::Only);
    match latching {
        Latching::Described => Sources::Described,
        Latching::SignallingSource => by_signalling,
        Latching::SignallingIfPrivate if is_private(described) || signalling == Some(described) => {
            by_signalling
        }
        Latching::SignallingIfPrivate => Sources::Described,
        Latching::AnySource => Sources::Any,
    }
}

/// Whether an address means something else in each network: RFC 1918, RFC 6598, RFC 4193, link-local and loopback.
fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            let [first, second, ..] = ip.octets();
            ip.is_private() || ip.is_loopback() || ip.is_link_local() || (first == 100 && second & 0xc0 == 64)
        }
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local(),
    }
}

impl Stream {
    fn live_context(&self) -> Option<ContextId> {
        self.context.filter(|_| self.link.is_some())
    }

    fn apply(&mut self, sources: Option<Sources>, onward: Onward, unlatch: bool) -> Option<Command> {
        let context = self.context?;
        let wanted = self.link.as_ref().zip(sources);
        let mut wanted = wanted.map(|(link, sources)| settings(link, sources, onward));
        if let Some(wanted) = &mut wanted
            && wanted.share.as_ref().is_some_and(|share| share.transport != context.remote)
        {
            // That is the transport's.
            (wanted.ice, wanted.srtp) = (None, None);
        }
        let Some(wanted) = wanted else {
            return self.applied.take().map(|_| Command::Clear { context });
        };
        if self.applied.as_ref() == Some(&wanted) && !unlatch {
            return None;
        }
        if let Some(plan) = &wanted.transcode {
            let (from, to) = plan.names();
            self.coded = Some((from, to, Arc::clone(&plan.tally)));
        }
        self.applied = Some(wanted.clone());
        let counters = Arc::clone(self.counters.get_or_insert_default());
        Some(Command::Set { context, settings: Box::new(wanted), unlatch, counters })
    }
}

/// To whom a stream goes on, and as what.
#[derive(Default)]
struct Onward {
    peer: Option<ContextId>,
    plan: Option<Arc<Plan>>,
    veil: Option<Arc<Veil>>,
    coding: Option<transcode::Plan>,
    share: Option<Share>,
    police: Police,
    together: Option<Arc<Together>>,
}

fn settings(link: &Link, sources: Sources, onward: Onward) -> Settings {
    let police = onward.police;
    // What the peers protect for one another they judge themselves.
    let read = link.rtp && !link.dtls;
    Settings {
        remote: link.remote,
        remote_rtcp: link.remote_rtcp,
        sources,
        send: link.send,
        mux: link.mux,
        rtp: link.rtp,
        dtls: link.dtls,
        ice: link.ice.clone(),
        peer: onward.peer,
        clocks: link.clocks.clone(),
        payloads: (police.payload_types && read).then(|| link.allowed.payloads()),
        rate: Some(Rate { own: link.allowed.rate, together: onward.together })
            .filter(|rate| police.rate && read && *rate != Rate::default()),
        ssrcs: read.then(|| Ssrcs { stated: Arc::clone(&link.ssrcs), drop: police.sources }),
        srtp: link.srtp.clone(),
        dtmf: onward.plan,
        veil: onward.veil,
        transcode: onward.coding.map(Arc::new),
        share: onward.share.map(Box::new),
    }
}
