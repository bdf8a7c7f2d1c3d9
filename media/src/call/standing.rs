//! What stood with a party before a change, and stands again where the change is undone after it was settled (RFC 6141 §3).

use bytes::Bytes;

use super::answer::Outcome;
use super::party::{Exchange, Link, Side, Stream};
use super::{CallMedia, sections};
use crate::keying::{self, Keyed, Plain};
use crate::negotiate::{Misuse, Refusal};
use crate::relay::Srtp;
use crate::{ContextId, PartyId};

/// So many keys of ours may have come after the one that stands again: of those the relay knows what they were used for, and no index is
/// used twice.
const MOST_KEYS_SINCE: u32 = 16;

/// What stood with a party at some moment, for [`CallMedia::put_back`].
#[derive(Clone, Debug)]
pub struct Standing {
    answered: Side,
    local: Bytes,
    remote: Bytes,
    /// Whether keys ended with us.
    ends: bool,
    theirs: Vec<Keyed>,
    streams: Vec<Keys>,
}

/// Of a stream.
#[derive(Clone, Debug)]
struct Keys {
    context: Option<ContextId>,
    srtp: Option<Srtp>,
    stale: bool,
    made: u32,
}

impl CallMedia {
    /// What stands with a party; `None` before there was an offer and an answer.
    #[must_use]
    pub fn standing(&self, party: PartyId) -> Option<Standing> {
        let party = self.party(party).ok()?;
        let keys = |stream: &Stream| Keys {
            context: stream.context,
            srtp: stream.link.as_ref().and_then(|link| link.srtp.clone()),
            stale: stream.stale,
            made: stream.made,
        };
        Some(Standing {
            answered: party.answered?,
            local: party.local.clone()?,
            remote: party.remote.clone()?,
            ends: party.security.ends(),
            theirs: party.theirs.standing.clone(),
            streams: party.streams.iter().map(keys).collect(),
        })
    }

    /// What the party had described then holds again: its peer has undone what was settled since. Media goes where it went, by the keys of
    /// then, its peer's and ours: each goes on where it was. Of a DTLS association that has given way to another one nothing is left: nothing
    /// flows until the next offer of ours, which has another one. Streams that have come since keep their places without any media, and so do those
    /// whose ports have gone since. Our own last description stays the one that the next offer has to follow.
    ///
    /// # Errors
    /// [`Misuse::OfferPending`], or the party is gone; nothing has changed then.
    pub fn put_back(&mut self, party: PartyId, then: &Standing) -> Result<(), Refusal> {
        let found = self.party(party)?;
        if found.exchange != Exchange::Idle {
            return Err(Refusal::Misuse(Misuse::OfferPending));
        }
        let (local, places) = (found.local.clone(), found.streams.len());
        let local = local.unwrap_or_else(|| then.local.clone());
        let (ours, theirs) = (sections::reread(&then.local), sections::reread(&then.remote));
        // Keys that were the peers' own then may end with us since.
        let Plain { text: remote, keyed } = match found.security.ends() && !then.ends {
            true => keying::offered(&then.remote, &theirs, &found.security)?,
            false => Plain { text: then.remote.clone(), keyed: then.theirs.clone() },
        };
        let mut outcomes = self.outcomes(party, &ours, &theirs, then.answered)?;
        let found = self.party_mut(party)?;
        for ((outcome, stream), keys) in outcomes.iter_mut().zip(&mut found.streams).zip(&then.streams) {
            if let Outcome::Relayed(link, _) = outcome
                && then.ends
                && !stream.put_back(link, keys)
            {
                *outcome = Outcome::Dead;
            }
        }
        outcomes.extend(std::iter::repeat_with(|| Outcome::Dead).take(places.saturating_sub(outcomes.len())));
        found.theirs.pending = Some(keyed);
        self.settle(party, then.answered, local, remote, outcomes)?;
        for (stream, keys) in self.party_mut(party)?.streams.iter_mut().zip(&then.streams) {
            stream.stale = keys.stale;
        }
        Ok(())
    }
}

impl Stream {
    /// Gives a link the keys of then; false where they are no more.
    fn put_back(&mut self, link: &mut Link, then: &Keys) -> bool {
        let Some(now) = self.link.as_ref().filter(|_| self.context == then.context) else { return false };
        (link.srtp, link.association) = match (&then.srtp, &now.srtp) {
            (Some(Srtp::Dtls(of_then)), Some(Srtp::Dtls(of_now)))
                if of_then.association == of_now.association =>
            {
                (now.srtp.clone(), now.association.clone())
            }
            (Some(Srtp::Dtls(_)), _) => {
                // Another one is offered, by another name.
                (self.tls_id, link.dtls) = (None, true);
                (None, None)
            }
            (Some(Srtp::Keys(keys)), _) => {
                if self.made.wrapping_sub(then.made) > MOST_KEYS_SINCE {
                    return false;
                }
                if !self.keys.contains(&keys.send) {
                    self.keys.push(keys.send.clone());
                }
                (then.srtp.clone(), None)
            }
            (None, _) => (None, None),
        };
        link.dtls &= link.srtp.is_none();
        true
    }
}
