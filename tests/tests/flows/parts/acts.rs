//! What phones do with their dialogs.

use super::side::{Side, described, port};
use super::{Heard, Played, Stage, Stuck, s, says, who};
use liaison_tests::message::{Msg, body, field, seq};

/// An INVITE of a phone's, with an offer.
pub fn invite(stage: &mut Stage, from: &str, uri: &str) -> Msg {
    let number = stage.number();
    Msg::request("INVITE", uri, from, number).sdp(&described(from, port(from, number), 1, ""))
}

/// The called phone rings.
pub fn rings(stage: &mut Stage, at: &'static str, from: &str, invited: &str) -> Played {
    stage.send(at, &Msg::response(invited, 180, &says(at)).phrase("Ringing").contact(at));
    stage.hear(from, "180")
}

/// The called phone's 200, with its answer.
pub fn answer(at: &str, invited: &str) -> Msg {
    let text = described(at, port(at, 100), 1, "");
    Msg::response(invited, 200, &says(at)).phrase("OK").contact(at).sdp(&text)
}

/// The called phone answers, and its caller acknowledges.
pub fn answers(
    stage: &mut Stage,
    at: &'static str,
    from: &'static str,
    invited: &str,
) -> Result<(Side, Side), Stuck> {
    stage.send(at, &answer(at, invited));
    let ok = stage.get(from, "200 INVITE")?;
    let caller = Side::calling(from, &ok);
    stage.send(from, &caller.ack(seq(&ok)));
    stage.get(at, "ACK")?;
    Ok((caller, Side::called(at, invited, &says(at))))
}

/// A phone calls, and another one rings and answers: the sides of the dialogs that they have with Liaison.
pub fn call(
    stage: &mut Stage,
    from: &'static str,
    uri: &str,
    at: &'static str,
) -> Result<(Side, Side), Stuck> {
    let invite = invite(stage, from, uri);
    stage.send(from, &invite);
    let invited = stage.get(at, "INVITE")?;
    rings(stage, at, from, &invited)?;
    answers(stage, at, from, &invited)
}

/// The called phone refuses, and the caller hears of it.
pub fn refuses(
    stage: &mut Stage,
    at: &'static str,
    invited: &str,
    (status, phrase): (u16, &str),
    invite: &Msg,
) -> Played {
    stage.send(at, &Msg::response(invited, status, &says(at)).phrase(phrase));
    stage.get(at, "ACK")?;
    failed(stage, invite, &status.to_string())
}

/// A caller hears a failure, and acknowledges it.
pub fn failed(stage: &mut Stage, invite: &Msg, status: &str) -> Played {
    let from = who(&invite.text());
    let heard = stage.get_within(from, status, s(40))?;
    stage.send(from, &Msg::of_invite("ACK", invite).set("To", &field(&heard, "To")));
    Ok(())
}

/// The other direction.
fn turned(offer: &str) -> &'static str {
    match offer {
        _ if offer.contains("a=sendonly") => "a=recvonly\r\n",
        _ if offer.contains("a=recvonly") => "a=sendonly\r\n",
        _ if offer.contains("a=inactive") => "a=inactive\r\n",
        _ => "",
    }
}

/// One changes the call, and the other one takes it.
pub fn changes(stage: &mut Stage, by: &mut Side, other: &mut Side, direction: &str) -> Played {
    let sdp = by.sdp(direction);
    let asked = stage.insist(by.at, || by.request("INVITE").sdp(&sdp), (other.at, "INVITE"))?;
    accepts(stage, other, &asked);
    let ok = stage.get(by.at, "200 INVITE")?;
    stage.send(by.at, &by.ack(seq(&ok)));
    stage.get(other.at, "ACK").map(drop)
}

/// A phone takes what it is asked in a re-INVITE.
pub fn accepts(stage: &mut Stage, side: &mut Side, asked: &str) {
    let sdp = side.sdp(turned(body(asked)));
    let ok = Msg::response(asked, 200, &says(side.at)).phrase("OK");
    stage.send(side.at, &ok.contact(side.at).sdp(&sdp));
}

/// Liaison changes something with a phone by itself: what it asks for.
pub fn is_asked(stage: &mut Stage, side: &mut Side) -> Heard {
    let asked = stage.get(side.at, "INVITE")?;
    accepts(stage, side, &asked);
    stage.get(side.at, "ACK")?;
    Ok(asked)
}

/// One hangs up, and the other one hears of it.
pub fn bye(stage: &mut Stage, by: &mut Side, other: &Side) -> Played {
    leaves(stage, by)?;
    is_left(stage, other)
}

/// One hangs up.
pub fn leaves(stage: &mut Stage, by: &mut Side) -> Played {
    let bye = by.request("BYE");
    stage.send(by.at, &bye);
    stage.get(by.at, "200 BYE").map(drop)
}

/// A phone gets a BYE in that dialog.
pub fn is_left(stage: &mut Stage, side: &Side) -> Played {
    let bye = stage.get_within(side.at, "BYE", s(3))?;
    if field(&bye, "Call-ID") != side.call_id {
        return Err(Stuck(format!("another dialog than {} ends", side.call_id)));
    }
    stage.ok(side.at, &bye);
    Ok(())
}

/// One refers, which is accepted.
pub fn refers(stage: &mut Stage, by: &mut Side, to: &str) -> Played {
    let at = by.at;
    let name = format!("<sip:phone@{}>", at.split(':').next().unwrap_or(at));
    let refer = || by.request("REFER").with("Refer-To", to).with("Referred-By", &name);
    stage.insist(at, refer, (at, "200 REFER"))?;
    told(stage, by, "100")
}

/// Who referred is told of that status; of others before.
pub fn told(stage: &mut Stage, side: &Side, status: &str) -> Played {
    loop {
        let notify = stage.get(side.at, "NOTIFY")?;
        assert!(field(&notify, "Event").starts_with("refer"), "{notify}");
        stage.ok(side.at, &notify);
        if body(&notify).starts_with(&format!("SIP/2.0 {status}")) {
            return Ok(());
        }
    }
}

/// A phone subscribes to an event package at that URI, and another one accepts it: both sides.
pub fn subscribes(
    stage: &mut Stage,
    from: &'static str,
    (uri, event): (&str, &str),
    at: &'static str,
) -> Result<(Side, Side), Stuck> {
    let number = stage.number();
    let subscribe = Msg::request("SUBSCRIBE", uri, from, number).with("Event", event).with("Expires", "60");
    stage.send(from, &subscribe);
    let asked = stage.get(at, "SUBSCRIBE")?;
    stage.send(at, &Msg::response(&asked, 200, &says(at)).phrase("OK").contact(at).with("Expires", "60"));
    let ok = stage.get(from, "200 SUBSCRIBE")?;
    Ok((Side::calling(from, &ok), Side::called(at, &asked, &says(at))))
}

/// A phone tells who has subscribed, in that state, with a document of that type.
pub fn notifies(
    stage: &mut Stage,
    (by, to): (&mut Side, &str),
    (event, state): (&str, &str),
    (kind, text): (&str, &str),
) -> Played {
    let notify = by.request("NOTIFY").with("Event", event).with("Subscription-State", state);
    stage.send(by.at, &notify.body(kind, text));
    let notify = stage.get(to, "NOTIFY")?;
    assert!(field(&notify, "Subscription-State").starts_with(state.split(';').next().unwrap()), "{notify}");
    stage.ok(to, &notify);
    stage.get(by.at, "200 NOTIFY").map(drop)
}
