//! What the two do, and their owners' parts in it.

use std::{net::IpAddr, sync::Arc};

use bytes::Bytes;
use sip::{
    Event, NetworkId, Received, SecretNeeded,
    auth::{
        Covered, Credential, Kind, Secret,
        server::{Challenger, NonceWindows, Settings, Verdict, credentials},
    },
    dialog::DialogNo,
    session::{Ask, Body, Invite, Parts, Patience, Reply, SessionId},
    time::Now,
};
use sip_types::{Fields, HeaderName, Method, StatusCode};

use super::{Pair, Side, SplitMix};

/// One thing to do, again and again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Job {
    /// A MESSAGE outside a dialog and its 200.
    Transaction,
    /// INVITE, 100, 180, 200, ACK, BYE and its 200, with session descriptions.
    Call,
    /// The same with a reliable 180 (RFC 3262): PRACK and its 200 besides.
    CallReliable,
    /// The same as [`Self::Call`] with an INVITE that is challenged (407) and proves who it is by SHA-256.
    CallAuthenticated,
    /// The same as [`Self::Call`] with a session timer that both want (RFC 4028), and that is over with the call before its time.
    CallTimed,
}

impl Job {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Transaction, Self::Call, Self::CallReliable, Self::CallAuthenticated, Self::CallTimed];

    /// As results call it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Transaction => "transaction",
            Self::Call => "call",
            Self::CallReliable => "call-100rel",
            Self::CallAuthenticated => "call-authenticated",
            Self::CallTimed => "call-session-timer",
        }
    }

    /// The messages that one takes on the wire between the two.
    #[must_use]
    pub fn messages(self) -> u64 {
        match self {
            Self::Transaction => 2,
            Self::Call | Self::CallTimed => 7,
            Self::CallReliable => 9,
            Self::CallAuthenticated => 11,
        }
    }
}

const OFFER: &[u8] = b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 30000 RTP/AVP 8 0 101\r\n\
a=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=sendrecv\r\n";
const ANSWER: &[u8] = b"v=0\r\no=- 2 1 IN IP4 192.0.2.2\r\ns=-\r\nc=IN IP4 192.0.2.2\r\nt=0 0\r\nm=audio 40000 RTP/AVP 8 101\r\n\
a=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=sendrecv\r\n";

/// The callee's side of authentication.
pub(super) struct Door {
    challenger: Challenger,
    windows: NonceWindows,
    user: Arc<Credential>,
    chance: SplitMix,
}

impl Door {
    pub(super) fn new() -> Self {
        let start = Now::default();
        Self {
            challenger: Challenger::new(&[7; 32], start, Settings::new("example.com"))
                .expect("settings that make a challenge"),
            windows: NonceWindows::new(start.wall, 100_000),
            user: Arc::new(Credential::new("alice", Secret::password("secret"))),
            chance: SplitMix(7),
        }
    }

    /// The challenge for who has not proved anything yet.
    fn ask(&mut self, now: Now, request: &Received) -> Option<Reply> {
        let source: IpAddr = request.flow.peer.ip();
        let shown = credentials(request.headers(), Kind::Proxy);
        let covered = Covered::from(&request.request);
        let user = Arc::clone(&self.user);
        let verdict =
            self.challenger.verify(now, (source, &covered), &shown, &mut self.windows, |_| Some(user));
        match verdict {
            Verdict::Accepted(_) => None,
            Verdict::Absent => {
                let mut reply = Reply::new(StatusCode::PROXY_AUTHENTICATION_REQUIRED);
                for challenge in self.challenger.challenge(now, source, false, &mut self.chance) {
                    reply.parts.fields.push(HeaderName::ProxyAuthenticate, challenge);
                }
                Some(reply)
            }
            other => panic!("good credentials are refused: {other:?}"),
        }
    }
}

fn described(sdp: &'static [u8]) -> Parts {
    let mut fields = Fields::default();
    fields.push(HeaderName::ContentType, "application/sdp");
    Parts { body: Some(Body { fields, bytes: Bytes::from_static(sdp) }), ..Parts::default() }
}

fn uri(side: Side) -> sip_types::Uri {
    format!("sip:{}", side.address()).parse().expect("a URI")
}

impl Pair {
    pub(super) fn begin(&mut self) {
        let now = self.now;
        let (from, to) = ("<sip:alice@example.net>".into(), "<sip:bob@example.com>".into());
        let (request_uri, next_hop) = (uri(Side::Callee), uri(Side::Callee));
        if self.job == Job::Transaction {
            let ask = Ask {
                network: NetworkId(0),
                label: 0,
                conduct: None,
                method: Method::Message,
                request_uri,
                next_hop,
                routes: Box::default(),
                from,
                to,
                contact_user: None,
                flow: None,
                outbound: false,
                keep: false,
                max_forwards: 70,
                patience: Patience::default(),
                everywhere: false,
                parts: Parts::default(),
            };
            self.caller.ask(now, ask).expect("there is room");
        } else {
            let invite = Invite {
                network: NetworkId(0),
                label: 0,
                conduct: None,
                request_uri,
                next_hop,
                routes: Box::default(),
                flow: None,
                outbound: false,
                gruu: None,
                speaks_for: None,
                from,
                to,
                max_forwards: 70,
                patience: Patience::default(),
                parts: self.supporting(described(OFFER)),
            };
            self.caller.invite(now, invite).expect("there is room");
        }
    }

    /// What the user agent's owner says that it supports.
    fn supporting(&self, mut parts: Parts) -> Parts {
        if self.job == Job::CallReliable {
            parts.fields.push(HeaderName::Supported, "100rel");
        }
        parts
    }

    pub(super) fn told_caller(&mut self, event: Event) {
        let now = self.now;
        match event {
            Event::Progress { session, dialog: Some(dialog), reliable: Some(number), .. } => {
                self.caller
                    .prack(now, session, dialog, number, Parts::default())
                    .expect("it waits for a PRACK");
            }
            Event::Progress { .. } => {}
            Event::Answered { session, .. } => {
                self.caller.acknowledge(now, session, Parts::default()).expect("it waits for an ACK");
                self.caller.end(now, session, Fields::default()).expect("it is answered");
            }
            Event::Responded { outcome, .. } => {
                assert!(outcome.is_ok_and(|response| response.status().is_success()), "a request is refused");
                self.done += u64::from(self.job == Job::Transaction);
            }
            Event::Ended { .. } => self.done += u64::from(self.job != Job::Transaction),
            other => panic!("the caller hears what it should not: {other:?}"),
        }
    }

    pub(super) fn told_callee(&mut self, event: Event) {
        let now = self.now;
        match event {
            Event::Asked { id, .. } => {
                self.callee
                    .answer_asked(now, id, &Reply::new(StatusCode::OK))
                    .expect("it waits for an answer");
            }
            Event::Invited { session, request } => self.ring(session, &request),
            Event::Pracked { session, dialog, .. } => self.pick_up(session, dialog),
            Event::Acknowledged { .. } | Event::Ended { .. } => {}
            other => panic!("the callee hears what it should not: {other:?}"),
        }
    }

    fn ring(&mut self, session: SessionId, request: &Received) {
        let now = self.now;
        if self.job == Job::CallAuthenticated
            && let Some(challenge) = self.door.ask(now, request)
        {
            return self.callee.turn_away(now, session, &challenge).expect("it waits for an answer");
        }
        let dialog = self.callee.open_dialog(session).expect("there is room");
        let ringing = Reply::new(StatusCode::RINGING);
        if self.job == Job::CallReliable {
            self.callee.progress_reliably(now, session, dialog, &ringing).expect("it may be reliable");
        } else {
            self.callee.progress(now, session, dialog, &ringing).expect("it waits for an answer");
            self.pick_up(session, dialog);
        }
    }

    fn pick_up(&mut self, session: SessionId, dialog: DialogNo) {
        let now = self.now;
        self.callee.answer(now, session, dialog, described(ANSWER)).expect("it waits for an answer");
    }

    pub(super) fn tell_secret(&mut self, side: Side, needed: &SecretNeeded) {
        assert_eq!(side, Side::Caller, "only the callee challenges");
        let granted = needed.realms.iter().map(|realm| (realm.clone(), Arc::clone(&self.door.user)));
        self.caller.handle_secret(self.now, needed.id, granted.collect());
    }
}
