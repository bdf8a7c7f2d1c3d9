//! What a datagram of DTLS is made of, as far as nobody needs a key to see it (RFC 6347 §4.1, §4.2.2, RFC 9147 §4).

/// The longest datagram that is looked at: handshakes are made of shorter ones, and records of data are not ours.
pub(crate) const LONGEST: usize = 8_192;

const RECORD_HEADER: usize = 13;
const HANDSHAKE_HEADER: usize = 12;

const CHANGE_CIPHER_SPEC: u8 = 20;
const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
const APPLICATION_DATA: u8 = 23;
/// Of 1.3: which records have come (RFC 9147 §7).
const ACK: u8 = 26;
const CLIENT_HELLO: u8 = 1;
const SERVER_HELLO: u8 = 2;
const FATAL: u8 = 2;

/// Whether a datagram begins with a ClientHello.
pub(crate) fn is_hello(datagram: &[u8]) -> bool {
    Facts::read(datagram).is_some_and(|facts| facts.hello.is_some())
}

/// The cipher suite of the ServerHello that a datagram begins with, or of the HelloRetryRequest, which is one (RFC 8446 §4.1.3, §4.1.4).
pub(super) fn chosen_cipher(datagram: &[u8]) -> Option<u16> {
    let (record, message) = datagram.split_at_checked(RECORD_HEADER)?;
    let is_hello = matches!(record, [HANDSHAKE, _, _, 0, 0, ..])
        && matches!(message, [SERVER_HELLO, _, _, _, _, _, 0, 0, 0, ..]);
    if !is_hello {
        return None;
    }
    // Behind version and random octets, and the name of a session.
    let behind = message.get(HANDSHAKE_HEADER + 34..)?;
    let (session, behind) = behind.split_first()?;
    let cipher = behind.get(usize::from(*session)..)?.first_chunk()?;
    Some(u16::from_be_bytes(*cipher))
}

/// A client's random octets.
pub(super) type Random = [u8; 32];

/// A part of a handshake message, or all of it (RFC 6347 §4.2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    /// Octets of the message, of which the part has those from `start` up to `end`.
    total: usize,
    pub(super) start: usize,
    end: usize,
}

impl Part {
    /// Whether nothing of the message is missing.
    pub(super) fn make_a_whole(mut parts: Vec<Self>) -> bool {
        let Some(&Self { total, .. }) = parts.last() else { return false };
        parts.sort_unstable_by_key(|part| part.start);
        let of_it = parts.iter().filter(|part| part.total == total);
        of_it.fold(0, |read, part| if part.start <= read { read.max(part.end) } else { read }) == total
    }
}

/// What a datagram has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Facts {
    /// The random octets of the ClientHello that it begins with.
    pub(super) hello: Option<Random>,
    /// What it has of the sender's first handshake message.
    pub(super) opening: Option<Part>,
    /// The highest number of an unprotected handshake message in it.
    pub(super) highest: Option<u16>,
    /// It has nothing but unprotected handshake messages.
    pub(super) only_messages: bool,
    /// It has a protected record.
    pub(super) protected: bool,
    /// It has a protected alert.
    pub(super) protected_alert: bool,
    /// An unprotected fatal alert in it, by its number.
    pub(super) alert: Option<u8>,
}

impl Facts {
    /// `None` where it is not one record after another, of kinds and versions that a handshake has.
    pub(super) fn read(datagram: &[u8]) -> Option<Self> {
        if datagram.is_empty() || datagram.len() > LONGEST {
            return None;
        }
        let mut facts = Self { only_messages: true, ..Self::default() };
        let (mut rest, mut first) = (datagram, true);
        while let Some(kind) = rest.first() {
            if kind & 0b1110_0000 == 0b0010_0000 {
                rest = facts.ciphertext(rest)?;
                first = false;
                continue;
            }
            let (header, behind) = rest.split_at_checked(RECORD_HEADER)?;
            let [kind, major, minor, e0, e1, _, _, _, _, _, _, l0, l1] = *header else { return None };
            let length = usize::from(u16::from_be_bytes([l0, l1]));
            let (body, behind) = behind.split_at_checked(length)?;
            // 1.2, and what ClientHello and HelloVerifyRequest say for the sake of old peers (RFC 6347 §4.2.1).
            if major != 254 || !(minor == 253 || minor == 255) || body.is_empty() {
                return None;
            }
            facts.record(kind, u16::from_be_bytes([e0, e1]) != 0, body, first)?;
            (rest, first) = (behind, false);
        }
        Some(facts)
    }

    /// A record of 1.3 that is protected (RFC 9147 §4): what is behind it. Which kind it is of nobody sees without a key.
    fn ciphertext<'a>(&mut self, record: &'a [u8]) -> Option<&'a [u8]> {
        let (first, rest) = record.split_first()?;
        let [has_id, long_number, has_length] = [0b1_0000, 0b1000, 0b100].map(|bit| first & bit != 0);
        if has_id {
            // Nobody has one from us (RFC 9146).
            return None;
        }
        let rest = rest.get(if long_number { 2 } else { 1 }..)?;
        let (body, behind) = if has_length {
            let (length, rest) = rest.split_first_chunk()?;
            rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?
        } else {
            (rest, &[][..])
        };
        (self.only_messages, self.protected) = (false, true);
        (!body.is_empty()).then_some(behind)
    }

    fn record(&mut self, kind: u8, protected: bool, body: &[u8], first: bool) -> Option<()> {
        self.only_messages &= kind == HANDSHAKE && !protected;
        self.protected |= protected;
        match (kind, protected) {
            (HANDSHAKE, false) => self.messages(body, first)?,
            (ALERT, true) => self.protected_alert = true,
            (ALERT, false) => match *body {
                [FATAL, number] => self.alert = Some(number),
                [_, _] => {}
                _ => return None,
            },
            (CHANGE_CIPHER_SPEC, false) if *body != [1] => return None,
            // Nobody sends data before there are keys.
            (APPLICATION_DATA, false) => return None,
            (CHANGE_CIPHER_SPEC | HANDSHAKE | APPLICATION_DATA | ACK, _) => {}
            _ => return None,
        }
        Some(())
    }

    /// The handshake messages in a record, or parts of them.
    fn messages(&mut self, mut body: &[u8], mut first: bool) -> Option<()> {
        while !body.is_empty() {
            let (header, behind) = body.split_at_checked(HANDSHAKE_HEADER)?;
            let [kind, t0, t1, t2, n0, n1, o0, o1, o2, l0, l1, l2] = *header else { return None };
            let number = |a, b, c| usize::try_from(u32::from_be_bytes([0, a, b, c])).ok();
            let (total, offset, length) = (number(t0, t1, t2)?, number(o0, o1, o2)?, number(l0, l1, l2)?);
            if offset + length > total || total > LONGEST {
                return None;
            }
            let (part, behind) = behind.split_at_checked(length)?;
            let sequence = u16::from_be_bytes([n0, n1]);
            self.highest = self.highest.max(Some(sequence));
            if sequence == 0 {
                self.opening = Some(Part { total, start: offset, end: offset + length });
            }
            if first && kind == CLIENT_HELLO && offset == 0 {
                // Behind the version.
                self.hello = part.get(2..34).and_then(|random| random.try_into().ok());
            }
            (body, first) = (behind, false);
        }
        Some(())
    }
}
