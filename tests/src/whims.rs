//! A telephone that changes its session again and again, and answers the other side's changes as it likes.

use crate::ids::Seeded;
use crate::message::body as body_of;
use bytes::Bytes;
use sip::session::{Body, OutgoingId, Parts, Reply, RequestId, SessionId};
use sip::time::{Mono, Now};
use sip::{Endpoint, Event};
use sip_types::{Fields, HeaderName, StatusCode};
use std::time::Duration;

/// Methods that it takes.
const ALLOW: &str = "INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE";

/// What waits for an answer of its own.
#[derive(Clone, Debug)]
enum Waiting {
    Reinvite(String),
    Update(RequestId, String),
}

/// What it does by chance, and what it holds to be agreed.
pub struct Whims {
    chance: Seeded,
    ip: String,
    /// Whether it takes UPDATE.
    updates: bool,
    /// Whether it answers everything, and at once.
    pub calm: bool,
    /// Whether it may be silent to an UPDATE, or answer 408: its dialog is over then.
    pub rash: bool,
    version: u64,
    waiting: Vec<(Mono, Waiting)>,
    /// What it has offered in a re-INVITE or UPDATE; without anything in a re-INVITE that asks for an offer.
    pending: Option<Option<String>>,
    update: Option<OutgoingId>,
    /// What it has offered in a 2xx.
    owed: Option<String>,
    /// What it has said and what it was told, by the last offer that was answered.
    pub agreed: (String, String),
    /// Changes that it has asked for, and those that were made.
    pub asked: usize,
    /// See there.
    pub made: usize,
}

impl Whims {
    /// With that chance, at that address.
    pub fn new(seed: u64, ip: &str, updates: bool) -> Self {
        Self {
            chance: Seeded(seed),
            ip: ip.to_owned(),
            updates,
            calm: false,
            rash: false,
            version: 10,
            waiting: Vec::new(),
            pending: None,
            update: None,
            owed: None,
            agreed: Default::default(),
            asked: 0,
            made: 0,
        }
    }

    /// What each message of its own says besides.
    pub fn parts(&self, sdp: Option<&str>) -> Parts {
        let mut parts = Parts::default();
        if self.updates {
            parts.fields.push(HeaderName::Allow, ALLOW);
        }
        parts.body = sdp.map(|sdp| {
            let mut fields = Fields::default();
            fields.push(HeaderName::ContentType, "application/sdp");
            Body { fields, bytes: Bytes::copy_from_slice(sdp.as_bytes()) }
        });
        parts
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.chance.below(bound)
    }

    fn describe(&mut self, media: &str) -> String {
        self.version += 1;
        let (ip, version) = (&self.ip, self.version);
        format!("v=0\r\no=phone 7 {version} IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\n{media}")
    }

    fn direction(&mut self, of: &[&'static str]) -> &'static str {
        of[usize::try_from(self.below(of.len() as u64)).unwrap()]
    }

    /// An offer: every stream that there is, opened, changed or closed, and now and then one more.
    pub fn offer(&mut self) -> String {
        let known = streams(&self.agreed.0).len().max(streams(&self.agreed.1).len()).max(1);
        let more = usize::from(known < 5 && self.below(4) == 0);
        let mut media = String::new();
        for n in 0..known + more {
            let open = n == 0 || self.below(4) > 0;
            let port = if open { 4000 + 2 * n } else { 0 };
            let formats = ["8 101", "0 8", "8"][usize::try_from(self.below(3)).unwrap()];
            let direction = self.direction(&["sendrecv", "sendonly", "recvonly", "inactive"]);
            media.push_str(&format!("m=audio {port} RTP/AVP {formats}\r\na={direction}\r\n"));
        }
        self.describe(&media)
    }

    /// An answer: each stream in its place, taken or not, in a direction that the offer has room for.
    pub fn answer(&mut self, offer: &str) -> String {
        let mut media = String::new();
        for (n, stream) in streams(offer).into_iter().enumerate() {
            let takes = stream.open && (n == 0 || self.calm || self.below(8) > 0);
            let port = if takes { 6000 + 2 * n } else { 0 };
            let direction = match stream.direction.as_str() {
                "sendrecv" => self.direction(&["sendrecv", "sendonly", "recvonly", "inactive"]),
                "sendonly" => self.direction(&["recvonly", "inactive"]),
                "recvonly" => self.direction(&["sendonly", "inactive"]),
                _ => "inactive",
            };
            media.push_str(&format!("m=audio {port} RTP/AVP {}\r\na={direction}\r\n", stream.formats));
        }
        self.describe(&media)
    }

    /// What its INVITE says.
    pub fn invite(&mut self) -> Parts {
        let offer = self.offer();
        let parts = self.parts(Some(&offer));
        self.pending = Some(Some(offer));
        parts
    }

    /// Asks for a change, by chance of any kind; nothing where the session is in the middle of one.
    pub fn change(&mut self, now: Now, endpoint: &mut Endpoint, session: SessionId) {
        let kind = if self.calm { self.below(8) } else { self.below(10) };
        let offer = if kind < 8 { Some(self.offer()) } else { None };
        let parts = self.parts(offer.as_deref());
        let sent = match (kind, self.updates) {
            (0..4, true) => match endpoint.update(now, session, None, 70, parts) {
                Ok(id) => {
                    self.update = Some(id);
                    true
                }
                Err(_) => false,
            },
            (8, true) => {
                // It says nothing of the session.
                let _ = endpoint.update(now, session, None, 70, parts);
                return;
            }
            (_, _) => endpoint.reinvite(now, session, 70, parts).is_ok(),
        };
        if sent {
            self.asked += 1;
            self.pending = Some(offer);
        }
    }

    /// Gives its re-INVITE up now and then.
    pub fn give_up(&mut self, now: Now, endpoint: &mut Endpoint, session: SessionId) {
        if self.below(12) == 0 {
            let _ = endpoint.cancel_reinvite(now, session);
        }
    }

    /// Answers what has waited for long enough.
    pub fn act(&mut self, now: Now, endpoint: &mut Endpoint, session: SessionId) {
        let calm = self.calm;
        let due: Vec<_> = self.waiting.extract_if(.., |(at, _)| calm || *at <= now.mono).collect();
        for (_, waiting) in due {
            self.settle(now, endpoint, session, waiting);
        }
    }

    fn settle(&mut self, now: Now, endpoint: &mut Endpoint, session: SessionId, waiting: Waiting) {
        let (offer, id) = match &waiting {
            Waiting::Reinvite(offer) => (offer.clone(), None),
            Waiting::Update(id, offer) => (offer.clone(), Some(*id)),
        };
        let refusal = match self.below(20) {
            _ if self.calm => None,
            0 | 1 => Some(488),
            2 => Some(491),
            3 => Some(500),
            4 if self.rash && self.below(8) == 0 => Some(408),
            // It never answers.
            5 if id.is_none() && self.below(4) == 0 => return,
            5 if self.rash && self.below(8) == 0 => return,
            _ => None,
        };
        if let Some(status) = refusal {
            let reply = Reply::new(StatusCode::new(status).unwrap());
            match id {
                Some(id) => drop(endpoint.respond(now, session, id, &reply)),
                None => drop(endpoint.reject_reinvite(now, session, &reply)),
            }
            return;
        }
        let (ours, answers) = match (offer.is_empty(), id) {
            (true, Some(_)) => (None, false),
            (true, None) => (Some(self.offer()), false),
            (false, _) => (Some(self.answer(&offer)), true),
        };
        let parts = self.parts(ours.as_deref());
        let said = match id {
            Some(id) => endpoint.respond(now, session, id, &Reply { parts, ..Reply::new(StatusCode::OK) }),
            None => endpoint.answer_reinvite(now, session, parts),
        };
        match (said, ours) {
            (Ok(()), Some(ours)) if answers => self.agreed = (ours, offer),
            (Ok(()), Some(ours)) => self.owed = Some(ours),
            (_, _) => {}
        }
    }

    /// What it does about an event; `false` where that is left to any telephone.
    pub fn react(&mut self, now: Now, endpoint: &mut Endpoint, event: &Event) -> bool {
        let text = |bytes: &Bytes| String::from_utf8_lossy(bytes).into_owned();
        match event {
            Event::Invited { session, request } => {
                let offer = text(request.request.body());
                let ours = self.answer(&offer);
                let parts = self.parts(Some(&ours));
                let dialog = endpoint.open_dialog(*session).unwrap();
                endpoint.answer(now, *session, dialog, parts).unwrap();
                self.agreed = (ours, offer);
            }
            Event::Answered { session, response, .. } => {
                let ours = self.pending.take().flatten().unwrap_or_default();
                self.agreed = (ours, text(response.body()));
                let parts = self.parts(None);
                let _ = endpoint.acknowledge(now, *session, parts);
            }
            Event::Reinvited { session, request } => {
                let waiting = Waiting::Reinvite(text(request.request.body()));
                self.wait(now, endpoint, *session, waiting);
            }
            Event::Updated { session, id, request, .. } => {
                let waiting = Waiting::Update(*id, text(request.request.body()));
                self.wait(now, endpoint, *session, waiting);
            }
            Event::ReinviteCancelled { .. } => {
                self.waiting.retain(|(_, waiting)| !matches!(waiting, Waiting::Reinvite(_)));
            }
            Event::ReinviteAnswered { session, response } => {
                let theirs = text(response.body());
                let answer = match self.pending.take().flatten() {
                    Some(ours) => {
                        self.agreed = (ours, theirs);
                        None
                    }
                    None if theirs.is_empty() => None,
                    None => {
                        let ours = self.answer(&theirs);
                        self.agreed = (ours.clone(), theirs);
                        Some(ours)
                    }
                };
                self.made += 1;
                let parts = self.parts(answer.as_deref());
                let _ = endpoint.acknowledge(now, *session, parts);
            }
            Event::ReinviteFailed { .. } => self.pending = None,
            Event::Acknowledged { request, .. } => {
                let theirs = text(request.request.body());
                if let Some(ours) = self.owed.take()
                    && !theirs.is_empty()
                {
                    self.agreed = (ours, theirs);
                }
            }
            Event::Responded { id, outcome, .. } if self.update == Some(*id) => {
                self.update = None;
                if let (Some(Some(ours)), Ok(response)) = (self.pending.take(), outcome) {
                    self.agreed = (ours, text(response.body()));
                    self.made += 1;
                }
            }
            _ => return false,
        }
        true
    }

    fn wait(&mut self, now: Now, endpoint: &mut Endpoint, session: SessionId, waiting: Waiting) {
        let wait = match self.below(10) {
            _ if self.calm => 0,
            0 => self.below(3_000),
            1..4 => self.below(150),
            _ => 0,
        };
        match wait {
            0 => self.settle(now, endpoint, session, waiting),
            _ => self.waiting.push((now.mono + Duration::from_millis(wait), waiting)),
        }
    }
}

/// A stream of a description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stream {
    /// Whether its port is not 0.
    pub open: bool,
    /// What it is called in `m=`.
    pub formats: String,
    /// `sendrecv` where nothing is said.
    pub direction: String,
}

/// The streams of a description.
pub fn streams(sdp: &str) -> Vec<Stream> {
    let mut streams: Vec<Stream> = Vec::new();
    for line in sdp.lines() {
        if let Some(media) = line.strip_prefix("m=") {
            let words: Vec<_> = media.split(' ').collect();
            let (open, formats) = (words[1] != "0", words[3..].join(" "));
            streams.push(Stream { open, formats, direction: "sendrecv".to_owned() });
        }
        let direction = line.strip_prefix("a=").filter(|a| a.ends_with("only") || *a == "inactive");
        if let (Some(direction), Some(last)) = (direction, streams.last_mut()) {
            last.direction = direction.to_owned();
        }
    }
    streams
}

/// The description in a message.
pub fn described(message: &str) -> Option<&str> {
    Some(body_of(message)).filter(|body| body.starts_with("v=0"))
}
