//! The ACK of a 2xx, which is the user agent's and not a transaction's (RFC 3261 §13.2.2.4).

use super::{IntentError, Outgoing, OutgoingId, Parts, Purpose, SessionId};
use crate::action::{Action, Sender, Transmit, TransmitId};
use crate::dialog::{DialogNo, SentAck};
use crate::endpoint::Endpoint;
use crate::flow::Destination;
use crate::time::Now;
use bytes::Bytes;
use sip_types::Method;

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
        outgoing.credentials.clone_from(&session.ack_credentials);
        let id = outgoing.id;
        session.outgoing.push(outgoing);
        self.locate(now, sid, id);
    }

    /// Sends an ACK and keeps it for as long as the 2xx may be repeated.
    pub(crate) fn transmit_ack(
        &mut self,
        sid: SessionId,
        id: OutgoingId,
        to: Destination,
        bytes: Bytes,
        datagram: Option<(Destination, Bytes)>,
    ) {
        let Some(outgoing) = self.take_outgoing(sid, id) else { return };
        let Some(no) = outgoing.dialog else { return };
        let Some(dialog) = self.sessions.get_mut(sid).and_then(|s| s.dialog_mut(no)) else { return };
        let seq = outgoing.seq;
        dialog.ack = Some(SentAck { seq, to, bytes, datagram });
        self.repeat_ack(sid, no, seq);
        self.sweep(sid);
    }

    /// Sends the ACK of the 2xx to INVITE number `seq` as it was sent before, if it was.
    pub(crate) fn repeat_ack(&mut self, sid: SessionId, no: DialogNo, seq: u32) {
        let dialog = self.sessions.get(sid).and_then(|s| s.dialog(no));
        let Some(ack) = dialog.and_then(|d| d.ack.as_ref()).filter(|ack| ack.seq == seq) else { return };
        let (id, to, bytes) = (TransmitId(Sender::Ack(sid, no)), ack.to.clone(), ack.bytes.clone());
        self.io.push(Action::Transmit(Transmit { id, to, bytes }));
    }

    /// An ACK could not be sent. If it went over a stream for its size, it goes as a datagram after all; else the
    /// repetition of the 2xx brings it forth again.
    pub(crate) fn ack_not_sent(&mut self, sid: SessionId, no: DialogNo) {
        let dialog = self.sessions.get_mut(sid).and_then(|s| s.dialog_mut(no));
        let Some(ack) = dialog.and_then(|d| d.ack.as_mut()) else { return };
        let Some((to, bytes)) = ack.datagram.take() else { return };
        (ack.to, ack.bytes) = (to, bytes);
        let seq = ack.seq;
        self.repeat_ack(sid, no, seq);
    }
}
