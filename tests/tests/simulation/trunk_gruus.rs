//! Calls of trunks that we register with by GRUUs of their registrars (RFC 5627 §4).

use super::common::{BOB, INSIDE, OUTSIDE, World, ms, s, with_secrets};
use super::trunk_registration::{REGISTRAR, granted, registering, secrets};
use liaison_tests::message::{Msg, audio, field, find, seq, start, uri_in};
use liaison_tests::world::INSTANCE;

/// With parameters that mean nothing to us, or too much.
const PUBLIC: &str =
    "sip:+4930123456@carrier.example;gr=urn:uuid:f81d4fae-7dec;x-%61=%20b;transport=tcp;lr;maddr=192.0.2.9";
const OWN: &str = "<sip:10.0.0.1:5060>";

fn temporary(n: u8) -> String {
    format!("sip:tgruu.{n}~x@carrier.example;gr")
}

/// The registrar grants a REGISTER, with these GRUUs.
fn grant(world: &mut World, register: &str, gruus: &[(&str, &str)]) {
    let names: String = gruus.iter().map(|(name, gruu)| format!(";{name}=\"{gruu}\"")).collect();
    let contact = field(register, "Contact") + &names;
    world.post(REGISTRAR, OUTSIDE, &granted(register).set("Contact", &contact));
    world.run_for(ms(20));
}

fn both(n: u8) -> [(&'static str, String); 2] {
    [("pub-gruu", PUBLIC.into()), ("temp-gruu", temporary(n))]
}

fn grant_both(world: &mut World, register: &str, n: u8) {
    let both = both(n);
    grant(world, register, &both.each_ref().map(|(name, gruu)| (*name, gruu.as_str())));
}

fn register(world: &mut World) -> String {
    world.expect_within(REGISTRAR, "REGISTER", s(4000))
}

/// Registered by a first REGISTER that both GRUUs were given for.
fn registered(more: &str) -> World {
    let mut world = with_secrets(&to_registrar(more), secrets(), 1);
    let first = register(&mut world);
    grant_both(&mut world, &first, 1);
    world
}

/// Calls go where REGISTERs do.
fn to_registrar(more: &str) -> String {
    registering(more).replace("targets = [\"sip:10.0.0.2:5060\"]", "targets = [\"sip:10.0.0.7:5060\"]")
}

/// A call of Bob's to the trunk: what that hears.
fn call_out(world: &mut World, seq: u32, more: &[(&str, &str)]) -> String {
    let invite = Msg::request("INVITE", "sip:+4940@10.1.0.1", BOB, seq).sdp(&audio(BOB, 4000));
    let invite = more.iter().fold(invite, |invite, (name, value)| invite.set(name, value));
    world.post(BOB, INSIDE, &invite);
    world.expect(REGISTRAR, "INVITE")
}

const ANONYMOUS: &[(&str, &str)] = &[("Privacy", "id;user")];

/// The trunk answers a call; the 200 that Bob gets.
fn answered(world: &mut World, invite: &str) -> String {
    let ok = Msg::response(invite, 200, "far").contact(REGISTRAR).sdp(&audio(REGISTRAR, 6000));
    world.post(REGISTRAR, OUTSIDE, &ok);
    let ok = world.expect(BOB, "200");
    world.expect(REGISTRAR, "ACK");
    world.post(BOB, INSIDE, &Msg::inside("ACK", BOB, seq(&ok), &ok));
    world.run_for(ms(20));
    ok
}

/// Bob asks for a change within the call: the Contact of the re-INVITE that the trunk hears.
fn target_refreshed(world: &mut World, ok: &str, seq: u32) -> String {
    world.post(BOB, INSIDE, &Msg::inside("INVITE", BOB, seq, ok).sdp(&audio(BOB, 4000)));
    let again = world.expect(REGISTRAR, "INVITE");
    world.post(REGISTRAR, OUTSIDE, &Msg::response(&again, 488, "far"));
    world.expect(BOB, "488");
    field(&again, "Contact")
}

fn refused(world: &mut World, invite: &str) {
    world.post(REGISTRAR, OUTSIDE, &Msg::response(invite, 486, "far"));
    world.expect(BOB, "486");
    world.run_for(s(40));
}

/// A call of the trunk's to that URI reaches Bob, who refuses it.
fn is_called(world: &mut World, uri: &str, seq: u32) {
    let invite = call_in(uri, seq);
    world.post(REGISTRAR, OUTSIDE, &invite);
    let called = world.expect(BOB, "INVITE");
    assert_eq!(start(&called), "INVITE sip:+4930123456@10.1.0.2:5060 SIP/2.0");
    world.post(BOB, INSIDE, &Msg::response(&called, 486, "bob"));
    ends(world, &invite, "486");
}

/// Nobody here is called so.
fn is_a_stranger(world: &mut World, uri: &str, seq: u32) {
    let invite = call_in(uri, seq);
    world.post(REGISTRAR, OUTSIDE, &invite);
    ends(world, &invite, "403");
}

fn ends(world: &mut World, invite: &Msg, status: &str) {
    let response = world.expect(REGISTRAR, status);
    assert_eq!(field(&response, "CSeq"), invite.get("CSeq"));
    world.post(REGISTRAR, OUTSIDE, &Msg::of_invite("ACK", invite).set("To", &field(&response, "To")));
    world.run_for(ms(20));
}

fn call_in(uri: &str, seq: u32) -> Msg {
    Msg::request("INVITE", uri, REGISTRAR, seq).sdp(&audio(REGISTRAR, 4000))
}

// conforms: RFC5627-4.1-1,2,3,5,6
#[test]
fn rfc5627_4_1_a_trunk_asks_for_gruus_by_its_instance() {
    let mut world = with_secrets(&to_registrar(""), secrets(), 1);
    let first = register(&mut world);
    grant_both(&mut world, &first, 1);
    let refresh = register(&mut world);
    for asked in [&first, &refresh] {
        assert_eq!(field(asked, "Supported"), "path, gruu");
        // No GRUU, and not the address-of-record, which is in To.
        let contact = format!("<sip:provider@10.0.0.1:5060>;expires=3600;+sip.instance=\"<{INSTANCE}>\"");
        assert_eq!(field(asked, "Contact"), contact);
        assert_eq!(field(asked, "To"), "<sip:+4930123456@carrier.example>");
        assert_eq!(find(asked, "Require"), None);
    }
    assert_eq!(field(&first, "Call-ID"), field(&refresh, "Call-ID"), "so that temporary GRUUs stay good");
    // Whoever is told that the registrar knows no such thing leaves it out.
    world.post(REGISTRAR, OUTSIDE, &Msg::response(&refresh, 420, "r").with("Unsupported", "gruu"));
    let without = register(&mut world);
    assert_eq!(field(&without, "Supported"), "path");
}

// conforms: RFC5627-4.2-6,7,8,9
#[test]
fn rfc5627_4_4_calls_to_a_trunk_have_the_public_gruu_as_contact_as_it_came() {
    let mut world = registered("");
    let invite = call_out(&mut world, 1, &[]);
    assert_eq!(field(&invite, "Contact"), format!("<{PUBLIC}>"));
    assert_eq!(field(&invite, "Supported"), "gruu");
    let ok = answered(&mut world, &invite);
    assert_eq!(target_refreshed(&mut world, &ok, 2), format!("<{PUBLIC}>"));
    // Bob is no trunk that we register with.
    assert_eq!(field(&ok, "Contact"), "<sip:10.1.0.1:5060>");
    // What the trunk sends to the GRUU, from whichever of its addresses, is in the dialog.
    let info = Msg::inside("INFO", REGISTRAR, 7, &invite).set("To", &field(&invite, "From"));
    let info = info.set("From", &format!("{};tag=far", field(&invite, "To"))).uri(PUBLIC);
    world.post("10.0.0.2:5060", OUTSIDE, &info);
    world.expect(BOB, "INFO");
    let bye = Msg::inside("BYE", REGISTRAR, 8, &invite).set("To", &field(&invite, "From"));
    world.post(
        REGISTRAR,
        OUTSIDE,
        &bye.set("From", &format!("{};tag=far", field(&invite, "To"))).uri(PUBLIC),
    );
    world.expect(BOB, "BYE");
}

#[test]
fn rfc5627_4_4_calls_of_a_trunk_are_answered_with_the_gruu_in_every_response_that_makes_a_dialog() {
    let mut world = registered("");
    world.post(REGISTRAR, OUTSIDE, &call_in("sip:provider@10.0.0.1:5060", 1));
    let invite = world.expect(BOB, "INVITE");
    assert_eq!(field(&invite, "Contact"), "<sip:10.1.0.1:5060>");
    world.post(BOB, INSIDE, &Msg::response(&invite, 180, "bob").contact(BOB));
    let ringing = world.expect(REGISTRAR, "180");
    world.post(BOB, INSIDE, &Msg::response(&invite, 200, "bob").contact(BOB).sdp(&audio(BOB, 6000)));
    let ok = world.expect(REGISTRAR, "200");
    for response in [&ringing, &ok] {
        assert_eq!(field(response, "Contact"), format!("<{PUBLIC}>"));
        assert_eq!(field(response, "Supported"), "gruu");
    }
    assert_eq!(start(&Msg::inside("ACK", REGISTRAR, 1, &ok).text()), format!("ACK {PUBLIC} SIP/2.0"));
    world.post(REGISTRAR, OUTSIDE, &Msg::inside("ACK", REGISTRAR, 1, &ok));
    world.run_for(ms(20));
    // A change by the trunk is answered with it, too.
    world.post(REGISTRAR, OUTSIDE, &Msg::inside("INVITE", REGISTRAR, 2, &ok).sdp(&audio(REGISTRAR, 4000)));
    let again = world.expect(BOB, "INVITE");
    world.post(BOB, INSIDE, &Msg::response(&again, 200, "bob").contact(BOB).sdp(&audio(BOB, 6000)));
    assert_eq!(field(&world.expect(REGISTRAR, "200"), "Contact"), format!("<{PUBLIC}>"));
}

// conforms: RFC5627-4.2-1
#[test]
fn rfc5627_4_2_one_gruu_or_none_will_do() {
    let (public, temporary) = (("pub-gruu", PUBLIC), ("temp-gruu", "sip:tgruu.1@carrier.example;gr"));
    let in_contact = |gruu: &str| format!("<{gruu}>");
    for (gruus, open, anonymous) in [
        (vec![public, temporary], in_contact(PUBLIC), in_contact(temporary.1)),
        (vec![temporary], in_contact(temporary.1), in_contact(temporary.1)),
        // An anonymous call goes by no name that shows whose it is.
        (vec![public], in_contact(PUBLIC), OWN.into()),
        (vec![], OWN.into(), OWN.into()),
        // What is no GRUU is none.
        (
            vec![("pub-gruu", "tel:+4930;gr=1"), ("temp-gruu", "sip:x@carrier.example")],
            OWN.into(),
            OWN.into(),
        ),
        (vec![("pub-gruu", "sip:a@b;gr>\\\"; <x")], OWN.into(), OWN.into()),
    ] {
        let mut world = with_secrets(&to_registrar(""), secrets(), 1);
        let first = register(&mut world);
        grant(&mut world, &first, &gruus);
        for (seq, more, contact) in [(1, &[][..], open), (2, ANONYMOUS, anonymous)] {
            let invite = call_out(&mut world, seq, more);
            assert_eq!(field(&invite, "Contact"), contact, "{gruus:?}");
            refused(&mut world, &invite);
        }
    }
}

// conforms: RFC5627-4.2-2
#[test]
fn rfc5627_4_2_each_refresh_may_bring_others_and_a_failed_one_takes_none() {
    let mut world = registered("");
    let refresh = register(&mut world);
    world.post(REGISTRAR, OUTSIDE, &Msg::response(&refresh, 500, "r"));
    world.run_for(ms(20));
    let invite = call_out(&mut world, 1, &[]);
    assert_eq!(field(&invite, "Contact"), format!("<{PUBLIC}>"));
    refused(&mut world, &invite);
    let refresh = world.expect_within(REGISTRAR, "REGISTER", s(300));
    let other = "sip:+4930123456@carrier.example;gr=urn:uuid:other";
    grant(&mut world, &refresh, &[("pub-gruu", other), ("temp-gruu", &temporary(2))]);
    let invite = call_out(&mut world, 2, &[]);
    assert_eq!(field(&invite, "Contact"), format!("<{other}>"));
    refused(&mut world, &invite);
    let invite = call_out(&mut world, 3, ANONYMOUS);
    assert_eq!(field(&invite, "Contact"), format!("<{}>", temporary(2)));
}

#[test]
fn rfc5627_4_2_a_call_stays_with_its_temporary_gruu_through_refreshes() {
    let mut world = registered("");
    let invite =
        call_out(&mut world, 1, &[("From", "\"Anonymous\" <sip:anonymous@anonymous.invalid>;tag=a")]);
    assert_eq!(field(&invite, "Contact"), format!("<{}>", temporary(1)));
    let ok = answered(&mut world, &invite);
    for n in 2..5 {
        let refresh = register(&mut world);
        grant_both(&mut world, &refresh, n);
        assert_eq!(target_refreshed(&mut world, &ok, n.into()), format!("<{}>", temporary(1)));
    }
    // Another call has the newest one, and all of them are ours when they are called.
    let invite = call_out(&mut world, 20, ANONYMOUS);
    assert_eq!(field(&invite, "Contact"), format!("<{}>", temporary(4)));
    refused(&mut world, &invite);
    for (seq, n) in [(21, 1), (22, 3), (23, 4)] {
        is_called(&mut world, &temporary(n), seq);
    }
    is_a_stranger(&mut world, &temporary(9), 24);
}

// conforms: RFC5627-4.4-1,2
#[test]
fn rfc5627_4_4_no_gruu_outlives_its_registration() {
    let mut world = registered(", unregistered = \"call\"");
    let over = world.now.mono + s(3600);
    let open = call_out(&mut world, 1, &[]);
    let open = answered(&mut world, &open);
    let anonymous = call_out(&mut world, 2, ANONYMOUS);
    let anonymous = answered(&mut world, &anonymous);
    // The refreshes are refused until the binding has run out.
    loop {
        let refresh = register(&mut world);
        let is_over = world.now.mono > over;
        world.post(REGISTRAR, OUTSIDE, &Msg::response(&refresh, 503, "r"));
        world.run_for(ms(20));
        if is_over {
            assert_eq!(target_refreshed(&mut world, &open, 20), OWN);
            assert_eq!(target_refreshed(&mut world, &anonymous, 21), OWN);
            let invite = call_out(&mut world, 3, &[]);
            assert_eq!(
                (field(&invite, "Contact"), find(&invite, "Supported")),
                (OWN.into(), Some("100rel, 199, replaces, tdialog, from-change, timer".into()))
            );
            refused(&mut world, &invite);
            is_a_stranger(&mut world, PUBLIC, 4);
            break;
        }
    }
    let anew = register(&mut world);
    grant_both(&mut world, &anew, 7);
    assert_eq!(target_refreshed(&mut world, &open, 30), format!("<{PUBLIC}>"));
    assert_eq!(target_refreshed(&mut world, &anonymous, 31), format!("<{}>", temporary(7)));
    is_a_stranger(&mut world, &temporary(1), 40);
    is_called(&mut world, &temporary(7), 41);
}

// conforms: RFC5627-4.2-3 RFC5627-4.4-3
#[test]
fn rfc5627_4_2_another_call_id_discards_temporary_gruus() {
    let mut world = registered("");
    let invite = call_out(&mut world, 1, ANONYMOUS);
    let ok = answered(&mut world, &invite);
    world.reload(&to_registrar(", contact_user = \"other\""), secrets());
    let two = [register(&mut world), register(&mut world)];
    let made = two.iter().find(|of| field(of, "Contact").contains("<sip:other@")).unwrap();
    grant(&mut world, made, &[("pub-gruu", PUBLIC)]);
    assert_eq!(target_refreshed(&mut world, &ok, 2), OWN, "a temporary one of before is none any more");
    let invite = call_out(&mut world, 3, ANONYMOUS);
    assert_eq!(field(&invite, "Contact"), OWN);
}

#[test]
fn rfc5627_4_5_a_request_to_a_gruu_of_ours_is_for_us() {
    let mut world = registered("");
    for (seq, uri) in [(1, PUBLIC.to_owned()), (2, temporary(1)), (3, PUBLIC.replacen("sip:", "SIP:", 1))] {
        is_called(&mut world, &uri, seq);
    }
    // Of another device, of nobody, and from a stranger.
    let other = PUBLIC.replace("f81d4fae", "00000000");
    let void = "sip:tgruu.void@carrier.example;gr";
    for (seq, uri) in [(4, other.as_str()), (5, void), (6, "sip:+4930123456@carrier.example")] {
        is_a_stranger(&mut world, uri, seq);
    }
    world.post("10.0.0.9:5060", OUTSIDE, &Msg::request("INVITE", PUBLIC, "10.0.0.9:5060", 7));
    world.expect("10.0.0.9:5060", "403");
}

#[test]
fn gruus_are_asked_for_and_left_by_a_reload() {
    let mut world = with_secrets(&to_registrar(", gruu = false"), secrets(), 1);
    let first = register(&mut world);
    assert_eq!(field(&first, "Contact"), "<sip:provider@10.0.0.1:5060>;expires=3600");
    assert_eq!(field(&first, "Supported"), "path");
    // What nobody asked for is not taken.
    grant_both(&mut world, &first, 1);
    let invite = call_out(&mut world, 1, &[]);
    assert_eq!(field(&invite, "Contact"), OWN);
    let ok = answered(&mut world, &invite);
    world.reload(&to_registrar(""), secrets());
    let anew = register(&mut world);
    assert_eq!((field(&anew, "Supported"), field(&anew, "Expires")), ("path, gruu".into(), "3600".into()));
    assert_eq!(field(&anew, "Call-ID"), field(&first, "Call-ID"), "the same binding");
    grant_both(&mut world, &anew, 2);
    assert_eq!(target_refreshed(&mut world, &ok, 2), format!("<{PUBLIC}>"));
    world.reload(&to_registrar(", gruu = false"), secrets());
    let last = register(&mut world);
    assert_eq!(field(&last, "Supported"), "path");
    assert_eq!(target_refreshed(&mut world, &ok, 3), OWN);
}

// conforms: RFC5627-4.1-7
#[test]
fn rfc5627_4_1_several_contacts_of_an_instance_are_flows_and_their_gruus_last_while_one_stands() {
    const EDGES: [&str; 2] = ["10.0.0.7:5060", "10.0.0.8:5060"];
    let flows = ", outbound = { proxies = [\"sip:10.0.0.7\", \"sip:10.0.0.8\"] }";
    let mut world = with_secrets(&registering(flows), secrets(), 1);
    for (n, at) in (1..).zip(EDGES) {
        let asked = world.expect_within(at, "REGISTER", s(1));
        let contact =
            format!("<sip:provider@10.0.0.1:5060;ob>;expires=3600;+sip.instance=\"<{INSTANCE}>\";reg-id={n}");
        assert_eq!(field(&asked, "Contact"), contact, "what comes for a GRUU comes by the flow");
        assert_eq!(field(&asked, "Supported"), "path, outbound, gruu");
        // The first one is over soon.
        let contact = if n == 1 { contact.replace("=3600", "=120") } else { contact };
        let contact = format!("{contact};pub-gruu=\"{PUBLIC}\";temp-gruu=\"{}\"", temporary(n));
        let ok = granted(&asked).set("Contact", &contact).with("Require", "outbound");
        world.post(at, OUTSIDE, &ok);
        world.run_for(ms(20));
    }
    let invite = Msg::request("INVITE", "sip:+4940@10.1.0.1", BOB, 1).sdp(&audio(BOB, 4000));
    world.post(BOB, INSIDE, &invite.set("Privacy", "user"));
    let invite = world.expect(EDGES[0], "INVITE");
    let used = field(&invite, "Contact");
    assert_eq!(used, format!("<{}>", temporary(1)));
    world.post(
        EDGES[0],
        OUTSIDE,
        &Msg::response(&invite, 200, "far").contact(EDGES[0]).sdp(&audio(EDGES[0], 6000)),
    );
    let ok = world.expect(BOB, "200");
    world.post(BOB, INSIDE, &Msg::inside("ACK", BOB, 1, &ok));
    // The first flow is not registered any more; by the other one we are still called what we were.
    world.run_for(s(300));
    world.mail.clear();
    world.post(EDGES[1], OUTSIDE, &call_in(&uri_in(&used), 9));
    world.expect(BOB, "INVITE");
}
