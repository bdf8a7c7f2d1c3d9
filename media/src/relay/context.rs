//! A remote on a pair of ports.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use super::bundle::{Tables, Tags};
use super::coding::Told;
use super::demux::Kind;
use super::handshake::Handshake;
use super::latch::{Fit, Latch};
use super::secure::Guard;
use super::senders::Senders;
use super::spiral::Step;
use super::taking::Arrived;
use super::worker::Clock;
use super::{IceSettings, Settings, Sources};
use crate::ContextId;
use crate::dtmf::{Translator, Turn};
pub(super) use crate::ice::Component;
use crate::ice::full::Terms;
use crate::ice::{Known, Session};
use crate::police::{Bucket, Crowd};
use crate::quality::{Counters, Dropped, Moments, Reception, Tally};
use crate::rtp::{self, Header};
use crate::srtp;
use crate::transcode;
use crate::veil::Veiled;

impl From<Component> for srtp::Kind {
    fn from(kind: Component) -> Self {
        match kind {
            Component::Rtp => Self::Rtp,
            Component::Rtcp => Self::Rtcp,
        }
    }
}

pub(super) struct Context {
    /// Its number on the pair.
    pub(super) remote: u8,
    pub(super) id: ContextId,
    /// Whose it is.
    pub(super) shard: u16,
    pub(super) counters: Arc<Counters>,
    settings: Settings,
    rtp: Latch,
    rtcp: Latch,
    /// Decides in place of the latches.
    ice: Option<Box<Session>>,
    reception: Reception,
    /// What it may send more, where that has bounds.
    bucket: Option<Bucket>,
    /// Its sources, where something is known of them.
    crowd: Crowd,
    /// What has been sent to it that it answers.
    moments: Moments,
    pub(super) guard: Guard,
    /// Handshakes that other settings have made an end of, until the desk knows.
    pub(super) over: Option<Box<Handshake>>,
    /// Where its keys do not go as they come.
    pub(super) translator: Option<Box<Translator>>,
    /// Where its sources go on by other names.
    pub(super) veiled: Option<Box<Veiled>>,
    /// What the coder was told of it.
    pub(super) coded: Option<Told>,
    /// Whether the packets in which keys are looked for, or which are coded, come from a leg of ours.
    pub(super) from_own: bool,
    /// The step from leg to leg that it is, where its peer is another of ours.
    pub(super) step: Option<Box<Step>>,
    /// The session that the desk has for it.
    pub(super) begun: Option<(u32, Arc<Terms>)>,
    /// The sources of the sections that share it.
    pub(super) tables: Option<Box<Tables>>,
}

/// Where an accepted packet goes on to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Onward {
    pub(super) peer: Option<ContextId>,
    pub(super) kind: Component,
    /// Whether keys are to be looked for in it, or names and numbers to be changed.
    pub(super) translated: bool,
    /// Whether it is to be coded anew.
    pub(super) coded: bool,
}

impl Context {
    pub(super) fn new(
        id: ContextId,
        settings: Settings,
        counters: Arc<Counters>,
        senders: &mut Senders,
    ) -> Self {
        let rtp = Latch::new(settings.sources, settings.remote);
        let rtcp = Latch::new(settings.sources, settings.remote_rtcp);
        let ice = session(&settings, None);
        let guard = Guard::new(settings.srtp.as_ref(), id, senders);
        let translator = settings.dtmf.as_ref().map(|plan| Box::new(Translator::new(plan)));
        let veiled = settings.veil.as_ref().map(|veil| Box::new(Veiled::new(veil)));
        let tables = settings.is_shared(id.remote).then(Box::default);
        let bucket = Bucket::change(None, own_rate(&settings));
        Self {
            remote: id.remote,
            id,
            shard: 0,
            counters,
            settings,
            rtp,
            rtcp,
            ice,
            reception: Reception::default(),
            bucket,
            crowd: Crowd::default(),
            moments: Moments::default(),
            guard,
            over: None,
            translator,
            veiled,
            coded: None,
            from_own: false,
            step: None,
            begun: None,
            tables,
        }
    }

    pub(super) fn change(
        &mut self,
        id: ContextId,
        settings: Settings,
        movable_until: Option<u64>,
        senders: &mut Senders,
    ) {
        self.rtp.change(settings.sources, settings.remote, movable_until);
        self.rtcp.change(settings.sources, settings.remote_rtcp, movable_until);
        self.over = self.guard.change(settings.srtp.as_ref(), id, senders);
        self.ice = session(&settings, self.ice.take());
        Translator::change(&mut self.translator, settings.dtmf.as_ref());
        Veiled::change(&mut self.veiled, settings.veil.as_ref());
        self.bucket = Bucket::change(self.bucket, own_rate(&settings));
        // Nothing of it is known of another one before it sends something.
        self.from_own &= self.settings.remote == settings.remote;
        match settings.is_shared(id.remote) {
            true => _ = self.tables.get_or_insert_default(),
            false => self.tables = None,
        }
        self.settings = settings;
    }

    /// It is no more.
    pub(super) fn over(mut self, senders: &mut Senders) {
        self.guard.end(senders);
    }

    /// The number of the remote whose transport it goes by: its own, where it has one for itself.
    pub(super) fn transport(&self) -> u8 {
        self.settings.share.as_ref().map_or(self.remote, |share| share.transport)
    }

    /// How packets of its section are told, if it is one of those that have that transport.
    pub(super) fn tags(&self, transport: u8) -> Option<&Tags> {
        let share = self.settings.share.as_ref().filter(|share| share.transport == transport)?;
        share.section.as_ref()
    }

    /// The number of the header extension of its peer's that nobody else is told of.
    pub(super) fn blanked(&self) -> Option<u8> {
        let tags = self.settings.share.as_ref()?.section.as_ref()?;
        tags.extension.filter(|_| tags.blank)
    }

    /// Whether its packets are RTP or SRTP.
    pub(super) fn is_rtp(&self) -> bool {
        self.settings.rtp
    }

    /// Whether RTP and RTCP share the first port.
    pub(super) fn is_mux(&self) -> bool {
        self.settings.mux
    }

    /// Whether a datagram is of a protocol that the stream does not speak: where we have its keys, its peers have no handshake.
    pub(super) fn refuses(&self, kind: Kind) -> bool {
        let ours = !matches!(self.guard, Guard::Plain);
        kind == Kind::Dtls && self.settings.rtp && (!self.settings.dtls || ours)
    }

    /// Whether the username fragment is its peer's.
    pub(super) fn is_of(&self, remote: &[u8]) -> bool {
        self.ice.as_ref().is_some_and(|session| session.remote().as_bytes() == remote)
    }

    /// Whether the username fragment was its peer's before a restart that is not completed.
    pub(super) fn was_of(&self, remote: &[u8]) -> bool {
        self.ice.as_ref().is_some_and(|session| session.went_by(remote))
    }

    /// Whether an address has proved itself to its ICE session.
    pub(super) fn knows(&self, component: Component, source: SocketAddr) -> bool {
        self.ice.as_ref().is_some_and(|session| session.knows(component, source) != Known::Not)
    }

    pub(super) fn ice_settings(&self) -> Option<&IceSettings> {
        self.settings.ice.as_ref()
    }

    /// The address that its packets have to come from, whatever is described.
    pub(super) fn only(&self) -> Option<IpAddr> {
        match self.settings.sources {
            Sources::Only(ip) => Some(ip),
            Sources::Exactly | Sources::Described | Sources::Any => None,
        }
    }

    /// Where it is described, for what is sent without ICE.
    pub(super) fn described(&self) -> impl Iterator<Item = (Component, SocketAddr)> + use<> {
        let Settings { remote, remote_rtcp, mux, ice, send, .. } = &self.settings;
        let rtcp = (Component::Rtcp, *remote_rtcp);
        let both = [Some((Component::Rtp, *remote)), Some(rtcp).filter(|_| !mux)];
        // A leg of ours is not reached by way of a server.
        let any = ice.is_none() && *send && self.settings.sources != Sources::Exactly;
        both.into_iter().flatten().filter(move |(_, at)| any && at.port() != 0 && !at.ip().is_unspecified())
    }

    pub(super) fn session_mut(&mut self) -> Option<&mut Session> {
        self.ice.as_deref_mut()
    }

    /// A connectivity check of its peer's, that was answered: the priority, and whether it nominates.
    pub(super) fn checked(
        &mut self,
        component: Component,
        source: SocketAddr,
        (priority, nominates): (u32, bool),
        now_millis: u64,
    ) {
        if let Some(session) = &mut self.ice {
            session.checked(component, source, priority, nominates, now_millis);
            self.counters.checked(session.standing(), now_millis);
        }
    }

    /// Tells how far its ICE session has come, if it has one.
    pub(super) fn show_ice(&self) {
        self.counters.ice(self.ice.as_ref().map(|session| session.standing()));
    }

    /// A keepalive that nobody has signed: where there are keys, it says nothing of the peer, who would sign what it sends.
    pub(super) fn kept_alive(&mut self, component: Component, source: SocketAddr, now_millis: u64) {
        if self.settings.srtp.is_none() {
            self.heard(component, source, now_millis);
        }
    }

    /// Something came from there that is not to be sent on.
    pub(super) fn heard(&mut self, component: Component, source: SocketAddr, now_millis: u64) {
        if let Some(session) = &mut self.ice {
            session.heard(component, source, now_millis);
        }
    }

    /// What a packet is that comes or goes by that component.
    fn kind(&self, component: Component, packet: &[u8]) -> Component {
        let shared = self.settings.mux && rtp::is_rtcp(packet);
        if component == Component::Rtcp || shared { Component::Rtcp } else { Component::Rtp }
    }

    /// Checks and unprotects a packet where keys were negotiated.
    pub(super) fn unprotect(
        &mut self,
        component: Component,
        buffer: &mut [u8],
        length: usize,
        trial: bool,
    ) -> Result<usize, Dropped> {
        let kind = self.kind(component, buffer.get(..length).unwrap_or_default());
        self.guard.unprotect((component, kind.into()), buffer, length, trial)
    }

    /// Protects a packet for this remote where keys were negotiated, with those of its pair and the time in milliseconds.
    pub(super) fn protect(
        &mut self,
        kind: Component,
        buffer: &mut [u8],
        length: usize,
        (senders, now_millis): (&mut Senders, u64),
    ) -> Result<usize, Dropped> {
        let component = self.component(kind);
        let by = (&mut *senders, now_millis);
        let protected = self.guard.protect((component, kind.into()), buffer, length, by);
        if self.guard.has_rolled(senders) {
            self.counters.rolled();
        }
        protected
    }

    /// How well a source fits: as its ICE session says where there is one, else by the latch; with keys all may then.
    pub(super) fn fit(&self, component: Component, source: SocketAddr, clock: Clock, move_after: u64) -> Fit {
        let fit = self.fit_of_source(component, source, clock, move_after);
        let proves = self.ice.is_none() && self.guard.has_keys(component);
        if proves { fit.max(Fit::Moves) } else { fit }
    }

    /// The same for what no key of SRTP says anything of.
    pub(super) fn fit_of_source(
        &self,
        component: Component,
        source: SocketAddr,
        clock: Clock,
        move_after: u64,
    ) -> Fit {
        match self.ice.as_ref().map(|session| session.knows(component, source)) {
            None => self.latch(component).fit(source, clock.millis, move_after),
            Some(Known::Selected) => Fit::Locked,
            Some(Known::Valid) => Fit::Described,
            Some(Known::Not) => Fit::Refused,
        }
    }

    /// A handshake with that address has shown that it is the peer's.
    pub(super) fn proved(&mut self, component: Component, source: SocketAddr, now_millis: u64) {
        if self.ice.is_some() {
            return;
        }
        let latch = match component {
            Component::Rtp => &mut self.rtp,
            Component::Rtcp => &mut self.rtcp,
        };
        if latch.take(source, now_millis) && component == Component::Rtp {
            self.counters.came_from(self.rtp.locked());
        }
    }

    fn latch(&self, component: Component) -> &Latch {
        match component {
            Component::Rtp => &self.rtp,
            Component::Rtcp => &self.rtcp,
        }
    }

    /// A packet from there is taken.
    pub(super) fn accept(&mut self, arrived: Arrived, clock: Clock) {
        let Arrived { component, source, .. } = arrived;
        let latch = match component {
            Component::Rtp => &mut self.rtp,
            Component::Rtcp => &mut self.rtcp,
        };
        if latch.take(source, clock.millis) && component == Component::Rtp {
            self.counters.came_from(self.rtp.locked());
        }
        if let Some(session) = &mut self.ice {
            session.heard(component, source, clock.millis);
        }
    }

    /// Counts a packet that is taken, and says where it goes on to; `packet` is what it is unprotected.
    pub(super) fn count(&mut self, arrived: Arrived, packet: &[u8], clock: Clock) -> Result<Onward, Dropped> {
        let Arrived { component, length, .. } = arrived;
        let kind = self.kind(component, packet);
        let rtcp = kind == Component::Rtcp;
        self.counters.received(Tally { bytes: length, rtcp, now_millis: clock.millis });
        if let Err(why) = self.judge(rtcp, packet, clock) {
            self.counters.dropped(why);
            return Err(why);
        }
        match (self.settings.rtp, rtcp) {
            (true, false) => self.estimate(packet, clock.since_epoch),
            (true, true) => {
                self.moments.heard(packet, self.reception.clock(), clock.millis, self.counters.told());
            }
            (false, _) => {}
        }
        Ok(self.onward(kind))
    }

    /// Whether a packet is what was negotiated. What is no RTP, as keepalives may be (RFC 6263 §4), has no payload type.
    fn judge(&mut self, rtcp: bool, packet: &[u8], clock: Clock) -> Result<(), Dropped> {
        if rtcp {
            return Ok(());
        }
        let header = Header::read(packet);
        if let Some(allowed) = self.settings.payloads
            && header.as_ref().is_some_and(|header| !allowed.has(header.payload))
        {
            return Err(Dropped::Unnegotiated);
        }
        if let Some((ssrcs, header)) = self.settings.ssrcs.as_ref().zip(header)
            && !self.crowd.admits(header.ssrc, ssrcs, clock.millis)
        {
            if ssrcs.drop {
                return Err(Dropped::Foreign);
            }
            self.counters.dropped(Dropped::Foreign);
        }
        let together = self.settings.rate.as_ref().and_then(|rate| rate.together.as_ref());
        if together.is_some_and(|together| !together.take(packet.len(), clock.millis)) {
            return Err(Dropped::Excess);
        }
        let bucket = self.bucket.as_mut();
        if bucket.is_none_or(|bucket| bucket.take(packet.len(), clock.millis)) {
            return Ok(());
        }
        together.into_iter().for_each(|together| together.put_back(packet.len()));
        Err(Dropped::Excess)
    }

    /// Where its packets go on to, and what becomes of them.
    pub(super) fn onward(&self, kind: Component) -> Onward {
        let translated = self.translator.is_some() || self.veiled.is_some();
        let coded = self.settings.transcode.is_some();
        Onward { peer: self.settings.peer, kind, translated, coded }
    }

    /// What becomes of its codecs.
    pub(super) fn transcode(&self) -> Option<&Arc<transcode::Plan>> {
        self.settings.transcode.as_ref()
    }

    /// Where its peer is, if that is a leg of ours and what it sends is for this remote alone.
    pub(super) fn own_peer(&self) -> Option<SocketAddr> {
        let alone = self.settings.sources == Sources::Exactly && self.settings.share.is_none();
        alone.then_some(self.settings.remote)
    }

    /// Whether what a leg of ours sends to it comes to an end, whomever it goes on to.
    pub(super) fn is_spiral(&self) -> bool {
        self.step.as_ref().is_some_and(|step| !step.is_of_ring())
    }

    /// Whom its packets go to.
    pub(super) fn peer(&self) -> Option<ContextId> {
        self.settings.peer
    }

    /// Hears keys in a packet of its peer's, and gives it its number; whether it goes on.
    pub(super) fn translate(&mut self, kind: Component, packet: &mut [u8], turn: Turn<'_>) -> bool {
        let Some(translator) = &mut self.translator else { return true };
        match kind {
            Component::Rtp => translator.packet(packet, turn),
            Component::Rtcp => {
                translator.tell(packet);
                true
            }
        }
    }

    /// Gives a packet of its peer's the names that it goes on by; answers its length, `None` where it does not go on. `taken` is what a
    /// source is called of whom it is for.
    pub(super) fn veil(
        &mut self,
        kind: Component,
        (buffer, length): (&mut [u8], usize),
        taken: Option<u32>,
    ) -> Option<usize> {
        let Some(veiled) = &mut self.veiled else { return Some(length) };
        let told = match kind {
            Component::Rtp => veiled.packet(buffer.get_mut(..length)?, taken).then_some(length),
            Component::Rtcp => veiled.tell(buffer, length),
        };
        if told.is_none() {
            self.counters.dropped(Dropped::Malformed);
        }
        told
    }

    /// What its source is called that was there last.
    pub(super) fn source(&self) -> Option<u32> {
        self.reception.source()
    }

    /// RTCP is about to go to it: makes of that what is true of what it has sent.
    pub(super) fn tell_back(&mut self, compound: &mut [u8], now_millis: u64) {
        if self.settings.rtp {
            self.moments.carried(compound, now_millis);
        }
        if let Some(veiled) = &self.veiled {
            veiled.tell_back(compound);
        }
        if let Some(translator) = &self.translator {
            translator.tell_back(compound);
        }
    }

    fn estimate(&mut self, packet: &[u8], now: Duration) {
        let Some(header) = Header::read(packet) else { return };
        let clocks = &self.settings.clocks;
        self.reception.packet(header, now, |payload| {
            let stated = clocks.iter().find(|(number, _)| *number == payload).map(|(_, clock)| *clock);
            stated.or_else(|| rtp::static_clock(payload))
        });
        self.counters.quality(self.reception.lost(), self.reception.jitter_micros(), header.payload);
    }

    /// By which component what is of a kind goes.
    fn component(&self, kind: Component) -> Component {
        if self.settings.mux { Component::Rtp } else { kind }
    }

    /// The socket and the address by which a packet reaches this remote.
    pub(super) fn destination(&self, kind: Component, now_millis: u64) -> Option<(Component, SocketAddr)> {
        if !self.settings.send {
            return None;
        }
        let component = self.component(kind);
        let address = match &self.ice {
            Some(session) => session.destination(component, now_millis),
            None => self.latch(component).destination(),
        };
        address.map(|address| (component, address))
    }
}

impl Settings {
    /// Whether the remote of that number is a transport that sections share.
    fn is_shared(&self, remote: u8) -> bool {
        self.share.as_ref().is_some_and(|share| share.transport == remote)
    }
}

/// How much of one stream is taken, in octets a second.
fn own_rate(settings: &Settings) -> Option<u32> {
    settings.rate.as_ref()?.own
}

/// The ICE session of these settings: the one before, or one that goes on from it (RFC 8445 §9).
fn session(settings: &Settings, before: Option<Box<Session>>) -> Option<Box<Session>> {
    let ice = settings.ice.as_ref()?;
    let two = ice.rtcp;
    match before {
        Some(mut before) if before.is(&ice.local.ufrag, &ice.remote) => {
            before.set_two(two);
            Some(before)
        }
        before => {
            let session = Session::new(ice.local.ufrag.clone(), ice.remote.clone(), two);
            let session = if ice.full.is_some() { session.led() } else { session };
            Some(Box::new(match before {
                Some(before) => session.after(&before),
                None => session,
            }))
        }
    }
}
