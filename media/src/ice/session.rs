//! What a peer has shown and chosen.

use std::net::SocketAddr;

/// One transport of a media stream (RFC 8445 §4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Component {
    /// Component 1.
    Rtp,
    /// Component 2.
    Rtcp,
}

/// Addresses of a peer that are remembered for each component: the pairs that it may choose from.
const ROOM: usize = 8;
/// How long nothing must have come from the selected address before another one that is nominated, with no higher priority,
/// takes its place: peers look whether it still answers every 4 to 6 s (RFC 7675 §5.1).
const SILENCE_MILLIS: u64 = 7_500;
/// How long we send to an address that nothing comes from, neither checks nor media: as long as consent lasts (RFC 7675 §5.1).
pub(crate) const CONSENT_MILLIS: u64 = 30_000;

/// An address that has shown that it knows our password.
#[derive(Debug, Clone, Copy)]
struct Valid {
    source: SocketAddr,
    priority: u32,
    millis: u64,
}

#[derive(Debug, Default)]
struct Path {
    valid: [Option<Valid>; ROOM],
    /// Of the nominated ones, the one that is used.
    selected: Option<SocketAddr>,
    /// The one from before a restart, until the new session is completed (RFC 8445 §9).
    previous: Option<SocketAddr>,
    /// When something came from where media goes to.
    heard_millis: u64,
}

/// How well a packet's source is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Known {
    Selected,
    Valid,
    Not,
}

/// How far ICE has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Standing {
    /// Each component that the stream has has a selected pair (RFC 8445 §8.2).
    pub completed: bool,
    /// The peer's address in the pair of RTP.
    pub rtp: Option<SocketAddr>,
    /// And in that of RTCP, where it has a port of its own.
    pub rtcp: Option<SocketAddr>,
}

/// One peer's ICE session with us.
#[derive(Debug)]
pub(crate) struct Session {
    local: Box<str>,
    remote: Box<str>,
    /// The peer's username fragment from before a restart, until this session is completed.
    previous: Option<Box<str>>,
    paths: [Path; 2],
    two: bool,
    /// A full agent of ours decides, and not what comes here.
    led: bool,
}

impl Session {
    /// Nothing has come yet. `local` and `remote` are the username fragments; `two` says that RTCP is a component of its own.
    #[must_use]
    pub(crate) fn new(local: Box<str>, remote: Box<str>, two: bool) -> Self {
        Self { local, remote, previous: None, paths: Default::default(), two, led: false }
    }

    /// One that a full agent of ours leads.
    #[must_use]
    pub(crate) fn led(self) -> Self {
        Self { led: true, ..self }
    }

    /// The agent has found the peer there.
    pub(crate) fn found(&mut self, component: Component, source: SocketAddr, now_millis: u64) {
        self.path_mut(component).note(Valid { source, priority: 0, millis: now_millis });
    }

    /// The agent has media go there.
    pub(crate) fn lead(&mut self, component: Component, to: SocketAddr, now_millis: u64) {
        self.found(component, to, now_millis);
        self.path_mut(component).selected = Some(to);
        if self.standing().completed {
            self.paths.iter_mut().for_each(|path| path.previous = None);
        }
    }

    /// The agent has no way to the peer.
    pub(crate) fn lose(&mut self, component: Component) {
        let path = self.path_mut(component);
        (path.selected, path.previous, path.valid) = (None, None, [None; ROOM]);
    }

    /// The peer's username fragment.
    #[must_use]
    pub(crate) fn remote(&self) -> &str {
        &self.remote
    }

    /// Whether the peer's username fragment was this one before a restart that is not completed. Its checks say that it consents to
    /// what still goes to where it was (RFC 8445 §9, RFC 7675 §5.1).
    #[must_use]
    pub(crate) fn went_by(&self, remote: &[u8]) -> bool {
        self.previous.as_ref().is_some_and(|previous| previous.as_bytes() == remote)
    }

    /// Whether these are the username fragments of this session (RFC 8839 §4.4.1.1.1).
    #[must_use]
    pub(crate) fn is(&self, local: &str, remote: &str) -> bool {
        *self.local == *local && *self.remote == *remote
    }

    /// Whether RTCP is a component of its own, from now on.
    pub(crate) fn set_two(&mut self, two: bool) {
        self.two = two;
    }

    /// This session in place of another one: media goes on to where it went until this one is completed (RFC 8445 §9, §12.1).
    #[must_use]
    pub(crate) fn after(mut self, before: &Self) -> Self {
        let gone_on = before.previous.as_ref().filter(|_| !before.standing().completed);
        self.previous = Some(gone_on.unwrap_or(&before.remote).clone());
        for component in [Component::Rtp, Component::Rtcp] {
            let (target, heard_millis) = (before.target(component), before.path(component).heard_millis);
            let path = self.path_mut(component);
            (path.previous, path.heard_millis) = (target, heard_millis);
        }
        self
    }

    /// A check has come that was answered with success; true when it changed what is selected.
    pub(crate) fn checked(
        &mut self,
        component: Component,
        source: SocketAddr,
        priority: u32,
        nominates: bool,
        now_millis: u64,
    ) -> bool {
        let path = self.path_mut(component);
        path.note(Valid { source, priority, millis: now_millis });
        if path.selected == Some(source) || path.previous == Some(source) {
            path.heard_millis = now_millis;
        }
        if path.selected == Some(source) {
            return false;
        }
        if !nominates || !path.gives_way(priority, now_millis) {
            return false;
        }
        (path.selected, path.heard_millis) = (Some(source), now_millis);
        if self.standing().completed {
            self.paths.iter_mut().for_each(|path| path.previous = None);
            self.previous = None;
        }
        true
    }

    /// Something came from there, be it media or a keepalive.
    pub(crate) fn heard(&mut self, component: Component, source: SocketAddr, now_millis: u64) {
        if self.target(component) == Some(source) {
            self.path_mut(component).heard_millis = now_millis;
        }
    }

    pub(crate) fn knows(&self, component: Component, source: SocketAddr) -> Known {
        let path = self.path(component);
        if self.target(component) == Some(source) {
            Known::Selected
        } else if path.valid.iter().flatten().any(|valid| valid.source == source) {
            Known::Valid
        } else {
            Known::Not
        }
    }

    /// Where media goes to: nowhere before a pair is nominated for each component (RFC 8445 §12.1.1), nor once nothing has come for
    /// [`CONSENT_MILLIS`].
    #[must_use]
    pub(crate) fn destination(&self, component: Component, now_millis: u64) -> Option<SocketAddr> {
        let heard_millis = self.path(component).heard_millis;
        let consents = self.led || now_millis.saturating_sub(heard_millis) <= CONSENT_MILLIS;
        self.target(component).filter(|_| consents)
    }

    fn target(&self, component: Component) -> Option<SocketAddr> {
        let path = self.path(component);
        if self.standing().completed { path.selected } else { path.previous }
    }

    /// How far it has come.
    #[must_use]
    pub(crate) fn standing(&self) -> Standing {
        let [rtp, rtcp] = [Component::Rtp, Component::Rtcp].map(|component| self.path(component).selected);
        Standing { completed: rtp.is_some() && (rtcp.is_some() || !self.two), rtp, rtcp }
    }

    fn path(&self, component: Component) -> &Path {
        let [rtp, rtcp] = &self.paths;
        match component {
            Component::Rtp => rtp,
            Component::Rtcp => rtcp,
        }
    }

    fn path_mut(&mut self, component: Component) -> &mut Path {
        let [rtp, rtcp] = &mut self.paths;
        match component {
            Component::Rtp => rtp,
            Component::Rtcp => rtcp,
        }
    }
}

impl Path {
    /// Whether an address that is nominated, with this priority, takes the place of the selected one. Of several that are
    /// nominated the one of the highest priority is used (RFC 8445 §8.1.1); one that is no more heard gives way to any.
    fn gives_way(&self, priority: u32, now_millis: u64) -> bool {
        let Some(selected) = self.selected else { return true };
        let of_selected = self.valid.iter().flatten().find(|valid| valid.source == selected);
        of_selected.is_none_or(|valid| priority > valid.priority)
            || now_millis.saturating_sub(self.heard_millis) > SILENCE_MILLIS
    }

    /// Remembers an address, in place of the one that was heard longest ago where there is no room.
    fn note(&mut self, noted: Valid) {
        let selected = self.selected;
        let known = self.valid.iter().position(|slot| slot.is_some_and(|valid| valid.source == noted.source));
        let place = known.or_else(|| self.valid.iter().position(Option::is_none)).or_else(|| {
            let others = self.valid.iter().enumerate().filter_map(|(place, slot)| Some((place, (*slot)?)));
            let others = others.filter(|(_, valid)| Some(valid.source) != selected);
            others.min_by_key(|(_, valid)| valid.millis).map(|(place, _)| place)
        });
        if let Some(slot) = place.and_then(|place| self.valid.get_mut(place)) {
            *slot = Some(noted);
        }
    }
}
