//! A party that has made an offer while there is nobody yet whom it could talk with (RFC 3725 §4.3).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use bytes::Bytes;
use sdp::{Description, Direction};

use super::links::shares_port;
use super::party::Exchange;
use super::{CallMedia, Mode, sections};
use crate::negotiate::{Bundle, Composition, Described, Misuse, Refusal, Slot, compose, is_secure, is_tcp};
use crate::{PartyId, Ports};

/// The port of a stream that leads nowhere: discard (RFC 863). With port 0 it would be refused.
const NOWHERE: u16 = 9;

impl CallMedia {
    /// Our own answer to the offer of `to`, with all that it offers, so that whoever is found for it has the choice. Media that we
    /// relay is taken on ports of ours at once: who is found is heard from its first packet. Where media goes around us there is no
    /// address yet: the streams lead nowhere, and are inactive. Streams with keys of the peers' own are refused until
    /// somebody is there who has some (RFC 3264 §8.1).
    ///
    /// # Errors
    /// Why there is none; nothing has changed then.
    pub fn compose_alone(&mut self, to: PartyId, ports: &mut dyn Ports) -> Result<Bytes, Refusal> {
        let party = self.party(to)?;
        let Exchange::Received(offer_text) = party.exchange.clone() else {
            return Err(Refusal::Misuse(Misuse::NoOffer));
        };
        let (own, standing) = (party.own, party.streams.len());
        let offer = sections::reread(&offer_text);
        let (slots, bundle) = match self.slots_alone(to, &offer, ports) {
            Ok(slots) => slots,
            Err(refusal) => {
                self.roll_back(to, standing);
                return Err(refusal);
            }
        };
        let nowhere = (self.mode == Mode::Bypass).then(|| nowhere(&offer));
        let ice = self.answered_ice(to, &offer, &slots, bundle.as_ref())?;
        let source = sections::reread(&abilities(&offer_text));
        let source = self.answered_keys(to, None, &source, &offer).unwrap_or(source);
        let text = compose(&Composition {
            source: &source,
            frame: Some(&offer),
            answer: true,
            anchored: true,
            own,
            nowhere,
            slots: &slots,
            ice: &ice,
            bundle: bundle.as_ref(),
        });
        self.publish_answer(to, text, offer_text)
    }

    fn slots_alone(
        &mut self,
        to: PartyId,
        offer: &Description,
        ports: &mut dyn Ports,
    ) -> Result<(Vec<Slot>, Option<Bundle>), Refusal> {
        let reach = self.party(to)?.reach();
        let mut taking = self.taking(to, offer)?;
        let mut slots = Vec::new();
        for (section, offered) in offer.media().enumerate() {
            self.stream_at(to, section)?;
            if offered.line().port == 0 {
                slots.push(Slot::Padded);
                continue;
            }
            // Nor can it be said who connects.
            if is_secure(offered.line().proto) || is_tcp(offered.line().proto) {
                slots.push(Slot::Rejected);
                continue;
            }
            if self.mode == Mode::Bypass {
                slots.push(Slot::Relayed {
                    port: NOWHERE,
                    mux: false,
                    direction: Direction::Inactive,
                    profile: None,
                });
                continue;
            }
            slots.push(match self.described(section, &offered, reach)? {
                Described::Relayed(_) if taking.is_stuck(section) => Slot::Rejected,
                Described::Relayed(theirs) => {
                    let context = match taking.has(section) {
                        true => self.bundled_context(to, section, &mut taking, ports)?,
                        false => self.lone_context(to, section, ports)?,
                    };
                    let port = self.port(context.pair).unwrap_or_default();
                    let mux = theirs.mux && shares_port(&offered, &theirs);
                    Slot::Relayed { port, mux, direction: theirs.direction.reversed(), profile: None }
                }
                Described::Rejected | Described::Around | Described::Refused => Slot::Rejected,
            });
        }
        let bundle = taking.answered(&slots);
        Ok((slots, bundle))
    }

    /// Whether a description of the party's leads elsewhere than the one that stands, or has other keys, so that who was told of that
    /// one cannot reach it or understand it any more.
    #[must_use]
    pub fn leads_elsewhere(&self, party: PartyId, sdp: &[u8]) -> bool {
        let bypass = self.mode == Mode::Bypass;
        let Ok(party) = self.party(party) else { return false };
        let Some(stands) = party.remote.as_deref() else { return false };
        // Keys that end with us are none of the other side's.
        let plain = Some(party).filter(|party| party.security.ends());
        let plain = plain.and_then(|party| self.plain_offer(&Bytes::copy_from_slice(sdp), party).ok());
        let says = plain.as_ref().map_or(sdp, |(_, plain)| &*plain.text);
        !places(stands, bypass).eq(places(says, bypass))
    }
}

/// What of an offer says what its writer can do, and not who it is and by which sources it sends: that is none of ours to say.
fn abilities(offer: &[u8]) -> Bytes {
    let mut kept = Vec::with_capacity(offer.len());
    for line in offer.split_inclusive(|byte| *byte == b'\n') {
        let of_writer =
            [b"i=".as_slice(), b"u=", b"e=", b"p=", b"k=", b"a=ssrc", b"a=msid", b"a=rid:", b"a=simulcast:"];
        if !of_writer.iter().any(|start| line.starts_with(start)) {
            kept.extend_from_slice(line);
        }
    }
    kept.into()
}

/// The address that nothing is sent to, of the family that an offer is of (RFC 3264 §8.4, RFC 6157 §5.1).
fn nowhere(offer: &Description) -> IpAddr {
    let connection = offer.media().find_map(|media| media.connection()?.ip());
    match connection.is_some_and(|ip| ip.is_ipv6()) {
        true => Ipv6Addr::UNSPECIFIED.into(),
        false => Ipv4Addr::UNSPECIFIED.into(),
    }
}

/// What of a description says how its writer is reached past us, and by which keys.
fn places(text: &[u8], bypass: bool) -> impl Iterator<Item = &[u8]> {
    let lines = text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii_end);
    lines.filter_map(move |line| {
        let keys = [b"a=crypto:".as_slice(), b"a=fingerprint:", b"a=tls-id:", b"a=key-mgmt:"];
        let ways = [b"c=".as_slice(), b"a=rtcp:", b"a=ice-ufrag:", b"a=candidate:"];
        let says = |of: &[&[u8]]| of.iter().any(|start| line.starts_with(start));
        if says(&keys) || (bypass && says(&ways)) {
            return Some(line);
        }
        // The media type and the port.
        let media = line.strip_prefix(b"m=").filter(|_| bypass)?;
        let second = media.splitn(3, |byte| *byte == b' ').map(<[u8]>::len).take(2).sum::<usize>() + 1;
        media.get(..second)
    })
}
