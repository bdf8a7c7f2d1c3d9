//! Third-party call control (RFC 3725) with Liaison between the controller and the parties: Alice is the controller, Bob is A, Dave is
//! B, and Erin is C or the media server. Each of the controller's calls is one of ours. What we are as a controller ourselves is in
//! the simulation's `placed`.

use super::parts::{
    ALICE, BOB, DAVE, ERIN, Flow, Heard, NUMBER, Played, Side, Stage, TWO_SIDES, World, described, flows,
    is_left, leaves, printed, refuses, world,
};
use liaison_tests::message::{Msg, body, field, seq};
use liaison_tests::network::Weather;

flows! {
    rfc3725_4_1_flow_i in parties,
    rfc3725_4_2_flow_ii in parties,
    rfc3725_4_3_flow_iii in parties,
    rfc3725_4_4_flow_iv in parties,
    rfc3725_6_b_is_busy in parties,
    rfc3725_7_a_hangs_up in parties,
    rfc3725_7_b_is_connected_to_another in parties,
    rfc3725_8_early_media_of_b in parties,
    rfc3725_8_early_media_of_a in parties,
    rfc3725_10_2_announcement_in_the_middle_of_a_call in parties,
}

/// Whom the controller calls `b` and `c`.
fn parties(weather: Weather) -> World {
    let more = [("b", "10.1.0.3"), ("c", "10.1.0.4")].map(|(name, ip)| {
        format!(
            "\n[trunks.{name}]\nnetwork = \"enterprise\"\ntargets = [\"sip:{ip}:5060\"]\nfrom = [\"{ip}\"]\n\n\
             [[routes]]\nname = \"to-{name}\"\ncalled = [\"{name}\"]\nto = [\"{name}\"]\n"
        )
    });
    world(&format!("{TWO_SIDES}{}", more.concat()), weather)
}

/// A description as the controller says it in its dialog with one party: with an origin of its own (§7).
fn told(description: &str, version: u32) -> String {
    let lines = description.lines().map(|line| match line.starts_with("o=") {
        true => format!("o=controller 1 {version} IN IP4 10.0.0.2\r\n"),
        false => format!("{line}\r\n"),
    });
    lines.collect()
}

/// The same, with an address that nothing is sent to.
fn black_hole(description: &str, version: u32) -> String {
    let lines = told(description, version);
    let lines = lines.lines().map(|line| match line.starts_with("c=") {
        true => "c=IN IP4 0.0.0.0\r\n".to_owned(),
        false => format!("{line}\r\n"),
    });
    lines.collect()
}

const NO_MEDIA: &str = "v=0\r\no=controller 1 1 IN IP4 10.0.0.2\r\ns=-\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\n";

/// What a party describes first.
fn audio(at: &str) -> String {
    described(at, if at == BOB { 6000 } else { 8000 }, 1, "")
}

/// One call of the controller's.
struct Leg {
    at: &'static str,
    invite: Msg,
    /// What the party got.
    invited: String,
    /// The controller's side and the party's, once there is a dialog.
    sides: Option<(Side, Side)>,
}

impl Leg {
    /// The controller calls a party, with that description or none.
    fn begin(stage: &mut Stage, at: &'static str, sdp: Option<&str>) -> Result<Self, super::parts::Stuck> {
        let uri = match at {
            BOB => NUMBER,
            DAVE => "sip:b@10.0.0.1",
            _ => "sip:c@10.0.0.1",
        };
        let number = stage.number();
        let invite = Msg::request("INVITE", uri, ALICE, number).with("Supported", "100rel");
        let invite = sdp.map_or(invite.clone(), |sdp| invite.sdp(sdp));
        stage.send(ALICE, &invite);
        let invited = stage.get(at, "INVITE")?;
        Ok(Self { at, invite, invited, sides: None })
    }

    /// The party says that to the INVITE: what the controller hears.
    fn says(&mut self, stage: &mut Stage, status: u16, sdp: &str, fields: &[(&str, &str)]) -> Heard {
        let phrase = if status == 200 { "OK" } else { "Session Progress" };
        let says = Msg::response(&self.invited, status, "party").phrase(phrase).contact(self.at);
        let says = if sdp.is_empty() { says } else { says.sdp(sdp) };
        let says = fields.iter().fold(says, |says, (name, value)| says.with(name, value));
        stage.send(self.at, &says);
        let heard = stage.get(ALICE, &format!("{status} INVITE"))?;
        let sides = || (Side::calling(ALICE, &heard), Side::called(self.at, &self.invited, "party"));
        self.sides.get_or_insert_with(sides);
        Ok(heard)
    }

    fn controller(&mut self) -> &mut Side {
        &mut self.sides.as_mut().expect("a dialog").0
    }

    fn party(&mut self) -> &mut Side {
        &mut self.sides.as_mut().expect("a dialog").1
    }

    /// The controller acknowledges a 2xx, with that answer or none: what the party gets.
    fn acknowledge(&mut self, stage: &mut Stage, ok: &str, sdp: Option<&str>) -> Heard {
        let ack = self.controller().ack(seq(ok));
        stage.send(ALICE, &sdp.map_or(ack.clone(), |sdp| ack.sdp(sdp)));
        stage.get(self.at, "ACK")
    }

    /// The controller offers, and the party answers so: what the controller hears.
    fn change(&mut self, stage: &mut Stage, method: &str, offer: &str, answer: &str) -> Heard {
        let at = self.at;
        let asked = stage.insist(ALICE, || self.controller().request(method).sdp(offer), (at, method))?;
        stage.send(at, &Msg::response(&asked, 200, "").phrase("OK").contact(at).sdp(answer));
        let ok = stage.get(ALICE, &format!("200 {method}"))?;
        if method == "INVITE" {
            self.acknowledge(stage, &ok, None)?;
        }
        Ok(ok)
    }

    /// The controller asks what the party offers: the 200, which is to be acknowledged with an answer.
    fn is_offered(&mut self, stage: &mut Stage, version: u32) -> Heard {
        let at = self.at;
        let asked = stage.insist(ALICE, || self.controller().request("INVITE"), (at, "INVITE"))?;
        assert!(body(&asked).is_empty(), "{asked}");
        let offer = described(at, if at == BOB { 6000 } else { 8000 }, version, "");
        stage.send(at, &Msg::response(&asked, 200, "").phrase("OK").contact(at).sdp(&offer));
        stage.get(ALICE, "200 INVITE")
    }

    /// The controller ends it.
    fn end(&mut self, stage: &mut Stage) -> Played {
        leaves(stage, self.controller())?;
        is_left(stage, self.party())
    }

    /// The controller's PRACK of a response, with that answer or none.
    fn pracks(&mut self, stage: &mut Stage, heard: &str, sdp: Option<&str>) {
        let rack = format!("{} {} INVITE", field(heard, "RSeq"), seq(heard));
        let prack = self.controller().request("PRACK").with("RAck", &rack);
        stage.send(ALICE, &sdp.map_or(prack.clone(), |sdp| prack.sdp(sdp)));
    }
}

fn both_end(stage: &mut Stage, mut a: Leg, mut b: Leg) -> Played {
    a.end(stage)?;
    b.end(stage)
}

fn rfc3725_4_1_flow_i(stage: &mut Stage) -> Played {
    let mut a = Leg::begin(stage, BOB, None)?;
    let of_a = a.says(stage, 200, &audio(BOB), &[])?;
    let mut b = Leg::begin(stage, DAVE, Some(&told(body(&of_a), 1)))?;
    let of_b = b.says(stage, 200, &audio(DAVE), &[])?;
    b.acknowledge(stage, &of_b, None)?;
    let acked = a.acknowledge(stage, &of_a, Some(&told(body(&of_b), 1)))?;
    assert!(body(&acked).contains("m=audio"), "{acked}");
    both_end(stage, a, b)
}

fn rfc3725_4_2_flow_ii(stage: &mut Stage) -> Played {
    let mut a = Leg::begin(stage, BOB, Some(&black_hole(&audio(ALICE), 1)))?;
    let of_a = a.says(stage, 200, &audio(BOB), &[])?;
    a.acknowledge(stage, &of_a, None)?;
    let mut b = Leg::begin(stage, DAVE, Some(&told(body(&of_a), 1)))?;
    let of_b = b.says(stage, 200, &audio(DAVE), &[])?;
    b.acknowledge(stage, &of_b, None)?;
    a.change(stage, "INVITE", &told(body(&of_b), 2), &audio(BOB))?;
    both_end(stage, a, b)
}

fn rfc3725_4_3_flow_iii(stage: &mut Stage) -> Played {
    let mut a = Leg::begin(stage, BOB, None)?;
    let of_a = a.says(stage, 200, &audio(BOB), &[])?;
    let acked = a.acknowledge(stage, &of_a, Some(&black_hole(body(&of_a), 1)))?;
    // Of the controller nothing is known but that it cannot be sent anything: our own media is there.
    assert!(body(&acked).contains("a=sendonly"), "{acked}");
    then_b_offers(stage, a)
}

/// The second half of flows III and IV: B offers, and A is asked what it answers.
fn then_b_offers(stage: &mut Stage, mut a: Leg) -> Played {
    let mut b = Leg::begin(stage, DAVE, None)?;
    let of_b = b.says(stage, 200, &audio(DAVE), &[])?;
    let ok = a.change(stage, "INVITE", &told(body(&of_b), 2), &audio(BOB))?;
    b.acknowledge(stage, &of_b, Some(&told(body(&ok), 1)))?;
    both_end(stage, a, b)
}

/// A party is called with a description that has no streams, and answers.
fn without_media(stage: &mut Stage, at: &'static str) -> Result<Leg, super::parts::Stuck> {
    let mut leg = Leg::begin(stage, at, Some(NO_MEDIA))?;
    assert!(!body(&leg.invited).contains("m="), "{}", leg.invited);
    let ok = leg.says(stage, 200, NO_MEDIA, &[])?;
    leg.acknowledge(stage, &ok, None)?;
    Ok(leg)
}

fn rfc3725_4_4_flow_iv(stage: &mut Stage) -> Played {
    let a = without_media(stage, BOB)?;
    then_b_offers(stage, a)
}

fn rfc3725_6_b_is_busy(stage: &mut Stage) -> Played {
    let mut a = without_media(stage, BOB)?;
    let b = Leg::begin(stage, DAVE, None)?;
    refuses(stage, DAVE, &b.invited, (486, "Busy Here"), &b.invite)?;
    let reason = "SIP;cause=486;text=\"Busy Here\"";
    let bye = a.controller().request("BYE").with("Reason", reason);
    stage.send(ALICE, &bye);
    let bye = stage.get(BOB, "BYE")?;
    assert_eq!(field(&bye, "Reason"), reason);
    stage.ok(BOB, &bye);
    stage.get(ALICE, "200 BYE").map(drop)
}

/// A call that the controller has made by flow I.
fn made(stage: &mut Stage) -> Result<(Leg, Leg), super::parts::Stuck> {
    let mut a = Leg::begin(stage, BOB, None)?;
    let of_a = a.says(stage, 200, &audio(BOB), &[])?;
    let mut b = Leg::begin(stage, DAVE, Some(&told(body(&of_a), 1)))?;
    let of_b = b.says(stage, 200, &audio(DAVE), &[])?;
    b.acknowledge(stage, &of_b, None)?;
    a.acknowledge(stage, &of_a, Some(&told(body(&of_b), 1)))?;
    Ok((a, b))
}

/// Figure 6.
fn rfc3725_7_a_hangs_up(stage: &mut Stage) -> Played {
    let (mut a, mut b) = made(stage)?;
    leaves(stage, a.party())?;
    is_left(stage, a.controller())?;
    b.end(stage)
}

/// Figure 7: A hangs up, and the controller connects B to C.
fn rfc3725_7_b_is_connected_to_another(stage: &mut Stage) -> Played {
    let (mut a, mut b) = made(stage)?;
    leaves(stage, a.party())?;
    is_left(stage, a.controller())?;
    let mut c = without_media(stage, ERIN)?;
    let offer = b.is_offered(stage, 2)?;
    let ok = c.change(stage, "INVITE", &told(body(&offer), 2), &audio(ERIN))?;
    b.acknowledge(stage, &offer, Some(&told(body(&ok), 2)))?;
    both_end(stage, b, c)
}

/// Figure 8.
fn rfc3725_8_early_media_of_b(stage: &mut Stage) -> Played {
    let mut a = without_media(stage, BOB)?;
    let mut b = Leg::begin(stage, DAVE, None)?;
    let early = b.says(stage, 183, &audio(DAVE), &[("Require", "100rel"), ("RSeq", "1")])?;
    let ok = a.change(stage, "INVITE", &told(body(&early), 2), &audio(BOB))?;
    b.pracks(stage, &early, Some(&told(body(&ok), 1)));
    let prack = stage.get(DAVE, "PRACK")?;
    assert!(body(&prack).contains("m=audio"), "{prack}");
    stage.ok(DAVE, &prack);
    stage.get(ALICE, "200 PRACK")?;
    let ok = b.says(stage, 200, "", &[])?;
    assert_eq!(body(&ok), "");
    b.acknowledge(stage, &ok, None)?;
    both_end(stage, a, b)
}

/// Figure 9.
fn rfc3725_8_early_media_of_a(stage: &mut Stage) -> Played {
    let mut a = Leg::begin(stage, BOB, Some(NO_MEDIA))?;
    let reliable =
        [("Require", "100rel"), ("RSeq", "1"), ("Allow", "INVITE, ACK, BYE, CANCEL, PRACK, UPDATE")];
    let early = a.says(stage, 183, NO_MEDIA, &reliable)?;
    let prack = stage.get(BOB, "PRACK")?;
    stage.ok(BOB, &prack);
    a.pracks(stage, &early, None);
    stage.get(ALICE, "200 PRACK")?;
    let mut b = Leg::begin(stage, DAVE, None)?;
    let of_b = b.says(stage, 200, &audio(DAVE), &[])?;
    let ok = a.change(stage, "UPDATE", &told(body(&of_b), 2), &audio(BOB))?;
    b.acknowledge(stage, &of_b, Some(&told(body(&ok), 1)))?;
    let ok = a.says(stage, 200, "", &[])?;
    a.acknowledge(stage, &ok, None)?;
    both_end(stage, a, b)
}

/// Figure 13: A is the user who has paid before, B whom he has called, C the media server.
fn rfc3725_10_2_announcement_in_the_middle_of_a_call(stage: &mut Stage) -> Played {
    let (mut a, mut b) = made(stage)?;
    b.change(stage, "INVITE", &black_hole(&audio(ALICE), 2), &described(DAVE, 8000, 2, "a=recvonly\r\n"))?;
    let of_a = a.is_offered(stage, 2)?;
    let mut c = Leg::begin(stage, ERIN, Some(&told(body(&of_a), 1)))?;
    let of_c = c.says(stage, 200, &audio(ERIN), &[])?;
    a.acknowledge(stage, &of_a, Some(&told(body(&of_c), 2)))?;
    c.acknowledge(stage, &of_c, None)?;
    c.end(stage)?;
    let of_b = b.is_offered(stage, 3)?;
    let ok = a.change(stage, "INVITE", &told(body(&of_b), 3), &described(BOB, 6000, 3, ""))?;
    b.acknowledge(stage, &of_b, Some(&told(body(&ok), 3)))?;
    both_end(stage, a, b)
}
