//! Mutations of a message: bytes, tokens, header fields, structure.

use bytes::Bytes;
use liaison_tests::ids::Seeded;

const METHODS: &[&str] =
    &["INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "INFO", "MESSAGE", "UPDATE", "PRACK", "REFER", "FROB"];
const STATUSES: &[&str] = &[
    "100", "180", "183", "199", "200", "202", "299", "302", "401", "407", "408", "422", "481", "487", "491",
    "500", "503", "603", "699", "700", "099",
];
const NUMBERS: &[&str] =
    &["0", "1", "2", "70", "255", "256", "65536", "2147483647", "2147483648", "4294967296", "-1", "1e9", ""];
const TOKENS: &[&str] = &[
    "sip",
    "sips",
    "tel",
    "udp",
    "TCP",
    "tag=",
    "branch=",
    "z9hG4bK",
    "lr",
    "maddr=192.0.2.9",
    "transport=tcp",
    "%00",
    "%",
    "\"",
    "\\",
    "<",
    ">",
    "<>",
    ";",
    ",",
    ":",
    "@",
    "?",
    "=",
    "*",
    "[",
    "]",
    "[::1]",
    "\r\n ",
    "\t",
    "é",
    "",
];
const FIELDS: &[&str] = &[
    "Require: 100rel",
    "Proxy-Require: x",
    "Content-Length: 0",
    "Content-Length: 9",
    "Max-Forwards: 0",
    "Max-Forwards: 999",
    "Route: <sip:192.0.2.9;lr>",
    "Record-Route: <sip:192.0.2.9;lr>",
    "Contact: *",
    "Contact: <sip:192.0.2.9>",
    "Contact: <tel:+1>",
    "Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKx",
    "Accept: text/plain",
    "Content-Type: application/sdp",
    "Content-Type: multipart/mixed;boundary=b",
    "Content-Encoding: gzip",
    "Content-Disposition: render;handling=optional",
    "Timestamp: 1.5",
    "Expires: 0",
    "Supported: timer, replaces",
    "Session-Expires: 90",
    "Replaces: a@b;to-tag=1;from-tag=2",
    "Reason: SIP;cause=200",
    "Event: dialog",
    "Authorization: Digest username=\"a\"",
    "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth\"",
    "Proxy-Authenticate: Basic",
    "RSeq: 1",
    "RAck: 1 1 INVITE",
    "X-Keep: π",
    "no header field",
    " folded",
    ": nameless",
];
const NAMES: &[&str] =
    &["Via", "From", "To", "Call-ID", "CSeq", "Contact", "Content-Length", "Content-Type", "Max-Forwards"];

/// A mutant of `message`, with pieces of `other`.
pub fn mutate(chance: &mut Seeded, message: &Bytes, other: &Bytes) -> Bytes {
    let mut bytes = message.to_vec();
    for _ in 0..=chance.below(2) {
        bytes = match chance.below(8) {
            0 => of_bytes(chance, bytes),
            1 | 2 => of_tokens(chance, &bytes),
            3 | 4 => of_fields(chance, &bytes, other),
            5 => of_structure(chance, &bytes, other),
            _ => of_meaning(chance, &bytes, other),
        };
    }
    bytes.into()
}

fn pick(chance: &mut Seeded, bound: usize) -> usize {
    usize::try_from(chance.below(bound as u64)).unwrap()
}

fn one_of<'a>(chance: &mut Seeded, from: &[&'a str]) -> &'a str {
    from[pick(chance, from.len())]
}

/// Some bytes changed, lost, doubled or added.
fn of_bytes(chance: &mut Seeded, mut bytes: Vec<u8>) -> Vec<u8> {
    for _ in 0..=pick(chance, 3) {
        let at = pick(chance, bytes.len());
        let [any, ..] = chance.below(256).to_le_bytes();
        match chance.below(4) {
            _ if bytes.is_empty() => bytes.push(any),
            0 => bytes[at] ^= 1 << chance.below(8),
            1 => drop(bytes.remove(at)),
            2 => bytes.insert(at, any),
            _ => bytes[at] = any,
        }
    }
    bytes
}

/// A word between separators replaced, doubled or lost.
fn of_tokens(chance: &mut Seeded, bytes: &[u8]) -> Vec<u8> {
    let separator =
        |b: &u8| matches!(b, b' ' | b';' | b'=' | b':' | b',' | b'@' | b'<' | b'>' | b'\r' | b'/');
    let ends: Vec<usize> = bytes.iter().enumerate().filter(|(_, b)| separator(b)).map(|(at, _)| at).collect();
    if ends.len() < 2 {
        return bytes.to_vec();
    }
    let nth = pick(chance, ends.len() - 1);
    let (start, end) = (ends[nth] + 1, ends[nth + 1]);
    let word = bytes[start..end].to_vec();
    let new = match chance.below(6) {
        0 => one_of(chance, NUMBERS).as_bytes().to_vec(),
        1 | 2 => one_of(chance, TOKENS).as_bytes().to_vec(),
        3 => word.repeat(2 + pick(chance, 3)),
        4 => word.to_ascii_uppercase(),
        _ => vec![b'a'; pick(chance, 400)],
    };
    [&bytes[..start], &new, &bytes[end..]].concat()
}

/// A header field lost, doubled, moved, replaced, added, folded or renamed.
fn of_fields(chance: &mut Seeded, bytes: &[u8], other: &[u8]) -> Vec<u8> {
    let (mut lines, body) = lines(bytes);
    let others = self::lines(other).0;
    if lines.len() < 2 || others.len() < 2 {
        return bytes.to_vec();
    }
    let at = 1 + pick(chance, lines.len() - 1);
    let foreign = others[1 + pick(chance, others.len() - 1)].clone();
    match chance.below(8) {
        0 => drop(lines.remove(at)),
        1 => lines.insert(at, lines[at].clone()),
        2 => lines[at] = foreign,
        3 => lines.insert(at, foreign),
        4 | 5 => lines.insert(at, format!("{}\r\n", one_of(chance, FIELDS)).into_bytes()),
        6 => {
            let fold = lines[at].iter().position(|b| *b == b' ').unwrap_or(0);
            lines[at].splice(fold..fold, *b"\r\n");
        }
        _ => {
            let value = lines[at].iter().position(|b| *b == b':').unwrap_or(0);
            lines[at].splice(..value, one_of(chance, NAMES).bytes());
        }
    }
    [lines.concat(), body].concat()
}

/// The message cut, joined with another, its start line or body exchanged, its line ends changed.
fn of_structure(chance: &mut Seeded, bytes: &[u8], other: &[u8]) -> Vec<u8> {
    let (mut lines, body) = lines(bytes);
    let (others, foreign) = self::lines(other);
    match chance.below(8) {
        0 => bytes[..pick(chance, bytes.len() + 1)].to_vec(),
        1 => [bytes, other].concat(),
        2 if !lines.is_empty() && !others.is_empty() => {
            lines[0] = others[0].clone();
            [lines.concat(), body].concat()
        }
        3 => [lines.concat(), foreign].concat(),
        4 => [lines.concat(), body[..pick(chance, body.len() + 1)].to_vec()].concat(),
        5 => lines.concat(),
        6 => [lines.concat().iter().copied().filter(|b| *b != b'\r').collect(), body].concat(),
        _ => {
            let half = pick(chance, lines.len() + 1);
            let tail = others.get(half..).unwrap_or_default();
            [lines[..half].concat(), tail.concat(), foreign].concat()
        }
    }
}

/// A message that is well-formed and means something else.
fn of_meaning(chance: &mut Seeded, bytes: &[u8], other: &[u8]) -> Vec<u8> {
    let (Ok(text), Ok(other)) = (std::str::from_utf8(bytes), std::str::from_utf8(other)) else {
        return bytes.to_vec();
    };
    let start = text.lines().next().unwrap_or_default();
    let cseq = text.split("CSeq: ").nth(1).and_then(|c| c.split([' ', '\r']).nth(1)).unwrap_or("INVITE");
    match chance.below(8) {
        0 => text.replace(cseq, one_of(chance, METHODS)),
        1 if start.starts_with("SIP/2.0 ") => {
            text.replacen(start, &format!("SIP/2.0 {} Mutant", one_of(chance, STATUSES)), 1)
        }
        1 | 2 => text.replace("z9hG4bK", &format!("z9hG4bK{}", chance.below(1000))),
        3 => text.replace("CSeq: ", &format!("CSeq: {}", chance.below(30))),
        4 => text.replacen(";tag=", &format!(";tag={}", chance.below(3)), 1),
        5 => text.replace("Call-ID: ", &format!("Call-ID: {}", chance.below(100))),
        6 => text
            .replace("a=sendrecv", "a=inactive")
            .replace("m=audio", one_of(chance, &["m=video", "m=audio 0", "m=", "x=audio"])),
        _ => {
            let name = one_of(chance, NAMES);
            let line = |text: &str| text.lines().find(|l| l.starts_with(name)).unwrap_or("X: y").to_owned();
            text.replacen(&line(text), &line(other), 1)
        }
    }
    .into_bytes()
}

/// The lines of the head with their ends, and the rest from the empty line on.
fn lines(bytes: &[u8]) -> (Vec<Vec<u8>>, Vec<u8>) {
    let end = bytes.windows(4).position(|w| w == b"\r\n\r\n").map_or(bytes.len(), |at| at + 2);
    let (head, body) = bytes.split_at(end);
    (head.split_inclusive(|b| *b == b'\n').map(<[u8]>::to_vec).collect(), body.to_vec())
}
