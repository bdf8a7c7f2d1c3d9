//! Messages from the bytes of a connection.

use bytes::Bytes;
use sip_types::{Frame, FrameError, Limits, frame};

/// What of a connection's bytes makes no whole message yet.
#[derive(Debug, Default)]
pub(crate) struct Framer {
    partial: Vec<u8>,
    crlfs: Crlfs,
}

/// What CRLFs between messages mean.
#[derive(Debug, Default)]
struct Crlfs {
    /// One came last: with another it is a ping (RFC 5626 §3.5.1).
    half_ping: bool,
    /// We have sent a ping: the next one is its pong (RFC 5626 §4.4.1), and no half of a ping as two pongs would be.
    awaits_pong: bool,
}

/// What of CRLFs has come between messages (RFC 5626 §3.5.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Crlf {
    /// A ping, to be answered: however many came at once, one answer shows that we live.
    pub(crate) pinged: bool,
    /// The pong to a ping of ours.
    pub(crate) ponged: bool,
}

/// A stream that cannot be followed any further.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unframed {
    /// Why.
    pub(crate) error: FrameError,
    /// What has come of the message that it is because of, and maybe more.
    pub(crate) rest: Bytes,
}

impl Framer {
    /// Takes bytes as they come and appends the messages that they complete, each with exactly its bytes.
    pub(crate) fn feed(
        &mut self,
        bytes: &[u8],
        limits: &Limits,
        messages: &mut Vec<Bytes>,
    ) -> Result<Crlf, Unframed> {
        if self.partial.is_empty() {
            let (used, crlf) = cut(bytes, limits, &mut self.crlfs, messages)?;
            self.partial.extend_from_slice(bytes.get(used..).unwrap_or_default());
            return Ok(crlf);
        }
        self.partial.extend_from_slice(bytes);
        let (used, crlf) = cut(&self.partial, limits, &mut self.crlfs, messages)?;
        self.partial.drain(..used);
        if self.partial.is_empty() {
            // Most connections never split a message again.
            self.partial = Vec::new();
        }
        Ok(crlf)
    }

    /// A ping was sent: a CRLF is its pong.
    pub(crate) fn expect_pong(&mut self) {
        self.crlfs.awaits_pong = true;
    }

    /// Whether a message has begun and not ended.
    pub(crate) fn is_partial(&self) -> bool {
        !self.partial.is_empty()
    }
}

fn cut(
    bytes: &[u8],
    limits: &Limits,
    crlfs: &mut Crlfs,
    messages: &mut Vec<Bytes>,
) -> Result<(usize, Crlf), Unframed> {
    let (mut used, mut crlf) = (0, Crlf::default());
    loop {
        let rest = bytes.get(used..).unwrap_or_default();
        match frame(rest, limits) {
            Frame::NeedMore => return Ok((used, crlf)),
            Frame::KeepAlive { len } => {
                // One CRLF at a time, for a ping may come in two pieces.
                let len = len.min(2);
                used += len;
                if len == 2 && std::mem::take(&mut crlfs.awaits_pong) {
                    crlf.ponged = true;
                    continue;
                }
                let complete = len == 2 && crlfs.half_ping;
                crlf.pinged |= complete;
                crlfs.half_ping = len == 2 && !complete;
            }
            Frame::Message { len } => {
                crlfs.half_ping = false;
                messages.push(Bytes::copy_from_slice(rest.get(..len).unwrap_or_default()));
                used += len;
            }
            Frame::Error(error) => {
                // The message without a usable length is not too long as well for what follows it.
                let len =
                    if error == FrameError::TooLong { rest.len() } else { rest.len().min(limits.message) };
                let rest = Bytes::copy_from_slice(rest.get(..len).unwrap_or_default());
                return Err(Unframed { error, rest });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MESSAGES: &[&str] = &[
        "OPTIONS sip:a@b SIP/2.0\r\nContent-Length: 5\r\n\r\nhello",
        "SIP/2.0 200 OK\r\nl: 0\r\n\r\n",
        "INFO sip:a@b SIP/2.0\r\nContent-Length: 4\r\n\r\n\r\n\r\n",
    ];

    fn feed(framer: &mut Framer, bytes: &[u8]) -> (Vec<Bytes>, bool) {
        let mut messages = Vec::new();
        let crlf = framer.feed(bytes, &Limits::default(), &mut messages).unwrap();
        (messages, crlf.pinged)
    }

    proptest! {
        #[test]
        fn rfc3261_18_3_messages_survive_any_cut(
            order in proptest::collection::vec((0..MESSAGES.len(), 0usize..3), 1..8),
            sizes in proptest::collection::vec(1usize..80, 1..200),
        ) {
            let mut stream = Vec::new();
            for (n, ends) in &order {
                stream.extend_from_slice(MESSAGES[*n].as_bytes());
                stream.extend_from_slice("\r\n".repeat(*ends).as_bytes());
            }
            let (mut framer, mut got, mut at) = (Framer::default(), Vec::new(), 0);
            let mut pings = 0;
            for size in sizes.iter().cycle() {
                let end = stream.len().min(at + size);
                let (messages, ping) = feed(&mut framer, &stream[at..end]);
                got.extend(messages);
                pings += usize::from(ping);
                at = end;
                if at == stream.len() { break }
            }
            let want: Vec<_> = order.iter().map(|(n, _)| Bytes::from_static(MESSAGES[*n].as_bytes())).collect();
            prop_assert_eq!(got, want);
            prop_assert!(!framer.is_partial());
            let sent = order.iter().filter(|(_, ends)| *ends == 2).count();
            prop_assert!(pings <= sent && (sent == 0) == (pings == 0));
        }
    }

    #[test]
    fn rfc5626_3_5_1_a_ping_in_pieces_is_one_ping() {
        let mut framer = Framer::default();
        let pings: Vec<bool> = ["\r", "\n", "\r", "\n", "\r\n", "\r\n"]
            .iter()
            .map(|p| feed(&mut framer, p.as_bytes()).1)
            .collect();
        assert_eq!(pings, [false, false, false, true, false, true]);
    }

    #[test]
    fn a_single_crlf_is_no_ping_and_a_message_after_it_parts_it_from_the_next() {
        let mut framer = Framer::default();
        assert!(!feed(&mut framer, b"\r\n").1);
        let text = format!("{}\r\n", MESSAGES[1]);
        let (messages, ping) = feed(&mut framer, text.as_bytes());
        assert_eq!((messages.len(), ping), (1, false));
    }

    #[test]
    fn rfc5626_4_4_1_a_crlf_after_a_ping_of_ours_is_its_pong_and_no_half_of_one() {
        let mut framer = Framer::default();
        let mut hear = |expects: bool, bytes: &str| {
            if expects {
                framer.expect_pong();
            }
            let Crlf { pinged, ponged } =
                framer.feed(bytes.as_bytes(), &Limits::default(), &mut Vec::new()).unwrap();
            (pinged, ponged)
        };
        assert_eq!(hear(true, "\r\n"), (false, true));
        assert_eq!(hear(true, "\r\n"), (false, true), "two pongs in a row are no ping");
        assert_eq!(hear(false, "\r\n"), (false, false));
        assert_eq!(hear(false, "\r\n"), (true, false));
        assert_eq!(hear(true, "\r\n\r\n\r\n"), (true, true), "a ping of the peer has crossed ours");
        assert_eq!(hear(true, &format!("{}\r\n", MESSAGES[1])), (false, true));
    }

    #[test]
    fn what_is_not_sip_is_an_error() {
        let mut framer = Framer::default();
        let got = framer.feed(b"GET / HTTP/1.1\r\n", &Limits::default(), &mut Vec::new());
        assert_eq!(got.map_err(|unframed| unframed.error), Err(FrameError::StartLine));
    }
}
