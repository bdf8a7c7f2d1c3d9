//! The group that we offer.

use sdp::{Description, Media};

use super::super::CallMedia;
use super::{MOST_SECTIONS, is_open};
use crate::negotiate::{Bundle, Bundling, Described, Reach, Slot, fits, tags};
use crate::{Mode, PairId, PartyId, Refusal};

impl CallMedia {
    /// The sections of an offer of ours that are in a group, those of the standing one first, with the ports that they have already.
    pub(in crate::call) fn bundle_to_offer(
        &self,
        to: PartyId,
        source: &Description,
        (source_reach, profiles): (Reach, &[Option<&'static str>]),
    ) -> Result<(Vec<usize>, Option<PairId>), Refusal> {
        let party = self.party(to)?;
        let (mut members, bundled) = (Vec::new(), party.bundled());
        let base = party.base(&bundled);
        if self.mode == Mode::Bypass
            || party.bundling == Bundling::Off
            || bundled.is_empty() && party.remote.is_some()
        {
            return Ok((members, base));
        }
        let standing = bundled.iter().map(|member| member.section);
        let others =
            (0..source.media_count()).filter(|section| bundled.iter().all(|of| of.section != *section));
        for section in standing.chain(others) {
            let Some(media) = source.media().nth(section).filter(|media| media.line().port != 0) else {
                continue;
            };
            let Described::Relayed(endpoint) = self.described(section, &media, source_reach)? else {
                continue;
            };
            let stands = bundled.iter().any(|member| member.section == section);
            let wanted = party.bundling == Bundling::Offer || party.offers_to_browser(section);
            let proto = |section: usize, media: &Media<'_>| {
                profiles
                    .get(section)
                    .copied()
                    .flatten()
                    .map_or_else(|| media.line().proto.to_owned(), str::to_owned)
            };
            let beside = |of: &usize| {
                let Some(other) = source.media().nth(*of) else { return false };
                proto(*of, &other) == proto(section, &media)
                    && [*of, section].iter().all(|section| party.offers_alone(*section))
                    && party.offers_dtls(*of) == party.offers_dtls(section)
                    && is_open(&other)
            };
            let others = || members.iter().filter_map(|of| source.media().nth(*of));
            let is_free = base.is_none() || party.is_free_for(section, base);
            let joins = endpoint.rtp
                && members.len() < MOST_SECTIONS
                && is_open(&media)
                && is_free
                && members.iter().all(beside)
                && fits(&media, others());
            let alone = members.is_empty() && endpoint.rtp && (stands || wanted && is_free);
            if members.is_empty() && alone
                || !members.is_empty() && joins && (stands || wanted || !bundled.is_empty())
            {
                members.push(section);
            }
        }
        Ok((members, base))
    }

    /// What our offer says of these sections.
    pub(in crate::call) fn offered_bundle(
        &self,
        to: PartyId,
        source: &Description,
        sections: &[usize],
        slots: &[Slot],
    ) -> Option<Bundle> {
        let party = self.party(to).ok()?;
        let bundled = party.bundled();
        let standing = |section: usize| {
            bundled.iter().find(|member| member.section == section).map(|member| member.mid.clone())
        };
        let muxed = |section: &usize| matches!(slots.get(*section), Some(Slot::Relayed { mux: true, .. }));
        let sections: Vec<_> = sections.iter().copied().filter(muxed).collect();
        Bundle::new(tags(source, &sections, standing), !bundled.is_empty())
    }
}
