//! Every kind of request that crosses × each class of answer of the far side: what its sender hears on the near side, and what becomes
//! of the call. What the user agent of the far leg does by itself is in `sip/src/tests/answers.rs`.

use super::common::{
    ALICE, BOB, Call, INSIDE, NUMBER, OUTSIDE, World, answer, by_hand, document, invite, ms,
};
use liaison_tests::message::{Msg, audio, field, find, start};
use std::collections::BTreeMap;

const ALLOW: &str =
    "INVITE, ACK, CANCEL, BYE, UPDATE, PRACK, REFER, INFO, MESSAGE, SUBSCRIBE, NOTIFY, FROBNICATE";

/// What a request of Alice's is, and whether it is in the dialog of a call.
const KINDS: [(&str, bool); 14] = [
    ("INVITE", false),
    ("INVITE", true),
    ("UPDATE", true),
    ("INFO", true),
    ("MESSAGE", true),
    ("REFER", true),
    ("SUBSCRIBE", true),
    ("NOTIFY", true),
    ("FROBNICATE", true),
    ("OPTIONS", false),
    ("MESSAGE", false),
    ("SUBSCRIBE", false),
    ("PUBLISH", false),
    ("FROBNICATE", false),
];

/// Statuses with what comes with them; none is silence.
const ANSWERS: [(u16, &[(&str, &str)]); 22] = [
    (302, &[("Contact", "<sip:elsewhere@10.1.0.2:5060>")]),
    (401, &[("WWW-Authenticate", "Digest realm=\"foreign\", nonce=\"n\", qop=\"auth\"")]),
    (407, &[("Proxy-Authenticate", "Digest realm=\"foreign\", nonce=\"n\", qop=\"auth\"")]),
    (408, &[]),
    (420, &[("Unsupported", "foo")]),
    (421, &[("Require", "sec-agree"), ("Security-Server", "tls;q=0.1")]),
    (421, &[("Require", "answermode")]),
    (422, &[("Min-SE", "3600")]),
    (423, &[("Min-Expires", "3600")]),
    (430, &[]),
    (481, &[]),
    (486, &[]),
    (491, &[]),
    (494, &[("Require", "sec-agree"), ("Security-Server", "tls;q=0.1")]),
    (500, &[("Retry-After", "7")]),
    (501, &[]),
    (503, &[]),
    (503, &[("Retry-After", "7")]),
    (513, &[]),
    (600, &[]),
    (603, &[("Retry-After", "7")]),
    (0, &[]),
];

/// What of a response says what is to be done.
const TELLING: [&str; 9] = [
    "Contact",
    "WWW-Authenticate",
    "Proxy-Authenticate",
    "Unsupported",
    "Require",
    "Min-SE",
    "Min-Expires",
    "Retry-After",
    "Security-Server",
];

/// What came to one of the two since it was last looked.
fn news(world: &World, at: &str, seen: &mut usize) -> Vec<String> {
    let mail = world.unread(at);
    let new = mail.iter().skip(*seen).cloned().collect();
    *seen = mail.len();
    new
}

fn request(kind: &str, call: Option<&Call>) -> Msg {
    let msg = match call {
        Some(call) => call.alice(kind, 20),
        None => Msg::request(kind, NUMBER, ALICE, 20),
    };
    match kind {
        "INVITE" | "UPDATE" => msg.sdp(&audio(ALICE, 4002)),
        "REFER" => msg.with("Refer-To", "<sip:carol@example.com>"),
        "SUBSCRIBE" | "PUBLISH" => msg.with("Event", "presence").with("Expires", "600"),
        "NOTIFY" => msg.with("Event", "presence").with("Subscription-State", "active"),
        _ => msg,
    }
}

/// What Alice hears of it, and what else follows.
fn outcome((kind, inside): (&str, bool), (status, says): (u16, &[(&str, &str)])) -> String {
    let profile = "profile = \"open\"";
    let profiles = "\n[profiles.open]\nrefer = \"carry\"\ntransparent = [\"answermode\"]\n";
    let mut world = by_hand(&document(profile, profile, profiles), 50);
    let call = inside.then(|| {
        let invite = invite().with("Allow", ALLOW);
        Call::establish_with(&mut world, invite, |invite| answer(invite).with("Allow", ALLOW))
    });
    let (mut at_bob, mut at_alice) = (world.unread(BOB).len(), world.unread(ALICE).len());
    let asks = request(kind, call.as_ref());
    world.post(ALICE, OUTSIDE, &asks);
    let (mut heard, mut asked, mut ended, mut quiet) = (None, Vec::new(), [false; 2], 0);
    for _ in 0..500 {
        world.run_for(ms(100));
        for text in news(&world, BOB, &mut at_bob) {
            match start(&text).split(' ').next().unwrap() {
                "BYE" => {
                    ended[1] = true;
                    world.ok(BOB, INSIDE, &text);
                }
                method if method == kind => {
                    asked.push((field(&text, "Call-ID"), field(&text, "CSeq")));
                    let to = if inside { "" } else { "bob" };
                    let refused =
                        says.iter().fold(Msg::response(&text, status.max(100), to), |msg, (name, value)| {
                            msg.with(name, value)
                        });
                    if status > 0 {
                        world.post(BOB, INSIDE, &refused);
                    }
                }
                _ => {}
            }
        }
        for text in news(&world, ALICE, &mut at_alice) {
            let is_ours = field(&text, "CSeq") == format!("20 {kind}");
            match start(&text).split(' ').next().unwrap() {
                "BYE" => {
                    ended[0] = true;
                    world.ok(ALICE, OUTSIDE, &text);
                }
                status if is_ours && status.parse::<u16>().is_ok_and(|status| status >= 200) => {
                    if kind == "INVITE" {
                        let ack = Msg::of_invite("ACK", &asks).set("To", &field(&text, "To"));
                        world.post(ALICE, OUTSIDE, &ack);
                    }
                    heard.get_or_insert(text);
                }
                _ => {}
            }
        }
        quiet += usize::from(heard.is_some());
        if quiet > 20 {
            break;
        }
    }
    asked.dedup();
    let heard = heard.unwrap_or_else(|| panic!("{kind} {inside} {status}: nothing is heard"));
    let with: Vec<String> =
        TELLING.iter().filter_map(|name| Some(format!("{name}: {}", find(&heard, name)?))).collect();
    let with = if with.is_empty() { String::new() } else { format!(" ({})", with.join("; ")) };
    let tries = if asked.len() > 1 { format!(", asked {} times", asked.len()) } else { String::new() };
    let left = match (inside, ended) {
        (false, _) => "",
        (true, [false, false]) => ", the call stands",
        (true, [true, true]) => ", the call ends on both legs",
        (true, _) => ", half a call",
    };
    format!("{}{with}{tries}{left}", start(&heard))
}

fn named((status, says): (u16, &[(&str, &str)])) -> String {
    let with = says.first().map(|(name, value)| format!(" with {name}: {value}"));
    match status {
        0 => "silence".to_owned(),
        _ => format!("{status}{}", with.unwrap_or_default()),
    }
}

/// Kinds that fare alike are written together; so are answers.
#[test]
fn rfc3261_each_class_of_answer_to_every_request_as_the_other_side_hears_it() {
    let mut alike: Vec<(String, Vec<String>)> = Vec::new();
    for kind in KINDS {
        let mut by_outcome: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for answer in ANSWERS {
            by_outcome.entry(outcome(kind, answer)).or_default().push(named(answer));
        }
        let table: String = by_outcome
            .iter()
            .map(|(outcome, answers)| format!("  {outcome} <- {}\n", answers.join(" | ")))
            .collect();
        let name = format!("{} {}", kind.0, if kind.1 { "inside" } else { "outside" });
        match alike.iter_mut().find(|(known, _)| *known == table) {
            Some((_, names)) => names.push(name),
            None => alike.push((table, vec![name])),
        }
    }
    let text: Vec<String> =
        alike.iter().map(|(table, names)| format!("{}\n{table}", names.join(", "))).collect();
    insta::assert_snapshot!(text.join("\n"));
}
