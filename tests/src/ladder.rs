//! Everything that went between Liaison and its peers, as RFCs print call flows: the arrow, then the whole message.
//!
//! What chance has made is named in the order in which it first comes up, so that a change of the program's that draws another
//! number changes no flow: tags, branches, Call-IDs, the numbers of sessions in `o=`,
//! nonces and what is computed with them.

use crate::network::Datagram;
use std::fmt::Write;
use std::net::SocketAddr;

/// Whose address is whose.
pub type Names<'n> = &'n [(&'n str, &'n str)];

/// What was sent, in the order of sending.
pub fn ladder(log: &[Datagram], names: Names<'_>) -> String {
    let mut text = String::new();
    let mut aliases = Aliases::default();
    for (nth, datagram) in (1..).zip(log) {
        let (from, to) = (name(datagram.from, names), name(datagram.to, names));
        let message = aliases.rename(&datagram.text().replace("\r\n", "\n"));
        let _ = writeln!(text, "F{nth}  {from} -> {to}\n\n{}\n", message.trim_end());
    }
    text
}

/// The arrows of it only, each with the start line and CSeq.
pub fn arrows(log: &[Datagram], names: Names<'_>) -> String {
    let mut text = String::new();
    for (nth, datagram) in (1..).zip(log) {
        let (from, to) = (name(datagram.from, names), name(datagram.to, names));
        let message = datagram.text();
        let start = message.lines().next().unwrap_or_default();
        let start =
            start.strip_prefix("SIP/2.0 ").unwrap_or_else(|| start.split(' ').next().unwrap_or_default());
        let cseq = message.lines().find_map(|line| line.strip_prefix("CSeq: ")).unwrap_or_default();
        let _ = writeln!(text, "F{nth}  {from} -> {to}  {start}  ({cseq})");
    }
    text
}

fn name(address: SocketAddr, names: Names<'_>) -> String {
    let address = address.to_string();
    let known = names.iter().find(|(of, _)| *of == address);
    known.map_or(address.clone(), |(_, name)| (*name).to_owned())
}

/// What we make by chance, and what follows from it, by what is in front of it.
const MARKS: [(&str, &str); 5] = [
    ("tag=", "tag"),
    ("branch=z9hG4bK", "branch"),
    ("cnonce=\"", "cnonce"),
    (" nonce=\"", "nonce"),
    ("response=\"", "response"),
];

/// What is called how, by kind.
#[derive(Default)]
struct Aliases {
    known: Vec<(&'static str, String, String)>,
}

impl Aliases {
    fn of(&mut self, kind: &'static str, what: &str) -> String {
        if let Some((.., alias)) = self.known.iter().find(|(of, is, _)| *of == kind && is == what) {
            return alias.clone();
        }
        let nth = self.known.iter().filter(|(of, ..)| *of == kind).count() + 1;
        let alias = format!("{kind}-{nth}");
        self.known.push((kind, what.to_owned(), alias.clone()));
        alias
    }

    fn rename(&mut self, message: &str) -> String {
        let mut described = false;
        let mut lines = Vec::new();
        for line in message.split('\n') {
            lines.push(match line.split_once(' ') {
                Some(("Call-ID:", id)) if is_digits(id, 26) => format!("Call-ID: {}", self.of("call", id)),
                Some(("o=-", rest)) => {
                    described = true;
                    let (id, rest) = rest.split_once(' ').unwrap_or((rest, ""));
                    format!("o=- {} {rest}", self.of("session", id))
                }
                _ => {
                    let mut line = line.to_owned();
                    for (mark, kind) in MARKS {
                        line = self.after(&line, mark, kind);
                    }
                    line
                }
            });
        }
        if described {
            // The number of a session has as many digits as it happens to have.
            lines
                .iter_mut()
                .filter(|line| line.starts_with("Content-Length:"))
                .for_each(|line| "Content-Length: ...".clone_into(line));
        }
        lines.join("\n")
    }

    /// What follows each `mark`, where we have made it.
    fn after(&mut self, line: &str, mark: &str, kind: &'static str) -> String {
        let mut text = String::new();
        let mut rest = line;
        while let Some(at) = rest.find(mark) {
            let (before, found) = rest.split_at(at + mark.len());
            text.push_str(before);
            let end = found.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(found.len());
            let (word, behind) = found.split_at(end);
            match is_digits(word, 13) || is_digits(word, 32) || is_digits(word, 64) {
                true => text.push_str(&self.of(kind, word)),
                false => text.push_str(word),
            }
            rest = behind;
        }
        text + rest
    }
}

/// Whether that is a number of ours, of so many digits in base 32 or 16.
fn is_digits(word: &str, count: usize) -> bool {
    word.len() == count && word.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use sip::time::Mono;

    #[test]
    fn what_chance_has_made_is_named_in_its_order() {
        let datagram = |nth: u64, text: &str| Datagram {
            at: Mono::default(),
            nth,
            from: "10.0.0.1:5060".parse().unwrap(),
            to: "10.0.0.2:5060".parse().unwrap(),
            bytes: text.to_owned().into(),
        };
        let log = [
            datagram(
                1,
                "INVITE sip:a SIP/2.0\r\nVia: SIP/2.0/UDP x;branch=z9hG4bK0123456789abc\r\nFrom: <sip:x>;tag=w56jcw30jetv8\r\nTo: <sip:y>;tag=a\r\nCSeq: 1 INVITE\r\n\r\n",
            ),
            datagram(
                2,
                "SIP/2.0 200 OK\r\nTo: <sip:x>;tag=w56jcw30jetv8\r\nFrom: <sip:z>;tag=vdx6g2fn72k61\r\nCSeq: 1 INVITE\r\nContent-Length: 9\r\n\r\no=- 12 1 IN",
            ),
        ];
        let names = [("10.0.0.1:5060", "Liaison")];
        let text = ladder(&log, &names);
        assert!(text.contains("F1  Liaison -> 10.0.0.2:5060\n\nINVITE sip:a SIP/2.0\nVia: SIP/2.0/UDP x;branch=z9hG4bKbranch-1"), "{text}");
        assert!(text.contains("To: <sip:x>;tag=tag-1\nFrom: <sip:z>;tag=tag-2"), "{text}");
        assert!(text.contains("Content-Length: ...\n\no=- session-1 1 IN"), "{text}");
        assert_eq!(
            arrows(&log, &names),
            "F1  Liaison -> 10.0.0.2:5060  INVITE  (1 INVITE)\nF2  Liaison -> 10.0.0.2:5060  200 OK  (1 INVITE)\n"
        );
    }
}
