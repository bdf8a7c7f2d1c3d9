//! What the two sides prove to each other: challenges and their answers that are none of ours.

use super::common::{ALICE, BOB, INSIDE, OUTSIDE, World, answer, by_hand, document, invite, ms};
use liaison_tests::message::{Msg, field, fields, start};

const AKA: &str = "Digest realm=\"ims.example\", nonce=\"I1U8vpY3qJ0hiuZNrke/NVXzKLQ1d7m5Sp/6w1Tfr7M=\", algorithm=AKAv1-MD5, \
                   qop=\"auth\", opaque=\"o\"";
const ANSWER: &str = "Digest username=\"u@ims.example\",realm=\"ims.example\", nonce=\"I1U8vpY3qJ0hiuZNrke/NVXzKLQ1d7m5Sp/6w1Tfr7M=\", \
                      uri=\"sip:+4930@10.0.0.1\", response=\"6629fae49393a05397450978507c4ef1\", algorithm=AKAv1-MD5, qop=auth, nc=00000001, \
                      cnonce=\"c\", opaque=\"o\", auts=\"5PYxMuX2NOT2NeQ=\"";

fn world(carry: &str) -> World {
    by_hand(&document("", "", &format!("\n[profiles.default]\n{carry}\n")), 1)
}

fn values(text: &str, name: &str) -> Vec<String> {
    fields(text).into_iter().filter(|(known, _)| known == name).map(|(_, value)| value).collect()
}

#[test]
fn rfc3310_3_a_home_network_and_its_terminal_prove_themselves_through_us() {
    for (status, asks, answers) in
        [(401, "WWW-Authenticate", "Authorization"), (407, "Proxy-Authenticate", "Proxy-Authorization")]
    {
        let mut world = world("carry = { credentials = true }");
        world.post(ALICE, OUTSIDE, &invite());
        let first = world.expect(BOB, "INVITE");
        let keys = format!(
            "{AKA}, ik=\"00112233445566778899aabbccddeeff\", ck=\"ffeeddccbbaa99887766554433221100\""
        );
        let challenge =
            Msg::response(&first, status, "q").with(asks, &keys).with(asks, "Basic realm=\"ims.example\"");
        world.post(BOB, INSIDE, &challenge);
        world.expect(BOB, "ACK");
        let asked = world.expect(ALICE, &status.to_string());
        assert_eq!(
            values(&asked, asks),
            [AKA],
            "as it came, without the keys and without what is not Digest"
        );
        world.post(ALICE, OUTSIDE, &Msg::of_invite("ACK", &invite()).set("To", &field(&asked, "To")));
        let again = invite()
            .set("CSeq", "2 INVITE")
            .branch("again")
            .with(answers, ANSWER)
            .with(answers, "Bearer a.b.c");
        world.post(ALICE, OUTSIDE, &again);
        let second = world.expect(BOB, "INVITE");
        assert_ne!(field(&second, "Call-ID"), field(&again.text(), "Call-ID"));
        assert_eq!(values(&second, answers), [ANSWER], "byte for byte, and no token");
        assert!(start(&first).starts_with("INVITE sip:+4930@10.1.0.2:5060 "), "{first}");
        assert!(start(&second).starts_with("INVITE sip:+4930@10.0.0.1 "), "the proof covers it: {second}");
        world.post(BOB, INSIDE, &answer(&second));
        let ok = world.expect(ALICE, "200");
        let ack = world.expect(BOB, "ACK");
        assert_eq!(values(&ack, answers), [ANSWER], "an ACK repeats what its INVITE showed (RFC 3261 §22.1)");
        world.post(ALICE, OUTSIDE, &Msg::inside("ACK", ALICE, 2, &ok));
        world.post(ALICE, OUTSIDE, &Msg::inside("BYE", ALICE, 3, &ok));
        world.expect(ALICE, "200");
        let bye = world.expect(BOB, "BYE");
        assert!(values(&bye, answers).is_empty(), "our own request proves nothing");
        // It is asked for what it cannot prove: the call is over all the same.
        world.post(BOB, INSIDE, &Msg::response(&bye, status, "").with(asks, AKA));
        world.expect_no(BOB, "BYE");
        world.must_forget("a call that the two sides have proved");
        assert!(world.records.lock().unwrap().iter().all(|record| record.credentials_carried));
    }
}

#[test]
fn a_realm_of_ours_and_sides_that_carry_nothing_are_left_alone() {
    let off = ("", AKA);
    let ours = ("carry = { credentials = true }", "Digest realm=\"ours\", nonce=\"n\", qop=\"auth\"");
    for (carry, challenge) in [off, ours] {
        let pbx = "challenge = { realm = \"ours\", users = [{ username = \"alice\", password = { env = \"X\" } }] }";
        let text = document("", pbx, &format!("\n[profiles.default]\n{carry}\n"));
        let mut world = by_hand(&text, 2);
        let shown = challenge.replace("nonce", "username=\"u\", nonce");
        world.post(ALICE, OUTSIDE, &invite().with("Authorization", &shown));
        let first = world.expect(BOB, "INVITE");
        assert!(values(&first, "Authorization").is_empty(), "{first}");
        world.post(BOB, INSIDE, &Msg::response(&first, 401, "q").with("WWW-Authenticate", challenge));
        world.expect(BOB, "ACK");
        let refused = world.expect(ALICE, "40");
        assert!(
            start(&refused).starts_with("403") && values(&refused, "WWW-Authenticate").is_empty(),
            "{refused}"
        );
        world.post(ALICE, OUTSIDE, &Msg::of_invite("ACK", &invite()).set("To", &field(&refused, "To")));
        world.run_for(ms(20));
        world.must_forget("a challenge that does not cross");
    }
}
