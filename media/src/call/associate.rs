//! Where the keys of a stream come from: what an offer of ours has, and which DTLS association descriptions agree on (RFC 8842).

use std::sync::Arc;

use super::party::{Association, Link, Party, Stream};
use crate::Latching;
use crate::dtls::{Role, Terms};
use crate::keying::{Handshake, Keyed, Keying, Profile, Said, SrtpUse, plain_profile};
use crate::relay::Srtp;
use crate::srtp::Protection;

impl Party {
    pub(super) fn link(&self, section: usize) -> Option<&Link> {
        self.streams.get(section).and_then(|stream| stream.link.as_ref())
    }

    /// Where the keys of a stream may come from that we offer; empty where it is plain, `None` where it must not be and cannot but be. What
    /// stands stays as it is, and so does plain RTP where the peer wants that.
    pub(super) fn offers(&self, section: usize) -> Option<&[Keying]> {
        let security = &self.security;
        match self.link(section).map(|link| &link.srtp) {
            Some(Some(Srtp::Keys(_))) => security.keys.then_some(&[Keying::Sdes]),
            Some(Some(Srtp::Dtls(_))) => Some(&[Keying::Dtls]),
            Some(None) if self.is_unread(section) => {
                let kind: &[Keying] = match self.theirs.standing.get(section).map(|keyed| &keyed.said) {
                    Some(Said::Sdes(_)) => &[Keying::Sdes],
                    Some(Said::Dtls(_)) => &[Keying::Dtls],
                    Some(Said::Nothing) | None => return None,
                };
                kind.iter().all(|keying| security.has(*keying)).then_some(kind)
            }
            Some(None) if security.srtp == SrtpUse::Preferred => Some(&[]),
            Some(None) | None => {
                let offered = security.offered();
                (security.srtp != SrtpUse::Required || !offered.is_empty()).then_some(offered)
            }
        }
    }

    /// Whether the transport protocol of such an offer says that the stream is protected.
    pub(super) fn offers_secure(&self, section: usize) -> bool {
        let offers = self.offers(section).is_some_and(|keyings| !keyings.is_empty());
        let stands = || {
            let keyed = self.link(section).is_some_and(|link| link.srtp.is_some());
            (keyed || self.is_unread(section))
                && self.theirs.standing.get(section).is_some_and(|of| of.proto.is_some())
        };
        let as_stands = matches!(self.security.srtp, SrtpUse::Opportunistic | SrtpUse::AsOffered);
        offers && (!as_stands || stands())
    }

    /// Whether a stream is still protected by keys of the peers' own, though keys of this leg end with us by now, or by those of an
    /// association that is no more: it has to be offered keys of ours in their place, of the kind that it has.
    pub(super) fn is_unread(&self, section: usize) -> bool {
        self.security.ends() && self.link(section).is_some_and(|link| link.dtls)
    }

    /// Whether an offer of a stream has a handshake.
    pub(super) fn offers_dtls(&self, section: usize) -> bool {
        self.offers(section).is_some_and(|keyings| keyings.contains(&Keying::Dtls))
    }

    /// Whether it is a browser that is offered one: a stream of our own, too, has feedback then, and a group for bundling.
    pub(super) fn offers_to_browser(&self, section: usize) -> bool {
        self.security.browser && self.offers_dtls(section) && self.offers_secure(section)
    }

    /// The plain profile that a stream is offered by, where it is another one than that of whom it is from: to a browser with the feedback
    /// of RFC 4585, from one without, as a trunk may not know of it.
    pub(super) fn stated_profile(
        &self,
        section: usize,
        proto: &str,
        from: Option<&Keyed>,
    ) -> Option<&'static str> {
        let Profile::Plain { feedback } = Profile::of(proto) else { return None };
        let is_of_browser = |keyed: Option<&Keyed>| keyed.is_some_and(Keyed::is_of_browser);
        let wanted = if self.offers_dtls(section) && self.offers_secure(section) {
            feedback || self.security.browser || is_of_browser(self.theirs.last().get(section))
        } else {
            feedback && !is_of_browser(from)
        };
        (wanted != feedback).then(|| plain_profile(wanted))
    }

    /// Who we are where the peer leaves it to us: the client, so that nothing is waited for (RFC 5763 §5). Where the peer may be behind a
    /// NAT, what it sends first has to tell us where it is.
    pub(super) fn role(&self, link: &Link) -> Role {
        let is_known = self.latching == Latching::Described || link.ice.is_some();
        if is_known { Role::Client } else { Role::Server }
    }

    /// The association that stands, if it goes on by what the peer says now (RFC 8842 §3.1): `role` is the one that it leaves us.
    pub(super) fn stands(
        &self,
        section: usize,
        now: &Link,
        (theirs, role): (&Handshake, Option<Role>),
    ) -> Option<(&Arc<Terms>, &Association)> {
        let before = self.link(section)?;
        let (Some(Srtp::Dtls(terms)), Some(association)) = (&before.srtp, &before.association) else {
            return None;
        };
        // With ICE the address is no sign (RFC 8842 §6), and on hold by that of nowhere the peer has not moved.
        let moved = now.ice.is_none() && now.send && before.remote != now.remote;
        let goes_on =
            !theirs.is_another(&association.theirs, moved) && role.is_none_or(|role| role == terms.role);
        goes_on.then_some((terms, association))
    }

    /// Has a stream's keys come from an association: the one that stands, or another one.
    pub(super) fn associate(
        &self,
        section: usize,
        link: &mut Link,
        (theirs, role): (&Handshake, Role),
        ours: Option<Box<str>>,
    ) {
        let Some(identity) = self.security.identity.clone() else { return };
        let terms = match self.stands(section, link, (theirs, Some(role))) {
            Some((terms, _)) => Arc::clone(terms),
            None => {
                let last = self.streams.get(section).map_or(0, |stream| stream.associations);
                Arc::new(Terms {
                    association: last.wrapping_add(1),
                    role,
                    identity,
                    fingerprints: theirs.fingerprints.clone(),
                    suites: Arc::clone(&self.security.suites),
                    newest: self.security.dtls,
                })
            }
        };
        link.srtp = Some(Srtp::Dtls(terms));
        link.association = Some(Association { theirs: theirs.clone(), ours });
    }
}

impl Stream {
    /// Its port goes, and all that was told of its keys.
    pub(super) fn begin_keys_anew(&mut self) {
        self.keys.clear();
        self.stale = false;
        (self.tls_id, self.associations) = (None, 0);
    }

    /// What was settled of keys is in force; `before` is what was.
    pub(super) fn settle_keys(&mut self, before: Option<&Srtp>) {
        let now = self.link.as_ref().and_then(|link| link.srtp.as_ref());
        if let Some(Srtp::Dtls(terms)) = now {
            self.associations = terms.association;
        }
        let ours =
            self.link.as_ref().and_then(|link| link.association.as_ref()).and_then(|of| of.ours.as_ref());
        if let Some(name) = ours {
            self.tls_id = Some(name.clone());
        }
        let before = before.and_then(Srtp::keys);
        let of_both = before.zip(now.and_then(Srtp::keys));
        self.stale = of_both.is_some_and(|(before, now)| {
            before.send == now.send && (self.stale || before.is_of_another(&now.receive))
        });
        self.forget_keys(before);
    }

    /// Another key has taken the place of one, which is not told again.
    fn forget_keys(&mut self, before: Option<&Arc<Protection>>) {
        let now = self.link.as_ref().and_then(|link| link.srtp.as_ref()).and_then(Srtp::keys);
        if let Some(before) = before.filter(|before| now.is_none_or(|now| now.send != before.send)) {
            self.keys.retain(|key| *key != before.send);
        }
    }
}
