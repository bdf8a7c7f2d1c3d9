//! A hundred thousand mutated messages, half of them aimed at calls under way.

use crate::agent::{self, SDP};
use crate::bench::{Bench, FAR, NEAR, address};
use crate::mutate::mutate;
use crate::subject::{self, Subject};
use crate::table::{self, Wire};
use bytes::Bytes;
use liaison_tests::ids::Seeded;
use sip::{Destination, Flow};
use sip_types::header::{CSeq, CallId, From, To, Via};
use sip_types::{Headers, Limits, Message, Method, Request, Response, StatusCode};
use std::collections::VecDeque;
use std::time::Duration;

/// Mutated messages.
const MESSAGES: usize = 100_000;
/// Calls under way.
const CALLS: usize = 30;
/// After so many mutated messages another call begins.
const EVERY: usize = 10;
const SEED: u64 = 20_261_121;

const METHODS: &[&str] = &["BYE", "INFO", "INVITE", "ACK", "OPTIONS", "MESSAGE", "UPDATE", "FROB"];
const STATUSES: &[u16] = &[100, 180, 183, 200, 200, 202, 302, 401, 407, 408, 481, 486, 487, 491, 503];

/// A call that somebody on the near side made.
struct Call {
    /// The caller's flow.
    flow: Flow,
    invite: Request,
    ok: Option<Response>,
    /// What reached the far side for it, and the flow there.
    far: Option<(Flow, Request)>,
}

struct Attack {
    bench: Bench,
    chance: Seeded,
    calls: VecDeque<Call>,
    /// Calls that are over, as it seems.
    fading: Vec<Call>,
    corpus: Vec<Bytes>,
    last: Bytes,
    number: u64,
    fed: usize,
    aimed: usize,
    parsed: usize,
    sound: usize,
    /// The most dialogs at once.
    dialogs: usize,
}

#[test]
fn a_hundred_thousand_mutated_messages_leave_nothing_behind() {
    let mut attack = Attack::new();
    while attack.fed < MESSAGES {
        if attack.fed.is_multiple_of(EVERY) {
            attack.begin_call();
        }
        attack.feed();
    }
    let Attack { fed, aimed, parsed, sound, dialogs, .. } = attack;
    println!(
        "{fed} fed, {aimed} aimed at calls under way, {parsed} pass the parser, {sound} with sound header fields"
    );
    assert!(aimed * 2 >= fed, "only {aimed} of {fed} were aimed");
    assert!(parsed * 10 >= fed * 4, "only {parsed} of {fed} pass the parser");
    assert!(sound * 10 >= fed * 4, "only {sound} of {fed} have sound header fields");
    assert!(dialogs > CALLS, "the calls came to nothing: {dialogs} dialogs");
    if let Subject::Whole(core) = &attack.bench.subject {
        println!("{:?}\n{:?}", core.counters(), core.sip_counters());
        assert!(core.counters().answered > 2_000, "{:?}", core.counters());
    }
    attack.end();
    attack.bench.settle().unwrap();
    attack.bench.normal_call().unwrap();
    attack.bench.settle().unwrap();
}

impl Attack {
    fn new() -> Self {
        let mut corpus: Vec<Bytes> = table::all().into_iter().map(|case| case.bytes.into()).collect();
        for (number, method) in (0..).zip(METHODS) {
            corpus.push(agent::first(method, number, address(NEAR), "UDP", Some(SDP)));
        }
        Self {
            bench: Bench::new(subject::whole(Wire::Udp, SEED)),
            chance: Seeded(SEED),
            calls: VecDeque::new(),
            fading: Vec::new(),
            last: corpus[0].clone(),
            corpus,
            number: 0,
            fed: 0,
            aimed: 0,
            parsed: 0,
            sound: 0,
            dialogs: 0,
        }
    }

    fn pick(&mut self, bound: usize) -> usize {
        usize::try_from(self.chance.below(bound as u64)).unwrap()
    }

    /// Another call begins; the oldest is hung up. The far side is deaf for some of them, for a while.
    fn begin_call(&mut self) {
        match self.pick(4) {
            0 => self.bench.far.mute = true,
            _ => self.hear_again(),
        }
        if self.calls.len() >= CALLS
            && let Some(call) = self.calls.pop_front()
        {
            self.hang_up(&call);
        }
        for call in std::mem::take(&mut self.fading) {
            self.hang_up(&call);
        }
        self.number += 1;
        let wire = if self.pick(4) == 0 { Wire::Tcp } else { Wire::Udp };
        let flow = self.bench.flow(wire, address(NEAR));
        let via = if wire == Wire::Tcp { "TCP" } else { "UDP" };
        let sdp = (self.pick(5) > 0).then_some(SDP);
        let bytes = agent::first("INVITE", self.number, address(NEAR), via, sdp);
        let reached = self.bench.far.requests.len();
        let Message::Request(invite) = agent::read(&bytes) else { unreachable!() };
        self.calls.push_back(Call { flow, invite, ok: None, far: None });
        self.bench.deliver(flow, &bytes);
        let far = self.bench.far.requests.get(reached).cloned();
        let far = far.and_then(|(flow, bytes)| Some((flow, agent::read(&bytes).as_request()?.clone())));
        if let Some(call) = self.calls.back_mut() {
            call.far = far;
        }
        self.attend();
    }

    /// The far side answers what it was deaf to.
    fn hear_again(&mut self) {
        if !std::mem::take(&mut self.bench.far.mute) {
            return;
        }
        for (flow, bytes) in std::mem::take(&mut self.bench.far.requests) {
            let Message::Request(request) = agent::read(&bytes) else { continue };
            if !matches!(request.method(), Method::Ack | Method::Bye | Method::Cancel) {
                self.bench.deliver(flow, &agent::respond(&request, 200, address(FAR), "far"));
            }
        }
        self.attend();
    }

    /// The near side does its part: it acknowledges the answers of its calls and says 200 to every request.
    fn attend(&mut self) {
        loop {
            let sent = std::mem::take(&mut self.bench.sent);
            if !self.bench.far.mute {
                self.bench.far.requests.clear();
            }
            if sent.is_empty() {
                return;
            }
            for sent in sent.into_iter().filter(|sent| !sent.is_far()) {
                match sent.message() {
                    Message::Request(request) if *request.method() != Method::Ack => {
                        if *request.method() == Method::Bye {
                            self.over(request.headers());
                        }
                        let flow = self.bench.back(&sent.to);
                        self.bench.deliver(flow, &agent::respond(&request, 200, flow.peer, "near"));
                    }
                    Message::Request(_) => {}
                    Message::Response(response) => self.answered(&sent.to, &response),
                }
            }
        }
    }

    fn answered(&mut self, to: &Destination, response: &Response) {
        let headers = response.headers();
        let Ok(cseq) = headers.require::<CSeq>() else { return };
        let invite = cseq.method == Method::Invite && cseq.seq == 1;
        let refused = invite && response.status().is_final() && !response.status().is_success();
        if refused || (cseq.method == Method::Bye && response.status().is_success()) {
            return self.over(headers);
        }
        if !invite || !response.status().is_success() || to.peer() != address(NEAR) {
            return;
        }
        let id =
            |headers: &Headers| Some((call_id(headers)?, headers.require::<From>().ok()?.tag()?.to_owned()));
        let wanted = id(headers);
        let Some(call) = self.calls.iter_mut().find(|call| id(call.invite.headers()) == wanted) else {
            return;
        };
        let ok = call.ok.get_or_insert_with(|| response.clone());
        let tag = |headers: &Headers| headers.require::<To>().ok()?.tag().map(str::to_owned);
        if tag(ok.headers()) == tag(headers) {
            self.number += 1;
            let answer = call.invite.body().is_empty().then_some(SDP);
            let ack = agent::inside("ACK", &call.invite, ok, 1, self.number, address(NEAR), answer);
            let flow = call.flow;
            self.bench.deliver(flow, &ack);
        }
    }

    /// A call of which the near side hears that it is over; a refused mutant may look the same, and then the call is
    /// no more aimed at but stays.
    fn over(&mut self, headers: &Headers) {
        let gone = call_id(headers);
        if let Some(at) = self.calls.iter().position(|call| call_id(call.invite.headers()) == gone) {
            self.fading.extend(self.calls.remove(at));
        }
    }

    /// The caller hangs up, with a number that no mutant has exceeded.
    fn hang_up(&mut self, call: &Call) {
        self.number += 1;
        let bytes = match &call.ok {
            Some(ok) => {
                agent::inside("BYE", &call.invite, ok, 2_147_483_647, self.number, address(NEAR), None)
            }
            None => cancel(&call.invite),
        };
        self.bench.deliver(call.flow, &bytes);
        self.attend();
    }

    /// One mutated message arrives.
    fn feed(&mut self) {
        let aimed = self.aimed * 2 <= self.fed && !self.calls.is_empty();
        let (flow, original) = if aimed { self.aim() } else { self.stray() };
        let last = std::mem::replace(&mut self.last, original.clone());
        let mutant = mutate(&mut self.chance, &original, &last);
        self.fed += 1;
        self.aimed += usize::from(aimed);
        if let Ok(message) = Message::parse(mutant.clone(), &Limits::default()) {
            self.parsed += 1;
            self.sound += usize::from(is_sound(&message));
        }
        self.bench.inject(flow, mutant);
        self.attend();
        self.bench.run(Duration::from_millis(2));
        self.attend();
        self.dialogs = self.dialogs.max(self.bench.held().sip.dialogs);
    }

    /// A message of a call under way, from either side.
    fn aim(&mut self) -> (Flow, Bytes) {
        let (nth, kind) = (self.pick(self.calls.len()), self.pick(8));
        let (method, status) = (METHODS[self.pick(METHODS.len())], STATUSES[self.pick(STATUSES.len())]);
        let seq = 2 + u32::try_from(self.pick(3)).unwrap();
        let tag = ["far", "far", "fork"][self.pick(3)];
        let sdp = (self.pick(2) == 0).then_some(SDP);
        self.number += 1;
        let call = &self.calls[nth];
        match (kind, &call.ok, &call.far) {
            (0..=2, Some(ok), _) => {
                (call.flow, agent::inside(method, &call.invite, ok, seq, self.number, address(NEAR), sdp))
            }
            (3 | 4, _, Some((flow, invite))) => (*flow, called(method, invite, seq, self.number, sdp)),
            (5 | 6, _, Some((flow, invite))) => (*flow, agent::respond(invite, status, address(FAR), tag)),
            (7, None, _) => (call.flow, cancel(&call.invite)),
            _ => (call.flow, call.invite.to_bytes()),
        }
    }

    /// A message of nobody's, on any flow.
    fn stray(&mut self) -> (Flow, Bytes) {
        let nth = self.pick(self.corpus.len());
        let flow = match self.pick(4) {
            0 => self.bench.flow(Wire::Tcp, address(NEAR)),
            1 => self.bench.flow(Wire::Udp, address("[2001:db8::77]:5060")),
            2 => self.bench.far_flow(),
            _ => self.bench.flow(Wire::Udp, address("192.0.2.250:40123")),
        };
        (flow, self.corpus[nth].clone())
    }

    /// No more mutants: every call ends.
    fn end(&mut self) {
        self.hear_again();
        self.bench.run(Duration::from_secs(1));
        self.attend();
        let calls = std::mem::take(&mut self.calls);
        for call in calls.into_iter().chain(std::mem::take(&mut self.fading)) {
            self.hang_up(&call);
        }
        // Calls that mutants began are answered, not acknowledged, and hang up after 64*T1.
        for _ in 0..64 {
            self.bench.run(Duration::from_millis(500));
            self.attend();
        }
    }
}

fn call_id(headers: &Headers) -> Option<String> {
    headers.require::<CallId>().ok().map(|id| id.as_str().to_owned())
}

/// Whether the header fields that every message has can be read.
fn is_sound(message: &Message) -> bool {
    let headers = message.headers();
    headers.first_of::<Via>().is_ok_and(|via| via.is_some())
        && headers.require::<From>().is_ok()
        && headers.require::<To>().is_ok()
        && headers.require::<CallId>().is_ok()
        && headers.require::<CSeq>().is_ok()
}

/// The CANCEL of an INVITE.
fn cancel(invite: &Request) -> Bytes {
    use sip_types::HeaderName as Name;
    let mut out = sip_types::MessageWriter::request(&Method::Cancel, invite.uri_text());
    for name in [Name::Via, Name::From, Name::To, Name::CallId] {
        invite.headers().first(name).map(|field| out.copy(field));
    }
    out.header(Name::CSeq, "1 CANCEL").header(Name::MaxForwards, 70);
    out.finish(b"")
}

/// A request of the far side in the dialog that our INVITE made there.
fn called(method: &str, invite: &Request, seq: u32, number: u64, sdp: Option<&str>) -> Bytes {
    use sip_types::HeaderName as Name;
    let headers = invite.headers();
    let value = |name| headers.first(name).map(|f| f.unfolded().into_owned()).unwrap_or_default();
    let mut ok = sip_types::MessageWriter::response(StatusCode::OK, "");
    ok.header(Name::From, format_args!("{};tag=far", value(Name::To)))
        .header(Name::To, value(Name::From))
        .header(Name::CallId, value(Name::CallId))
        .header(Name::Contact, value(Name::Contact));
    let Message::Response(ok) = agent::read(&ok.finish(b"")) else { unreachable!() };
    agent::inside(method, invite, &ok, seq, number, address(FAR), sdp)
}
