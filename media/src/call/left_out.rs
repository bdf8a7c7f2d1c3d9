//! Sections that a peer has described and has not because of us, for whoever asks why.

use sdp::Media;

use super::{CallMedia, Mode, sections};
use crate::PartyId;
use crate::negotiate::{Described, is_msrp, is_tcp};

/// A section that was answered with port 0 though the other side had nothing to do with that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// Whose.
    pub party: PartyId,
    /// Its place, from 0.
    pub section: usize,
    /// The media type.
    pub media: String,
    /// Why.
    pub why: LeftOutBy,
}

/// Why a section was left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeftOutBy {
    /// It is for a bundle only (RFC 9143 §6), and what it is made of does not go with the others in it.
    Bundle,
    /// It is MSRP with TLS, of somebody who does not go by the description alone (RFC 6714): nobody could be in between.
    SealedPath,
    /// It needs connections that are not carried.
    Connection,
}

/// So many are kept for whoever polls.
const MOST: usize = 32;

impl CallMedia {
    /// The next section that was left out since they were polled last; each once in a row.
    pub fn poll_left_out(&mut self) -> Option<LeftOut> {
        self.left_out.pop_front()
    }

    /// Notes what the descriptions that stand now leave out.
    pub(super) fn note_left_out(&mut self, party: PartyId) {
        let Ok(found) = self.party(party) else { return };
        let all = found.streams.iter().all(|stream| stream.link.is_some());
        let Some(remote) = found.remote.as_ref().filter(|_| self.mode == Mode::Anchored && !all) else {
            return;
        };
        let is_left =
            |section: usize, media: &Media<'_>| media.line().port != 0 && found.link(section).is_none();
        let remote = sections::reread(remote);
        if !remote.media().enumerate().any(|(section, media)| is_left(section, &media)) {
            return;
        }
        let Ok(taking) = self.taking(party, &remote) else { return };
        let mut noted = Vec::new();
        for (section, media) in remote.media().enumerate().filter(|(section, media)| is_left(*section, media))
        {
            let proto = media.line().proto;
            let why = match self.described(section, &media, found.reach()) {
                Ok(Described::Refused) if is_tcp(proto) && is_msrp(proto) => LeftOutBy::SealedPath,
                Ok(Described::Refused) => LeftOutBy::Connection,
                _ if taking.is_stuck(section) => LeftOutBy::Bundle,
                _ => continue,
            };
            noted.push(LeftOut { party, section, media: media.line().media.to_owned(), why });
        }
        for left in noted {
            if self.left_out.back() != Some(&left) && self.left_out.len() < MOST {
                self.left_out.push_back(left);
            }
        }
    }
}
