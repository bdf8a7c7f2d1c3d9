//! The ACK of a 2xx, which is the user agent's and not a transaction's (RFC 3261 §13.2.2.4).

use super::outgoing::Stream;
use super::{Flight, IntentError, Outgoing, OutgoingId, Parts, Purpose, Session, SessionId, Shown};
use crate::action::{Action, Sender, Transmit, TransmitId};
use crate::dialog::DialogNo;
use crate::endpoint::Endpoint;
use crate::flow::Destination;
use crate::time::Now;
use crate::transaction::Clients;
use bytes::Bytes;
use sip_types::{HeaderName, Method};
use std::net::IpAddr;

/// How many ACKs a dialog keeps: a 2xx may come again for 64*T1, in which there may have been other INVITEs. Of more, the oldest
/// goes.
const KEPT: usize = 4;

impl Endpoint {
    /// Acknowledges the 2xx that [`Event::Answered`](crate::Event::Answered) or
    /// [`Event::ReinviteAnswered`](crate::Event::ReinviteAnswered) told of, with an answer if the 2xx had an offer.
    ///
    /// # Errors
    /// [`IntentError::Gone`] if there is no such session or dialog, [`IntentError::WrongState`] if no 2xx waits.
    pub fn acknowledge(&mut self, now: Now, sid: SessionId, parts: Parts) -> Result<(), IntentError> {
        let session = self.sessions.get_mut(sid).ok_or(IntentError::Gone)?;
        let no = session.current.ok_or(IntentError::WrongState)?;
        let seq = session.owed_ack.take().ok_or(IntentError::WrongState)?;
        self.send_ack(now, sid, no, seq, parts);
        Ok(())
    }

    /// Sends the ACK of the 2xx to INVITE number `seq` on its way.
    pub(crate) fn send_ack(&mut self, now: Now, sid: SessionId, no: DialogNo, seq: u32, parts: Parts) {
        let Some(session) = self.sessions.get_mut(sid) else { return };
        let mut outgoing = Outgoing::new(session.name_outgoing(), Purpose::Ack, Method::Ack, parts);
        outgoing.dialog = Some(no);
        outgoing.seq = seq;
        if let Some(shown) = &session.ack_credentials {
            outgoing.credentials.clone_from(&shown.fields);
        }
        let id = outgoing.id;
        session.outgoing.push(outgoing);
        self.locate(now, sid, id);
    }

    /// Sends an ACK and keeps it for as long as the 2xx may be repeated.
    pub(crate) fn transmit_ack(
        &mut self,
        now: Now,
        sid: SessionId,
        id: OutgoingId,
        to: Destination,
        bytes: Bytes,
        datagram: Option<(Destination, Bytes)>,
    ) {
        let Some((no, seq)) = self.keep_ack(sid, id, Some(Sent { to, bytes, datagram })) else { return };
        self.repeat_ack(now, sid, no, seq);
        self.sweep(sid);
    }

    /// There is no way to send an ACK. It is kept too: the next repetition of its 2xx looks for one again.
    pub(crate) fn ack_failed(&mut self, sid: SessionId, id: OutgoingId) {
        self.keep_ack(sid, id, None);
        self.sweep(sid);
    }

    fn keep_ack(&mut self, sid: SessionId, id: OutgoingId, sent: Option<Sent>) -> Option<(DialogNo, u32)> {
        let mut request = self.take_outgoing(sid, id)?;
        request.flight = Flight::Ready;
        let (no, seq) = (request.dialog?, request.seq);
        let dialog = self.sessions.get_mut(sid)?.dialog_mut(no)?;
        dialog.acks.retain(|ack| ack.request.seq != seq);
        if dialog.acks.len() >= KEPT {
            dialog.acks.remove(0);
        }
        // There is one as a rule.
        dialog.acks.reserve_exact(1);
        dialog.acks.push(Ack { request, sent });
        Some((no, seq))
    }

    /// Sends the ACK of the 2xx to INVITE number `seq` as it was sent before; if it could not be, it goes the way that
    /// its next hop has now. One that is on its way still is left alone.
    pub(crate) fn repeat_ack(&mut self, now: Now, sid: SessionId, no: DialogNo, seq: u32) {
        let Some(session) = self.sessions.get_mut(sid) else { return };
        let Some(dialog) = session.dialog_mut(no) else { return };
        let Some(at) = dialog.acks.iter().position(|ack| ack.request.seq == seq) else { return };
        if let Some(Sent { to, bytes, .. }) = dialog.acks.get(at).and_then(|ack| ack.sent.as_ref()) {
            let transmit =
                Transmit { id: TransmitId::of(Sender::Ack(sid, no)), to: to.clone(), bytes: bytes.clone() };
            return self.io.push(Action::Transmit(transmit));
        }
        let ack = dialog.acks.remove(at);
        let id = ack.request.id;
        session.outgoing.push(ack.request);
        self.locate(now, sid, id);
    }

    /// An ACK could not be sent. If it went over a stream for its size, it goes as a datagram after all; else to the
    /// next address of its next hop, and where there is none it waits for the repetition of its 2xx.
    pub(crate) fn ack_not_sent(&mut self, now: Now, sid: SessionId, no: DialogNo) {
        let Some(session) = self.sessions.get_mut(sid) else { return };
        let Some(dialog) = session.dialog_mut(no) else { return };
        let Some(ack) = dialog.acks.last_mut() else { return };
        let Some(sent) = ack.sent.take() else { return };
        if let Some((to, bytes)) = sent.datagram {
            ack.request.stream = Stream::Refused;
            ack.sent = Some(Sent { to, bytes, datagram: None });
            let seq = ack.request.seq;
            return self.repeat_ack(now, sid, no, seq);
        }
        if ack.request.course.targets.is_empty() {
            return;
        }
        let Some(ack) = dialog.acks.pop() else { return };
        let id = ack.request.id;
        session.outgoing.push(ack.request);
        self.try_next(now, sid, id);
    }
}

/// The ACK of a 2xx that may be repeated.
pub(crate) struct Ack {
    pub(crate) request: Outgoing,
    /// As it was sent; `None` while there is no way to send it.
    sent: Option<Sent>,
}

struct Sent {
    to: Destination,
    bytes: Bytes,
    /// The same as a datagram, should the peer not take it over a stream (RFC 3261 §18.1.1).
    datagram: Option<(Destination, Bytes)>,
}

impl std::fmt::Debug for Ack {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ack").field("seq", &self.request.seq).field("sent", &self.sent.is_some()).finish()
    }
}

/// What an INVITE of ours was authorized with, and where.
pub(super) fn shown(clients: &Clients, invite: &mut Outgoing) -> Option<Box<Shown>> {
    let to = clients.destination(invite.client()?)?.peer().ip();
    let mut fields = std::mem::take(&mut invite.credentials);
    // What the owner has written of the kind is repeated as well.
    let written =
        invite.parts.fields.iter().filter(|field| {
            matches!(field.name(), HeaderName::Authorization | HeaderName::ProxyAuthorization)
        });
    fields.extend(written.map(|field| (field.name(), String::from_utf8_lossy(field.value()).into_owned())));
    (!fields.is_empty()).then(|| Box::new(Shown { to, fields }))
}

impl Session {
    /// Whether an ACK that goes to `to` may repeat the credentials of its INVITE: at the addresses of the INVITE's next hop. A
    /// Contact elsewhere is not whom they were meant for.
    pub(super) fn may_show(&self, to: IpAddr) -> bool {
        let known = self.ack_credentials.as_ref().is_some_and(|shown| shown.to == to);
        known || self.resolved.contains(&to)
    }
}
