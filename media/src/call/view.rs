//! What an operator or a CDR wants to know.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sdp::{Description, Direction, Media};

use super::judge::played;
use super::party::{Exchange, Party, Stream};
use super::{CallMedia, Codec, Mode, StreamCoding, codec, sections};
use crate::dtls;
use crate::negotiate::is_secure;
use crate::quality::{Counters, Quality, Snapshot};
use crate::relay::Srtp;
use crate::srtp::Suite;
use crate::{NetworkId, PartyId};

/// A party's media at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct PartyView {
    /// Whose.
    pub party: PartyId,
    /// Its network.
    pub network: NetworkId,
    /// Whom its streams feed.
    pub peer: Option<PartyId>,
    /// An offer of either side waits for its answer.
    pub offer_pending: bool,
    /// One for each media section that was negotiated, in order.
    pub streams: Vec<StreamView>,
}

/// How a stream travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carriage {
    /// Through our relay.
    Relayed,
    /// Past us, between addresses of the peers: bypass, or a connection of theirs ([`super::Connections::Around`]).
    Around,
    /// Not at all: rejected or removed.
    Rejected,
}

/// How a stream is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Guarded {
    /// By nothing that we know of.
    #[default]
    No,
    /// By SRTP between us and the party, with keys from the descriptions.
    Sdes(Suite),
    /// By SRTP between us and the party, with keys from a handshake; without a suite as long as that is not done.
    Dtls(Option<Suite>),
    /// By SRTP between the peers, with keys that are none of ours (RFC 7879).
    EndToEnd,
}

impl Guarded {
    /// As records name it: the suite, or `end-to-end`.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        match self {
            Self::No => None,
            Self::Sdes(suite) | Self::Dtls(Some(suite)) => Some(suite.name()),
            Self::Dtls(None) => None,
            Self::EndToEnd => Some("end-to-end"),
        }
    }

    /// Where its keys come from, as records name it: `sdes` or `dtls`.
    #[must_use]
    pub fn keying(self) -> Option<&'static str> {
        match self {
            Self::No | Self::EndToEnd => None,
            Self::Sdes(_) => Some("sdes"),
            Self::Dtls(_) => Some("dtls"),
        }
    }

    pub(super) fn of(stream: &Stream, proto: &str, counters: Option<&Arc<Counters>>) -> Self {
        if let Some(was) = stream.was {
            return was;
        }
        match stream.link.as_ref().and_then(|link| link.srtp.as_ref()) {
            Some(Srtp::Keys(keys)) => Self::Sdes(keys.suite()),
            Some(Srtp::Dtls(_)) => match counters.and_then(|counters| counters.snapshot().dtls) {
                Some(dtls::Standing::Keyed(agreed)) => Self::Dtls(Some(agreed.suite)),
                Some(_) | None => Self::Dtls(None),
            },
            None if is_secure(proto) && (stream.link.is_some() || stream.around) => Self::EndToEnd,
            None => Self::No,
        }
    }
}

/// One stream of a party.
#[derive(Debug, Clone, PartialEq)]
pub struct StreamView {
    /// The media type.
    pub media: String,
    /// The transport protocol.
    pub proto: String,
    /// How it travels.
    pub carriage: Carriage,
    /// How it is protected between us and the party.
    pub guarded: Guarded,
    /// What flows between us and the party, seen from us: `RecvOnly` is media from the party only.
    pub direction: Direction,
    /// Its formats in their order.
    pub codecs: Vec<Codec>,
    /// Where we take its media.
    pub local: Option<SocketAddr>,
    /// Where its description says that it takes media.
    pub remote: Option<SocketAddr>,
    /// How it is transcoded, or was last.
    pub coding: Option<StreamCoding>,
    /// Its identification tag, where it shares a transport with others (RFC 9143); what is told of ICE and of a handshake is the
    /// transport's then.
    pub bundle: Option<String>,
    /// What was counted; all zero when it is not relayed.
    pub counted: Snapshot,
    /// What that amounts to.
    pub quality: Quality,
    /// Whether it was poor when it was [judged](CallMedia::judge) last.
    pub poor: bool,
}

/// A party that has been silent though it should send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Silence {
    /// Which.
    pub party: PartyId,
    /// Since how long no packet came on any of its streams, RTCP included.
    pub lasting: Duration,
}

impl CallMedia {
    /// A party's media as it stands.
    #[must_use]
    pub fn view(&self, party: PartyId) -> Option<PartyView> {
        let party = self.party(party).ok()?;
        let local = party.local.as_ref().map(sections::reread);
        let remote = party.remote.as_ref().map(sections::reread);
        let (local, remote) = (sections_of(local.as_ref()), sections_of(remote.as_ref()));
        let streams = local.iter().zip(&remote).zip(&party.streams);
        Some(PartyView {
            party: party.id,
            network: party.network,
            peer: party.peer,
            offer_pending: party.exchange != Exchange::Idle,
            streams: streams
                .enumerate()
                .map(|(section, ((ours, theirs), stream))| {
                    let proto = party.theirs.standing.get(section).and_then(|keyed| keyed.proto.as_deref());
                    let plain = self.stream_view((party, section), ours, theirs, stream);
                    StreamView { proto: proto.map_or(plain.proto, str::to_owned), ..plain }
                })
                .collect(),
        })
    }

    /// Of each of a party's streams, whether it goes through our relay.
    pub fn relayed(&self, party: PartyId) -> impl Iterator<Item = bool> {
        let streams = self.party(party).map(|party| party.streams.iter()).into_iter().flatten();
        streams.map(|stream| stream.link.is_some())
    }

    fn stream_view(
        &self,
        (party, section): (&Party, usize),
        ours: &Media<'_>,
        theirs: &Media<'_>,
        stream: &Stream,
    ) -> StreamView {
        let port =
            stream.context.and_then(|context| self.port(context.pair)).filter(|_| stream.link.is_some());
        let carriage = match (&stream.link, stream.around) {
            (Some(_), _) => Carriage::Relayed,
            (None, true) => Carriage::Around,
            (None, false) => Carriage::Rejected,
        };
        let remote = match (&stream.link, carriage) {
            (Some(link), _) => Some(link.remote),
            (None, Carriage::Around) => theirs
                .connection()
                .and_then(|connection| connection.ip())
                .map(|ip| SocketAddr::new(ip, theirs.line().port)),
            _ => None,
        };
        let counted = party.counted(section);
        StreamView {
            media: theirs.line().media.to_owned(),
            proto: theirs.line().proto.to_owned(),
            carriage,
            guarded: Guarded::of(stream, theirs.line().proto, party.transport_counters(section)),
            direction: stream.direction,
            codecs: codec::all(if theirs.line().port == 0 { ours } else { theirs }),
            local: port.map(|port| SocketAddr::new(party.own.address, port)),
            remote,
            coding: stream.coding(),
            bundle: party
                .bundle
                .as_ref()
                .and_then(|bundle| bundle.tags(section))
                .map(|tags| tags.mid.to_string()),
            counted,
            quality: Quality::of(&counted, played(theirs, counted.payload).as_deref()),
            poor: stream.poor().0,
        }
    }

    /// The party that has been silent longest, of those from which RTP must come: a relayed RTP stream that flows both
    /// ways, since one that does not may be on hold. RTCP counts as life, and so does any one of a party's streams.
    /// Nothing before `since` counts as silence: pass the time at which the call was established. `None` in bypass, on
    /// hold, and while the relay knows no such stream.
    #[must_use]
    pub fn silence(&self, now: Instant, since: Instant) -> Option<Silence> {
        if self.mode == Mode::Bypass {
            return None;
        }
        let silences = self.parties.iter().filter(|party| party.peer.is_some()).filter_map(|party| {
            let lives = party.streams.iter().filter(|stream| stream.must_send()).map(Stream::quiet_since);
            let last = lives.collect::<Option<Vec<_>>>()?.into_iter().max()?;
            Some(Silence { party: party.id, lasting: now.saturating_duration_since(last.max(since)) })
        });
        silences.max_by_key(|silence| silence.lasting)
    }
}

impl CallMedia {
    /// How many packets of a party were dropped because they were more than was negotiated.
    #[must_use]
    pub fn excess(&self, party: PartyId) -> u64 {
        let Ok(party) = self.party(party) else { return 0 };
        let counters = party.streams.iter().filter_map(|stream| stream.counters.as_ref());
        counters.map(|counters| counters.snapshot().excess).sum()
    }
}

impl Stream {
    fn must_send(&self) -> bool {
        self.direction == Direction::SendRecv && self.link.as_ref().is_some_and(|link| link.rtp)
    }

    fn quiet_since(&self) -> Option<Instant> {
        self.counters.as_ref().and_then(|counters| counters.snapshot().quiet_since)
    }
}

fn sections_of(description: Option<&Description>) -> Vec<Media<'_>> {
    description.map(|description| description.media().collect()).unwrap_or_default()
}
