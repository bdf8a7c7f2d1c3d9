//! Call detail records: one JSON object a line.

mod file;
mod json;
mod made;
mod writer;
mod written;

pub use writer::{Writer, WriterError};

use sip::time::Wall;
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
    /// The codec that it became last for the other side; left out where it was not transcoded.
    pub transcoded: Option<&'static str>,
    /// Lost packets in whose place something was made then; left out where it was not transcoded.
    pub concealed: Option<u64>,
    /// Interarrival jitter at the end, in seconds (RFC 3550 §6.4.1).
    pub jitter_seconds: Option<f64>,
    /// An estimate of how that sounded, as a mean opinion score in hundredths; left out where there is none.
    pub mos: Option<u16>,
    /// RTP packets that the peer says it has not got; left out where it says nothing.
    pub sent_lost: Option<u64>,
    /// The estimate for what the peer got; left out where there is none.
    pub sent_mos: Option<u16>,
    /// The time to the peer and back as it was known last, in seconds; left out where it was not.
    pub round_trip_seconds: Option<f64>,
    /// How often it became poor by the bounds of the profile; left out where it never did.
    pub poor: u32,
    /// RTP packets dropped because of their payload types; left out where there were none.
    pub unnegotiated: u64,
    /// RTP packets dropped because they were more than was negotiated; left out where there were none.
    pub excess: u64,
    /// RTP packets of sources that are none of the stream's, dropped or not; left out where there were none.
    pub foreign: u64,
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
            transcoded: Some(""),
            concealed: Some(1),
            jitter_seconds: None,
            mos: Some(0),
            sent_lost: Some(0),
            sent_mos: Some(0),
            round_trip_seconds: Some(0.0),
            poor: 1,
            unnegotiated: 1,
            excess: 1,
            foreign: 1,
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
