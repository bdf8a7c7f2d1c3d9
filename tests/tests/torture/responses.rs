//! A response of the table arrives, awaited or stray.

use crate::agent;
use crate::bench::{Bench, FAR, NEAR, address};
use crate::table::{Case, Do, Outcome, Pending, Wire};
use b2bua::shard::Gauges;
use bytes::Bytes;
use sip::Flow;
use sip_types::header::{CSeq, CallId, From, Via};
use sip_types::{Method, Request, Response};
use std::net::SocketAddr;
use std::time::Duration;

/// The offer of the INVITE that awaits `unreason`.
const OFFER: &str = "v=0\r\no=phone 1 1 IN IP4 192.0.2.77\r\ns=-\r\nc=IN IP4 192.0.2.77\r\nt=0 0\r\n\
                     m=audio 4000 RTP/AVP 0 12\r\nm=video 4002 RTP/AVP 31\r\n";

/// Lets the message arrive and judges what follows.
pub fn run(case: &Case, bench: &mut Bench, permitted: &[Outcome]) -> Result<String, String> {
    let Some(pending) = &case.pending else { return stray(case, bench, permitted) };
    let mut call = Pendent::begin(case.wire, bench, pending)?;
    let held = bench.alive();
    let mark = bench.sent.len();
    let bytes = substitute(&case.bytes, &pending.substitute, &call.request);
    bench.deliver(call.flow, &bytes);
    bench.run(Duration::from_millis(2_500));
    let seen = call.seen(bench, mark, held);
    let mut reasons = Vec::new();
    for outcome in permitted {
        match matches(&seen, outcome) {
            Ok(()) => {
                call.end(case, bench, outcome)?;
                return Ok(format!("{:?}", outcome.what));
            }
            Err(reason) => reasons.push(format!("{:?}: {reason}", outcome.what)),
        }
    }
    Err(reasons.join(" | "))
}

fn stray(case: &Case, bench: &mut Bench, permitted: &[Outcome]) -> Result<String, String> {
    let flow = bench.flow(case.wire, SocketAddr::new(case.source, 5060));
    bench.deliver(flow, &Bytes::copy_from_slice(&case.bytes));
    let held = bench.held();
    bench.run(Duration::from_secs(2));
    assert!(permitted.iter().all(|outcome| outcome.what == Do::Discard), "a stray can only be discarded");
    let handed_up = bench.plain().is_some_and(|plain| !plain.answers.is_empty());
    if handed_up || !bench.sent.is_empty() || held != Gauges::default() {
        return Err(format!("{} messages left, {held:?} is kept", bench.sent.len()));
    }
    Ok("Discard".to_owned())
}

/// What followed the response.
struct Seen {
    /// Whether the pending request was sent again.
    repeated: bool,
    /// Methods of the other requests that left.
    sends: Vec<String>,
    /// Final responses that were handed up, or given to the caller.
    answers: Vec<u16>,
    /// Whether something is held that was not held before, or is not any more.
    moved: bool,
    reliable: bool,
}

fn matches(seen: &Seen, outcome: &Outcome) -> Result<(), String> {
    if outcome.what == Do::Deliver {
        let given =
            seen.answers.iter().all(|answer| outcome.status.contains(answer)) && !seen.answers.is_empty();
        if given && seen.sends == outcome.sends {
            return Ok(());
        }
        return Err(format!("{:?} was handed up and {:?} left", seen.answers, seen.sends));
    }
    if !seen.answers.is_empty() || !seen.sends.is_empty() || seen.moved {
        return Err(format!(
            "{:?} was handed up, {:?} left, state moved: {}",
            seen.answers, seen.sends, seen.moved
        ));
    }
    if outcome.stops_retransmission && seen.repeated {
        return Err("the request is sent again".to_owned());
    }
    if !outcome.stops_retransmission && !seen.repeated && !seen.reliable {
        return Err("the request is not sent again".to_owned());
    }
    Ok(())
}

/// A request of the subject that the far side has not answered, and the caller whom the B2BUA made it for.
struct Pendent {
    request: Request,
    /// Where its responses come from.
    flow: Flow,
    /// The caller's INVITE, the 2xx to it, and the caller's request that waits.
    invite: Option<Request>,
    ok: Option<Response>,
    waits: Option<Request>,
}

impl Pendent {
    fn begin(wire: Wire, bench: &mut Bench, pending: &Pending) -> Result<Self, String> {
        let mut this = Self::call(wire, bench, pending.method == "INVITE")?;
        if pending.method != "INVITE" {
            this.ask(bench, &pending.method)?;
        }
        let (flow, bytes) = bench.far.requests.last().cloned().ok_or("nothing reached the far side")?;
        this.flow = flow;
        this.request = agent::read(&bytes).as_request().cloned().ok_or("no request")?;
        Ok(this)
    }

    /// An INVITE; if it is not `mute`, the call is answered.
    fn call(wire: Wire, bench: &mut Bench, mute: bool) -> Result<Self, String> {
        bench.far.mute = mute;
        let now = bench.now;
        let from = address(NEAR);
        let caller = bench.flow(Wire::Udp, from);
        let (mut invite, mut ok) = (None, None);
        if let Some(plain) = bench.plain() {
            let transport = if wire == Wire::Tcp { ";transport=tcp" } else { "" };
            plain.invite(now, &format!("sip:{FAR}{transport}"), OFFER);
            bench.pump();
        } else {
            let bytes = agent::first("INVITE", 1, from, "UDP", Some(OFFER));
            bench.deliver(caller, &bytes);
            invite = agent::read(&bytes).as_request().cloned();
        }
        if let Some(invite) = invite.as_ref().filter(|_| !mute) {
            let answer = bench.final_to(0, invite).ok_or("the call is not answered")?;
            let ack = agent::inside("ACK", invite, &answer, 1, 1, from, None);
            bench.deliver(caller, &ack);
            ok = Some(answer);
        }
        bench.run(Duration::from_millis(100));
        let (flow, bytes) = bench.far.requests.last().cloned().ok_or("nothing reached the far side")?;
        let request = agent::read(&bytes).as_request().cloned().ok_or("no request")?;
        let waits = invite.clone();
        if let Some(plain) = bench.plain() {
            plain.answers.clear();
        }
        Ok(Self { request, flow, invite, ok, waits })
    }

    /// A request within the call, which the far side does not answer. A B2BUA answers OPTIONS by itself: in its place
    /// it is INFO that it carries.
    fn ask(&mut self, bench: &mut Bench, method: &str) -> Result<(), String> {
        bench.far.mute = true;
        let now = bench.now;
        if let Some(plain) = bench.plain() {
            plain.request(now, &method.parse::<Method>().map_err(|_| "no method")?);
            bench.pump();
        } else {
            let (Some(invite), Some(ok)) = (&self.invite, &self.ok) else { return Err("no call".to_owned()) };
            let info = agent::inside("INFO", invite, ok, 2, 2, address(NEAR), None);
            bench.deliver(bench.flow(Wire::Udp, address(NEAR)), &info);
            self.waits = agent::read(&info).as_request().cloned();
        }
        bench.run(Duration::from_millis(100));
        Ok(())
    }

    /// Final responses that were handed up, or given to the caller, since `mark`.
    fn answers(&self, bench: &mut Bench, mark: usize) -> Vec<u16> {
        if let Some(plain) = bench.plain() {
            return plain.answers.clone();
        }
        let answer = self.waits.as_ref().and_then(|waits| bench.final_to(mark, waits));
        answer.iter().map(|answer| answer.status().as_u16()).collect()
    }

    fn seen(&self, bench: &mut Bench, mark: usize, held: Gauges) -> Seen {
        let requests: Vec<Bytes> = bench.sent[mark..]
            .iter()
            .filter(|sent| sent.message().as_request().is_some())
            .map(|sent| sent.bytes.clone())
            .collect();
        let request = self.request.to_bytes();
        let (repeats, others): (Vec<_>, Vec<_>) = requests.into_iter().partition(|bytes| *bytes == request);
        Seen {
            repeated: !repeats.is_empty(),
            sends: others.iter().map(|bytes| agent::method(&agent::read(bytes))).collect(),
            answers: self.answers(bench, mark),
            moved: bench.alive() != held,
            reliable: self.flow.connection.is_some(),
        }
    }

    /// What is still pending gets a sound 200, which must be accepted; then the call ends.
    fn end(&mut self, case: &Case, bench: &mut Bench, outcome: &Outcome) -> Result<(), String> {
        let mark = bench.sent.len();
        if case.untouched || outcome.what == Do::Absorb {
            bench.deliver(self.flow, &agent::respond(&self.request, 200, self.flow.peer, "far"));
            bench.run(Duration::from_millis(100));
            if self.answers(bench, mark) != [200] {
                return Err("a sound 200 afterwards is not accepted".to_owned());
            }
        }
        bench.far.mute = false;
        let now = bench.now;
        if let Some(plain) = bench.plain() {
            plain.hang_up(now);
            bench.pump();
            return Ok(());
        }
        let invite = self.invite.clone().ok_or("no call")?;
        let ok = match self.ok.take() {
            Some(ok) => ok,
            None => bench.final_to(0, &invite).ok_or("the call is not answered")?,
        };
        let caller = bench.flow(Wire::Udp, address(NEAR));
        bench.finish_call(
            caller,
            &invite,
            &ok,
            if self.waits.as_ref().map(Request::method) == Some(invite.method()) { 2 } else { 3 },
        )
    }
}

/// Puts the identifiers of our request into a response of the table; nothing else of it changes.
fn substitute(file: &[u8], which: &[String], request: &Request) -> Bytes {
    let headers = request.headers();
    let via = headers.first_of::<Via>().unwrap().unwrap();
    let cseq = headers.require::<CSeq>().unwrap().seq.to_string();
    let (mut out, mut vias) = (Vec::new(), 0);
    for line in file.split_inclusive(|b| *b == b'\n') {
        let text = String::from_utf8_lossy(line).into_owned();
        let name = text.split(':').next().unwrap_or_default().to_ascii_lowercase();
        let mut new = text.clone();
        let has = |key: &str| which.iter().any(|w| w == key);
        match name.as_str() {
            "via" => {
                vias += 1;
                let sent_by = text.split([' ', ';']).nth(2).unwrap_or_default().trim();
                if vias == 1 && has("sent-by") {
                    new = new.replacen(sent_by, &via.sent_by(), 1);
                }
                if vias == 1 && has("branch") {
                    new = new.replacen(after(&text, "branch="), via.branch().unwrap(), 1);
                }
            }
            "call-id" if has("call-id") => {
                new = format!("Call-ID: {}\r\n", headers.require::<CallId>().unwrap().as_str());
            }
            "from" if has("from-tag") => {
                let tag = headers.require::<From>().unwrap().tag().unwrap().to_owned();
                new = new.replacen(after(&text, "tag="), &tag, 1);
            }
            "cseq" if has("cseq-number") => {
                new = new.replacen(text.split_whitespace().nth(1).unwrap(), &cseq, 1);
            }
            _ => {}
        }
        match new == text {
            true => out.extend_from_slice(line),
            false => out.extend_from_slice(new.as_bytes()),
        }
    }
    out.into()
}

fn after<'t>(text: &'t str, key: &str) -> &'t str {
    let rest = text.split(key).nth(1).unwrap();
    rest.split([';', '\r', '\n', '>']).next().unwrap()
}
