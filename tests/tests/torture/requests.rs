//! A request of the table arrives.

use crate::agent;
use crate::bench::{Bench, STREAM, Sent};
use crate::table::{Case, Do, Outcome, Wire};
use bytes::Bytes;
use sip_types::header::{ContentType, To, Via};
use sip_types::{HeaderName, Headers, Host, Limits, Message, Request, Response};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// The port that requests come from.
const PORT: u16 = 40_123;

/// Lets the message arrive and judges what follows.
pub fn run(case: &Case, bench: &mut Bench, permitted: &[Outcome]) -> Result<String, String> {
    bench.far.answer = permitted.iter().find_map(|outcome| outcome.answer);
    let flow = bench.flow(case.wire, SocketAddr::new(case.source, PORT));
    let bytes = Bytes::copy_from_slice(&case.bytes);
    bench.deliver(flow, &bytes);
    bench.run(Duration::from_secs(2));
    let seen = Seen::of(bench);
    let request = match Message::parse(bytes, &Limits::default()) {
        Ok(Message::Request(request)) => Some(request),
        _ => None,
    };
    let what = judge(case, &seen, permitted)?;
    if case.replies.is_some_and(|replies| replies != bench.sent.len()) {
        return Err(format!("{} messages left", bench.sent.len()));
    }
    if let (Some((sent, response)), Some(request)) = (&seen.response, &request) {
        sound(case, request, sent, response)?;
        let method = request.method().as_str();
        if method == "INVITE" && response.status().is_success() {
            let seq = request.headers().require::<sip_types::header::CSeq>().map_err(|e| e.to_string())?.seq;
            bench.finish_call(flow, request, response, seq + 1)?;
        }
    }
    Ok(what)
}

/// What followed.
struct Seen {
    /// The final response, and how it was sent.
    response: Option<(Sent, Response)>,
    /// Different final responses.
    finals: usize,
    /// Messages that left.
    sent: usize,
    handed_up: bool,
    /// The first request at the far side.
    far: Option<Bytes>,
    closed: bool,
}

impl Seen {
    fn of(bench: &mut Bench) -> Self {
        let mut finals = bench.responses(0);
        finals.retain(|(_, response)| response.status().is_final());
        finals.dedup_by(|a, b| a.0.bytes == b.0.bytes);
        let far = bench.far.requests.first().map(|(_, bytes)| bytes.clone());
        let handed_up = match bench.plain() {
            Some(plain) => !plain.handed.is_empty(),
            None => far.is_some(),
        };
        Self {
            finals: finals.len(),
            response: finals.into_iter().next(),
            sent: bench.sent.len(),
            handed_up,
            far,
            closed: bench.closed.contains(&STREAM),
        }
    }
}

fn judge(case: &Case, seen: &Seen, permitted: &[Outcome]) -> Result<String, String> {
    if seen.finals > 1 {
        return Err(format!("{} different final responses", seen.finals));
    }
    let status = seen.response.as_ref().map(|(_, response)| response.status().as_u16());
    let what = match (seen.handed_up, status) {
        (true, Some(status)) => format!("deliver {status}"),
        (true, None) => "deliver, no response".to_owned(),
        (false, Some(status)) => format!("respond {status}"),
        (false, None) => "discard".to_owned(),
    };
    let mut reasons = Vec::new();
    for outcome in permitted {
        match matches(case, seen, outcome) {
            Ok(()) => return Ok(what),
            Err(reason) => reasons.push(format!("{:?} {:?}: {reason}", outcome.what, outcome.status)),
        }
    }
    Err(format!("{what}; permitted is {}", reasons.join(" | ")))
}

fn matches(case: &Case, seen: &Seen, outcome: &Outcome) -> Result<(), String> {
    let wrong = |what: &str| Err(what.to_owned());
    if outcome.closes && !seen.closed {
        return wrong("the connection stays open");
    }
    let wanted = match outcome.what {
        Do::Respond if seen.handed_up => return wrong("it was handed up"),
        Do::Respond => true,
        Do::Deliver if !seen.handed_up => return wrong("it was not handed up"),
        Do::Deliver => true,
        Do::Discard => false,
        Do::Absorb => return wrong("not for requests"),
    };
    let Some((_, response)) = &seen.response else {
        let silent = !wanted && !seen.handed_up && seen.sent == 0;
        return if silent { Ok(()) } else { wrong("no response, but something happened or should") };
    };
    if !wanted || !outcome.status.contains(&response.status().as_u16()) {
        return wrong("the response is another");
    }
    for (name, tokens) in &outcome.headers {
        let values: Vec<_> = response.headers().named(name).map(|f| f.unfolded().into_owned()).collect();
        let has = |token: &String| values.iter().any(|value| value.contains(token.as_str()));
        if values.is_empty() || !tokens.iter().all(has) {
            return Err(format!("{name} says {values:?}"));
        }
    }
    far(case, seen, outcome)
}

fn far(case: &Case, seen: &Seen, outcome: &Outcome) -> Result<(), String> {
    let asked = outcome.body_crosses || !outcome.far_has.is_empty() || !outcome.far_lacks.is_empty();
    if !asked {
        return Ok(());
    }
    let bytes = seen.far.as_ref().ok_or("nothing reached the far side")?;
    let text = String::from_utf8_lossy(bytes);
    if let Some(missing) = outcome.far_has.iter().find(|part| !text.contains(part.as_str())) {
        return Err(format!("the far side does not have {missing:?}:\n{text}"));
    }
    if let Some(extra) = outcome.far_lacks.iter().find(|part| text.contains(part.as_str())) {
        return Err(format!("the far side has {extra:?}:\n{text}"));
    }
    if outcome.body_crosses {
        let (near, far) = (agent::read(&Bytes::copy_from_slice(&case.bytes)), agent::read(bytes));
        let kind =
            |message: &Message| message.headers().get::<ContentType>().map(|k| k.map(|k| k.to_string()));
        if near.body() != far.body() || kind(&near) != kind(&far) {
            return Err(format!("the body did not cross:\n{text}"));
        }
    }
    Ok(())
}

/// What is true of every response (RFC 3261 §8.2.6.2, §18.2).
fn sound(case: &Case, request: &Request, sent: &Sent, response: &Response) -> Result<(), String> {
    let method = request.method().as_str();
    let mut allowed = response.headers().all(HeaderName::Allow);
    if matches!(response.status().as_u16(), 405 | 501)
        && allowed.any(|f| f.unfolded().split(',').any(|m| m.trim() == method))
    {
        return Err(format!("Allow lists {method}"));
    }
    if !case.lax_headers {
        for name in [HeaderName::From, HeaderName::CallId, HeaderName::CSeq] {
            same(name, request.headers(), response.headers())?;
        }
        to(request.headers(), response.headers())?;
    }
    if !case.lax_via {
        vias(request, response, case.source)?;
    }
    way(case, request, sent)
}

fn values(name: HeaderName, headers: &Headers) -> Vec<String> {
    headers.all(name).map(|f| f.unfolded().split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

fn same(name: HeaderName, request: &Headers, response: &Headers) -> Result<(), String> {
    let (want, have) = (values(name, request), values(name, response));
    if want == have { Ok(()) } else { Err(format!("{name} is {have:?}, not {want:?}")) }
}

fn to(request: &Headers, response: &Headers) -> Result<(), String> {
    let tag = |headers: &Headers| headers.require::<To>().ok().and_then(|to| to.tag().map(str::to_owned));
    if tag(request).is_some() || request.require::<To>().is_err() {
        return same(HeaderName::To, request, response);
    }
    let (want, have) = (values(HeaderName::To, request), values(HeaderName::To, response));
    let begins = want.len() == 1 && have.len() == 1 && have[0].starts_with(&want[0]);
    if begins && tag(response).is_some() {
        Ok(())
    } else {
        Err(format!("To is {have:?}, not {want:?} with a tag"))
    }
}

fn vias(request: &Request, response: &Response, source: IpAddr) -> Result<(), String> {
    let list = |headers: &Headers| headers.list::<Via>().map_err(|e| e.to_string());
    let (want, have) = (list(request.headers())?, list(response.headers())?);
    let text = |vias: &[Via]| vias.iter().skip(1).map(Via::to_string).collect::<Vec<_>>();
    let (Some(asked), Some(first)) = (want.first(), have.first()) else { return Err("no Via".to_owned()) };
    let parts = |via: &Via| (via.transport().to_owned(), via.sent_by(), via.branch().map(str::to_owned));
    if want.len() != have.len() || text(&want) != text(&have) || parts(asked) != parts(first) {
        return Err(format!("the Vias are {have:?}, not {want:?}"));
    }
    let named = match asked.host() {
        Host::V4(ip) => source == IpAddr::V4(ip),
        Host::V6(ip) => source == IpAddr::V6(ip),
        Host::Name(_) => false,
    };
    match first.received() {
        Some(ip) if ip == source => Ok(()),
        None if named => Ok(()),
        other => Err(format!("received is {other:?}, the source {source}")),
    }
}

/// RFC 3261 §18.2.2, RFC 3581 §4.
fn way(case: &Case, request: &Request, sent: &Sent) -> Result<(), String> {
    if case.wire == Wire::Tcp {
        use sip::Destination::{Flow, FlowOr};
        return match &sent.to {
            Flow(flow) | FlowOr { flow, .. } if flow.connection == Some(STREAM) => Ok(()),
            other => Err(format!("the response leaves to {other:?}")),
        };
    }
    let via = request.headers().first_of::<Via>().ok().flatten();
    let port = match &via {
        Some(via) if via.rport().is_some() => PORT,
        Some(via) => via.port().unwrap_or(5060),
        None => sent.to.peer().port(),
    };
    let wanted = SocketAddr::new(case.source, port);
    if sent.to.peer() == wanted {
        Ok(())
    } else {
        Err(format!("the response leaves to {:?}, not {wanted}", sent.to))
    }
}
