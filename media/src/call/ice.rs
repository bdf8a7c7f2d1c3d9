//! The ICE of each leg: it ends with us (RFC 7584 §4.2), so that the credentials and candidates of our descriptions are our own.

use std::net::SocketAddr;

use bytes::Bytes;
use sdp::{Description, IceCredentials, Media};

use super::party::Party;
use super::{CallMedia, sections};
use crate::PartyId;
use crate::ice::full::{Candidate, CandidateKind, Terms};
use crate::ice::{Component, Credentials, Ice, Secret};
use crate::negotiate::{
    Bundle, Ends, IceLines, IceSection, Place, Refusal, Slot, apart, has_rtcp, is_mismatch, is_tcp,
};
use crate::relay::Command;

/// What stands of a section: our credentials, and the peer's.
struct Pair<'a> {
    local: IceCredentials<'a>,
    remote: IceCredentials<'a>,
}

impl CallMedia {
    /// The same with ICE, as each network says. `secret` is what credentials are made of; without one there is no ICE.
    #[must_use]
    pub fn with_ice(self, secret: Secret) -> Self {
        Self { secret: Some(secret), ..self }
    }

    /// What our offer to a party says of ICE. A stream that has it keeps it, with the credentials that stand: whether to begin
    /// anew is the peer's to say, as we have no other candidates to offer. A peer that has answered without is not asked again.
    pub(super) fn offered_ice(
        &self,
        to: PartyId,
        source: &Description,
        slots: &[Slot],
        bundle: Option<&Bundle>,
    ) -> Result<IceLines, Refusal> {
        let party = self.party(to)?;
        let mut lines = IceLines::default();
        let secret = self.secret.filter(|_| party.ice != Ice::Off);
        if secret.is_none() && !party.behind {
            return Ok(lines);
        }
        let (local, remote) = (party.local.as_ref(), party.remote.as_ref());
        let (local, remote) = (local.map(whole), remote.map(sections::reread));
        for (section, (slot, media)) in slots.iter().zip(source.media()).enumerate() {
            let (Slot::Relayed { port, mux, .. }, false) = (*slot, is_tcp(media.line().proto)) else {
                lines.push(&IceSection::Without);
                continue;
            };
            // What shares a transport has the ICE of that.
            let is_beside = bundle.is_some_and(|bundle| bundle.is_beside(section));
            let muxed = mux && self.is_muxed(to, section);
            let ends = self.ends_of(party, section);
            let rtcp = has_rtcp(&media) && !muxed;
            let place = ends.map(|ends| place(&ends, rtcp));
            let told = place.map_or(port, |place| place.rtp.port());
            let Some(secret) = secret.filter(|_| !is_beside) else {
                lines.push(&IceSection::Without);
                lines.place(place);
                continue;
            };
            let stands = pair(local.as_ref(), remote.as_ref(), section);
            let declined = nth(remote.as_ref(), section).is_some_and(|media| media.line().port != 0);
            let offers = party.ice == Ice::Offer || party.offers_to_browser(section);
            if stands.is_none() && (!offers || declined) {
                lines.push(&IceSection::Without);
                lines.place(place);
                continue;
            }
            // On other ports it is another session (RFC 8445 §9).
            let same = nth(local.as_ref(), section).is_some_and(|media| media.line().port == told);
            let ours = stands.map(|pair| pair.local).filter(|_| same);
            let name = [&party.own.session_id.to_be_bytes()[..], &section.to_be_bytes(), &port.to_be_bytes()];
            let local = ours.map_or_else(|| secret.credentials(&name), Into::into);
            lines.push(&match ends {
                Some(ends) => IceSection::Full { local, ends, rtcp, end: false },
                None => IceSection::Lite {
                    local,
                    address: SocketAddr::new(party.own.address, port),
                    rtcp,
                    fallback: mux && !muxed,
                    end: false,
                },
            });
            lines.place(place);
        }
        Ok(lines)
    }

    /// What our answer to a party's offer says of ICE: nothing for what the offer says nothing of (RFC 8839 §4.3.2). A peer that
    /// begins anew gets new credentials (§4.4.2.1), one that does not those that stand.
    pub(super) fn answered_ice(
        &self,
        to: PartyId,
        offer: &Description,
        slots: &[Slot],
        bundle: Option<&Bundle>,
    ) -> Result<IceLines, Refusal> {
        let party = self.party(to)?;
        let mut lines = IceLines::default();
        let secret = self.secret.filter(|_| party.ice != Ice::Off);
        if secret.is_none() && !party.behind {
            return Ok(lines);
        }
        let (local, remote) = (party.local.as_ref(), party.remote.as_ref());
        let (local, remote) = (local.map(whole), remote.map(sections::reread));
        for (section, (slot, media)) in slots.iter().zip(offer.media()).enumerate() {
            let (Slot::Relayed { port, mux, .. }, false) = (*slot, is_tcp(media.line().proto)) else {
                lines.push(&IceSection::Without);
                continue;
            };
            let is_beside = bundle.is_some_and(|bundle| bundle.is_beside(section));
            let (ends, rtcp) = (self.ends_of(party, section), has_rtcp(&media) && !mux);
            let place = ends.map(|ends| place(&ends, rtcp));
            let (Some(secret), Some(theirs)) = (secret.filter(|_| !is_beside), media.ice()) else {
                lines.push(&IceSection::Without);
                lines.place(place);
                continue;
            };
            if is_mismatch(&media) {
                lines.push(&IceSection::Mismatch);
                lines.place(place);
                continue;
            }
            let stands = pair(local.as_ref(), remote.as_ref(), section);
            let stands = stands.filter(|pair| pair.remote == theirs).map(|pair| pair.local);
            let session = party.own.session_id.to_be_bytes();
            let section = section.to_be_bytes();
            let name = [&session[..], &section, theirs.ufrag.as_bytes(), theirs.password.as_bytes()];
            let local = stands.map_or_else(|| secret.credentials(&name), Into::into);
            let end = media.ice_option("trickle");
            lines.push(&match ends {
                Some(ends) => IceSection::Full { local, ends, rtcp, end },
                None => {
                    let address = SocketAddr::new(party.own.address, port);
                    IceSection::Lite { local, address, rtcp, fallback: false, end }
                }
            });
            lines.place(place);
        }
        Ok(lines)
    }

    /// Has the relay answer checks to an offer of ours before its answer comes (RFC 8445 §7.3).
    pub(super) fn expect_checks(&mut self, party: PartyId, offer: &Bytes) {
        if self.secret.is_none() {
            return;
        }
        let offer = sections::reread(offer);
        let Ok(found) = self.party(party) else { return };
        let fresh = found.streams.iter().map(|stream| {
            let has = stream.link.as_ref().is_some_and(|link| link.ice.is_some());
            stream.context.filter(|_| !has)
        });
        let expected: Vec<_> = fresh
            .zip(offer.media())
            .filter_map(|(context, media)| Some((context?.pair, media.ice()?.into())))
            .collect();
        self.commands.extend(expected.into_iter().map(|(pair, local)| Command::Expect { pair, local }));
    }

    /// Where a stream's ports are reached, where its network is behind a NAT.
    fn ends_of(&self, party: &Party, section: usize) -> Option<Ends> {
        let context = party.streams.get(section).and_then(|stream| stream.context);
        self.ends(context, party.own.address)
    }

    /// Whether RTP and RTCP of a stream share a port by what stands.
    fn is_muxed(&self, party: PartyId, section: usize) -> bool {
        let stream = self.party(party).ok().and_then(|party| party.streams.get(section));
        stream.and_then(|stream| stream.link.as_ref()).is_some_and(|link| link.mux)
    }
}

/// What `m=` and `c=` say, and `a=rtcp`, since ports beyond a NAT are no neighbours.
fn place(ends: &Ends, rtcp: bool) -> Place {
    Place { rtp: ends.rtp.told(), rtcp: rtcp.then(|| ends.rtcp.told()) }
}

/// What a full agent goes by, of two descriptions in which both have ICE. `offered` says that the offer is ours.
pub(super) fn terms(ours: &Media<'_>, theirs: &Media<'_>, two: bool, offered: bool) -> Option<Terms> {
    let candidate = |candidate: sdp::Candidate<'_>| {
        let component = match candidate.component {
            1 => Component::Rtp,
            2 => Component::Rtcp,
            _ => return None,
        };
        Some(Candidate {
            component,
            // An extension's is taken for one of the host's: all that hangs on it is what the API tells.
            kind: CandidateKind::named(candidate.kind).unwrap_or(CandidateKind::Host),
            address: candidate.socket_address()?,
            priority: candidate.priority,
            foundation: candidate.foundation.into(),
        })
    };
    Some(Terms {
        local: ours.ice()?.into(),
        remote: theirs.ice()?.into(),
        controlling: offered,
        lite: theirs.ice_lite(),
        two,
        candidates: theirs.candidates().filter_map(candidate).take(MOST_CANDIDATES).collect(),
    })
}

/// Candidates of one section that are read.
const MOST_CANDIDATES: usize = 64;

/// A description of ours in which each section says what its transport is.
fn whole(text: &Bytes) -> Description {
    let description = sections::reread(text);
    apart(&description).map(Description::reread).unwrap_or(description)
}

fn nth(description: Option<&Description>, section: usize) -> Option<Media<'_>> {
    description.and_then(|description| description.media().nth(section))
}

/// The credentials of a section in which both sides have some.
fn pair<'a>(
    local: Option<&'a Description>,
    remote: Option<&'a Description>,
    section: usize,
) -> Option<Pair<'a>> {
    Some(Pair { local: nth(local, section)?.ice()?, remote: nth(remote, section)?.ice()? })
}

impl From<IceCredentials<'_>> for Credentials {
    fn from(credentials: IceCredentials<'_>) -> Self {
        Self { ufrag: credentials.ufrag.into(), password: credentials.password.into() }
    }
}
