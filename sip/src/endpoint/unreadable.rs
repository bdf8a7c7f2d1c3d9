//! Messages that cannot be taken as a whole: answered where their head can be read, and counted by what they exceed.

use super::Endpoint;
use crate::action::Action;
use crate::flow::Flow;
use crate::session::{Reply, refusal};
use crate::time::Now;
use bytes::Bytes;
use sip_types::header::Via;
use sip_types::{HeaderName, Message, ParseErrorKind, Request, StatusCode};

/// Messages beyond a limit or cut off, by what was wrong with them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unreadable {
    /// Longer than a message may be (513).
    pub message: u64,
    /// With a longer start line than may be (414).
    pub start_line: u64,
    /// With a longer header field than may be (513).
    pub header_length: u64,
    /// With more header fields than may be (513).
    pub header_count: u64,
    /// With a longer body than may be (413).
    pub body: u64,
    /// Ending inside a header field (400).
    pub cut_off: u64,
    /// On a stream, without a usable Content-Length (400).
    pub no_length: u64,
}

impl Endpoint {
    /// What could not be parsed: a request is answered with what it exceeds (RFC 3261 §21.4.11, §21.4.12, §21.5.7) if
    /// its head can be read, and a stream is closed, for its next message could not be found.
    pub(super) fn refuse_unreadable(&mut self, now: Now, flow: Flow, bytes: &Bytes, kind: ParseErrorKind) {
        if let Some(reply) = self.count_unreadable(kind)
            && let Some(request) = Request::salvage(bytes, &self.settings.message)
        {
            self.refuse_salvaged(now, flow, &request, &reply);
        }
        self.close(flow);
    }

    /// A message on a stream whose length nobody knows (RFC 3261 §18.3, §20.14).
    pub(super) fn refuse_unframed(&mut self, now: Now, flow: Flow, message: Message) {
        self.counters.unreadable.no_length += 1;
        if let Message::Request(request) = message {
            let reason = if request.headers().contains(HeaderName::ContentLength) {
                "Malformed Content-Length"
            } else {
                "Content-Length Required on a Stream"
            };
            self.refuse_salvaged(now, flow, &request, &refusal(StatusCode::BAD_REQUEST, reason));
        }
        self.close(flow);
    }

    /// How many messages could not be read, or had a defect.
    pub fn unusable(&self) -> u64 {
        let Unreadable { message, start_line, header_length, header_count, body, cut_off, no_length } =
            self.counters.unreadable;
        let beyond = message + start_line + header_length + header_count + body + cut_off + no_length;
        beyond + self.counters.malformed + self.counters.defective
    }

    fn refuse_salvaged(&mut self, now: Now, flow: Flow, request: &Request, reply: &Reply) {
        // Without a Via that can be read nobody knows whom the response is for.
        if let Ok(Some(via)) = request.headers().first_of::<Via>() {
            self.refuse_statelessly(now, flow, request, Some(&via), reply);
        }
    }

    /// Counts what is wrong, and says how a request is answered that can be read so far.
    fn count_unreadable(&mut self, kind: ParseErrorKind) -> Option<Reply> {
        let counters = &mut self.counters.unreadable;
        let (counter, reply) = match kind {
            ParseErrorKind::MessageTooLong => {
                (&mut counters.message, Reply::new(StatusCode::MESSAGE_TOO_LARGE))
            }
            ParseErrorKind::StartLineTooLong => {
                (&mut counters.start_line, Reply::new(StatusCode::REQUEST_URI_TOO_LONG))
            }
            ParseErrorKind::HeaderTooLong => {
                (&mut counters.header_length, refusal(StatusCode::MESSAGE_TOO_LARGE, "Header Field Too Long"))
            }
            ParseErrorKind::TooManyHeaders => {
                (&mut counters.header_count, refusal(StatusCode::MESSAGE_TOO_LARGE, "Too Many Header Fields"))
            }
            ParseErrorKind::BodyTooLong => {
                (&mut counters.body, Reply::new(StatusCode::REQUEST_ENTITY_TOO_LARGE))
            }
            ParseErrorKind::Truncated => {
                (&mut counters.cut_off, refusal(StatusCode::BAD_REQUEST, "Message Ends in a Header Field"))
            }
            ParseErrorKind::Empty
            | ParseErrorKind::StartLine
            | ParseErrorKind::Version
            | ParseErrorKind::StatusCode => {
                self.counters.malformed += 1;
                return None;
            }
        };
        *counter += 1;
        Some(reply)
    }

    fn close(&mut self, flow: Flow) {
        if let Some(connection) = flow.connection {
            self.io.push(Action::CloseConnection(connection));
        }
    }
}
