//! What becomes of the group that a peer offers.

use sdp::{Description, Media};

use super::super::CallMedia;
use super::super::party::Party;
use super::{MOST_SECTIONS, is_open};
use crate::keying::Keying;
use crate::negotiate::{Bundle, Bundling, Described, Member, Slot, can_move, fits};
use crate::{ContextId, Mode, PairId, PartyId, Ports, Refusal};

/// What becomes of the group of a peer's offer.
#[derive(Debug, Default)]
pub(in crate::call) struct Taking {
    /// Those that will share our transport, in the order of the group.
    members: Vec<Member>,
    /// The ports that they have already.
    base: Option<PairId>,
    /// Those that can be nowhere but in the group, and cannot be in it with us.
    stuck: Vec<usize>,
    /// Those that are moved out of it, of which one is the group where none of the members is left.
    moved: Vec<Member>,
}

impl Taking {
    pub(in crate::call) fn has(&self, section: usize) -> bool {
        self.members.iter().any(|member| member.section == section)
    }

    pub(in crate::call) fn is_stuck(&self, section: usize) -> bool {
        self.stuck.contains(&section)
    }

    /// Whether a section has its transport with others.
    pub(in crate::call) fn is_shared(&self, section: usize) -> bool {
        self.members.len() > 1 && self.has(section)
    }

    /// What an answer says of it that has these sections.
    pub(in crate::call) fn answered(self, slots: &[Slot]) -> Option<Bundle> {
        let stays =
            |member: &Member| matches!(slots.get(member.section), Some(Slot::Relayed { mux: true, .. }));
        let members: Vec<_> = self.members.into_iter().filter(stays).collect();
        match members.is_empty() {
            true => Bundle::new(self.moved.into_iter().filter(stays).take(1).collect(), true),
            false => Bundle::new(members, true),
        }
    }
}

impl CallMedia {
    /// What becomes of the group of a peer's offer, whatever the other side will answer.
    pub(in crate::call) fn taking(&self, of: PartyId, offer: &Description) -> Result<Taking, Refusal> {
        let party = self.party(of)?;
        let mut taking = Taking::default();
        if self.mode == Mode::Bypass {
            return Ok(taking);
        }
        let bundled = party.bundled();
        taking.base = party.base(&bundled);
        for member in Bundle::of(offer) {
            let Some(media) = offer.media().nth(member.section) else { continue };
            let in_place = party.is_free_for(member.section, taking.base)
                || taking.members.is_empty() && taking.base.is_none();
            let members = || taking.members.iter().filter_map(|member| offer.media().nth(member.section));
            let alike = |other: Media<'_>| is_open(&other) && other.line().proto == media.line().proto;
            let beside = taking.members.is_empty()
                || is_open(&media)
                    && members().all(alike)
                    && fits(&media, members())
                    && self.has_handshake(party, &taking, member.section);
            let takes = party.bundling != Bundling::Off && in_place && beside;
            match self.described(member.section, &media, party.reach())? {
                Described::Relayed(endpoint)
                    if takes && endpoint.rtp && endpoint.mux && taking.members.len() < MOST_SECTIONS =>
                {
                    let context = party.streams.get(member.section).and_then(|stream| stream.context);
                    taking.base = taking.base.or(context.map(|context| context.pair));
                    taking.members.push(member);
                }
                Described::Relayed(endpoint) if can_move(&media) && bundled.is_empty() => {
                    let may_be = endpoint.rtp && endpoint.mux && party.bundling != Bundling::Off;
                    taking.moved.extend(Some(member).filter(|_| may_be));
                }
                _ if can_move(&media) && bundled.is_empty() => {}
                _ => taking.stuck.push(member.section),
            }
        }
        Ok(taking)
    }

    /// Whether a section has its keys from a handshake, as all of those have, or none as none of those has.
    fn has_handshake(&self, party: &Party, taking: &Taking, section: usize) -> bool {
        let said = |section: usize| party.theirs.last().get(section).map(|keyed| keyed.kind());
        taking.members.iter().all(|member| said(member.section) == said(section))
            && said(section) != Some(Some(Keying::Sdes))
    }

    /// The remote of a section on the ports that its group has: those of `base`, else of the first that has some, else borrowed ones.
    pub(in crate::call) fn bundled_context(
        &mut self,
        party: PartyId,
        section: usize,
        taking: &mut Taking,
        ports: &mut dyn Ports,
    ) -> Result<ContextId, Refusal> {
        let context = match taking.base {
            None => self.stream_context(party, section, ports)?,
            Some(base) => self.context_on(party, section, base)?,
        };
        taking.base = Some(context.pair);
        Ok(context)
    }
}
