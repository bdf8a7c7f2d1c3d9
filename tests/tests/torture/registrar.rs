//! The registrar judges the REGISTERs of RFC 4475 and RFC 5118: what it keeps and says of each, once its sender has proved who it is.

use crate::bench::Bench;
use crate::subject;
use crate::table::{Case, all};
use bytes::Bytes;
use liaison_tests::ids::Seeded;
use sha2::{Digest, Sha256};
use sip::registration::server::{Demand, Directory, Limits, Registrar, Terms, fields};
use sip::{Flow, ListenerId, Received};
use sip_types::{HeaderName, Message, Response};
use std::sync::Arc;
use std::time::Duration;

/// Status and Contacts of the answer, and of the answer to a query after it.
fn served(case: &Case) -> (u16, Vec<String>) {
    let bytes = Bytes::copy_from_slice(&case.bytes);
    let Ok(Message::Request(request)) = Message::parse(bytes, &sip_types::Limits::default()) else {
        panic!("{}: no request", case.name)
    };
    let peer = std::net::SocketAddr::new(case.source, 5060);
    let flow = Flow { listener: ListenerId(0), peer, connection: None };
    let Ok(received) = Received::read(request, flow) else { return (400, Vec::new()) };
    let hasher = ahash::RandomState::with_seeds(1, 2, 3, 4);
    let mut registrar = Registrar::new(Limits::default(), Arc::new(Directory::new(&hasher)));
    let (now, mut ids) = (subject::start(), Seeded(1));
    let demand = match Demand::read(&received, false) {
        Ok(demand) => demand,
        Err(refusal) => return (refusal.reply().status.as_u16(), Vec::new()),
    };
    let plan = match registrar.plan(now, &demand, &Terms::default(), &mut ids) {
        Ok(plan) => plan,
        Err(refusal) => return (refusal.reply().status.as_u16(), Vec::new()),
    };
    let answer = fields(now, &demand, &plan, None, Duration::ZERO, &mut ids);
    registrar.commit(plan);
    let kept = registrar.directory().record(&demand.aor).map_or(0, |record| record.bindings.len());
    let contacts: Vec<_> =
        answer.all(HeaderName::Contact).map(|f| String::from_utf8_lossy(f.value()).into_owned()).collect();
    assert_eq!(kept, contacts.len(), "{}: what is kept is what is told", case.name);
    (200, contacts)
}

/// Whether its Request-URI can be read: else the user agent answers 400 before any registrar is asked.
fn names_a_domain(case: &Case) -> bool {
    let message = Message::parse(Bytes::copy_from_slice(&case.bytes), &sip_types::Limits::default());
    matches!(message, Ok(Message::Request(request)) if request.uri().is_ok())
}

#[test]
fn every_register_is_served_as_its_row_says() {
    let mut judged = 0;
    for case in all() {
        let asked = case.bytes.starts_with(b"REGISTER ") && names_a_domain(&case);
        assert_eq!(case.registrar.is_some(), asked, "{}: a row of each REGISTER", case.name);
        let Some((status, contacts)) = &case.registrar else { continue };
        assert_eq!(served(&case), (*status, contacts.clone()), "{}", case.name);
        judged += 1;
    }
    assert_eq!(judged, ROWS);
}

/// REGISTERs of RFC 4475, and of RFC 5118.
const ROWS: usize = 9 + 3;

/// What a whole core with a registrar sends back for these bytes, which come as the row says: the response, and how many
/// bindings there are then.
fn answered(case: &Case, bytes: &[u8]) -> (Response, usize) {
    let mut bench = Bench::new(subject::registrar());
    let flow = bench.flow(case.wire, std::net::SocketAddr::new(case.source, 5060));
    bench.deliver(flow, &Bytes::copy_from_slice(bytes));
    bench.run(Duration::from_millis(100));
    let mut responses = bench.responses(0);
    assert_eq!(responses.len(), 1, "{}: one response", case.name);
    (responses.remove(0).1, bench.held().bindings)
}

/// The row's bytes with the answer to a challenge.
fn proven(case: &Case, challenge: &str) -> Vec<u8> {
    let parameter = |name: &str| {
        let all = challenge.split([' ', ',']).filter_map(|part| part.split_once('='));
        all.into_iter().find(|(n, _)| *n == name).map(|(_, value)| value.trim_matches('"')).unwrap()
    };
    let end = case.bytes.windows(2).position(|two| two == b"\r\n").unwrap() + 2;
    let (line, rest) = case.bytes.split_at(end);
    let uri = String::from_utf8(line.split(|byte| *byte == b' ').nth(1).unwrap().to_vec()).unwrap();
    let hash = |text: String| {
        Sha256::digest(text).iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
    };
    let (realm, nonce) = (parameter("realm"), parameter("nonce"));
    let own = hash(format!("{}:{realm}:{}", subject::USER, subject::PASSWORD));
    let asked = hash(format!("REGISTER:{uri}"));
    let response = hash(format!("{own}:{nonce}:00000001:c:auth:{asked}"));
    let credentials = format!(
        "Authorization: Digest username=\"{}\", realm=\"{realm}\", nonce=\"{nonce}\", uri=\"{uri}\", \
         algorithm=SHA-256, qop=auth, nc=00000001, cnonce=\"c\", response=\"{response}\"\r\n",
        subject::USER
    );
    [line, credentials.as_bytes(), rest].concat()
}

fn values(response: &Response, name: HeaderName) -> Vec<String> {
    response.headers().all(name).map(|field| String::from_utf8_lossy(field.value()).into_owned()).collect()
}

#[test]
fn every_register_is_answered_by_a_whole_core_as_its_row_says() {
    let mut judged = 0;
    for case in all().into_iter().filter(|case| case.bytes.starts_with(b"REGISTER ")) {
        let name = &case.name;
        let (first, bound) = answered(&case, &case.bytes);
        assert_eq!(bound, 0, "{name}: nothing is bound for somebody who has proved nothing");
        let challenges = values(&first, HeaderName::WwwAuthenticate);
        let (status, contacts) = case.registrar.clone().unwrap_or((400, Vec::new()));
        match challenges.iter().find(|challenge| challenge.contains("algorithm=SHA-256")) {
            Some(challenge) => {
                assert_eq!(first.status().as_u16(), 401, "{name}");
                let (answer, bound) = answered(&case, &proven(&case, challenge));
                let told = values(&answer, HeaderName::Contact);
                assert_eq!((answer.status().as_u16(), &told), (status, &contacts), "{name}");
                assert_eq!(bound, contacts.len(), "{name}");
            }
            // What the user agent cannot follow never gets to the registrar.
            None => assert_eq!((first.status().as_u16(), status), (400, 400), "{name}"),
        }
        judged += 1;
    }
    assert_eq!(judged, ROWS + 1, "and the one of RFC 5118 whose Request-URI cannot be read");
}
