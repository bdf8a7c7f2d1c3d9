//! From bytes to the dialog or transaction that they are for.

use super::Endpoint;
use crate::action::Action;
use crate::flow::{Flow, Transport};
use crate::ids::Branch;
use crate::received::{Defect, Received};
use crate::reply;
use crate::session::{Reply, SessionId, refusal};
use crate::stun;
use crate::time::Now;
use crate::transaction::{Matched, ServerId, ServerSpec, key};
use bytes::Bytes;
use bytestring::ByteString;
use sip_types::header::{CSeq, Via};
use sip_types::{Framing, HeaderName, Message, Method, Request, Response, StatusCode};

impl Endpoint {
    /// One message: a datagram, or what framing has cut from a stream.
    pub fn handle_input(&mut self, now: Now, flow: Flow, bytes: Bytes) {
        if bytes.iter().all(|b| matches!(b, b'\r' | b'\n' | 0)) {
            // A keep-alive (RFC 5626 §3.5.1, and the zero bytes that some phones send).
            return;
        }
        if flow.connection.is_none() && stun::is_stun(&bytes) {
            return self.receive_stun(now, flow, &bytes);
        }
        let whole = bytes.clone();
        match Message::parse(bytes, &self.settings.message) {
            Ok(message) if self.is_cut_by_length(&flow) && !states_length(&message) => {
                self.refuse_unframed(now, flow, message);
            }
            Ok(Message::Request(request)) => self.receive_request(now, flow, request),
            Ok(Message::Response(response)) => self.receive_response(now, flow, response),
            Err(error) => self.refuse_unreadable(now, flow, &whole, error.kind),
        }
    }

    /// Whether messages of a flow are told apart by their Content-Length. Those of a WebSocket need none (RFC 7118 §5).
    fn is_cut_by_length(&self, flow: &Flow) -> bool {
        let listener = self.settings.listener(flow.listener);
        flow.connection.is_some() && listener.is_some_and(|listener| !listener.transport.is_websocket())
    }

    fn receive_response(&mut self, now: Now, flow: Flow, response: Response) {
        let matched = self.match_response(now, &response);
        match matched {
            Matched::Deliver(sid, id) => {
                self.heard_on(sid, flow);
                self.answered_on(sid, id, flow, response.status());
                self.on_response(now, sid, id, response);
            }
            Matched::Late(sid) => self.late_success(now, sid, &response),
            Matched::Ended(sid, seq) => self.invite_ended(sid, seq),
            Matched::Absorbed => {}
            Matched::Stray => self.counters.stray_responses += 1,
        }
    }

    fn match_response(&mut self, now: Now, response: &Response) -> Matched {
        let headers = response.headers();
        if !is_whole(response.framing()) || headers.malformed().is_some() {
            return Matched::Stray;
        }
        // RFC 3261 §8.1.3.3, §18.1.2: exactly one Via, and it names us.
        let Ok(Some(via)) = headers.sole::<Via>() else { return Matched::Stray };
        let ours = self.settings.listeners.iter().any(|l| via.is_sent_by(&l.sent_by));
        let Some(branch) = via.branch().and_then(Branch::parse).filter(|_| ours) else {
            return Matched::Stray;
        };
        let Ok(cseq) = headers.require::<CSeq>() else { return Matched::Stray };
        // RFC 3261 §8.2.6.2, §20: every response has these too.
        if ![HeaderName::From, HeaderName::To, HeaderName::CallId].iter().all(|name| headers.contains(*name))
        {
            return Matched::Stray;
        }
        self.note_load(now, branch, &cseq.method, &via);
        self.clients.response(&mut self.io, now, branch, &cseq.method, response)
    }

    fn receive_request(&mut self, now: Now, flow: Flow, request: Request) {
        let via = match request.headers().first_of::<Via>() {
            Ok(Some(via)) => via,
            Ok(None) => {
                self.counters.malformed += 1;
                return;
            }
            Err(error) => {
                // The source is all that is known of where the response goes.
                self.counters.defective += 1;
                return self.refuse_statelessly(
                    now,
                    flow,
                    &request,
                    None,
                    &bad_request(Defect::Header(error)),
                );
            }
        };
        let is_ack = *request.method() == Method::Ack;
        if !request.version_supported() {
            return self.refuse_statelessly(
                now,
                flow,
                &request,
                Some(&via),
                &Reply::new(StatusCode::VERSION_NOT_SUPPORTED),
            );
        }
        if !is_whole(request.framing()) {
            self.counters.defective += 1;
            let reply = refusal(StatusCode::BAD_REQUEST, "Content-Length and Body Disagree");
            return self.refuse_statelessly(now, flow, &request, Some(&via), &reply);
        }
        self.note_alias(flow, &via);
        match Received::of(request, flow, via) {
            Ok(received) if is_ack => self.receive_ack(now, received),
            Ok(received) => self.receive_other(now, received),
            Err(unreadable) => {
                let (request, via, defect) = *unreadable;
                self.counters.defective += 1;
                self.refuse_statelessly(now, flow, &request, Some(&via), &bad_request(defect));
            }
        }
    }

    /// Tells of a peer that takes requests on the connection that it opened (RFC 5923 §8.2).
    fn note_alias(&mut self, flow: Flow, via: &Via) {
        let Some(connection) = flow.connection.filter(|_| via.alias()) else { return };
        let transport = self.settings.listener(flow.listener).map(|l| l.transport);
        if transport == Some(Transport::Tls) {
            let port = via.port().unwrap_or(Transport::Tls.default_port());
            self.io.push(Action::Alias { connection, port });
        }
    }

    fn receive_ack(&mut self, now: Now, request: Received) {
        let mut text = std::mem::take(&mut self.key);
        key::write(&mut text, &request, &Method::Invite);
        let server = self.servers.find(&text);
        self.key = text;
        if let Some(server) = server
            && self.servers.repeated(&mut self.io, now, server, true)
        {
            return;
        }
        match self.dialog_of(&request) {
            Some((sid, _)) if self.is_in_network(sid, &request.flow) => self.ack_from(now, sid, request),
            Some(_) => self.counters.foreign_requests += 1,
            None => self.counters.stray_acks += 1,
        }
    }

    fn receive_other(&mut self, now: Now, request: Received) {
        let mut text = std::mem::take(&mut self.key);
        key::write(&mut text, &request, request.method());
        match self.servers.find(&text) {
            Some(server) => {
                self.counters.repeated_requests += 1;
                self.servers.repeated(&mut self.io, now, server, false);
            }
            None => self.receive_new(now, &mut text, request),
        }
        self.key = text;
    }

    /// A request that no transaction has had.
    fn receive_new(&mut self, now: Now, key: &mut String, request: Received) {
        if !self.has_room_for(&request) {
            self.counters.overloaded += 1;
            if *request.method() == Method::Cancel {
                // Who keeps nothing has no INVITE to look for (RFC 3261 §8.2.7); it comes again.
                return;
            }
            let reply = self.unavailable();
            return self.refuse_statelessly(now, request.flow, &request.request, Some(&request.via), &reply);
        }
        if self.sheds(now, &request) {
            // Without Retry-After, or all of them would come back at once (RFC 7339 §5.10.2).
            let reply = Reply::new(StatusCode::SERVICE_UNAVAILABLE);
            return self.refuse_statelessly(now, request.flow, &request.request, Some(&request.via), &reply);
        }
        let Some(listener) = self.settings.listener(request.flow.listener) else { return };
        let outside = request.to.tag().is_none();
        let invite = *request.method() == Method::Invite;
        let merge = outside.then(|| {
            let from = request.from.tag().unwrap_or_default().to_ascii_lowercase();
            self.hasher.hash_one((from, request.call_id.as_str(), request.cseq.seq, request.method()))
        });
        let merged = merge.is_some_and(|m| self.servers.is_merged(m)) && *request.method() != Method::Cancel;
        let server = self.servers.admit(&ServerSpec {
            key,
            merge: merge.filter(|_| !merged && *request.method() != Method::Cancel),
            invite,
            to: reply::destination(&request.via, request.flow, listener),
            reliable: listener.transport.is_reliable(),
            timers: listener.timers,
        });
        if merged {
            self.counters.merged_requests += 1;
            return self.reply(now, server, &request, None, false, &Reply::new(StatusCode::LOOP_DETECTED));
        }
        match request.method() {
            Method::Cancel => self.receive_cancel(now, key, server, request),
            _ if outside => self.receive_outside(now, server, request),
            _ => self.receive_inside(now, server, request),
        }
    }

    /// Whether a request that no transaction has had finds room. What belongs to a session has a reserve that strangers
    /// cannot take: else nobody could hang up any more.
    fn has_room_for(&self, request: &Received) -> bool {
        self.servers.has_room() || (self.servers.has_reserve() && self.belongs(request))
    }

    /// Whether a request is in a dialog of ours, or cancels an INVITE that is here.
    pub(super) fn belongs(&self, request: &Received) -> bool {
        if *request.method() != Method::Cancel {
            return self.dialog_of(request).is_some_and(|(sid, _)| self.is_in_network(sid, &request.flow));
        }
        let mut text = String::new();
        key::write(&mut text, request, &Method::Invite);
        self.servers.find(&text).is_some()
    }

    fn receive_cancel(&mut self, now: Now, key: &mut String, server: ServerId, request: Received) {
        key::write(key, &request, &Method::Invite);
        let gone = Reply::new(StatusCode::CALL_OR_TRANSACTION_DOES_NOT_EXIST);
        let Some(invite) = self.servers.find(key) else {
            return self.reply(now, server, &request, None, false, &gone);
        };
        match self.servers.session(invite).filter(|sid| self.sessions.contains_key(*sid)) {
            Some(sid) if self.is_in_network(sid, &request.flow) => {
                self.cancel_from(now, sid, (invite, server), request);
            }
            Some(_) => {
                self.counters.foreign_requests += 1;
                self.reply(now, server, &request, None, false, &gone);
                self.servers.forget(server);
            }
            // It has its final response, and its session is over.
            None => self.reply(now, server, &request, None, false, &Reply::new(StatusCode::OK)),
        }
    }

    /// The CANCEL of whose INVITE it cancels.
    pub(crate) fn receive_own_cancel(
        &mut self,
        now: Now,
        sid: SessionId,
        invite: ServerId,
        server: ServerId,
        request: Received,
    ) {
        let session = self.sessions.get(sid);
        let tag = session.map(|s| s.dialogs.first().map_or(s.local_tag, |d| d.local_tag));
        self.reply(now, server, &request, tag, false, &Reply::new(StatusCode::OK));
        self.on_cancel(now, sid, invite, request);
    }

    fn receive_outside(&mut self, now: Now, server: ServerId, request: Received) {
        let Some(listener) = self.settings.listener(request.flow.listener) else { return };
        if matches!(request.method(), Method::Bye) {
            self.counters.unknown_dialogs += 1;
            let gone = Reply::new(StatusCode::CALL_OR_TRANSACTION_DOES_NOT_EXIST);
            return self.reply(now, server, &request, None, false, &gone);
        }
        if let Some(refusal) = self.refuse(listener, &request) {
            return self.reply(now, server, &request, None, false, &refusal);
        }
        if *request.method() == Method::Options && !listener.asks(&Method::Options) {
            let reply = self.capabilities(listener);
            return self.reply(now, server, &request, None, false, &reply);
        }
        if *request.method() != Method::Invite {
            return self.ask_owner(now, server, request);
        }
        if self.is_full() {
            self.counters.overloaded += 1;
            let reply = self.unavailable();
            return self.reply(now, server, &request, None, false, &reply);
        }
        self.on_invite(now, server, request);
    }
}

/// Whether it says how long its body is, in a way that can be followed.
fn states_length(message: &Message) -> bool {
    message.framing() != Framing::Invalid && message.headers().contains(HeaderName::ContentLength)
}

/// Whether a message has all of its body.
fn is_whole(framing: Framing) -> bool {
    match framing {
        Framing::Exact | Framing::Excess(_) => true,
        Framing::Short { .. } | Framing::Invalid => false,
    }
}

/// 400 that says what is wrong (RFC 3261 §21.4.1).
fn bad_request(defect: Defect) -> Reply {
    Reply { reason: ByteString::from(defect.to_string()), ..Reply::new(StatusCode::BAD_REQUEST) }
}
