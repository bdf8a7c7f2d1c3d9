//! What a REGISTER or SUBSCRIBE is answered by who asks: proxies that nobody asked for, and users that nobody is to find out.

use super::common::{World, ms};
use super::gate::answer_to;
use super::users::{
    ALICE, DESK, DOCUMENT, MOBILE, REGISTRAR, answered_as, call, challenges, contact, register, says, world,
};
use liaison_tests::message::{Msg, field, fields, find, start};

const EDGE: &str = "<sip:10.0.0.4:5060;lr>";

/// A REGISTER of a phone behind an edge.
fn by_edge(seq: u32) -> Msg {
    register("bob", DESK, seq).set("Contact", &contact("192.168.1.5:5060", "")).with("Path", EDGE)
}

// conforms: RFC3261-21.4.15-1
#[test]
fn rfc3327_5_3_a_path_that_the_user_agent_does_not_support_is_refused() {
    let mut world = world(DOCUMENT);
    let refused = answered_as(&mut world, DESK, &by_edge(1), "bob");
    assert!(start(&refused).starts_with("420"), "{refused}");
    assert_eq!(field(&refused, "Unsupported"), "path");
    assert_eq!(world.gauges().bindings, 0);
    let ok = answered_as(&mut world, DESK, &by_edge(11).with("Supported", "gruu, PATH"), "bob");
    assert_eq!((start(&ok), field(&ok, "Path")), ("200 OK", EDGE.into()));
    // It may ask, and take back what it has.
    let asks = by_edge(21).without("Contact");
    assert!(field(&answered_as(&mut world, DESK, &asks, "bob"), "Contact").contains("192.168.1.5"));
    let gone = by_edge(31).set("Contact", "*").with("Expires", "0");
    assert_eq!(start(&answered_as(&mut world, DESK, &gone, "bob")), "200 OK");
    assert_eq!(world.gauges().bindings, 0);
}

#[test]
fn rfc3327_5_3_a_path_is_kept_of_anybody_where_the_configuration_says_so() {
    let mut world = world(&DOCUMENT.replace("domains", "path = \"anybody\"\ndomains"));
    let ok = answered_as(&mut world, DESK, &by_edge(1), "bob");
    assert_eq!((start(&ok), find(&ok, "Path")), ("200 OK", None));
    call(&mut world, "sip:bob@example.com");
    let invited = world.expect(MOBILE, "INVITE");
    assert!(invited.starts_with("INVITE sip:line@192.168.1.5:5060 SIP/2.0"), "{invited}");
    assert_eq!(field(&invited, "Route"), EDGE);
    says(&mut world, MOBILE, &invited, 486);
    world.expect(ALICE, "486");
}

#[test]
fn rfc3327_5_a_register_may_require_path() {
    let mut world = world(DOCUMENT);
    let asked = by_edge(1).with("Supported", "path").with("Require", "path");
    let ok = answered_as(&mut world, DESK, &asked, "bob");
    assert_eq!((start(&ok), field(&ok, "Path")), ("200 OK", EDGE.into()));
}

/// How an answer looks but for what is made anew each time, and whom it is about.
fn shape(answer: &str) -> Vec<(String, String)> {
    let of = |(name, value): (String, String)| match name.as_str() {
        "WWW-Authenticate" => {
            let varies = |part: &&str| !part.trim_start().starts_with("nonce=");
            (name, value.split(',').filter(varies).collect())
        }
        "To" | "Call-ID" | "Via" | "Date" | "CSeq" => (name, String::new()),
        _ => (name, value),
    };
    std::iter::once((start(answer).to_owned(), String::new()))
        .chain(fields(answer).into_iter().map(of))
        .collect()
}

/// The answer to a request about that user, of somebody who proves something or nothing.
fn probe(world: &mut World, method: &str, about: &str, nth: usize, proof: Option<(&str, &str)>) -> String {
    let mark = format!("{method}-{nth}");
    let uri =
        if method == "REGISTER" { "sip:example.com".to_owned() } else { format!("sip:{about}@example.com") };
    let request = Msg::request(method, &uri, DESK, 1)
        .set("From", "<sip:eve@example.com>;tag=probe")
        .set("To", &format!("<sip:{about}@example.com>"))
        .set("Call-ID", &mark)
        .with("Event", "reg")
        .branch(&mark);
    world.post(DESK, REGISTRAR, &request);
    let first = world.expect(DESK, "");
    let Some((user, password)) = proof else { return first };
    let credentials = answer_to(&challenges(&first), true, user, password, method, &uri);
    let again = request.set("CSeq", &format!("2 {method}")).branch(&format!("{mark}-2"));
    world.post(DESK, REGISTRAR, &again.with("Authorization", &credentials));
    world.expect(DESK, "")
}

// conforms: RFC3261-10.3-8
#[test]
fn nobody_learns_which_users_there_are_by_registering_or_watching_as_somebody_else() {
    let document = DOCUMENT.replace("domains", "watchers = [\"bob\"]\ndomains");
    let nobody = [None, Some(("bob", "guessed")), Some(("nobody", "guessed"))];
    for method in ["REGISTER", "SUBSCRIBE"] {
        for (nth, proof) in nobody.into_iter().chain([Some(("alice", "wonderland"))]).enumerate() {
            let mut world = world(&document);
            let known = probe(&mut world, method, "bob", nth, proof);
            let unknown = probe(&mut world, method, "missing", 100 + nth, proof);
            assert_eq!(shape(&known), shape(&unknown), "{method} {proof:?}");
            let status = if nth < nobody.len() { "401" } else { "403" };
            assert!(start(&known).starts_with(status), "{method} {proof:?}: {known}");
            assert_eq!(world.gauges().bindings, 0);
            world.run_for(ms(20));
        }
    }
    // Who may watch everybody may know.
    let mut world = world(&document);
    let told = probe(&mut world, "SUBSCRIBE", "missing", 1, Some(("bob", "wonderland")));
    assert!(start(&told).starts_with("404"), "{told}");
}
