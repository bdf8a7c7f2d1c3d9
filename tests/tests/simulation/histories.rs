//! What a call has been through, as the called side is told of it (RFC 7044, RFC 5806, RFC 7544).

use super::common::{ALICE, BOB, INSIDE, OUTSIDE, TWO_SIDES, World, by_hand, invite};
use liaison_tests::message::{Msg, fields, start};

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
