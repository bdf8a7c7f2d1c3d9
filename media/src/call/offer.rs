//! Offers, received and made (RFC 3264 §5, §8).

use bytes::Bytes;
use sdp::{Description, Direction, Media};

use super::links::can_share;
use super::party::{Exchange, Party, Side, Stream};
use super::{CallMedia, Connections, Mode, sections};
use crate::keying::Keyed;
use crate::negotiate::{
    Bundle, Composition, Described, Misuse, Reach, Refusal, Slot, Text, compose, connected, describe,
    is_secure,
};
use crate::{ContextId, PartyId, Ports};

impl CallMedia {
    /// A description came from `from` that is an offer.
    ///
    /// # Errors
    /// Why it has to be refused; nothing has changed then.
    pub fn receive_offer(&mut self, from: PartyId, sdp: &[u8]) -> Result<(), Refusal> {
        let party = self.party(from)?;
        if party.exchange != Exchange::Idle {
            return Err(Refusal::Misuse(Misuse::OfferPending));
        }
        let text = Bytes::copy_from_slice(sdp);
        let (description, plain) = self.plain_offer(&text, party)?;
        let (has, needed) = (description.media_count(), party.streams.len());
        if has < needed {
            return Err(Refusal::Sections { has, needed });
        }
        self.check(&description, party)?;
        let party = self.party_mut(from)?;
        if party.remote.is_none() && party.local.is_none() {
            party.first_offer = Some((Side::Them, plain.text.clone()));
            party.first_keyed.clone_from(&plain.keyed);
        }
        party.theirs.pending = Some(plain.keyed);
        party.exchange = Exchange::Received(plain.text);
        Ok(())
    }

    /// Borrows the ports that our answer to the pending offer of `of` will need: nobody is called whom no answer could
    /// be brought back from.
    ///
    /// # Errors
    /// [`Refusal::Ports`]; nothing has changed then.
    pub fn reserve(&mut self, of: PartyId, ports: &mut dyn Ports) -> Result<(), Refusal> {
        let party = self.party(of)?;
        let Exchange::Received(offer) = &party.exchange else { return Ok(()) };
        if self.mode == Mode::Bypass {
            return Ok(());
        }
        let (reach, standing) = (party.reach(), party.streams.len());
        let offer = sections::reread(offer);
        let mut taking = self.taking(of, &offer)?;
        let reserved = offer.media().enumerate().try_for_each(|(section, media)| {
            self.stream_at(of, section)?;
            match self.described(section, &media, reach)? {
                Described::Relayed(_) if taking.has(section) => {
                    self.bundled_context(of, section, &mut taking, ports)?;
                }
                Described::Relayed(_) if !taking.is_stuck(section) => {
                    self.lone_context(of, section, ports)?;
                }
                Described::Relayed(_) | Described::Rejected | Described::Around | Described::Refused => {}
            }
            Ok(())
        });
        if reserved.is_err() {
            self.roll_back(of, standing);
        }
        reserved
    }

    /// Every stream that we shall relay must say where its peer is, and if there are streams, we must take one.
    fn check(&self, description: &Description, party: &Party) -> Result<(), Refusal> {
        if self.mode == Mode::Bypass {
            return Ok(());
        }
        let (mut taken, mut refused) = (false, None);
        for (section, media) in description.media().enumerate() {
            match self.described(section, &media, party.reach())? {
                Described::Relayed(_) | Described::Around => taken = true,
                Described::Refused => refused = refused.or(Some(section)),
                Described::Rejected => {}
            }
        }
        match refused.filter(|_| !taken) {
            Some(section) => Err(Refusal::Transport { section }),
            None => Ok(()),
        }
    }

    /// What a section of an anchored call says of its transport, and what we make of it.
    pub(super) fn described(
        &self,
        section: usize,
        media: &Media<'_>,
        reach: Reach,
    ) -> Result<Described, Refusal> {
        match (describe(section, media, reach)?, self.connections) {
            (Described::Around, Connections::Refused) => Ok(Described::Refused),
            (Described::Around, Connections::Relayed) => connected(section, media, reach),
            (described, _) => Ok(described),
        }
    }

    /// Our offer to `to`, from what `from` has offered, or has last described when no offer of its own is pending.
    /// Streams keep their places and their ports; those that `from` does not have are offered with port 0 (RFC 3264
    /// §8.2). The version of `o=` goes up by one when the text is not the one that was sent last (§8).
    ///
    /// # Errors
    /// Why there is none; nothing has changed then.
    pub fn compose_offer(
        &mut self,
        to: PartyId,
        from: PartyId,
        ports: &mut dyn Ports,
    ) -> Result<Bytes, Refusal> {
        if self.party(to)?.exchange != Exchange::Idle {
            return Err(Refusal::Misuse(Misuse::OfferPending));
        }
        if self.party(from)?.security.ends() {
            self.end_alike(to, from)?;
        }
        let source = self.party(from)?;
        let source_reach = source.reach();
        let willing = source.introduced.then_some(from);
        let described = match &source.exchange {
            Exchange::Received(offer) => Some(offer),
            Exchange::Idle | Exchange::Sent(_) => source.remote.as_ref(),
        };
        let described = described.ok_or(Refusal::Misuse(Misuse::NothingDescribed))?;
        let (source, keyed) = self.seen_by(self.party(to)?, source, described)?;
        let source = self.with_codecs(to, from, source, ports);
        let source = self.offered_keys(to, Some(from), &source).unwrap_or(source);
        let party = self.party(to)?;
        let frame = party.local.as_ref().map(sections::reread);
        let standing = party.streams.len();
        let borrowed = self.offered_slots(to, (&source, &keyed), (source_reach, willing), ports);
        let (slots, bundle) = match borrowed {
            Ok(slots) => slots,
            Err(refusal) => {
                self.roll_back(to, standing);
                return Err(refusal);
            }
        };
        let anchored = self.mode == Mode::Anchored;
        let ice = self.offered_ice(to, &source, &slots, bundle.as_ref())?;
        let party = self.party(to)?;
        let (frame, own) = (frame.as_ref(), party.own);
        let text = compose(&Composition {
            source: &source,
            frame,
            answer: false,
            anchored,
            own,
            nowhere: None,
            slots: &slots,
            ice: &ice,
            bundle: bundle.as_ref(),
        });
        self.publish_offer(to, text, (standing, false))
    }

    /// Our offer to `to` that changes nothing: the text that was sent last, if that is what stands (RFC 4028 §7.4). If another offer
    /// has failed meanwhile, it is composed anew from what `from` has described.
    ///
    /// # Errors
    /// Why there is none; nothing has changed then.
    pub fn offer_again(
        &mut self,
        to: PartyId,
        from: PartyId,
        ports: &mut dyn Ports,
    ) -> Result<Bytes, Refusal> {
        let party = self.party_mut(to)?;
        if party.exchange != Exchange::Idle {
            return Err(Refusal::Misuse(Misuse::OfferPending));
        }
        let mut sections = party.streams.iter().enumerate();
        let rekeys = sections.any(|(section, stream)| stream.stale || party.is_unread(section));
        let local = party.local.clone().filter(|local| party.sent.as_ref() == Some(local) && !rekeys);
        let Some(local) = local else {
            return self.compose_offer(to, from, ports);
        };
        party.standing = party.streams.len();
        party.ours.pending = Some(party.ours.standing.clone());
        party.exchange = Exchange::Sent(local.clone());
        Ok(local)
    }

    /// Our description that stands towards a party.
    #[must_use]
    pub fn described_to(&self, party: PartyId) -> Option<Bytes> {
        self.party(party).ok().and_then(|party| party.local.clone())
    }

    /// Whether an offer of that party says what it has described last: all but the version in `o=` (RFC 8866 §5.2).
    pub fn is_unchanged(&self, party: PartyId, sdp: &[u8]) -> bool {
        let Ok(party) = self.party(party) else { return false };
        let Some(described) = &party.remote else { return false };
        if !party.security.ends() {
            let text = Bytes::copy_from_slice(sdp);
            let read = sections::parse(&text, &self.limits).map(|read| self.taken_apart(&text, read).0);
            return says_the_same(described, &read.unwrap_or(text));
        }
        let plain = self.plain_offer(&Bytes::copy_from_slice(sdp), party);
        plain.is_ok_and(|(_, plain)| {
            let repeats = |(now, before): (&Keyed, &Keyed)| now.repeats(before);
            says_the_same(described, &plain.text)
                && plain.keyed.len() == party.theirs.standing.len()
                && plain.keyed.iter().zip(&party.theirs.standing).all(repeats)
        })
    }

    /// What becomes of each section in an offer of ours, with ports borrowed for those that need them.
    fn offered_slots(
        &mut self,
        to: PartyId,
        (source, keyed): (&Description, &[Keyed]),
        (source_reach, willing): (Reach, Option<PartyId>),
        ports: &mut dyn Ports,
    ) -> Result<(Vec<Slot>, Option<Bundle>), Refusal> {
        let found = self.party(to)?;
        let profile = |(section, media): (usize, Media<'_>)| {
            found.stated_profile(section, media.line().proto, keyed.get(section))
        };
        let profiles: Vec<_> = source.media().enumerate().map(profile).collect();
        let (members, base) = self.bundle_to_offer(to, source, (source_reach, &profiles))?;
        let mut slots = Vec::new();
        for (section, media) in source.media().enumerate() {
            let described = if self.mode == Mode::Anchored {
                self.described(section, &media, source_reach)?
            } else if media.line().port == 0 {
                Described::Rejected
            } else {
                Described::Around
            };
            let slot = match described {
                Described::Rejected | Described::Refused => Slot::Rejected,
                Described::Around => Slot::Around,
                Described::Relayed(endpoint) => {
                    let context = match self.party(to)?.is_unread(section) {
                        true => self.other_context(to, section, ports)?,
                        false => match base.filter(|_| members.contains(&section)) {
                            Some(base) => self.context_on(to, section, base)?,
                            None => self.lone_context(to, section, ports)?,
                        },
                    };
                    let kept = self.link_mux(to, section) && !is_secure(media.line().proto);
                    let port = self.port(context.pair).unwrap_or_default();
                    let direction = self.willing(willing, section, endpoint.direction);
                    let found = self.party(to)?;
                    // One handshake in place of two, and a browser asks for it (RFC 8834 §4.5).
                    let wanted = found.offers_dtls(section) || members.contains(&section);
                    let dtls = wanted && can_share(&media);
                    let profile = profiles.get(section).copied().flatten();
                    // What is secret between the two is as they have it (RFC 5761 §4).
                    let can = is_secure(media.line().proto) || can_share(&media);
                    Slot::Relayed { port, mux: (endpoint.mux || kept || dtls) && can, direction, profile }
                }
            };
            self.stream_at(to, section)?;
            slots.push(slot);
        }
        let missing = self.party(to)?.streams.len().saturating_sub(slots.len());
        slots.extend(std::iter::repeat_n(Slot::Padded, missing));
        let bundle = self.offered_bundle(to, source, &members, &slots);
        Ok((slots, bundle))
    }

    /// The direction of a section that is described so, where it is of a party that is introduced to somebody.
    pub(super) fn willing(&self, of: Option<PartyId>, section: usize, stated: Direction) -> Direction {
        let party = of.and_then(|of| self.party(of).ok());
        party.map_or(stated, |party| party.willing(section, stated))
    }

    fn link_mux(&self, party: PartyId, section: usize) -> bool {
        let stream = self.party(party).ok().and_then(|party| party.streams.get(section));
        stream.and_then(|stream| stream.link.as_ref()).is_some_and(|link| link.mux)
    }

    /// The stream in this place, made when it is the next new one.
    pub(super) fn stream_at(&mut self, party: PartyId, section: usize) -> Result<&mut Stream, Refusal> {
        let streams = &mut self.party_mut(party)?.streams;
        if streams.len() <= section {
            streams.reserve_exact(section + 1 - streams.len());
            streams.resize_with(section + 1, Stream::default);
        }
        streams.get_mut(section).ok_or(Refusal::Misuse(Misuse::UnknownParty))
    }

    /// The stream's local ports, borrowed when it has none.
    pub(super) fn stream_context(
        &mut self,
        party: PartyId,
        section: usize,
        ports: &mut dyn Ports,
    ) -> Result<ContextId, Refusal> {
        if let Some(context) = self.stream_at(party, section)?.context {
            return Ok(context);
        }
        let context = self.borrow(party, ports)?;
        let stream = self.stream_at(party, section)?;
        (stream.context, stream.fresh) = (Some(context), true);
        Ok(context)
    }

    /// The pending offer of either side failed, or we refused it: what stood before stands (RFC 3264 §8, RFC 6141 §3.4).
    pub fn offer_failed(&mut self, party: PartyId) {
        let Ok(found) = self.party_mut(party) else { return };
        let standing = found.standing;
        (found.theirs.pending, found.ours.pending) = (None, None);
        match std::mem::replace(&mut found.exchange, Exchange::Idle) {
            Exchange::Sent(_) | Exchange::Received(_) => self.roll_back(party, standing),
            Exchange::Idle => {}
        }
    }

    /// Gives back what was borrowed for an offer or answer that came to nothing.
    pub(super) fn roll_back(&mut self, party: PartyId, standing: usize) {
        let Ok(found) = self.party_mut(party) else { return };
        let mut unused = Vec::new();
        for stream in found.streams.iter_mut().filter(|stream| stream.fresh) {
            stream.fresh = false;
            stream.begin_keys_anew();
            unused.extend(stream.context.take());
        }
        found.streams.truncate(standing);
        for context in unused {
            self.drop_context(context, false);
        }
    }
}

/// Whether two descriptions differ in nothing but `o=`.
fn says_the_same(a: &[u8], b: &[u8]) -> bool {
    let lines =
        |text| <[u8]>::split(text, |byte| *byte == b'\n').filter(|line: &&[u8]| !line.starts_with(b"o="));
    lines(a).eq(lines(b))
}

impl Party {
    /// Gives a composed text its version: that of the last one if they are equal, else one more (RFC 3264 §8).
    pub(super) fn publish(&mut self, text: Text) -> Bytes {
        let Text { mut bytes, version } = text;
        if let Some(sent) = &self.sent {
            if *sent == bytes {
                return sent.clone();
            }
            self.own.version += 1;
            bytes.splice(version, self.own.version.to_string().into_bytes());
        }
        // A description is kept as long as the call: in memory of its own size.
        let text = Bytes::copy_from_slice(&bytes);
        self.sent = Some(text.clone());
        text
    }
}
