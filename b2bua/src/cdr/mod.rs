//! Call detail records: one JSON object a line.

mod file;
mod json;
mod writer;

pub use writer::{Writer, WriterError};

use crate::call::role::{Role, RoleSince};
use crate::call::{Call, Leg, LegNo, Logged, Release};
use json::{Object, push_text};
use media::dtmf::Form;
use media::{PartyId, Tally};
use sip::location::Found;
use sip::time::{Now, Wall};
use std::time::{Duration, SystemTime};

/// One call, after its end. Times are RFC 3339 in UTC, durations are in seconds.
#[derive(Clone, Debug)]
pub struct Record {
    /// Our own name of the call.
    pub call: Box<str>,
    /// The node's name.
    pub node: Box<str>,
    /// From of the caller, as it came.
    pub from: String,
    /// To of the caller, as it came.
    pub to: String,
    /// The Request-URI of the caller, as it came.
    pub request_uri: String,
    /// When the first INVITE came.
    pub started: String,
    /// When it was answered.
    pub answered: Option<String>,
    /// When the last leg ended.
    pub ended: String,
    /// From answer to end; 0 for a call that was not answered.
    pub duration_seconds: f64,
    /// Why it ended.
    pub cause: String,
    /// Who hung up or gave up: `calling`, `called`, or `liaison` where we did; none where the call was refused. After a transfer,
    /// `calling` is who stayed, and `called` who came.
    pub released_by: Option<&'static str>,
    /// What part we had between the two (RFC 7092): `signalling-only` where no media was described, `sdp-modifying` where it went
    /// around us, `media-relay` where we relayed some of it.
    pub role: &'static str,
    /// How that changed after the answer: each part from its moment on, the first one too; left out where it stayed as it was.
    pub roles: Vec<RoleRecord>,
    /// Whether what the sides prove to each other crossed: then a challenge of a BYE of ours could not be answered; left out where
    /// not.
    pub credentials_carried: bool,
    /// Whether it was placed from here (RFC 3725): then nobody has called us; left out where not.
    pub placed: bool,
    /// The legs, the caller's first.
    pub legs: Vec<LegRecord>,
    /// The transfers that were accepted, in order; left out where there was none.
    pub transfers: Vec<TransferRecord>,
}

/// What part we had from a moment on. Legs are told by their places in the list of legs, from 0.
#[derive(Clone, Debug)]
pub struct RoleRecord {
    /// From when on.
    pub at: String,
    /// Which, as in [`Record::role`].
    pub role: &'static str,
    /// The calling leg that it was had between.
    pub calling: u8,
    /// The called one.
    pub called: u8,
}

/// One transfer. Legs are told by their places in the list of legs, from 0.
#[derive(Clone, Debug)]
pub struct TransferRecord {
    /// The leg that asked for it.
    pub by: u8,
    /// The leg that was transferred.
    pub of: u8,
    /// The target, as Refer-To named it.
    pub to: Box<str>,
    /// The leg that took the place of the first.
    pub target: Option<u8>,
    /// What came of it, as a SIP status; none where the call ended before.
    pub status: Option<u16>,
}

/// One leg.
#[derive(Clone, Debug)]
pub struct LegRecord {
    /// `calling` or `called`.
    pub role: &'static str,
    /// Its network.
    pub network: Option<String>,
    /// Its trunk.
    pub trunk: Option<String>,
    /// Its Call-ID.
    pub sip_call_id: String,
    /// The identifier of its peer in Session-ID (RFC 7989); left out where there is none.
    pub session_id: Option<String>,
    /// The Request-URI that it dialled; left out where that is empty.
    pub target: String,
    /// The final status of its INVITE, where that ended it.
    pub status: Option<u16>,
    /// What ended it.
    pub cause: Option<&'static str>,
    /// The Reason that came with the end, or went with it where we ended the leg (RFC 3326); left out where there is none.
    pub reason: Option<String>,
    /// How whom it called was found, where that was by name, and what became of each target: one text a step; else left out.
    pub location: Vec<String>,
    /// How it was let go once it was answered: `released by the peer`, or by us `released`, `released, authenticated`
    /// where the peer challenged our BYE, or `released, not confirmed` where it had no 2xx; else left out.
    pub release: Option<&'static str>,
    /// In which form its peer had DTMF last: `rfc4733`, `info` or `inband`; left out where that was not settled.
    pub dtmf: Option<&'static str>,
    /// Keys of its peer that went on in another form; left out where there was none.
    pub dtmf_heard: u32,
    /// Keys that its peer was sent in another form than they came in; left out where there was none.
    pub dtmf_said: u32,
    /// Its media.
    pub streams: Vec<StreamRecord>,
}

/// One stream of a leg, as its peer sent it to us.
#[derive(Clone, Debug)]
pub struct StreamRecord {
    /// The media type.
    pub media: String,
    /// The encodings, in order.
    pub codecs: Vec<String>,
    /// Whether it went through our relay.
    pub relayed: bool,
    /// How it was protected on the leg at its end: the crypto suite of SRTP, or `end-to-end`; else left out.
    pub srtp: Option<&'static str>,
    /// Where its keys came from, `sdes` or `dtls`; left out where there were none of ours.
    pub keying: Option<&'static str>,
    /// RTP packets taken from the peer.
    pub packets: u64,
    /// Their bytes, from the RTP header on.
    pub bytes: u64,
    /// RTP packets that never came (RFC 3550 §A.3).
    pub lost: Option<i64>,
    /// How far the handshake for its keys was at the end, or why there were none; left out where keys came from elsewhere.
    pub dtls: Option<&'static str>,
    /// Interarrival jitter at the end, in seconds (RFC 3550 §6.4.1).
    pub jitter_seconds: Option<f64>,
}

impl Record {
    /// The record of a call whose legs have all ended.
    pub(crate) fn of(call: &Call, node: &str, now: Now) -> Self {
        // Of an answered call, legs that were not chosen say nothing: they may end long before it, or after.
        let ends = || call.legs().filter(|leg| call.takes_part(leg)).filter_map(|leg| leg.end.as_ref());
        let first_end = ends().min_by_key(|end| end.at.mono);
        let last = ends().map(|end| end.at.mono).max().unwrap_or(now.mono);
        let legs: Vec<LegRecord> = call.legs().map(|leg| leg_record(call, leg)).collect();
        let lasted = call.answered.map_or(Duration::ZERO, |answered| last.since(answered.mono));
        Self {
            call: call.id.clone(),
            node: node.into(),
            from: call.facts.from.clone(),
            to: call.facts.to.clone(),
            request_uri: call.facts.request_uri.clone(),
            started: timestamp(call.started.wall),
            answered: call.answered.map(|at| timestamp(at.wall)),
            ended: timestamp(now.wall),
            duration_seconds: lasted.as_secs_f64(),
            cause: call.cause.or(first_end.map(|end| end.cause)).unwrap_or_default().to_owned(),
            released_by: call.hung_up.map(|no| side(call, no)).or(call.cause.and(Some("liaison"))),
            credentials_carried: call.carries_proofs(),
            role: Role::of(legs.iter().flat_map(|leg| &leg.streams).map(|stream| stream.relayed)).as_str(),
            roles: role_records(call),
            placed: call.placed.is_some(),
            legs,
            transfers: call
                .transfers
                .iter()
                .flat_map(|transfers| &transfers.log)
                .map(|transfer| transfer_record(call, transfer))
                .collect(),
        }
    }

    /// Appends it as one line of JSON.
    pub fn write(&self, line: &mut Vec<u8>) {
        Object::write(line, |record| {
            record.text("call", &self.call);
            record.text("node", &self.node);
            record.text("from", &self.from);
            record.text("to", &self.to);
            record.text("request_uri", &self.request_uri);
            record.text("started", &self.started);
            record.maybe_text("answered", self.answered.as_deref());
            record.text("ended", &self.ended);
            record.seconds("duration_seconds", self.duration_seconds);
            record.text("cause", &self.cause);
            record.maybe_text("released_by", self.released_by);
            record.text("role", self.role);
            if !self.roles.is_empty() {
                record.list("roles", &self.roles, |out, role| role.write(out));
            }
            if self.credentials_carried {
                record.flag("credentials_carried", true);
            }
            if self.placed {
                record.flag("placed", true);
            }
            record.list("legs", &self.legs, |out, leg| leg.write(out));
            if !self.transfers.is_empty() {
                record.list("transfers", &self.transfers, |out, transfer| transfer.write(out));
            }
        });
        line.push(b'\n');
    }
}

impl RoleRecord {
    fn write(&self, out: &mut Vec<u8>) {
        Object::write(out, |role| {
            role.text("at", &self.at);
            role.text("role", self.role);
            role.number("calling", u16::from(self.calling));
            role.number("called", u16::from(self.called));
        });
    }
}

impl LegRecord {
    fn write(&self, out: &mut Vec<u8>) {
        Object::write(out, |leg| {
            leg.text("role", self.role);
            leg.maybe_text("network", self.network.as_deref());
            leg.maybe_text("trunk", self.trunk.as_deref());
            leg.text("sip_call_id", &self.sip_call_id);
            leg.text_if_any("session_id", self.session_id.as_deref());
            leg.text_if_any("target", Some(&*self.target).filter(|target| !target.is_empty()));
            match self.status {
                Some(status) => leg.number("status", status),
                None => leg.null("status"),
            }
            leg.maybe_text("cause", self.cause);
            leg.text_if_any("reason", self.reason.as_deref());
            leg.text_if_any("release", self.release);
            if !self.location.is_empty() {
                leg.list("location", &self.location, |out, step| push_text(out, step));
            }
            leg.text_if_any("dtmf", self.dtmf);
            for (name, count) in [("dtmf_heard", self.dtmf_heard), ("dtmf_said", self.dtmf_said)] {
                if count > 0 {
                    leg.number(name, count);
                }
            }
            leg.list("streams", &self.streams, |out, stream| stream.write(out));
        });
    }
}

impl StreamRecord {
    fn write(&self, out: &mut Vec<u8>) {
        Object::write(out, |stream| {
            stream.text("media", &self.media);
            stream.list("codecs", &self.codecs, |out, codec| push_text(out, codec));
            stream.flag("relayed", self.relayed);
            stream.text_if_any("srtp", self.srtp);
            stream.text_if_any("keying", self.keying);
            stream.number("packets", self.packets);
            stream.number("bytes", self.bytes);
            match self.lost {
                Some(lost) => stream.number("lost", lost),
                None => stream.null("lost"),
            }
            match self.jitter_seconds {
                Some(jitter) => stream.seconds("jitter_seconds", jitter),
                None => stream.null("jitter_seconds"),
            }
            stream.text_if_any("dtls", self.dtls);
        });
    }
}

impl TransferRecord {
    fn write(&self, out: &mut Vec<u8>) {
        Object::write(out, |transfer| {
            transfer.number("by", self.by);
            transfer.number("of", self.of);
            transfer.text("to", &self.to);
            match self.target {
                Some(target) => transfer.number("target", target),
                None => transfer.null("target"),
            }
            match self.status {
                Some(status) => transfer.number("status", status),
                None => transfer.null("status"),
            }
        });
    }
}

/// The place of a leg in the list: without a caller's, the first one is number 1.
fn place(call: &Call, no: LegNo) -> u8 {
    if call.caller.is_some() { no.0 } else { no.0.saturating_sub(1) }
}

fn transfer_record(call: &Call, of: &Logged) -> TransferRecord {
    let place = |no: LegNo| place(call, no);
    TransferRecord {
        by: place(of.by),
        of: place(of.of),
        to: of.to.clone(),
        target: of.target.map(place),
        status: of.status.map(|status| status.as_u16()),
    }
}

/// How our part changed, if it did.
fn role_records(call: &Call) -> Vec<RoleRecord> {
    if call.roles.len() < 2 {
        return Vec::new();
    }
    let record = |role: &RoleSince| RoleRecord {
        at: timestamp(role.at.wall),
        role: role.role.as_str(),
        calling: place(call, role.calling),
        called: place(call, role.called),
    };
    call.roles.iter().map(record).collect()
}

/// Which side of the call a leg is on: once a transfer has put another one in the caller's place, that one is the calling side.
fn side(call: &Call, no: LegNo) -> &'static str {
    if no == call.talk.calling() { "calling" } else { "called" }
}

/// Who had called whom when a leg came to be.
fn role(call: &Call, no: LegNo) -> &'static str {
    if call.is_calling(no) { "calling" } else { "called" }
}

fn leg_record(call: &Call, leg: &Leg) -> LegRecord {
    let party = call.party(leg.no).unwrap_or(leg.party);
    let dtmf = call.media.dtmf_view(party);
    LegRecord {
        role: role(call, leg.no),
        network: call.snapshot.network_name(leg.network).map(ToString::to_string),
        trunk: leg.trunk.as_ref().map(ToString::to_string),
        sip_call_id: leg.call_id.to_string(),
        session_id: leg.identifier.as_ref().map(ToString::to_string),
        target: leg.target.clone(),
        status: leg.end.as_ref().and_then(|end| end.status).map(|s| s.as_u16()),
        cause: leg.end.as_ref().map(|end| end.cause),
        reason: leg.end.as_ref().and_then(|end| end.reason.clone()),
        release: leg.end.as_ref().and_then(|end| end.release).map(Release::as_str),
        location: leg.found.as_deref().map(location).unwrap_or_default(),
        dtmf: dtmf.and_then(|dtmf| dtmf.form).map(Form::name),
        dtmf_heard: dtmf.map_or(0, |dtmf| dtmf.heard),
        dtmf_said: dtmf.map_or(0, |dtmf| dtmf.said),
        streams: streams(call, party),
    }
}

fn location(found: &Found) -> Vec<String> {
    let questions = found.questions.iter().map(ToString::to_string);
    questions.chain(found.targets.iter().map(ToString::to_string)).collect()
}

fn streams(call: &Call, party: PartyId) -> Vec<StreamRecord> {
    call.media.tally(party).into_iter().map(stream_record).collect()
}

fn stream_record(stream: Tally) -> StreamRecord {
    let counted = stream.counted;
    StreamRecord {
        media: stream.media,
        codecs: stream.codecs,
        relayed: stream.relayed,
        srtp: stream.guarded.name(),
        keying: stream.guarded.keying(),
        packets: counted.received.packets,
        bytes: counted.received.bytes,
        lost: i64::try_from(counted.lost).ok(),
        dtls: counted.dtls.map(media::dtls::Standing::name),
        jitter_seconds: (!counted.jitter.is_zero()).then_some(counted.jitter.as_secs_f64()),
    }
}

/// A wall-clock time as RFC 3339 writes it.
pub(crate) fn timestamp(at: Wall) -> String {
    admin_api::control::Timestamp::from(system_time(at)).to_string()
}

/// A wall-clock time as the system has it.
pub(crate) fn system_time(at: Wall) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(at.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A record that has everything.
    fn record() -> Record {
        let stream = StreamRecord {
            media: String::new(),
            codecs: Vec::new(),
            relayed: true,
            srtp: Some(""),
            keying: Some(""),
            packets: 0,
            bytes: 0,
            lost: None,
            dtls: Some(""),
            jitter_seconds: None,
        };
        let leg = LegRecord {
            role: "calling",
            network: None,
            trunk: None,
            sip_call_id: String::new(),
            session_id: Some(String::new()),
            target: "sip:a@b".to_owned(),
            status: None,
            cause: None,
            reason: Some(String::new()),
            release: Some(""),
            location: vec![String::new()],
            dtmf: Some(""),
            dtmf_heard: 1,
            dtmf_said: 1,
            streams: vec![stream],
        };
        Record {
            call: "".into(),
            node: "".into(),
            from: String::new(),
            to: String::new(),
            request_uri: String::new(),
            started: String::new(),
            answered: None,
            ended: String::new(),
            duration_seconds: 0.0,
            cause: String::new(),
            released_by: None,
            credentials_carried: true,
            role: "",
            roles: vec![RoleRecord { at: String::new(), role: "", calling: 0, called: 1 }],
            placed: true,
            legs: vec![leg],
            transfers: vec![TransferRecord { by: 0, of: 1, to: "".into(), target: None, status: None }],
        }
    }

    #[test]
    fn the_page_on_records_has_every_field_and_no_other() {
        let page = include_str!("../../../docs/records-and-metrics.md");
        let (page, _) = page.split_once("## Metrics").unwrap();
        let rows = page.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
        let described: Vec<_> = rows.map(|(field, _)| field.to_owned()).collect();
        let mut line = Vec::new();
        record().write(&mut line);
        let json: serde_json::Value = serde_json::from_slice(&line).unwrap();
        let places =
            ["", "/legs/0", "/legs/0/streams/0", "/transfers/0"].map(|place| json.pointer(place).unwrap());
        let fields = places.iter().flat_map(|table| table.as_object().unwrap().keys().cloned());
        let (mut wanted, mut got): (Vec<_>, Vec<_>) = (fields.collect(), described);
        wanted.sort();
        got.sort();
        assert_eq!(got, wanted);
    }
}
