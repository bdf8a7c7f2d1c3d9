//! What a call has been through, as the called side is told of it (RFC 7044, RFC 5806, RFC 7544).

use super::common::{ALICE, BOB, INSIDE, NUMBER, OUTSIDE, TWO_SIDES, World, by_hand, invite};
use super::users;
use liaison_tests::message::{Msg, audio, field, fields, start};

const CAROL: &str = "10.1.0.3:5060";

fn telling(how: &str, more: &str) -> World {
    let text = format!("{TWO_SIDES}\n[profiles.default]\ndiversion = \"{how}\"\n{more}\n");
    by_hand(&text, 1)
}

fn told(text: &str, name: &str) -> Vec<String> {
    fields(text).into_iter().filter(|(known, _)| known == name).map(|(_, value)| value).collect()
}

#[test]
fn rfc7544_each_side_is_told_in_its_own_words() {
    let diverted = "<sip:one@x>;reason=user-busy;counter=1;privacy=off";
    for (how, history, diversion) in [
        ("carry", vec![], vec![diverted.to_owned()]),
        (
            "history-info",
            vec![
                "<sip:one@x>;index=1".to_owned(),
                "<sip:+4930@10.0.0.1;cause=486>;index=1.1;mp=1".to_owned(),
                "<sip:+4930@10.1.0.2:5060>;index=1.1.1;rc=1.1".to_owned(),
            ],
            vec![],
        ),
        ("diversion", vec![], vec![diverted.to_owned()]),
    ] {
        let mut world = telling(how, "");
        world.post(ALICE, OUTSIDE, &invite().with("Diversion", diverted));
        let invited = world.expect(BOB, "INVITE");
        assert_eq!(
            (told(&invited, "History-Info"), told(&invited, "Diversion")),
            (history, diversion),
            "{how}"
        );
    }
}

/// S1-26: three hops of which we follow two.
#[test]
fn rfc7044_10_4_redirections_that_we_follow_are_told_of() {
    let mut world = telling("history-info", "redirects = \"follow\"");
    world.post(ALICE, OUTSIDE, &invite());
    let first = world.expect(BOB, "INVITE");
    let to_carol = Msg::response(&first, 302, "b").set("Contact", &format!("<sip:carol@{CAROL}>;mp=1"));
    world.post(BOB, INSIDE, &to_carol);
    world.expect(BOB, "ACK");
    let second = world.expect(CAROL, "INVITE");
    let entries = told(&second, "History-Info");
    assert_eq!(
        entries,
        [
            "<sip:+4930@10.0.0.1>;index=1",
            "<sip:+4930@10.1.0.2:5060?Reason=SIP%3Bcause%3D302>;index=1.1;rc=1",
            "<sip:carol@10.1.0.3:5060;cause=302>;index=1.2;mp=1.1",
        ]
    );
    let again = Msg::response(&second, 302, "c").set("Contact", "<sip:dave@10.1.0.4:5060>");
    world.post(CAROL, INSIDE, &again);
    world.expect(CAROL, "ACK");
    let third = world.expect("10.1.0.4:5060", "INVITE");
    assert_eq!(
        told(&third, "History-Info")[2..],
        [
            "<sip:carol@10.1.0.3:5060;cause=302?Reason=SIP%3Bcause%3D302>;index=1.2;mp=1.1",
            "<sip:dave@10.1.0.4:5060;cause=302>;index=1.3",
        ]
    );
    let mut world = telling("diversion", "redirects = \"follow\"");
    world.post(ALICE, OUTSIDE, &invite());
    let first = world.expect(BOB, "INVITE");
    world.post(BOB, INSIDE, &Msg::response(&first, 302, "b").set("Contact", &format!("<sip:carol@{CAROL}>")));
    let second = world.expect(CAROL, "INVITE");
    assert!(start(&second).starts_with("INVITE sip:carol@"), "{second}");
    assert_eq!(
        told(&second, "Diversion"),
        ["<sip:+4930@10.1.0.2:5060>;reason=unconditional;counter=1;privacy=off"]
    );
}

/// S1-15: the caller of a fork hears the best failure, and by the history what came of every branch.
#[test]
fn rfc7044_9_4_a_caller_that_knows_of_histories_hears_what_came_of_every_leg() {
    let mut world = telling("history-info", "redirects = \"follow\"");
    for asks in [true, false] {
        let seq = if asks { 1 } else { 2 };
        let call = Msg::request("INVITE", NUMBER, ALICE, seq).sdp(&audio(ALICE, 4000));
        world.post(
            ALICE,
            OUTSIDE,
            &if asks { call.clone().with("Supported", "histinfo") } else { call.clone() },
        );
        let first = world.expect(BOB, "INVITE");
        let to_carol = Msg::response(&first, 302, "b").set("Contact", &format!("<sip:carol@{CAROL}>"));
        world.post(BOB, INSIDE, &to_carol);
        world.expect(BOB, "ACK");
        let second = world.expect(CAROL, "INVITE");
        let history = "<sip:voicemail@c.example>;index=1.2.1;mp=1.2";
        world.post(
            CAROL,
            INSIDE,
            &Msg::response(&second, 180, "c").contact(CAROL).with("History-Info", history),
        );
        // Alice's side is not one that we trust: whom we called is not for her.
        let hidden = [
            "<sip:+4930@10.0.0.1>;index=1",
            "<sip:anonymous@anonymous.invalid?Reason=SIP%3Bcause%3D302>;index=1.1;rc=1",
            "<sip:anonymous@anonymous.invalid>;index=1.2",
            "<sip:anonymous@anonymous.invalid>;index=1.2.1;mp=1.2",
        ];
        let rings = told(&world.expect(ALICE, "180"), "History-Info");
        assert_eq!(rings, if asks { hidden.to_vec() } else { vec![] });
        let busy = Msg::response(&second, 486, "c").with("Reason", "Q.850;cause=17;location=U");
        world.post(CAROL, INSIDE, &busy.with("History-Info", history));
        world.expect(CAROL, "ACK");
        let refused = world.expect(ALICE, "486");
        let expected = [
            hidden[0],
            hidden[1],
            "<sip:anonymous@anonymous.invalid?Reason=SIP%3Bcause%3D486%2CQ.850%3Bcause%3D17%3Blocation%3DU>;index=1.2",
            hidden[3],
        ];
        assert_eq!(told(&refused, "History-Info"), if asks { expected.to_vec() } else { vec![] });
        assert_eq!(told(&refused, "Reason"), ["Q.850;cause=17;location=U"]);
        world.post(ALICE, OUTSIDE, &Msg::of_invite("ACK", &call).set("To", &field(&refused, "To")));
    }
    world.must_forget("histories on their way back");
}

/// A leg's profile keeps History-Info out of what crosses: it does not come back among what the next leg is told.
#[test]
fn what_a_profile_keeps_out_does_not_come_back_in_the_history_of_the_next_leg() {
    for forbids in [false, true] {
        let forbid = if forbids { "carry.forbid_header_fields = [\"History-Info\"]" } else { "" };
        let mut world = telling("history-info", &format!("redirects = \"follow\"\n{forbid}"));
        world.post(ALICE, OUTSIDE, &invite());
        let first = world.expect(BOB, "INVITE");
        let to_carol = Msg::response(&first, 302, "b").set("Contact", &format!("<sip:carol@{CAROL}>"));
        world.post(BOB, INSIDE, &to_carol.with("History-Info", "<sip:deep@b.example>;index=1.1.1;mp=1.1"));
        world.expect(BOB, "ACK");
        let entries = told(&world.expect(CAROL, "INVITE"), "History-Info");
        assert_eq!(entries.iter().any(|entry| entry.contains("deep@b.example")), !forbids, "{entries:?}");
    }
}

/// RFC 7044 §10.1.2: at the border of what we trust the history is hidden, and nobody is asked to do so again.
#[test]
fn rfc7044_10_1_2_a_history_that_is_hidden_is_not_asked_to_be_hidden_again() {
    let mut world = telling("history-info", "");
    let call = Msg::request("INVITE", "sip:+4940@10.1.0.1", BOB, 1).sdp(&audio(BOB, 6000));
    world.post(BOB, INSIDE, &call.with("Privacy", "id;history").with("History-Info", "<sip:one@x>;index=1"));
    let invited = world.expect(ALICE, "INVITE");
    assert_eq!(told(&invited, "Privacy"), ["id"]);
    assert!(
        told(&invited, "History-Info").iter().all(|entry| entry.contains("anonymous.invalid")),
        "{invited}"
    );
}

/// Of devices that ring at once, a response tells of the one that it comes from (RFC 7044 §9.3).
#[test]
fn rfc7044_9_3_a_branch_that_has_said_nothing_is_in_no_other_branchs_response() {
    let text = format!("{}\n[profiles.default]\ndiversion = \"history-info\"\n", users::DOCUMENT);
    let mut world = users::world(&text);
    let devices = [users::DESK, users::MOBILE];
    devices.iter().for_each(|device| drop(users::bind(&mut world, "bob", device, "")));
    users::call_with(&mut world, users::BOB, &[("Supported", "histinfo")]);
    let invited = devices.map(|device| world.expect(device, "INVITE"));
    users::says(&mut world, users::DESK, &invited[0], 180);
    let entries = told(&world.expect(users::ALICE, "180"), "History-Info").join(" ");
    let names = |device: &str| entries.contains(device.split(':').next().unwrap());
    assert!(names(users::DESK) && !names(users::MOBILE), "{entries}");
}
