//! Sources whose names a party is not to see: what its descriptions say of them, and what the relay is told.

use std::sync::Arc;

use sdp::{Description, Line, Media};

use super::party::{Link, Party};
use super::{CallMedia, Mode, codec};
use crate::PartyId;
use crate::negotiate::{Text, Transport, is_secure, transport};
use crate::veil::Veil;

/// The CNAME of who sends, in header extensions of its packets (RFC 7941 §4.1.2): the next one who knows of it would have it from them.
const CNAME_EXTENSION: &str = "urn:ietf:params:rtp-hdrext:sdes:cname";

impl CallMedia {
    /// Sources of the other side have names of ours towards this party, made of these 256 bits, which nobody can guess: SSRC and CNAME,
    /// in packets and descriptions. To be told before its first description. Streams that are secret between the two sides, and media
    /// that goes around us, keep theirs.
    pub fn hide_sources(&mut self, from: PartyId, secret: [u8; 32]) {
        if self.mode == Mode::Bypass {
            return;
        }
        if let Ok(party) = self.party_mut(from) {
            party.veil = Some(Arc::new(Veil::new(secret, true)));
        }
    }

    /// Whether a party sees no names of sources but ours.
    #[must_use]
    pub fn hides_sources(&self, from: PartyId) -> bool {
        self.party(from).is_ok_and(|party| party.veil.is_some())
    }

    /// By which names the sources of each stream of the party in that place go on.
    pub(super) fn veils(&self, index: usize) -> Vec<Option<Arc<Veil>>> {
        let Some(party) = self.parties.get(index) else { return Vec::new() };
        let Some(peer) = party.peer.and_then(|peer| self.party(peer).ok()) else { return Vec::new() };
        let Some(veil) = &peer.veil else { return Vec::new() };
        let numbers_only = |of: &Party, section| of.link(section).is_some_and(|link| link.bare);
        let of = |section: usize| {
            let ours = |link: &Link| link.rtp && !link.dtls;
            let both = [party, peer].into_iter().all(|of| of.link(section).is_some_and(ours));
            let renumbers = numbers_only(party, section) && numbers_only(peer, section);
            both.then(|| if renumbers { Arc::clone(veil) } else { Arc::new(veil.without_numbers()) })
        };
        (0..party.streams.len()).map(of).collect()
    }

    /// A description of ours for that party, with the names that it sees.
    pub(super) fn veiled(&self, to: PartyId, text: Text) -> Text {
        let veil = self.party(to).ok().and_then(|party| party.veil.as_ref());
        let Some(veil) = veil else { return text };
        let Text { bytes, version } = text;
        let described = Description::reread(bytes.into());
        let mut out = Vec::with_capacity(1_024);
        described.session().lines().for_each(|line| out.extend_from_slice(line.bytes()));
        for media in described.media() {
            let line = media.line();
            let ours = transport(line.proto) == Transport::Rtp && !is_secure(line.proto);
            for line in media.section().lines() {
                match renamed(line, veil).filter(|_| ours) {
                    Some(renamed) => out.extend_from_slice(&renamed),
                    None => out.extend_from_slice(line.bytes()),
                }
            }
        }
        Text { bytes: out, version }
    }
}

/// Whether sequence numbers and timestamps of a stream are in the headers of its packets alone: retransmissions (RFC 4588 §4) and
/// redundancy by forward error correction (RFC 5109 §7.3) have them in payloads.
pub(super) fn is_bare(media: &Media<'_>) -> bool {
    let is_of_numbers = |name: &str| {
        let name = name.to_ascii_lowercase();
        name == "rtx" || name.contains("fec")
    };
    !codec::names(media).iter().any(|name| is_of_numbers(name))
}

/// The line as it is with other names, where it has some (RFC 5576 §4, §6); nothing where it is not to be there.
fn renamed(line: Line<'_>, veil: &Veil) -> Option<Vec<u8>> {
    let text = line.text().filter(|_| line.kind() == b'a')?;
    let (name, value) = text.split_once(':')?;
    let end = line.bytes().get(2 + line.value().len()..).unwrap_or_default();
    let mut out = Vec::with_capacity(line.bytes().len() + 16);
    match name {
        "ssrc" => {
            let (source, rest) = value.split_once(' ')?;
            out.extend_from_slice(format!("a=ssrc:{} ", named(source, veil)).as_bytes());
            match rest.split_once(':') {
                Some(("cname", cname)) => {
                    out.extend_from_slice(b"cname:");
                    out.extend_from_slice(&veil.cname(cname.as_bytes()));
                }
                Some(("previous-ssrc", sources)) => {
                    out.extend_from_slice(b"previous-ssrc:");
                    out.extend_from_slice(all_named(sources, veil).as_bytes());
                }
                _ => out.extend_from_slice(rest.as_bytes()),
            }
        }
        "ssrc-group" => {
            let (semantics, sources) = value.split_once(' ')?;
            out.extend_from_slice(
                format!("a=ssrc-group:{semantics} {}", all_named(sources, veil)).as_bytes(),
            );
        }
        "extmap" if value.split(' ').any(|word| word == CNAME_EXTENSION) => return Some(out),
        _ => return None,
    }
    out.extend_from_slice(end);
    Some(out)
}

fn all_named(sources: &str, veil: &Veil) -> String {
    sources.split_ascii_whitespace().map(|source| named(source, veil)).collect::<Vec<_>>().join(" ")
}

fn named(source: &str, veil: &Veil) -> String {
    source.parse().map_or_else(|_| source.to_owned(), |source| veil.name(source, 0).ssrc.to_string())
}
