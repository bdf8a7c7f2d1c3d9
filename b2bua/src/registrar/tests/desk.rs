use super::*;
use crate::registrar::{Desk, Outcome, Rules};
use crate::store::Table;
use sip::ids::Ids;
use sip::registration::server::{Aor, Contacts, Demand, Directory, Limits, Refusal, Registrar, Terms, Wish};
use std::sync::Arc;

struct Count(u64);

impl Ids for Count {
    fn next_u64(&mut self) -> u64 {
        self.0 += 1;
        self.0
    }
}

fn desk() -> Desk<u64> {
    let hasher = ahash::RandomState::with_seeds(1, 2, 3, 4);
    let directory = Arc::new(Directory::new(&hasher));
    Desk::new(Registrar::new(Limits::default(), directory), &hasher)
}

fn demand(user: &str, cseq: u32, expires: Option<u32>) -> Demand {
    let wish = Wish {
        uri: "sip:x@198.51.100.7".parse().unwrap(),
        params: Box::default(),
        expires,
        q: 1000,
        instance: None,
        reg_id: None,
    };
    Demand {
        aor: Aor::from_kept(&format!("{user}@example.com")),
        call_id: "c".into(),
        cseq,
        contacts: Contacts::Update(vec![wish]),
        path: Box::default(),
        knows_path: false,
        knows_gruu: false,
        knows_outbound: false,
        outbound: false,
        flow: flow(),
        behind_nat: false,
        user_agent: None,
    }
}

fn register(desk: &mut Desk<u64>, n: u64, demand: Demand) -> Outcome<u64> {
    desk.register(
        at(0),
        n,
        demand,
        Rules { terms: Terms::default(), keep: true },
        &flow_row,
        &mut Count(n * 100),
    )
}

fn kept(desk: &mut Desk<u64>, ticket: u64, kept: bool) -> Vec<Outcome<u64>> {
    desk.kept(at(0), ticket, kept, &flow_row, &mut Count(9000))
}

#[test]
fn a_200_waits_for_the_store_and_nobody_sees_the_binding_before() {
    let mut desk = desk();
    let Outcome::Keep(ticket, write) = register(&mut desk, 1, demand("bob", 1, None)) else { panic!() };
    assert_eq!((write.table, &*write.key), (Table::Registrations, &b"bob@example.com"[..]));
    assert!(write.value.is_some() && desk.registrar().directory().is_empty());
    let mut outcomes = kept(&mut desk, ticket, true);
    let Some(Outcome::Served(served)) = outcomes.pop() else { panic!() };
    assert_eq!((served.id, served.plan.bindings.len(), served.change.is_some()), (1, 1, true));
    assert_eq!((desk.registrar().directory().len(), desk.waiting()), (1, 0));
    assert!(kept(&mut desk, ticket, true).is_empty(), "news that came twice");
}

// conforms: RFC3261-10.3-4,6
#[test]
fn rfc3261_10_3_one_after_the_other_for_an_address_of_record_but_not_for_others() {
    let mut desk = desk();
    let Outcome::Keep(first, _) = register(&mut desk, 1, demand("bob", 1, None)) else { panic!() };
    assert!(matches!(register(&mut desk, 2, demand("bob", 2, Some(0))), Outcome::Waits));
    assert!(matches!(register(&mut desk, 3, demand("bob", 2, None)), Outcome::Waits));
    assert!(matches!(register(&mut desk, 4, demand("alice", 1, None)), Outcome::Keep(..)));
    let outcomes = kept(&mut desk, first, true);
    let [Outcome::Served(_), Outcome::Keep(second, removal)] = &*outcomes else { panic!("{outcomes:?}") };
    assert_eq!(removal.value, None, "the second one removes what the first bound");
    let outcomes = kept(&mut desk, *second, true);
    // The third is planned against what the second left: nothing is bound, so its CSeq is not too old.
    assert!(matches!(&*outcomes, [Outcome::Served(_), Outcome::Keep(..)]), "{outcomes:?}");
    assert_eq!(desk.waiting(), 2);
}

// conforms: RFC3261-10.3-24
#[test]
fn rfc3261_10_3_7_what_is_not_kept_is_not_bound_and_the_next_goes_on() {
    let mut desk = desk();
    let Outcome::Keep(ticket, _) = register(&mut desk, 1, demand("bob", 5, None)) else { panic!() };
    assert!(matches!(register(&mut desk, 2, demand("bob", 5, None)), Outcome::Waits));
    let outcomes = kept(&mut desk, ticket, false);
    assert!(matches!(&*outcomes, [Outcome::NotKept(..), Outcome::Keep(..)]), "{outcomes:?}");
    assert!(desk.registrar().directory().is_empty());
}

#[test]
fn who_waits_is_refused_in_turn_and_as_many_wait_as_may_be() {
    let mut desk = desk();
    let Outcome::Keep(ticket, _) = register(&mut desk, 1, demand("bob", 5, None)) else { panic!() };
    for n in 2..10 {
        assert!(matches!(register(&mut desk, n, demand("bob", 5, None)), Outcome::Waits));
    }
    assert!(matches!(register(&mut desk, 10, demand("bob", 6, None)), Outcome::Crowded(_)));
    let outcomes = kept(&mut desk, ticket, true);
    assert_eq!(outcomes.len(), 9);
    assert!(outcomes.iter().skip(1).all(|o| matches!(o, Outcome::Refused(_, Refusal::OutOfOrder))));
    assert_eq!(desk.waiting(), 0);
}

#[test]
fn without_a_store_the_answer_is_there_at_once() {
    let mut desk = desk();
    let rules = Rules { terms: Terms::default(), keep: false };
    let outcome = desk.register(at(0), 1, demand("bob", 1, None), rules, &flow_row, &mut Count(1));
    assert!(matches!(outcome, Outcome::Served(_)));
    assert_eq!(desk.registrar().directory().len(), 1);
}
