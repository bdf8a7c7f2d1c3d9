//! Answers, received and made (RFC 3264 §6, §7).

use bytes::Bytes;
use sdp::{Description, Direction, Media};

use super::bundle::agreed;
use super::links::{link, shares_port};
use super::party::{Exchange, Link, Side, Stream};
use super::{CallMedia, Mode, own, sections};
use crate::keying::{Profile, plain_profile};
use crate::negotiate::{
    Bundle, Composition, Described, IceLines, Misuse, Reach, Refusal, Slot, Transport, apart, compose,
    is_secure, transport,
};
use crate::police::Together;
use crate::{ContextId, PartyId, Ports};

/// What an exchange has settled for one section.
#[expect(
    clippy::large_enum_variant,
    reason = "nearly all are relayed, and none lasts longer than its exchange"
)]
pub(super) enum Outcome {
    Dead,
    Around(Direction),
    Relayed(Link, Direction),
}

impl CallMedia {
    /// A description came from `from` that is an answer to our offer, or the same answer again, or another in its
    /// place (in a later provisional response or the 2xx of the same dialog).
    ///
    /// # Errors
    /// Why it cannot be taken; nothing has changed then.
    pub fn receive_answer(&mut self, from: PartyId, sdp: &[u8]) -> Result<(), Refusal> {
        let party = self.party(from)?;
        let (offer, again) = match (&party.exchange, party.answered, &party.local) {
            (Exchange::Sent(offer), _, _) => (offer.clone(), false),
            (Exchange::Idle, Some(Side::Them), Some(local)) => (local.clone(), true),
            _ => return Err(Refusal::Misuse(Misuse::NoOffer)),
        };
        let text = Bytes::copy_from_slice(sdp);
        if again && self.repeats(party, &text) {
            return Ok(());
        }
        let local = sections::reread(&offer);
        let (answer, plain) = self.plain_answer(&text, party, &local)?;
        if again && party.remote.as_ref() == Some(&plain.text) && party.theirs.standing == plain.keyed {
            return Ok(());
        }
        let (has, needed) = (answer.media_count(), local.media_count());
        if has != needed {
            return Err(Refusal::Sections { has, needed });
        }
        let mut outcomes = self.outcomes(from, &local, &answer, Side::Them)?;
        let bundled = Bundle::agreed(&local, &answer);
        self.secure_outcomes(self.party(from)?, &plain.keyed, (&mut outcomes, &bundled))?;
        self.party_mut(from)?.theirs.pending = Some(plain.keyed);
        self.settle(from, Side::Them, offer, plain.text, outcomes)?;
        self.mark_worn();
        Ok(())
    }

    /// Our answer to the offer of `to`, from what `from` has answered (or last described, or offers now). One section for each of
    /// the offer's, in its order, of its media type, with its `t=` and within its directions (RFC 3264 §6). Called
    /// again while no new offer came, it makes the answer anew: the same text unless `from` has described something
    /// else since. What `from` has not said in answer to that offer may have formats that the offer does not: they are left out.
    ///
    /// # Errors
    /// Why there is none; nothing has changed then.
    pub fn compose_answer(
        &mut self,
        to: PartyId,
        from: PartyId,
        ports: &mut dyn Ports,
    ) -> Result<Bytes, Refusal> {
        self.offer_to_answer(to)?;
        self.end_alike(to, from)?;
        let source = self.party(from)?;
        let source_reach = source.reach();
        let willing = source.introduced.then_some(from);
        let (described, answers) = match &source.exchange {
            Exchange::Received(offer) => (Some(offer), false),
            Exchange::Idle | Exchange::Sent(_) => {
                (source.remote.as_ref(), source.answered == Some(Side::Them))
            }
        };
        let described = described.ok_or(Refusal::Misuse(Misuse::NothingDescribed))?;
        let (mut described, _) = self.seen_by(self.party(to)?, source, described)?;
        let offer = sections::reread(self.offer_to_answer(to)?);
        if let Some(coded) = self.answered_codecs(to, Some(from), &described, &offer) {
            described = coded;
        }
        if !answers && let Some(common) = own::common(&described, &offer) {
            described = common;
        }
        if let Some(keyed) = self.answered_keys(to, Some(from), &described, &offer) {
            described = keyed;
        }
        self.answer_from(to, (&described, source_reach, willing), ports)
    }

    /// The offer of a party that an answer of ours is for: the pending one, or that which we have answered last.
    pub(super) fn offer_to_answer(&self, to: PartyId) -> Result<&Bytes, Refusal> {
        let party = self.party(to)?;
        match (&party.exchange, party.answered, &party.remote) {
            (Exchange::Received(offer), _, _) => Ok(offer),
            (Exchange::Idle, Some(Side::Us), Some(remote)) => Ok(remote),
            _ => Err(Refusal::Misuse(Misuse::NoOffer)),
        }
    }

    /// As [`compose_answer`](Self::compose_answer), from that description.
    pub(super) fn answer_from(
        &mut self,
        to: PartyId,
        (source, source_reach, willing): (&Description, Reach, Option<PartyId>),
        ports: &mut dyn Ports,
    ) -> Result<Bytes, Refusal> {
        let offer_text = self.offer_to_answer(to)?.clone();
        let offer = sections::reread(&offer_text);
        let standing = self.party(to)?.streams.len();
        let slots = self.answered_slots(to, &offer, (source, source_reach, willing), ports);
        let (slots, bundle) = match slots {
            Ok(slots) => slots,
            Err(refusal) => {
                self.roll_back(to, standing);
                return Err(refusal);
            }
        };
        let anchored = self.mode == Mode::Anchored;
        let own = self.party(to)?.own;
        let ice = self.answered_ice(to, &offer, &slots, bundle.as_ref())?;
        let text = compose(&Composition {
            source,
            frame: Some(&offer),
            answer: true,
            anchored,
            own,
            nowhere: None,
            slots: &slots,
            ice: &ice,
            bundle: bundle.as_ref(),
        });
        self.party_mut(to)?.made = false;
        self.publish_answer(to, text, offer_text)
    }

    /// Our answer to an offer of `to` that nothing comes of: every stream is rejected (RFC 3264 §6).
    ///
    /// # Errors
    /// There is no offer, or it cannot be answered.
    pub fn compose_refusal(&mut self, to: PartyId) -> Result<Bytes, Refusal> {
        let party = self.party(to)?;
        let Exchange::Received(offer_text) = party.exchange.clone() else {
            return Err(Refusal::Misuse(Misuse::NoOffer));
        };
        let offer = sections::reread(&offer_text);
        let slots = vec![Slot::Rejected; offer.media().count()];
        let (own, anchored) = (party.own, self.mode == Mode::Anchored);
        let text = compose(&Composition {
            source: &offer,
            frame: Some(&offer),
            answer: true,
            anchored,
            own,
            nowhere: None,
            slots: &slots,
            ice: &IceLines::default(),
            bundle: None,
        });
        self.publish_answer(to, text, offer_text)
    }

    /// What becomes of each section of the offer.
    fn answered_slots(
        &mut self,
        to: PartyId,
        offer: &Description,
        (source, source_reach, willing): (&Description, Reach, Option<PartyId>),
        ports: &mut dyn Ports,
    ) -> Result<(Vec<Slot>, Option<Bundle>), Refusal> {
        let mut taking = self.taking(to, offer)?;
        let to_reach = self.party(to)?.reach();
        let mut slots = Vec::new();
        let mut answers = source.media();
        for (section, offered) in offer.media().enumerate() {
            self.stream_at(to, section)?;
            let same = |media: &Media<'_>| {
                let (line, offered) = (media.line(), offered.line());
                line.media == offered.media
                    && (self.mode == Mode::Bypass || is_its(line.proto, offered.proto))
            };
            let Some(answer) = answers.next().filter(same) else {
                slots.push(Slot::Padded);
                continue;
            };
            let dead = offered.line().port == 0 || answer.line().port == 0;
            if dead || self.mode == Mode::Bypass {
                slots.push(match (offered.line().port, answer.line().port) {
                    (0, _) => Slot::Padded,
                    // An answer has the protocol of the offer (RFC 3264 §6.1).
                    (_, 0) if is_secure(offered.line().proto) != is_secure(answer.line().proto) => {
                        Slot::Padded
                    }
                    (_, 0) => Slot::Rejected,
                    _ => Slot::Around,
                });
                continue;
            }
            let offered_proto = offered.line().proto;
            let mux_only = offered.section().attribute("rtcp-mux-only").is_some();
            let offered = self.described(section, &offered, to_reach)?;
            slots.push(match (offered, self.described(section, &answer, source_reach)?) {
                (Described::Relayed(theirs), Described::Relayed(far)) => {
                    if taking.is_stuck(section) {
                        slots.push(Slot::Rejected);
                        continue;
                    }
                    let context = match taking.has(section) {
                        true => self.bundled_context(to, section, &mut taking, ports)?,
                        false => self.lone_context(to, section, ports)?,
                    };
                    let port = self.port(context.pair).unwrap_or_default();
                    let mux = theirs.mux && shares_port(&answer, &far);
                    if (mux_only || taking.is_shared(section)) && !mux {
                        // RFC 8858 §4.3, RFC 9143 §9.3
                        slots.push(Slot::Rejected);
                        continue;
                    }
                    let far = self.willing(willing, section, far.direction);
                    let profile = answered_profile(&answer, offered_proto);
                    Slot::Relayed { port, mux, direction: far.and(theirs.direction.reversed()), profile }
                }
                (Described::Around, Described::Around) => Slot::Around,
                _ => Slot::Padded,
            });
        }
        let bundle = taking.answered(&slots);
        Ok((slots, bundle))
    }

    /// What an exchange has settled with a party, of whose two descriptions `local` is ours and `remote` theirs.
    pub(super) fn outcomes(
        &self,
        party: PartyId,
        local: &Description,
        remote: &Description,
        answered: Side,
    ) -> Result<Vec<Outcome>, Refusal> {
        let found = self.party(party)?;
        let reach = found.reach();
        // Whoever has made the offer controls (RFC 8445 §6.1.1).
        let agent = (found.behind, answered == Side::Them);
        let mut outcomes = Vec::new();
        let whole = (self.mode == Mode::Anchored).then(|| apart(local)).flatten().map(Description::reread);
        let local = whole.as_ref().unwrap_or(local);
        for (section, (ours, theirs)) in local.media().zip(remote.media()).enumerate() {
            let direction = |theirs: Direction| ours.direction().and(theirs.reversed());
            let outcome = if ours.line().port == 0 || theirs.line().port == 0 {
                Outcome::Dead
            } else if self.mode == Mode::Bypass {
                Outcome::Around(direction(theirs.direction()))
            } else if !is_its(theirs.line().proto, ours.line().proto) {
                // No answer to what was offered (RFC 3264 §6).
                Outcome::Dead
            } else {
                match self.described(section, &theirs, reach)? {
                    Described::Rejected | Described::Refused => Outcome::Dead,
                    Described::Around => Outcome::Around(direction(theirs.direction())),
                    Described::Relayed(endpoint) => {
                        let mut link = link((&ours, &theirs), &endpoint, agent);
                        link.tcp = endpoint.tcp.then(|| super::connect::by((&ours, &theirs), answered));
                        Outcome::Relayed(link, direction(endpoint.direction))
                    }
                }
            };
            outcomes.push(outcome);
        }
        Ok(outcomes)
    }

    /// An exchange is complete.
    pub(super) fn settle(
        &mut self,
        party: PartyId,
        answered: Side,
        local: Bytes,
        remote: Bytes,
        mut outcomes: Vec<Outcome>,
    ) -> Result<(), Refusal> {
        let index = self.index(party)?;
        let bundled = match self.mode {
            Mode::Anchored => agreed(answered, &local, &remote),
            Mode::Bypass => Vec::new(),
        };
        let first = self.parties.get(index).and_then(|party| party.first_offer.as_ref());
        let keep = first.is_some_and(|(side, _)| *side == Side::Us);
        self.gather(index, &bundled, &mut outcomes, keep);
        let Some(found) = self.parties.get_mut(index) else { return Ok(()) };
        let new_keys = found.theirs.pending.as_ref().is_some_and(|keys| *keys != found.theirs.standing);
        let changed = found.remote.as_ref() != Some(&remote) || new_keys;
        found.theirs.settle();
        found.ours.settle();
        found.together = Together::of(&sections::reread(&local), found.together.as_ref());
        (found.exchange, found.introduced) = (Exchange::Idle, false);
        (found.answered, found.local, found.remote) = (Some(answered), Some(local), Some(remote));
        found.streams.reserve_exact(outcomes.len().saturating_sub(found.streams.len()));
        found.streams.resize_with(outcomes.len(), Stream::default);
        found.standing = outcomes.len();
        let mut unused = Vec::new();
        for (stream, outcome) in found.streams.iter_mut().zip(outcomes) {
            unused.extend(stream.settle(outcome, keep));
        }
        for (context, applied) in unused {
            self.let_go(index, context, applied);
        }
        self.settle_bundle(index);
        self.note_left_out(party);
        let peer = self.party(party)?.peer;
        self.apply(party, changed);
        if let Some(peer) = peer {
            self.apply(peer, false);
        }
        Ok(())
    }
}

impl Stream {
    /// Takes over what was settled; answers the context that is no longer needed, and whether the relay knows it.
    /// The ports of an offer that other dialogs may still answer are kept (`keep`).
    fn settle(&mut self, outcome: Outcome, keep: bool) -> Option<(ContextId, bool)> {
        self.fresh = false;
        let protected = self.link.as_ref().and_then(|link| link.srtp.clone());
        (self.around, self.direction) = (false, Direction::Inactive);
        let unused = match outcome {
            Outcome::Relayed(mut link, direction) => {
                self.direction = direction;
                let is_new = link.tcp.as_ref().is_some_and(|tcp| tcp.is_new);
                if is_new && self.link.as_ref().is_some_and(|before| before.tcp.is_some()) {
                    self.connections = self.connections.wrapping_add(1);
                }
                if let Some(before) = self.link.as_ref().filter(|_| !link.send) {
                    // On hold by 0.0.0.0 it stays where it was, to be heard but not spoken to.
                    (link.remote, link.remote_rtcp) = (before.remote, before.remote_rtcp);
                }
                if let Some(before) = &self.link {
                    link.allowed = link.allowed.after(before.allowed);
                }
                self.link = Some(link);
                None
            }
            Outcome::Around(direction) => {
                (self.around, self.direction, self.link) = (true, direction, None);
                self.free()
            }
            Outcome::Dead => {
                self.link = None;
                if keep { None } else { self.free() }
            }
        };
        self.settle_keys(protected.as_ref());
        unused
    }

    fn free(&mut self) -> Option<(ContextId, bool)> {
        (self.counters, self.connected) = (None, None);
        // What was said of it is none of the next one's.
        (self.verdict, self.coded) = (None, None);
        self.begin_keys_anew();
        let applied = self.applied.take().is_some();
        self.context.take().map(|context| (context, applied))
    }
}

/// The profile of RTP that an answer has, which is the offer's (RFC 3264 §6.1), where it is made from something with another one.
fn answered_profile(answer: &Media<'_>, offered: &str) -> Option<&'static str> {
    match (Profile::of(answer.line().proto), Profile::of(offered)) {
        (Profile::Plain { feedback: has }, Profile::Plain { feedback }) => {
            (has != feedback).then(|| plain_profile(feedback))
        }
        _ => None,
    }
}

/// Whether an answer may have that transport protocol: the offer's (RFC 3264 §6), or another profile of RTP, of which each leg has its own.
fn is_its(answered: &str, offered: &str) -> bool {
    let both_rtp = [answered, offered].into_iter().all(|proto| transport(proto) == Transport::Rtp);
    both_rtp || answered == offered
}
