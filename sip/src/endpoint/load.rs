//! Overload control on the way of messages (RFC 7339): what is sent, what is taken, and what either side is told.

use super::Endpoint;
use crate::event::Event;
use crate::flow::{Destination, Flow};
use crate::ids::Branch;
use crate::overload::{Change, Feedback, Heard, Rank, Report, Server, choose, is_emergency, prefers};
use crate::received::Received;
use crate::session::{OutgoingId, Purpose, SessionId, aim};
use crate::settings::Listener;
use crate::time::Now;
use sip_types::Method;
use sip_types::header::Via;
use std::time::Duration;

impl Endpoint {
    /// The thread that drives it has worked for that long without a rest, up to now. Without being told it is never
    /// overloaded.
    pub fn worked(&mut self, now: Now, time: Duration) {
        self.load.worked(time);
        self.review_load(now);
    }

    fn review_load(&mut self, now: Now) {
        if let Some(change) = self.load.review(now, self.number, &self.settings.overload, &self.overload) {
            self.io.tell(Event::Overload(change));
        }
    }

    /// Whether a request of ours must not be sent to a server that has asked for fewer (RFC 7339 §5.5). An ACK belongs to
    /// the INVITE that was sent.
    pub(crate) fn withholds(&mut self, now: Now, sid: SessionId, id: OutgoingId, to: &Destination) -> bool {
        let Some(listener) = self.settings.listener(to.listener()) else { return false };
        let Some(session) = self.sessions.get(sid) else { return false };
        if !session.conduct(listener).heeds_overload.takes_part() {
            return false;
        }
        let Some(outgoing) = session.outgoing.iter().find(|o| o.id == id) else { return false };
        let rank = match outgoing.purpose {
            Purpose::Ack => return false,
            // Without PRACK a pending INVITE comes to nothing, and its server has sent in vain.
            Purpose::Bye | Purpose::Prack => Rank::Always,
            Purpose::Reinvite | Purpose::Update | Purpose::Notify | Purpose::Request => Rank::Preferred,
            Purpose::Invite | Purpose::Outside => {
                // What has been sent before goes on, and so does what is registered; OPTIONS find out how a server is.
                let goes_on =
                    outgoing.rounds > 0 || matches!(outgoing.method, Method::Options | Method::Register);
                let urgent = || prefers(&outgoing.parts.fields, &self.settings.overload.priorities);
                let emergency = || aim(session, id).is_some_and(|aim| is_emergency(aim.request_uri.as_str()));
                if goes_on || urgent() || emergency() { Rank::Preferred } else { Rank::Ordinary }
            }
        };
        let server = Server { network: listener.network, address: to.peer() };
        let withheld = !self.overload.restrictions.admits(now, server, rank, &mut *self.io.ids);
        self.counters.withheld += u64::from(withheld);
        withheld
    }

    /// Follows what a response says about the load of its sender, if its request has asked for that (RFC 7339 §5.4).
    pub(super) fn note_load(&mut self, now: Now, branch: Branch, method: &Method, via: &Via) {
        let Some(to) = self.clients.heeding(branch, method) else { return };
        let feedback = match Feedback::read(via) {
            Ok(Some(feedback)) => feedback,
            Ok(None) => return,
            Err(_) => {
                self.counters.loads_malformed += 1;
                return;
            }
        };
        let Some(network) = self.settings.listener(to.listener()).map(|l| l.network) else { return };
        let server = Server { network, address: to.peer() };
        self.counters.loads_heard += 1;
        let (restrictions, settings) = (&self.overload.restrictions, &self.settings.overload);
        let change = match restrictions.heard(now, server, feedback, settings, &mut *self.io.ids) {
            Heard::Begun(algorithm, value) => Change::Restricted { server, algorithm, value },
            Heard::Ended => Change::Unrestricted { server },
            Heard::Renewed | Heard::Nothing | Heard::Stale => return,
        };
        self.io.tell(Event::Overload(change));
    }

    /// Whether a new request is refused because we are overloaded (RFC 7339 §5.10.2). One that is repeated meets the same
    /// chance again.
    pub(super) fn sheds(&mut self, now: Now, request: &Received) -> bool {
        self.review_load(now);
        let Some(listener) = self.settings.listener(request.flow.listener) else { return false };
        let settings = &self.settings.overload;
        let algorithm = listener.tells_load.then(|| choose(&request.via, settings.algorithm)).flatten();
        if let Some(algorithm) = algorithm {
            let client = (listener.network, request.flow.peer.ip());
            self.overload.count(now, algorithm, client, settings);
        }
        if !self.load.is_overloaded() {
            return false;
        }
        let rank = self.rank_of(request);
        let chance =
            self.hasher.hash_one((request.call_id.as_str(), request.cseq.seq, request.method().as_str()));
        let sheds = self.load.refuses(now, algorithm.is_some(), rank, chance);
        self.counters.shed += u64::from(sheds);
        sheds
    }

    /// What of the peers' requests is refused last: registrations, and questions whether we are there; and what never is.
    fn rank_of(&self, request: &Received) -> Rank {
        let listener = self.settings.listener(request.flow.listener);
        let heeds = listener.is_some_and(|listener| listener.heeds_priority);
        let urgent = || {
            heeds
                && (prefers(request.headers(), &self.settings.overload.priorities)
                    || is_emergency(request.request.uri_text()))
        };
        match request.method() {
            Method::Cancel => Rank::Always,
            _ if urgent() || self.belongs(request) => Rank::Always,
            Method::Register | Method::Options => Rank::Preferred,
            _ => Rank::Ordinary,
        }
    }

    /// What the response to a request with that Via says about our load, if its sender wants to know.
    pub(super) fn load_report(&mut self, now: Now, flow: &Flow, via: &Via) -> Option<Report> {
        let listener: &Listener = self.settings.listener(flow.listener)?;
        if !listener.tells_load {
            return None;
        }
        let settings = &self.settings.overload;
        let algorithm = choose(via, settings.algorithm)?;
        let client = (listener.network, flow.peer.ip());
        let report = self.overload.report(now, algorithm, client, settings);
        self.counters.loads_told += 1;
        self.counters.restrictions_told += u64::from(!report.validity.is_zero());
        Some(report)
    }
}
