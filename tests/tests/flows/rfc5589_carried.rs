//! Transfers of RFC 5589 that cross (`refer = "carry"`): Alice, the transferee, calls Carol, the target, by herself, as Bob, the
//! transferor, asks for. Each leg has its own subscription, and Replaces names the dialogs that each of them has with Liaison.

use super::parts::{
    ALICE, BOB, CAROL, Flow, Insist, NUMBER, Played, Side, Stage, Stuck, TARGET, World, accepts, bye, call,
    changes, failed, flows, invite, is_left, printed, rings, three_with, told, world,
};
use liaison_tests::message::{Msg, field, seq, uri_in};
use liaison_tests::network::Weather;

flows! {
    rfc5589_6_2_transfer_with_dialog_reuse in carrying,
    rfc5589_6_3_1_the_target_is_busy in carrying,
    rfc5589_6_3_2_the_target_does_not_answer in carrying,
    rfc5589_7_1_exposing_the_target in carrying,
    rfc5589_7_2_protecting_the_target in carrying,
    rfc5589_7_3_attended in carrying,
    rfc5589_7_3_attended_where_all_legs_carry in carrying_all,
    rfc5589_7_4_recovery_when_one_party_does_not_support_refer in carrying,
}

/// What Bob asks for crosses.
fn carrying(weather: Weather) -> World {
    let text = three_with("[profiles.default]\n[profiles.carrying]\nrefer = \"carry\"\n");
    let pbx = "from = [\"10.1.0.2\"]";
    world(&text.replace(pbx, &format!("{pbx}\nprofile = \"carrying\"")), weather)
}

/// Every leg's REFER crosses.
fn carrying_all(weather: Weather) -> World {
    world(&three_with("[profiles.default]\nrefer = \"carry\"\n"), weather)
}

/// Alice has called Bob, who has her on hold.
fn held(stage: &mut Stage) -> Result<(Side, Side), Stuck> {
    let (mut alice, mut bob) = call(stage, ALICE, NUMBER, BOB)?;
    changes(stage, &mut bob, &mut alice, "a=sendonly\r\n")?;
    Ok((alice, bob))
}

/// One refers the other one, who accepts it: its Refer-To there.
fn refers(stage: &mut Stage, by: &mut Side, other: &mut Side, to: &str) -> Result<String, Stuck> {
    let refer = stage.insist(by.at, || by.request("REFER").with("Refer-To", to), (other.at, "REFER"))?;
    stage.send(other.at, &Msg::response(&refer, 202, "").phrase("Accepted").contact(other.at));
    stage.get(by.at, "200 REFER")?;
    tells(stage, other, "active;expires=60", "100 Trying")?;
    told(stage, by, "100")?;
    Ok(field(&refer, "Refer-To"))
}

/// Who was referred tells what came of it.
fn tells(stage: &mut Stage, side: &mut Side, state: &str, status: &str) -> Played {
    let notify = side.request("NOTIFY").with("Event", "refer").with("Subscription-State", state);
    stage.send(side.at, &notify.body("message/sipfrag;version=2.0", &format!("SIP/2.0 {status}\r\n")));
    stage.get(side.at, "200 NOTIFY").map(drop)
}

const LAST: &str = "terminated;reason=noresource";

fn rfc5589_6_2_transfer_with_dialog_reuse(stage: &mut Stage) -> Played {
    let (mut alice, mut bob) = held(stage)?;
    let to = refers(stage, &mut bob, &mut alice, &format!("<{TARGET}>"))?;
    let (calls, mut carol) = call(stage, ALICE, &uri_in(&to), CAROL)?;
    tells(stage, &mut alice, LAST, "200 OK")?;
    told(stage, &bob, "200")?;
    bye(stage, &mut bob, &alice)?;
    bye(stage, &mut carol, &calls)
}

/// Alice tells that it came to nothing; Bob takes her back, and hangs up.
fn taken_back(stage: &mut Stage, mut alice: Side, mut bob: Side, status: &str) -> Played {
    tells(stage, &mut alice, LAST, status)?;
    told(stage, &bob, status.split(' ').next().unwrap_or_default())?;
    changes(stage, &mut bob, &mut alice, "")?;
    bye(stage, &mut bob, &alice)
}

fn rfc5589_6_3_1_the_target_is_busy(stage: &mut Stage) -> Played {
    let (mut alice, mut bob) = held(stage)?;
    let to = refers(stage, &mut bob, &mut alice, &format!("<{TARGET}>"))?;
    let invite = invite(stage, ALICE, &uri_in(&to));
    stage.send(ALICE, &invite);
    let invited = stage.get(CAROL, "INVITE")?;
    super::parts::refuses(stage, CAROL, &invited, (486, "Busy Here"), &invite)?;
    taken_back(stage, alice, bob, "486 Busy Here")
}

/// Alice gets tired of waiting.
fn rfc5589_6_3_2_the_target_does_not_answer(stage: &mut Stage) -> Played {
    let (mut alice, mut bob) = held(stage)?;
    let to = refers(stage, &mut bob, &mut alice, &format!("<{TARGET}>"))?;
    let invite = invite(stage, ALICE, &uri_in(&to));
    stage.send(ALICE, &invite);
    let invited = stage.get(CAROL, "INVITE")?;
    rings(stage, CAROL, ALICE, &invited)?;
    stage.send(ALICE, &Msg::of_invite("CANCEL", &invite));
    stage.get(ALICE, "200 CANCEL")?;
    failed(stage, &invite, "487")?;
    let cancel = stage.get(CAROL, "CANCEL")?;
    stage.ok(CAROL, &cancel);
    stage.send(CAROL, &Msg::response(&invited, 487, "carol").phrase("Request Terminated"));
    stage.get(CAROL, "ACK")?;
    taken_back(stage, alice, bob, "487 Request Terminated")
}

fn rfc5589_7_1_exposing_the_target(stage: &mut Stage) -> Played {
    let (mut alice, mut bob) = held(stage)?;
    let (mut asks, asked) = call(stage, BOB, TARGET, CAROL)?;
    bye(stage, &mut asks, &asked)?;
    let to = refers(stage, &mut bob, &mut alice, &format!("<{TARGET}>"))?;
    let (calls, mut carol) = call(stage, ALICE, &uri_in(&to), CAROL)?;
    tells(stage, &mut alice, LAST, "200 OK")?;
    told(stage, &bob, "200")?;
    bye(stage, &mut bob, &alice)?;
    bye(stage, &mut carol, &calls)
}

/// Bob asks Carol, and has both on hold.
fn consulted(stage: &mut Stage) -> Result<[Side; 4], Stuck> {
    let (alice, bob) = held(stage)?;
    let (mut asks, mut carol) = call(stage, BOB, TARGET, CAROL)?;
    changes(stage, &mut asks, &mut carol, "a=sendonly\r\n")?;
    Ok([alice, bob, asks, carol])
}

/// The URI of a Refer-To, and the Replaces in it.
fn replacing(to: &str) -> (String, String) {
    let inside = uri_in(to);
    let (uri, headers) = inside.split_once('?').unwrap_or((&inside, ""));
    let value = headers.trim_start_matches("Replaces=").split('&').next().unwrap_or_default();
    let value = value.replace("%40", "@").replace("%3A", ":").replace("%3B", ";").replace("%3D", "=");
    (uri.to_owned(), value)
}

/// One calls whom it was referred to, in place of the dialog that Refer-To names: its own side of the new one. `partner` is asked for
/// the media, and `replaced` hears BYE.
fn replaces(
    stage: &mut Stage,
    at: &'static str,
    to: &str,
    partner: &mut Side,
    replaced: &Side,
) -> Result<Side, Stuck> {
    let (uri, value) = replacing(to);
    let asked = stage.insist_anew(at, &uri, &value, partner.at)?;
    accepts(stage, partner, &asked);
    stage.get(partner.at, "ACK")?;
    let ok = stage.get(at, "200 INVITE")?;
    let side = Side::calling(at, &ok);
    stage.send(at, &side.ack(seq(&ok)));
    is_left(stage, replaced)?;
    Ok(side)
}

/// It is the target that is referred to the transferee.
fn rfc5589_7_2_protecting_the_target(stage: &mut Stage) -> Played {
    let [mut alice, bob, mut asks, mut carol] = consulted(stage)?;
    let to = bob.replacing(&bob.target);
    let to = refers(stage, &mut asks, &mut carol, &to)?;
    let side = replaces(stage, CAROL, &to, &mut alice, &bob)?;
    tells(stage, &mut carol, LAST, "200 OK")?;
    told(stage, &asks, "200")?;
    bye(stage, &mut asks, &carol)?;
    bye(stage, &mut alice, &side)
}

fn rfc5589_7_3_attended(stage: &mut Stage) -> Played {
    let [mut alice, mut bob, asks, mut carol] = consulted(stage)?;
    let to = refers(stage, &mut bob, &mut alice, &asks.replacing(&asks.target))?;
    let side = replaces(stage, ALICE, &to, &mut carol, &asks)?;
    tells(stage, &mut alice, LAST, "200 OK")?;
    told(stage, &bob, "200")?;
    bye(stage, &mut bob, &alice)?;
    bye(stage, &mut carol, &side)
}

/// The dialog is one of ours, whatever the profile of who names it.
fn rfc5589_7_3_attended_where_all_legs_carry(stage: &mut Stage) -> Played {
    let [mut alice, mut bob, asks, mut carol] = consulted(stage)?;
    let to = refers(stage, &mut bob, &mut alice, &asks.replacing(TARGET))?;
    assert_eq!(replacing(&to).1, carol.known(), "the dialog that Carol knows");
    let side = replaces(stage, ALICE, &to, &mut carol, &asks)?;
    tells(stage, &mut alice, LAST, "200 OK")?;
    told(stage, &bob, "200")?;
    bye(stage, &mut bob, &alice)?;
    bye(stage, &mut carol, &side)
}

/// Alice's phone knows nothing of REFER: so Carol is referred to her.
fn rfc5589_7_4_recovery_when_one_party_does_not_support_refer(stage: &mut Stage) -> Played {
    let [mut alice, mut bob, mut asks, mut carol] = consulted(stage)?;
    let to = asks.replacing(&asks.target);
    let refer = stage.insist(BOB, || bob.request("REFER").with("Refer-To", &to), (ALICE, "REFER"))?;
    stage.send(ALICE, &Msg::response(&refer, 501, "").phrase("Not Implemented"));
    stage.get(BOB, "501 REFER")?;
    let to = refers(stage, &mut asks, &mut carol, &bob.replacing(&bob.target))?;
    let side = replaces(stage, CAROL, &to, &mut alice, &bob)?;
    tells(stage, &mut carol, LAST, "200 OK")?;
    told(stage, &asks, "200")?;
    bye(stage, &mut asks, &carol)?;
    bye(stage, &mut alice, &side)
}
