//! DTMF that comes by INFO and goes on in another form, and the other way round.

use super::{Call, CallKey, LegNo, State};
use crate::shard::Core;
use config::Dtmf;
use media::PartyId;
use media::dtmf::{Digit, info};
use media::relay::Report;
use sip::dialog::DialogNo;
use sip::session::{Body, OutgoingId, Parts, Reply, RequestId};
use sip::time::Now;
use sip::{Failure, Received};
use sip_types::header::ContentType;
use sip_types::{HeaderName, Method, Response, StatusCode};
use slotmap::KeyData;
use std::collections::VecDeque;

/// Keys that wait for the INFO before to be answered; of more, none is sent.
const MOST_WAITING: usize = 32;

/// Keys of a call that go by INFO.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    ways: Vec<Way>,
    /// The trail has it that they are sealed.
    noted: bool,
}

/// Those to one party: one at a time, in their order.
#[derive(Debug)]
struct Way {
    to: PartyId,
    sent: Option<(LegNo, OutgoingId)>,
    waiting: VecDeque<(Digit, u32)>,
}

impl Core {
    /// Takes a key that came by INFO, where it goes on in another form; else its INFO has to cross.
    pub(super) fn takes_key(
        &mut self,
        now: Now,
        key: CallKey,
        (leg, dialog): (LegNo, DialogNo),
        id: RequestId,
        request: &Received,
    ) -> bool {
        if *request.method() != Method::Info || request.headers().first(HeaderName::InfoPackage).is_some() {
            return false;
        }
        let Ok(Some(kind)) = request.headers().get::<ContentType>() else { return false };
        let Some(call) = self.calls.get_mut(key) else { return false };
        let Some((party, session)) = call.party_in(leg, dialog).zip(call.leg(leg).map(|leg| leg.session))
        else {
            return false;
        };
        if !call.media.takes_info(party) {
            return false;
        }
        let Some((digit, millis)) = info::read(&kind.to_string(), request.request.body()) else {
            return false;
        };
        call.media.say(party, digit, millis);
        let _ = self.endpoint.respond(now, session, id, &Reply::new(StatusCode::OK));
        true
    }

    /// Sends by INFO what was heard in streams.
    pub(crate) fn hear_keys(&mut self, now: Now) {
        while let Some(Report { call: number, peer: to, digit, millis, .. }) = self.link.poll_report() {
            let key = CallKey::from(KeyData::from_ffi(number));
            let Some(call) = self.calls.get_mut(key) else { continue };
            let keys = call.keys.get_or_insert_default();
            let at = keys.ways.iter().position(|way| way.to == to).unwrap_or_else(|| {
                keys.ways.push(Way { to, sent: None, waiting: VecDeque::new() });
                keys.ways.len() - 1
            });
            let Some(way) = keys.ways.get_mut(at) else { continue };
            if way.waiting.len() >= MOST_WAITING {
                self.counters.keys_untold += 1;
                continue;
            }
            way.waiting.push_back((digit, millis));
            if way.sent.is_none() {
                self.tell_key(now, key, to);
            }
        }
    }

    /// Sends the next key to a party.
    fn tell_key(&mut self, now: Now, key: CallKey, to: PartyId) {
        let Some(call) = self.calls.get_mut(key) else { return };
        let place = call.leg_of(to).and_then(|(no, dialog)| Some((no, dialog, call.leg(no)?.session)));
        let Some(way) = call.keys.as_mut().and_then(|keys| keys.ways.iter_mut().find(|way| way.to == to))
        else {
            return;
        };
        way.sent = None;
        while let Some((digit, millis)) = way.waiting.pop_front() {
            let mut body = Body { bytes: info::write(digit, millis).into(), ..Body::default() };
            body.fields.push(HeaderName::ContentType, info::RELAY);
            let parts = Parts { body: Some(body), ..Parts::default() };
            let sent = place.and_then(|(no, dialog, session)| {
                let sent = self.endpoint.request_in(now, session, dialog, Method::Info, 70, parts);
                sent.ok().map(|sent| (no, sent))
            });
            if sent.is_some() {
                way.sent = sent;
                self.counters.keys_told += 1;
                return;
            }
            self.counters.keys_untold += 1;
        }
    }

    /// Whether that was the answer to an INFO with a key: the next one goes.
    pub(super) fn key_told(
        &mut self,
        now: Now,
        key: CallKey,
        leg: LegNo,
        sent: OutgoingId,
        outcome: &Result<Response, Failure>,
    ) -> bool {
        let ways = self.calls.get(key).and_then(|call| call.keys.as_ref()).map(|keys| &*keys.ways);
        let way = ways.unwrap_or_default().iter().find(|way| way.sent == Some((leg, sent)));
        let Some(to) = way.map(|way| way.to) else { return false };
        if !outcome.as_ref().is_ok_and(|response| response.status().is_success()) {
            self.counters.keys_refused += 1;
        }
        self.tell_key(now, key, to);
        true
    }

    /// Has the trail say that keys cannot be translated which would have to be.
    pub(crate) fn note_keys(&mut self, key: CallKey) {
        let Some(call) = self.calls.get_mut(key) else { return };
        let wants = call.state == State::Established && call.legs().any(|leg| leg.profile.dtmf != Dtmf::Auto);
        if !wants || call.keys.as_ref().is_some_and(|keys| keys.noted) {
            return;
        }
        let Some((_, called, calling)) = call.joined() else { return };
        let sealed = |party| call.media.dtmf_view(party).is_some_and(|view| view.sealed);
        if sealed(called) || sealed(calling) {
            call.trail.push(policy::Step::Sealed);
            call.keys.get_or_insert_default().noted = true;
        }
    }
}

impl Call {
    /// The media of a leg in a dialog of it.
    fn party_in(&self, leg: LegNo, dialog: DialogNo) -> Option<PartyId> {
        if let Some(party) = self.party(leg) {
            return Some(party);
        }
        match leg {
            LegNo::CALLER => self.pairs.get(self.pair_of_caller(dialog)?)?.caller_party,
            _ => {
                let of = |pair: &&super::Pair| pair.callee == leg && pair.callee_dialog == Some(dialog);
                self.pairs.iter().find(of).map(|pair| pair.callee_party)
            }
        }
    }

    /// The leg whose media that is, and the dialog where it is early.
    fn leg_of(&self, party: PartyId) -> Option<(LegNo, Option<DialogNo>)> {
        let standing = self.legs().find(|leg| self.party(leg.no) == Some(party));
        if let Some(leg) = standing {
            return Some((leg.no, None));
        }
        let of_caller = |pair: &super::Pair| {
            (pair.caller_party == Some(party)).then_some((LegNo::CALLER, Some(pair.caller_dialog)))
        };
        let of_callee =
            |pair: &super::Pair| (pair.callee_party == party).then_some((pair.callee, pair.callee_dialog));
        self.pairs.iter().find_map(|pair| of_caller(pair).or_else(|| of_callee(pair)))
    }
}
