//! The registrar judges the REGISTERs of RFC 4475 and RFC 5118: what it keeps and says of each, once its sender has proved who it is.

use crate::subject;
use crate::table::{Case, all};
use bytes::Bytes;
use liaison_tests::ids::Seeded;
use sip::registration::server::{Demand, Directory, Limits, Registrar, Terms, fields};
use sip::{Flow, ListenerId, Received};
use sip_types::{HeaderName, Message};
use std::sync::Arc;

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
    let answer = fields(now, &demand, &plan, None, std::time::Duration::ZERO, &mut ids);
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
