//! Answers, received and made (RFC 3264 §6, §7).

use bytes::Bytes;
use sdp::{Description, Direction, Media, RtpMap};

use super::party::{Exchange, Link, Side, Stream};
use super::{CallMedia, Mode, sections};
use crate::negotiate::{Composition, Described, Endpoint, Misuse, Refusal, Slot, compose, is_secure};
use crate::rtp::static_clock;
use crate::{ContextId, PartyId, Ports};

/// What an exchange has settled for one section.
enum Outcome {
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
        let offer = match (&party.exchange, party.answered, &party.local) {
            (Exchange::Sent(offer), _, _) => offer.clone(),
            (Exchange::Idle, Some(Side::Them), Some(local)) => {
                if party.remote.as_deref() == Some(sdp) {
                    return Ok(());
                }
                local.clone()
            }
            _ => return Err(Refusal::Misuse(Misuse::NoOffer)),
        };
        let text = Bytes::copy_from_slice(sdp);
        let answer = sections::parse(&text, &self.limits)?;
        let local = sections::reread(&offer);
        let (has, needed) = (answer.media_count(), local.media_count());
        if has != needed {
            return Err(Refusal::Sections { has, needed });
        }
        let outcomes = self.outcomes(from, &local, &answer)?;
        self.settle(from, Side::Them, offer, text, outcomes)
    }

    /// Our answer to the offer of `to`, from what `from` has answered (or last described). One section for each of
    /// the offer's, in its order, of its media type, with its `t=` and within its directions (RFC 3264 §6). Called
    /// again while no new offer came, it makes the answer anew: the same text unless `from` has described something
    /// else since.
    ///
    /// # Errors
    /// Why there is none; nothing has changed then.
    pub fn compose_answer(
        &mut self,
        to: PartyId,
        from: PartyId,
        ports: &mut dyn Ports,
    ) -> Result<Bytes, Refusal> {
        let party = self.party(to)?;
        let offer_text = match (&party.exchange, party.answered, &party.remote) {
            (Exchange::Received(offer), _, _) => offer.clone(),
            (Exchange::Idle, Some(Side::Us), Some(remote)) => remote.clone(),
            _ => return Err(Refusal::Misuse(Misuse::NoOffer)),
        };
        let offer = sections::reread(&offer_text);
        let source = self.party(from)?;
        let source_ipv6 = source.own.address.is_ipv6();
        let willing = source.introduced.then_some(from);
        let described = source.remote.as_ref().ok_or(Refusal::Misuse(Misuse::NothingDescribed))?;
        let source = sections::reread(described);
        let standing = self.party(to)?.streams.len();
        let slots = self.answered_slots(to, &offer, (&source, source_ipv6, willing), ports);
        let slots = match slots {
            Ok(slots) => slots,
            Err(refusal) => {
                self.roll_back(to, standing);
                return Err(refusal);
            }
        };
        let anchored = self.mode == Mode::Anchored;
        let own = self.party(to)?.own;
        let text = compose(&Composition {
            source: &source,
            frame: Some(&offer),
            answer: true,
            anchored,
            own,
            slots: &slots,
        });
        let text = self.party_mut(to)?.publish(text);
        let answer = sections::reread(&text);
        let outcomes = self.outcomes(to, &answer, &offer)?;
        self.settle(to, Side::Us, text.clone(), offer_text, outcomes)?;
        Ok(text)
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
            slots: &slots,
        });
        let text = self.party_mut(to)?.publish(text);
        let outcomes = self.outcomes(to, &sections::reread(&text), &offer)?;
        self.settle(to, Side::Us, text.clone(), offer_text, outcomes)?;
        Ok(text)
    }

    /// What becomes of each section of the offer.
    fn answered_slots(
        &mut self,
        to: PartyId,
        offer: &Description,
        (source, source_ipv6, willing): (&Description, bool, Option<PartyId>),
        ports: &mut dyn Ports,
    ) -> Result<Vec<Slot>, Refusal> {
        let to_ipv6 = self.party(to)?.own.address.is_ipv6();
        let mut slots = Vec::new();
        let mut answers = source.media();
        for (section, offered) in offer.media().enumerate() {
            self.stream_at(to, section)?;
            let same = |media: &Media<'_>| media.line().media == offered.line().media;
            let Some(answer) = answers.next().filter(same) else {
                slots.push(Slot::Padded);
                continue;
            };
            let dead = offered.line().port == 0 || answer.line().port == 0;
            if dead || self.mode == Mode::Bypass {
                slots.push(match (offered.line().port, answer.line().port) {
                    (0, _) => Slot::Padded,
                    (_, 0) => Slot::Rejected,
                    _ => Slot::Around,
                });
                continue;
            }
            let offered = self.described(section, &offered, to_ipv6)?;
            slots.push(match (offered, self.described(section, &answer, source_ipv6)?) {
                (Described::Relayed(theirs), Described::Relayed(far)) => {
                    let context = self.stream_context(to, section, ports)?;
                    let port = self.port(context.pair).unwrap_or_default();
                    let mux = theirs.mux && shares_port(&answer, &far);
                    let far = self.willing(willing, section, far.direction);
                    Slot::Relayed { port, mux, direction: far.and(theirs.direction.reversed()) }
                }
                (Described::Around, Described::Around) => Slot::Around,
                _ => Slot::Padded,
            });
        }
        Ok(slots)
    }

    /// What an exchange has settled with a party, of whose two descriptions `local` is ours and `remote` theirs.
    fn outcomes(
        &self,
        party: PartyId,
        local: &Description,
        remote: &Description,
    ) -> Result<Vec<Outcome>, Refusal> {
        let ipv6 = self.party(party)?.own.address.is_ipv6();
        let mut outcomes = Vec::new();
        for (section, (ours, theirs)) in local.media().zip(remote.media()).enumerate() {
            let direction = |theirs: Direction| ours.direction().and(theirs.reversed());
            let outcome = if ours.line().port == 0 || theirs.line().port == 0 {
                Outcome::Dead
            } else if self.mode == Mode::Bypass {
                Outcome::Around(direction(theirs.direction()))
            } else {
                match self.described(section, &theirs, ipv6)? {
                    Described::Rejected | Described::Refused => Outcome::Dead,
                    Described::Around => Outcome::Around(direction(theirs.direction())),
                    Described::Relayed(endpoint) => {
                        Outcome::Relayed(link(&ours, &endpoint), direction(endpoint.direction))
                    }
                }
            };
            outcomes.push(outcome);
        }
        Ok(outcomes)
    }

    /// An exchange is complete.
    fn settle(
        &mut self,
        party: PartyId,
        answered: Side,
        local: Bytes,
        remote: Bytes,
        outcomes: Vec<Outcome>,
    ) -> Result<(), Refusal> {
        let index = self.index(party)?;
        let Some(found) = self.parties.get_mut(index) else { return Ok(()) };
        let changed = found.remote.as_ref() != Some(&remote);
        let keep = found.first_offer.as_ref().is_some_and(|(side, _)| *side == Side::Us);
        (found.exchange, found.introduced) = (Exchange::Idle, false);
        (found.answered, found.local, found.remote) = (Some(answered), Some(local), Some(remote));
        found.streams.resize_with(outcomes.len(), Stream::default);
        found.standing = outcomes.len();
        let mut unused = Vec::new();
        for (stream, outcome) in found.streams.iter_mut().zip(outcomes) {
            unused.extend(stream.settle(outcome, keep));
        }
        for (context, applied) in unused {
            self.drop_context(context, applied);
        }
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
        (self.around, self.direction) = (false, Direction::Inactive);
        match outcome {
            Outcome::Relayed(mut link, direction) => {
                self.direction = direction;
                if let Some(before) = self.link.as_ref().filter(|_| !link.send) {
                    // On hold by 0.0.0.0 it stays where it was, to be heard but not spoken to.
                    (link.remote, link.remote_rtcp) = (before.remote, before.remote_rtcp);
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
        }
    }

    fn free(&mut self) -> Option<(ContextId, bool)> {
        self.counters = None;
        let applied = self.applied.take().is_some();
        self.context.take().map(|context| (context, applied))
    }
}

/// The link that two accepted sections make. RTP and RTCP share a port when both say so (RFC 8035 §3.1).
fn link(ours: &Media<'_>, theirs: &Endpoint) -> Link {
    Link {
        remote: theirs.remote,
        remote_rtcp: theirs.remote_rtcp,
        send: !theirs.silenced,
        mux: theirs.mux && ours.rtcp_mux(),
        rtp: theirs.rtp,
        clocks: clocks(ours),
    }
}

/// Clock rates of the payload types that the peer sends, which are those of our description (RFC 3264 §6.1).
fn clocks(ours: &Media<'_>) -> Box<[(u8, u32)]> {
    let dynamic = |map: &RtpMap<'_>| static_clock(map.payload) != Some(map.clock_rate);
    ours.rtp_maps().filter(dynamic).map(|map| (map.payload, map.clock_rate)).take(MAX_CLOCKS).collect()
}

/// More payload types than this are relayed without a jitter estimate.
const MAX_CLOCKS: usize = 32;

/// Whether our answer can let RTCP share the RTP port, when the offer wants it. For plain RTP that is this leg's own
/// affair, unless a payload type could be taken for RTCP (RFC 5761 §4). A secure stream is relayed end to end, and
/// DTLS handshakes per port: both legs have to be alike.
fn shares_port(answer: &Media<'_>, far: &Endpoint) -> bool {
    if is_secure(answer.line().proto) {
        return far.mux;
    }
    !answer
        .line()
        .formats()
        .filter_map(|format| format.parse::<u8>().ok())
        .any(|payload| (64..=95).contains(&payload))
}
