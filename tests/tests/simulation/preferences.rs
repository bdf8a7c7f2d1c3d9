//! A caller says which devices it would have, and how they are to be called (RFC 3840, RFC 3841).

use super::common::{self, OUTSIDE, TWO_SIDES, by_hand, invite, s};
use super::devices::{fails, invited};
use super::users::{ALICE, BOB, DESK, DOCUMENT, MOBILE, TABLET, bind, call, call_with, says, world};
use liaison_tests::message::field;

#[test]
fn rfc3841_7_2_devices_are_called_by_what_the_caller_prefers() {
    let cases: [(&str, &str, &[&str]); 6] = [
        ("Accept-Contact", "*;video;require", &[DESK, TABLET]),
        ("Accept-Contact", "*;video;require;explicit", &[DESK, TABLET]),
        ("Reject-Contact", "*;mobility=\"mobile\"", &[DESK, TABLET]),
        ("Accept-Contact", "*;+sip.instance=\"<urn:uuid:2>\";require;explicit", &[MOBILE, TABLET]),
        ("Accept-Contact", "*;mobility=\"mobile\"", &[MOBILE, TABLET]),
        ("Request-Disposition", "sequential, queue, no-cancel", &[TABLET]),
    ];
    for (name, value, called) in cases {
        let mut world = world(DOCUMENT);
        bind(&mut world, "bob", DESK, ";video;mobility=\"fixed\";+sip.instance=\"<urn:uuid:1>\"");
        world.run_for(s(1));
        bind(
            &mut world,
            "bob",
            MOBILE,
            ";video=\"FALSE\";mobility=\"mobile\";+sip.instance=\"<urn:uuid:2>\"",
        );
        world.run_for(s(1));
        // It says nothing of itself, and is immune.
        bind(&mut world, "bob", TABLET, "");
        call_with(&mut world, BOB, &[(name, value)]);
        let invites = invited(&mut world, called);
        assert!(invites.iter().all(|invite| field(invite, name) == value), "it is carried on");
        for device in [DESK, MOBILE, TABLET].iter().filter(|device| !called.contains(device)) {
            world.expect_no(device, "INVITE");
        }
    }
}

#[test]
fn rfc3841_7_2_preferences_count_where_we_choose_and_are_carried_on_where_we_do_not() {
    let mut world = by_hand(TWO_SIDES, 1);
    let asked = "*;video;require;explicit";
    world.post(
        common::ALICE,
        OUTSIDE,
        &invite().with("Accept-Contact", asked).with("Request-Disposition", "no-fork"),
    );
    let invited = world.expect(common::BOB, "INVITE");
    assert_eq!(
        (&*field(&invited, "Accept-Contact"), &*field(&invited, "Request-Disposition")),
        (asked, "no-fork")
    );
}

// conforms: RFC3840-7-1,2
#[test]
fn rfc3840_7_what_a_header_field_says_counts_and_not_what_the_contact_says() {
    let mut world = world(DOCUMENT);
    bind(&mut world, "bob", DESK, "");
    let contact = format!("<sip:phone@{ALICE}>;audio;methods=\"INVITE,ACK,BYE,CANCEL,MESSAGE\"");
    call_with(&mut world, BOB, &[("Allow", "INVITE, ACK, BYE, CANCEL, INFO"), ("Contact", &contact)]);
    let invited = world.expect(DESK, "INVITE");
    let allow = field(&invited, "Allow");
    assert!(allow.contains("INFO") && !allow.contains("MESSAGE"), "{allow}");
    let contact = field(&invited, "Contact");
    assert!(contact.ends_with(";audio"), "{contact}");
}

#[test]
fn rfc3840_6_the_answer_to_a_register_has_the_features_of_its_contact() {
    let features =
        ";audio;video=\"FALSE\";methods=\"INVITE,BYE\";+sip.instance=\"<urn:uuid:1>\";+g.x=\"#1:5\"";
    let ok = bind(&mut world(DOCUMENT), "bob", DESK, features);
    assert!(field(&ok, "Contact").contains(features), "{ok}");
}

#[test]
fn rfc3841_9_1_no_fork_is_one_device_and_no_more() {
    let mut world = world(DOCUMENT);
    bind(&mut world, "bob", DESK, ";q=0.5");
    bind(&mut world, "bob", MOBILE, ";q=0.9");
    call_with(&mut world, BOB, &[("d", "no-fork")]);
    let mobile = invited(&mut world, &[MOBILE]);
    says(&mut world, MOBILE, &mobile[0], 486);
    fails(&mut world, "486");
    assert!(world.sent_to(DESK).iter().all(|text| !text.starts_with("INVITE")));
}

#[test]
fn rfc3841_7_2_4_preferences_that_nobody_meets_are_a_480_and_too_many_a_400() {
    for (value, status) in
        [("*;video;require;explicit".to_owned(), "480"), (vec!["*;audio"; 21].join(", "), "400")]
    {
        let mut world = world(DOCUMENT);
        bind(&mut world, "bob", DESK, ";audio");
        call_with(&mut world, BOB, &[("Accept-Contact", &value)]);
        world.expect(ALICE, status);
        world.expect_no(DESK, "INVITE");
    }
    // An INVITE asks for INVITE unsaid; where nobody knows it, they are called all the same.
    let mut world = world(DOCUMENT);
    bind(&mut world, "bob", DESK, ";methods=\"MESSAGE\"");
    call(&mut world, BOB);
    world.expect(DESK, "INVITE");
    bind(&mut world, "bob", MOBILE, ";methods=\"INVITE\"");
}
