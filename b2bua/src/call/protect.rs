//! SRTP of a leg: what its profile wants of it, and what its signalling may carry.

use super::{CallKey, Place};
use crate::shard::Core;
use config::{
    Bundle, DtlsVersion, Dtmf, Excess, ForeignSources, PayloadTypes, Profile, RtpSources, SrtpMode,
    SrtpSuite, Transcoded,
};
use media::dtls::{Identity, Version};
use media::dtmf::{Law, Wanted};
use media::srtp::Suite;
use media::transcode::{Clock, Coding};
use media::{Bundling, Keying, PartyId, Police, Security, SrtpUse};
use sip::Transport;
use sip::session::SessionId;
use sip_types::Uri;
use std::sync::Arc;
use zeroize::Zeroizing;

/// How the signalling of a leg goes, as far as is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Way {
    /// Nobody else reads it.
    secure: bool,
    /// In WebSocket messages: the peer is a browser.
    websocket: bool,
}

impl Way {
    fn by(transport: Option<Transport>) -> Self {
        Self {
            secure: transport.is_some_and(Transport::is_secure),
            websocket: transport.is_some_and(Transport::is_websocket),
        }
    }
}

impl Core {
    /// Tells the media of a party how it is to be protected, in which form it has DTMF, what it may send, which codecs may be added, and what it sees of
    /// sources, by a leg's profile.
    pub(crate) fn protect(&mut self, key: CallKey, party: PartyId, profile: &Profile, way: Way) {
        if let Some(call) = self.calls.get_mut(key) {
            call.media.dtmf(party, form(profile.dtmf));
            call.media.bundle(party, bundling(profile.bundle));
            call.media.police(party, police(&profile.police));
            if !profile.transcode.is_empty() {
                // Directions, of which a stream has two.
                let has_room = self.link.transcoded() / 2 < self.snapshot.config().limits.transcoded_streams;
                if has_room {
                    let codings: Vec<_> = profile.transcode.iter().copied().map(coding).collect();
                    call.media.transcode(party, &codings);
                } else {
                    self.counters.transcoding_limited += 1;
                }
            }
        }
        if profile.rtp_sources == RtpSources::Hide {
            let secret = self.secret();
            if let Some(call) = self.calls.get_mut(key) {
                call.media.hide_sources(party, *secret);
            }
        }
        let security = security(profile, way, self.identity.as_ref());
        // Chance is drawn where there is something to be made of it: each run of a simulation stays what it was.
        match security.srtp {
            SrtpUse::EndToEnd => return,
            SrtpUse::Auto => {
                if let Some(call) = self.calls.get_mut(key) {
                    call.media.protect_alike(party, security);
                }
                return;
            }
            SrtpUse::AsOffered
            | SrtpUse::Off
            | SrtpUse::Opportunistic
            | SrtpUse::Preferred
            | SrtpUse::Required => {}
        }
        let secret = self.secret();
        if let Some(call) = self.calls.get_mut(key) {
            call.media.protect(party, security, *secret);
        }
    }

    /// 256 bits that nobody can guess.
    fn secret(&mut self) -> Zeroizing<[u8; 32]> {
        let mut secret = Zeroizing::new([0; 32]);
        for part in secret.chunks_mut(8) {
            part.copy_from_slice(&self.ids.next_u64().to_be_bytes());
        }
        secret
    }

    /// How requests of a session go.
    pub(crate) fn signalling_of(&self, session: SessionId) -> Way {
        let way = Way::by(self.endpoint.goes_by(session));
        Way { secure: self.endpoint.goes_securely(session), ..way }
    }

    /// How the INVITE to a place goes, as far as is known before its way is looked up.
    pub(crate) fn signalling_to(&self, place: &Place) -> Way {
        if let Some(flow) = place.flow {
            let listener = self.endpoint.settings().listener(flow.listener);
            return Way::by(listener.map(|listener| listener.transport));
        }
        let route = place.routes.first().map(|route| first_hop(route));
        let hop = route.as_ref().map_or(Some(&place.target.next_hop), Option::as_ref);
        Way::by(hop.and_then(sip::hop_transport))
    }
}

/// The URI of a route, as Path and Service-Route have it.
fn first_hop(route: &str) -> Option<Uri> {
    let uri = route.split_once('<').and_then(|(_, rest)| rest.split_once('>')).map_or(route, |(uri, _)| uri);
    uri.trim().parse().ok()
}

fn security(profile: &Profile, Way { secure, websocket }: Way, identity: Option<&Arc<Identity>>) -> Security {
    let srtp = &profile.srtp;
    let keying: Box<[Keying]> = match (srtp.keying.as_slice(), websocket) {
        ([], true) => [Keying::Dtls, Keying::Sdes].into(),
        ([], false) => [Keying::Sdes, Keying::Dtls].into(),
        (stated, _) => stated.iter().copied().map(kind).collect(),
    };
    Security {
        srtp: match srtp.mode {
            SrtpMode::Auto if websocket && identity.is_some() => SrtpUse::Preferred,
            SrtpMode::Auto => SrtpUse::Auto,
            SrtpMode::EndToEnd => SrtpUse::EndToEnd,
            SrtpMode::Off => SrtpUse::Off,
            SrtpMode::Opportunistic => SrtpUse::Opportunistic,
            SrtpMode::Preferred => SrtpUse::Preferred,
            SrtpMode::Required => SrtpUse::Required,
        },
        keying,
        suites: srtp.suites.iter().copied().map(suite).collect(),
        keys: secure || srtp.keys_in_clear,
        identity: identity.cloned(),
        dtls: match srtp.dtls {
            DtlsVersion::V1_2 => Version::V1_2,
            DtlsVersion::V1_3 => Version::V1_3,
        },
        browser: websocket,
    }
}

fn police(wanted: &config::Police) -> Police {
    Police {
        payload_types: wanted.payload_types == PayloadTypes::Drop,
        rate: wanted.rate != Excess::Carry,
        sources: wanted.sources == ForeignSources::Drop,
    }
}

fn bundling(bundle: Bundle) -> Bundling {
    match bundle {
        Bundle::Off => Bundling::Off,
        Bundle::Accept => Bundling::Accept,
        Bundle::Offer => Bundling::Offer,
    }
}

fn form(dtmf: Dtmf) -> Wanted {
    match dtmf {
        Dtmf::Auto => Wanted::Auto,
        Dtmf::Rfc4733 => Wanted::Events,
        Dtmf::Info => Wanted::Info,
        Dtmf::Inband => Wanted::Tones,
    }
}

fn coding(codec: Transcoded) -> Coding {
    match codec {
        Transcoded::Pcmu => Coding::G711(Law::Mu),
        Transcoded::Pcma => Coding::G711(Law::A),
        Transcoded::G722 => Coding::G722,
        Transcoded::Opus => Coding::Opus,
        Transcoded::L16Narrow => Coding::L16(Clock::Narrow),
        Transcoded::L16Wide => Coding::L16(Clock::Wide),
        Transcoded::L16Full => Coding::L16(Clock::Full),
    }
}

fn kind(keying: config::Keying) -> Keying {
    match keying {
        config::Keying::Sdes => Keying::Sdes,
        config::Keying::Dtls => Keying::Dtls,
    }
}

fn suite(suite: SrtpSuite) -> Suite {
    match suite {
        SrtpSuite::AeadAes256Gcm => Suite::AeadAes256Gcm,
        SrtpSuite::AeadAes128Gcm => Suite::AeadAes128Gcm,
        SrtpSuite::AesCm256Tag80 => Suite::AesCm256Sha1Tag80,
        SrtpSuite::AesCm128Tag80 => Suite::AesCm128Sha1Tag80,
        SrtpSuite::AesCm256Tag32 => Suite::AesCm256Sha1Tag32,
        SrtpSuite::AesCm128Tag32 => Suite::AesCm128Sha1Tag32,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suites_are_called_the_same_everywhere() {
        let others = [SrtpSuite::AesCm256Tag80, SrtpSuite::AesCm256Tag32, SrtpSuite::AesCm128Tag32];
        for of in Profile::default().srtp.suites.into_iter().chain(others) {
            assert_eq!(suite(of).name(), of.as_str());
        }
    }

    #[test]
    fn the_first_hop_of_a_route_is_read_as_path_has_it() {
        let uri = |route| first_hop(route).map(|uri: Uri| uri.to_string());
        assert_eq!(uri("<sips:edge.example;lr>;x=1").as_deref(), Some("sips:edge.example;lr"));
        assert_eq!(uri("sip:edge.example").as_deref(), Some("sip:edge.example"));
    }
}
