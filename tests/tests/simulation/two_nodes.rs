//! Two nodes one behind the other, each with its own dialogs: what names a dialog is mapped by each of them, both ways.

use super::common::{ALICE, BOB, INSIDE, NUMBER, OUTSIDE, TWO_SIDES, World, ms};
use super::transfer::told;
use b2bua::snapshot::Secrets;
use liaison_tests::message::{Msg, audio, body, field, find, start, tag};
use liaison_tests::network::{Datagram, Fate};
use std::time::Duration;

/// Beside Bob, behind the second node.
const CAROL: &str = "10.1.0.3:5060";
/// Carol's number, seen from Alice.
const TARGET: &str = "sip:+4940@10.0.0.1";

/// The first node is Alice's, the second one Bob's and Carol's; between them is the network 10.2.0.0.
struct Nodes([World; 2]);

impl Nodes {
    /// Both nodes do with REFER what their configuration says.
    fn new(refer: [&str; 2]) -> Self {
        let first = TWO_SIDES.replace("10.1.0.", "10.2.0.");
        let second = TWO_SIDES
            .replace("10.0.0.1", "10.2.0.9")
            .replace("10.0.0.2", "10.2.0.1")
            .replace("10.2.0.9", "10.2.0.2");
        let route = "[[routes]]\nname = \"carol\"\ncalled = [\"+4940*\"]\nto = [\"mobile\"]\n\n[[routes]]";
        let mobile = "\n[trunks.mobile]\nnetwork = \"enterprise\"\ntargets = [\"sip:10.1.0.3:5060\"]\nfrom = [\"10.1.0.3\"]\n";
        let second = second.replacen("[[routes]]", route, 1) + mobile;
        let mut seed = 40;
        let mut node = |text: &str, refer: &str| {
            seed += 1;
            let text = format!("{text}\n[profiles.default]\nrefer = \"{refer}\"\n");
            World::with_secrets(&text, Secrets::default(), Vec::new(), Box::new(|_| Fate::Arrives), seed)
        };
        Self([node(&first, refer[0]), node(&second, refer[1])])
    }

    /// Both run for so long; what one sends to the other arrives there.
    fn run_for(&mut self, length: Duration) {
        for _ in 0..length.as_millis().div_ceil(5) {
            let nodes = ["10.2.0.1:5060", "10.2.0.2:5060"];
            for of in [0, 1] {
                self.0[of].run_for(ms(5));
                let is_other =
                    |d: &mut Datagram| d.to == nodes[1 - of].parse::<std::net::SocketAddr>().unwrap();
                let crossing: Vec<_> = self.0[of].mail.extract_if(.., is_other).collect();
                let other = &mut self.0[1 - of];
                crossing.into_iter().for_each(|d| other.network.send(other.now.mono, d.from, d.to, d.bytes));
            }
        }
    }

    fn post(&mut self, from: &str, to: &str, msg: &Msg) {
        let node = usize::from(to == INSIDE);
        self.0[node].post(from, to, msg);
    }

    /// The next message for a phone whose start line begins so.
    fn expect(&mut self, at: &str, what: &str) -> String {
        let address: std::net::SocketAddr = at.parse().unwrap();
        for _ in 0..100 {
            for node in &mut self.0 {
                let found =
                    node.mail.iter().position(|d| d.to == address && start(&d.text()).starts_with(what));
                if let Some(found) = found {
                    return node.mail.remove(found).text();
                }
            }
            self.run_for(ms(5));
        }
        let unread: Vec<_> = self.0.iter().flat_map(|node| node.unread(at)).collect();
        panic!("no {what} at {at}, but {unread:#?}");
    }

    fn ok(&mut self, at: &str, to: &str, request: &str) {
        self.post(at, to, &Msg::response(request, 200, ""));
    }

    /// Alice calls somebody behind the second node: what she heard, and what that one heard last.
    fn call(&mut self, uri: &str, seq: u32, (of, port): (&str, u16)) -> (String, String) {
        let alice = audio(ALICE, 4000 + u16::try_from(seq).unwrap() * 2);
        self.post(ALICE, OUTSIDE, &Msg::request("INVITE", uri, ALICE, seq).sdp(&alice));
        let invited = self.expect(of, "INVITE");
        assert_eq!(field(&invited, "Max-Forwards"), "68", "two nodes");
        let answer = Msg::response(&invited, 200, &format!("callee-{seq}")).contact(of);
        self.post(of, INSIDE, &answer.sdp(&audio(of, port)));
        let ok = self.expect(ALICE, "200");
        self.post(ALICE, OUTSIDE, &Msg::inside("ACK", ALICE, seq, &ok));
        (ok, self.expect(of, "ACK"))
    }

    /// The next NOTIFY of a REFER at Alice's phone, answered.
    fn notified(&mut self) -> String {
        let notify = self.expect(ALICE, "NOTIFY");
        self.ok(ALICE, OUTSIDE, &notify);
        told(&notify).1
    }

    /// A phone answers a re-INVITE.
    fn changes(&mut self, at: &str, port: u16) {
        let changed = self.expect(at, "INVITE");
        assert!(body(&changed).contains("m=audio"), "{changed}");
        self.post(at, INSIDE, &Msg::response(&changed, 200, "").contact(at).sdp(&audio(at, port)));
        self.expect(at, "ACK");
    }

    /// A phone is let go in that dialog.
    fn is_released(&mut self, at: &str, to: &str, call_id: &str) {
        let bye = self.expect(at, "BYE");
        assert_eq!(field(&bye, "Call-ID"), call_id);
        self.ok(at, to, &bye);
    }
}

/// Refer-To of who is talked with in that dialog of Alice's.
fn replacing(ok: &str) -> String {
    let id = field(ok, "Call-ID").replace('@', "%40").replace(':', "%3A");
    format!("<{TARGET}?Replaces={id}%3Bto-tag%3D{}%3Bfrom-tag%3D{}>", tag(ok, "To"), tag(ok, "From"))
}

/// Alice has called Bob and Carol, and transfers the one to the other.
fn transfers(nodes: &mut Nodes) -> [(String, String); 2] {
    let bob = nodes.call(NUMBER, 1, (BOB, 6000));
    let carol = nodes.call(TARGET, 2, (CAROL, 7000));
    let refer = Msg::inside("REFER", ALICE, 10, &bob.0).with("Refer-To", &replacing(&carol.0));
    nodes.post(ALICE, OUTSIDE, &refer);
    [bob, carol]
}

/// S1-9: the first node has the REFER cross, and names in it the dialog that the second one knows; that joins its two calls.
#[test]
fn rfc5589_7_3_an_attended_transfer_across_two_nodes_is_done_by_the_second() {
    let mut nodes = Nodes::new(["carry", "handle"]);
    let [bob, carol] = transfers(&mut nodes);
    let ok = nodes.expect(ALICE, "200");
    assert!(field(&ok, "CSeq").ends_with("REFER"), "{ok}");
    // Before the second node has anything to tell, the first one says that it is tried.
    assert_eq!(nodes.notified(), "SIP/2.0 100 Trying");
    let mut last = nodes.notified();
    while last == "SIP/2.0 100 Trying" {
        last = nodes.notified();
    }
    assert_eq!(last, "SIP/2.0 200 OK");
    // The consultation ends along the whole way.
    nodes.is_released(ALICE, OUTSIDE, &field(&carol.0, "Call-ID"));
    nodes.post(ALICE, OUTSIDE, &Msg::inside("BYE", ALICE, 11, &bob.0));
    nodes.expect(ALICE, "200");
    nodes.run_for(ms(500));
    assert_eq!((nodes.0[0].gauges().calls, nodes.0[1].gauges().calls), (0, 1));
    // Bob and Carol are one call of the second node.
    let info = Msg::inside("INFO", BOB, 20, &bob.1).body("text/plain", "hello");
    nodes.post(BOB, INSIDE, &info);
    let heard = nodes.expect(CAROL, "INFO");
    assert_eq!((body(&heard), field(&heard, "Call-ID")), ("hello", field(&carol.1, "Call-ID")));
    nodes.ok(CAROL, INSIDE, &heard);
    nodes.expect(BOB, "200");
    nodes.post(CAROL, INSIDE, &Msg::inside("BYE", CAROL, 21, &carol.1));
    nodes.expect(CAROL, "200");
    nodes.is_released(BOB, INSIDE, &field(&bob.1, "Call-ID"));
    for node in &mut nodes.0 {
        node.must_forget("an attended transfer across two nodes");
    }
}
/// Both nodes have it cross: Bob is asked with the dialog that Carol has with the second node, and takes its place.
#[test]
fn rfc3891_replaces_is_mapped_by_each_of_two_nodes_on_its_way() {
    let mut nodes = Nodes::new(["carry", "carry"]);
    let [bob, carol] = transfers(&mut nodes);
    let refer = nodes.expect(BOB, "REFER");
    let to = field(&refer, "Refer-To");
    let far = (field(&carol.1, "Call-ID"), tag(&carol.1, "To"), tag(&carol.1, "From"));
    // The address that the first node has there is none of the second one's.
    assert_eq!(
        to,
        format!("<sip:+4940@10.2.0.1:5060?Replaces={}%3Bto-tag%3D{}%3Bfrom-tag%3D{}>", far.0, far.1, far.2)
    );
    nodes.post(BOB, INSIDE, &Msg::response(&refer, 202, ""));
    assert!(field(&nodes.expect(ALICE, "200"), "CSeq").ends_with("REFER"));
    assert_eq!(nodes.notified(), "SIP/2.0 100 Trying");
    let value = format!("{};to-tag={};from-tag={}", far.0, far.1, far.2);
    let invite = Msg::request("INVITE", "sip:+4940@10.2.0.1:5060", BOB, 40).sdp(&audio(BOB, 6002));
    nodes.post(BOB, INSIDE, &invite.with("Replaces", &value));
    nodes.changes(CAROL, 7000);
    let ok = nodes.expect(BOB, "200");
    assert!(body(&ok).contains("m=audio") && find(&ok, "Replaces").is_none(), "{ok}");
    nodes.post(BOB, INSIDE, &Msg::inside("ACK", BOB, 40, &ok));
    nodes.is_released(ALICE, OUTSIDE, &field(&carol.0, "Call-ID"));
    let notify = Msg::inside("NOTIFY", BOB, 41, &refer)
        .with("Event", "refer")
        .with("Subscription-State", "terminated;reason=noresource")
        .body("message/sipfrag;version=2.0", "SIP/2.0 200 OK\r\n");
    nodes.post(BOB, INSIDE, &notify);
    let mut last = nodes.notified();
    while last == "SIP/2.0 100 Trying" {
        last = nodes.notified();
    }
    assert_eq!(last, "SIP/2.0 200 OK");
    nodes.post(ALICE, OUTSIDE, &Msg::inside("BYE", ALICE, 12, &bob.0));
    nodes.expect(ALICE, "200");
    nodes.is_released(BOB, INSIDE, &field(&bob.1, "Call-ID"));
    nodes.run_for(ms(200));
    assert_eq!((nodes.0[0].gauges().calls, nodes.0[1].gauges().calls), (0, 1));
}
