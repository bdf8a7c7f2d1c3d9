//! What stood with a party before a change, and stands again where the change is undone after it was settled (RFC 6141 §3).

use bytes::Bytes;

use super::answer::Outcome;
use super::party::{Exchange, Side};
use super::{CallMedia, sections};
use crate::PartyId;
use crate::negotiate::{Misuse, Refusal};

/// What stood with a party at some moment, for [`CallMedia::put_back`].
#[derive(Clone, Debug)]
pub struct Standing {
    answered: Side,
    local: Bytes,
    remote: Bytes,
}

impl CallMedia {
    /// What stands with a party; `None` before there was an offer and an answer.
    #[must_use]
    pub fn standing(&self, party: PartyId) -> Option<Standing> {
        let party = self.party(party).ok()?;
        Some(Standing {
            answered: party.answered?,
            local: party.local.clone()?,
            remote: party.remote.clone()?,
        })
    }

    /// What the party had described then holds again: its peer has undone what was settled since. Media goes where it went; streams that
    /// have come since keep their places without any, and so do those with keys that have gone since, for a key is not begun anew. Our own
    /// last description stays the one that the next offer has to follow.
    ///
    /// # Errors
    /// [`Misuse::OfferPending`], or the party is gone; nothing has changed then.
    pub fn put_back(&mut self, party: PartyId, then: &Standing) -> Result<(), Refusal> {
        let found = self.party(party)?;
        if found.exchange != Exchange::Idle {
            return Err(Refusal::Misuse(Misuse::OfferPending));
        }
        let (local, places) = (found.local.clone(), found.streams.len());
        let keyed = found.security.ends();
        let now: Vec<_> = found
            .streams
            .iter()
            .map(|s| s.link.as_ref().map(|link| (link.srtp.clone(), link.association.clone())))
            .collect();
        let local = local.unwrap_or_else(|| then.local.clone());
        let (ours, theirs) = (sections::reread(&then.local), sections::reread(&then.remote));
        let mut outcomes = self.outcomes(party, &ours, &theirs)?;
        for (outcome, now) in outcomes.iter_mut().zip(now).filter(|_| keyed) {
            match (&mut *outcome, now) {
                (Outcome::Relayed(link, _), Some(keys)) => {
                    (link.srtp, link.association) = keys;
                    link.dtls &= link.srtp.is_none();
                }
                (Outcome::Relayed(..), None) => *outcome = Outcome::Dead,
                _ => {}
            }
        }
        outcomes.extend(std::iter::repeat_with(|| Outcome::Dead).take(places.saturating_sub(outcomes.len())));
        self.settle(party, then.answered, local, then.remote.clone(), outcomes)
    }
}
