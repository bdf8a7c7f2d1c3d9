//! What the driver of a shard calls.

use super::Core;
use crate::registrar::Line;
use bytes::Bytes;
use sip::driver::{ConnectionEvent, IoAction, Letter};
use sip::guard::Offence;
use sip::time::{Mono, Now};
use sip::{Answer, ConnectId, Flow, ListenerId, QueryId, TransmitId};
use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::time::Duration;

impl sip::driver::Core for Core {
    fn takes_connection(&mut self, now: Now, listener: ListenerId, peer: SocketAddr) -> bool {
        self.hears_connection(now, listener, peer)
    }

    fn hears_stun(&mut self, now: Now, flow: &Flow) -> bool {
        self.hears_ping(now, flow)
    }

    fn handle_connection(&mut self, now: Now, event: ConnectionEvent) {
        self.on_connection(now, event);
        self.settle(now);
    }

    fn handle_input(&mut self, now: Now, flow: Flow, bytes: Bytes) {
        if !self.hears(now, &flow, &bytes) {
            return;
        }
        self.flow_stands(&flow);
        let before = self.endpoint.unusable();
        self.endpoint.handle_input(now, flow, bytes);
        if self.endpoint.unusable() != before {
            self.offended(now, &flow, Offence::Refused);
        }
        self.settle(now);
    }

    fn handle_resolved(&mut self, now: Now, query: QueryId, answer: Answer) {
        self.endpoint.handle_resolved(now, query, answer);
        self.settle(now);
    }

    fn handle_connected(&mut self, now: Now, connect: ConnectId, open: bool) {
        self.endpoint.handle_connected(now, connect, open);
        self.settle(now);
    }

    fn handle_send_failed(&mut self, now: Now, id: TransmitId) {
        self.endpoint.handle_send_failed(now, id);
        self.settle(now);
    }

    fn handle_unreachable(&mut self, now: Now, listener: ListenerId, peer: SocketAddr) {
        self.endpoint.handle_unreachable(now, listener, peer);
        self.flow_in_question(now, Line::Datagrams(listener, peer));
        self.settle(now);
    }

    fn handle_doubt(&mut self, now: Now, flow: Flow) {
        self.check_flow(now, flow);
        self.settle(now);
    }

    fn handle_letter(&mut self, now: Now, letter: Letter) {
        if let Some(word) = letter.open() {
            self.on_word(now, word);
        }
        self.settle(now);
    }

    fn handle_timeout(&mut self, now: Now) {
        self.endpoint.handle_timeout(now);
        self.settle(now);
        while let Some((key, timer)) = self.timers.pop_due(now) {
            self.call_due(now, key, timer);
            self.carry_out_media(key);
            self.settle(now);
        }
        self.probe_due(now);
        self.registrants_due(now);
        self.registrations_due(now);
        self.subscriptions_due(now);
        self.bridged_due(now);
        self.drain_due(now);
        self.settle(now);
    }

    fn handle_wake(&mut self, now: Now) -> ControlFlow<()> {
        self.obey(now);
        self.hear_store(now);
        self.hear_keys(now);
        self.settle(now);
        let drained = self.drain.is_some() && {
            let is_done = self.calls.is_empty() && self.endpoint.is_quiet();
            self.common.done(self.shard, is_done)
        };
        if drained || self.stopped { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn poll_io(&mut self) -> Option<IoAction> {
        self.io.pop_front()
    }

    fn poll_timeout(&self) -> Option<Mono> {
        let drain = self.drain.filter(|_| !self.calls.is_empty() || !self.registrants.is_empty());
        let probe = self.probes.next().filter(|_| self.drain.is_none());
        let binding = self.office.poll_timeout();
        let registrant = self.registrants.next();
        let bridged = self.subscriptions.next();
        let own = [self.endpoint.poll_timeout(), self.timers.next(), drain, probe];
        let all = own.into_iter().chain([binding, registrant, bridged]);
        all.flatten().min()
    }

    fn worked(&mut self, now: Now, time: Duration) {
        self.endpoint.worked(now, time);
        self.settle(now);
    }

    fn flush(&mut self, _now: Now) {
        self.link.flush();
    }
}
