//! The messages of user agents.

use crate::digest::Challenge;
use std::net::SocketAddr;

/// The domain of the users, which is the realm of their challenges, too.
pub(crate) const DOMAIN: &str = "bench.example";
/// The password of every user.
pub(crate) const PASSWORD: &str = "down-the-rabbit-hole";

/// From where a user agent sends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    /// The transport, as Via names it.
    pub(crate) via: &'static str,
    /// The transport, as a URI names it.
    pub(crate) uri: &'static str,
    pub(crate) local: SocketAddr,
}

/// A REGISTER of a user: with a contact, or to ask what is bound.
pub(crate) fn register(
    place: Place,
    user: usize,
    cseq: u32,
    bind: bool,
    challenge: Option<&mut Challenge>,
) -> Vec<u8> {
    let Place { via, uri, local } = place;
    let name = format!("user{user}");
    let resource = format!("sip:{DOMAIN}");
    let contact = match bind {
        true => format!("Contact: <sip:{name}@{local};transport={uri}>\r\nExpires: 3600\r\n"),
        false => String::new(),
    };
    let answer = challenge.map(|challenge| challenge.answer(&name, "REGISTER", &resource));
    let authorization = answer.map(|answer| format!("Authorization: {answer}\r\n")).unwrap_or_default();
    format!(
        "REGISTER {resource} SIP/2.0\r\n\
         Via: SIP/2.0/{via} {local};branch=z9hG4bK-{user}-{cseq};rport\r\n\
         Max-Forwards: 70\r\n\
         From: <sip:{name}@{DOMAIN}>;tag=r{user}\r\n\
         To: <sip:{name}@{DOMAIN}>\r\n\
         Call-ID: {user}-4d7c8f1e@bench\r\n\
         CSeq: {cseq} REGISTER\r\n\
         {contact}{authorization}\
         User-Agent: bench\r\n\
         Allow: INVITE, ACK, CANCEL, OPTIONS, BYE, NOTIFY, REFER, UPDATE\r\n\
         Content-Length: 0\r\n\r\n"
    )
    .into_bytes()
}

/// An OPTIONS to the server itself.
pub(crate) fn options(place: Place, server: SocketAddr, number: usize, cseq: u32) -> Vec<u8> {
    let Place { via, local, .. } = place;
    format!(
        "OPTIONS sip:{server} SIP/2.0\r\n\
         Via: SIP/2.0/{via} {local};branch=z9hG4bK-{number}-{cseq};rport\r\n\
         Max-Forwards: 70\r\n\
         From: <sip:ping{number}@{DOMAIN}>;tag=o{number}\r\n\
         To: <sip:{server}>\r\n\
         Call-ID: {number}-4d7c8f1e@bench\r\n\
         CSeq: {cseq} OPTIONS\r\n\
         Accept: application/sdp\r\n\
         User-Agent: bench\r\n\
         Content-Length: 0\r\n\r\n"
    )
    .into_bytes()
}

/// What an answer says.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The number that begins the Call-ID.
    pub(crate) number: usize,
    pub(crate) cseq: u32,
    pub(crate) contacts: usize,
    pub(crate) challenge: Option<Challenge>,
}

impl Answer {
    /// Reads an answer to one of the messages above.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let mut lines = text.split("\r\n");
        let status = lines.next()?.strip_prefix("SIP/2.0 ")?.get(..3)?.parse().ok()?;
        let mut answer = Self { status, ..Self::default() };
        for (name, value) in lines.take_while(|line| !line.is_empty()).filter_map(|line| line.split_once(':'))
        {
            let value = value.trim();
            match name.to_ascii_lowercase().as_str() {
                "call-id" => answer.number = value.split('-').next()?.parse().ok()?,
                "cseq" => answer.cseq = value.split(' ').next()?.parse().ok()?,
                "contact" => answer.contacts += value.matches('<').count(),
                "www-authenticate" => answer.challenge = answer.challenge.or_else(|| Challenge::read(value)),
                _ => {}
            }
        }
        Some(answer)
    }
}

/// How long the body of a message is that has this head.
pub(crate) fn body_length(head: &str) -> usize {
    let fields = head.split("\r\n").filter_map(|line| line.split_once(':'));
    let mut lengths = fields.filter(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    lengths.next().map_or(0, |(_, value)| value.trim().parse().expect("a length"))
}
