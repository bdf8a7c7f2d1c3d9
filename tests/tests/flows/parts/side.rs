//! The two sides of a dialog.

use super::{ALICE, BOB, CAROL, Heard, Stage};
use liaison_tests::message::{Msg, field, seq, uri_in};

/// One side of a dialog, as its phone knows it.
pub struct Side {
    /// Whose.
    pub at: &'static str,
    ours: String,
    theirs: String,
    pub(super) call_id: String,
    /// The remote target.
    pub target: String,
    seq: u32,
    port: u16,
    version: u32,
}

/// The media port of a phone in its nth call.
pub(super) fn port(at: &str, number: u32) -> u16 {
    let base = match at {
        ALICE => 4000,
        BOB => 6000,
        CAROL => 7000,
        _ => 8000,
    };
    base + u16::try_from(number).unwrap()
}

/// A session description: audio in that direction.
pub fn described(at: &str, port: u16, version: u32, direction: &str) -> String {
    let ip = at.split(':').next().unwrap();
    format!(
        "v=0\r\no=phone {port} {version} IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\n\
         m=audio {port} RTP/AVP 8 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\n{direction}"
    )
}

impl Side {
    /// The caller's, once it has a response with a tag.
    pub fn calling(at: &'static str, response: &str) -> Self {
        let number = seq(response);
        Self {
            at,
            ours: field(response, "From"),
            theirs: field(response, "To"),
            call_id: field(response, "Call-ID"),
            target: uri_in(&field(response, "Contact")),
            seq: number,
            port: port(at, number),
            version: 1,
        }
    }

    /// The called one's, who says that tag.
    pub fn called(at: &'static str, invited: &str, says: &str) -> Self {
        Self {
            at,
            ours: format!("{};tag={says}", field(invited, "To")),
            theirs: field(invited, "From"),
            call_id: field(invited, "Call-ID"),
            target: uri_in(&field(invited, "Contact")),
            seq: 100,
            port: port(at, 100),
            version: 1,
        }
    }

    /// In which the phone's requests are others than in another dialog of its own, where it has as many.
    pub fn beside(mut self) -> Self {
        self.port += 1;
        self
    }

    /// A request in the dialog.
    pub fn request(&mut self, method: &str) -> Msg {
        self.seq += 1;
        self.numbered(method, self.seq)
    }

    fn numbered(&self, method: &str, number: u32) -> Msg {
        Msg::request(method, &self.target, self.at, number)
            .branch(&format!("{}-{number}-{}", self.port, method.to_lowercase()))
            .set("From", &self.ours)
            .set("To", &self.theirs)
            .set("Call-ID", &self.call_id)
    }

    /// The ACK of the INVITE of that number.
    pub fn ack(&self, number: u32) -> Msg {
        self.numbered("ACK", number)
    }

    /// What it describes from now on, in that direction.
    pub fn sdp(&mut self, direction: &str) -> String {
        self.version += 1;
        described(self.at, self.port, self.version, direction)
    }

    /// The dialog as Replaces or Join names it to the other one: the tag of who is named is the remote one.
    pub fn named(&self) -> String {
        let tag = |value: &str| value.split(";tag=").nth(1).unwrap_or_default().to_owned();
        format!("{};to-tag={};from-tag={}", self.call_id, tag(&self.theirs), tag(&self.ours))
    }

    /// The same as Replaces or Join name it to who has this side.
    pub fn known(&self) -> String {
        let tag = |value: &str| value.split(";tag=").nth(1).unwrap_or_default().to_owned();
        format!("{};to-tag={};from-tag={}", self.call_id, tag(&self.ours), tag(&self.theirs))
    }

    /// The same as Target-Dialog names it to who has the other side (RFC 4538 §3).
    pub fn as_target(&self) -> String {
        self.named().replace("to-tag", "local-tag").replace("from-tag", "remote-tag")
    }

    /// A Refer-To with Replaces for this dialog.
    pub fn replacing(&self, uri: &str) -> String {
        let value =
            self.named().replace('@', "%40").replace(':', "%3A").replace(';', "%3B").replace('=', "%3D");
        format!("<{uri}?Replaces={value}>")
    }
}

/// An INVITE of a phone's that is to take the place of a dialog of ours, until it may: what its partner is asked for.
pub trait Insist {
    /// # Errors
    /// The partner is not asked.
    fn insist_anew(&mut self, at: &str, uri: &str, replaces: &str, partner: &str) -> Heard;
}

impl Insist for Stage {
    fn insist_anew(&mut self, at: &str, uri: &str, replaces: &str, partner: &str) -> Heard {
        let numbers: Vec<u32> = (0..4).map(|_| self.number()).collect();
        let mut numbers = numbers.into_iter();
        let ask = || {
            let number = numbers.next().unwrap_or_default();
            let sdp = described(at, port(at, number), 1, "");
            Msg::request("INVITE", uri, at, number)
                .with("Require", "replaces")
                .with("Replaces", replaces)
                .sdp(&sdp)
        };
        self.insist(at, ask, (partner, "INVITE"))
    }
}
