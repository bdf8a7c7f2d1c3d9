//! What breaks a rule is told: each rule, with a conversation that breaks it.

use super::faults;
use crate::message::Msg;
use crate::network::{Fate, Happened, Network};
use crate::world::{ALICE, OUTSIDE};
use bytes::Bytes;
use sip::time::Mono;
use std::time::Duration;

/// Who says it: we or Alice.
const US: bool = true;
const SHE: bool = false;

/// What is wrong where these are said one after another.
fn wrong(said: &[(bool, Msg)]) -> Vec<String> {
    told(&spoken(said))
}

fn spoken(said: &[(bool, Msg)]) -> Network {
    let latency = Duration::from_millis(5);
    let mut network = Network::new(latency, Box::new(|_| Fate::Arrives));
    let mut now = Mono::from_epoch(Duration::from_secs(1));
    for (ours, msg) in said {
        let (from, to) = if *ours { (OUTSIDE, ALICE) } else { (ALICE, OUTSIDE) };
        network.send(now, from.parse().unwrap(), to.parse().unwrap(), Bytes::from(msg.text()));
        now = now + latency;
        assert!(network.arrive(now).is_some());
        now = now + latency;
    }
    network
}

/// The rules that are broken, without what they are cited from.
fn told(network: &Network) -> Vec<String> {
    faults(network).into_iter().map(|fault| fault.split(" (").next().unwrap_or_default().to_owned()).collect()
}

fn sdp(id: &str, version: u32, streams: u32) -> String {
    let media = "m=audio 4000 RTP/AVP 8\r\n".repeat(streams.try_into().unwrap());
    format!("v=0\r\no=- {id} {version} IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\n{media}")
}

/// Her INVITE, with an offer.
fn invite() -> Msg {
    Msg::request("INVITE", "sip:+4930@10.0.0.1", ALICE, 1).sdp(&sdp("2", 1, 1))
}

/// Our response to it, in the dialog.
fn responds(status: u16) -> Msg {
    let response = Msg::response(&invite().text(), status, "ours");
    if status < 300 { response.with("Contact", "<sip:10.0.0.1:5060>") } else { response }
}

fn ok() -> Msg {
    responds(200).sdp(&sdp("1", 1, 1))
}

/// A request of hers in that dialog.
fn hers(method: &str, number: u32) -> Msg {
    Msg::request(method, "sip:10.0.0.1:5060", ALICE, number)
        .set("From", "<sip:phone@10.0.0.2:5060>;tag=phone-1")
        .set("To", "<sip:+4930@10.0.0.1>;tag=ours")
        .set("Call-ID", "call-1@10.0.0.2:5060")
}

/// A request of ours in it.
fn ours(method: &str, number: u32) -> Msg {
    Msg::request(method, "sip:phone@10.0.0.2:5060", OUTSIDE, number)
        .branch(&format!("ours-{number}-{method}"))
        .set("From", "<sip:+4930@10.0.0.1>;tag=ours")
        .set("To", "<sip:phone@10.0.0.2:5060>;tag=phone-1")
        .set("Call-ID", "call-1@10.0.0.2:5060")
}

/// What is wrong with what follows her call, which stands.
fn after(more: &[(bool, Msg)]) -> Vec<String> {
    let call = [(SHE, invite()), (US, ok()), (SHE, hers("ACK", 1).without("Contact"))];
    wrong(&[&call, more].concat())
}

/// Her 200.
fn yes(request: &Msg) -> (bool, Msg) {
    (SHE, Msg::response(&request.text(), 200, "hers").with("Contact", "<sip:phone@10.0.0.2:5060>"))
}

/// Ours.
fn we_agree(request: &Msg) -> (bool, Msg) {
    (US, Msg::response(&request.text(), 200, "ours"))
}

#[test]
fn transactions() {
    let info = ours("INFO", 1);
    assert!(after(&[(US, info.clone()), (US, info.clone()), yes(&info)]).is_empty());
    let same = ours("INFO", 2).branch("ours-1-INFO");
    assert!(
        after(&[(US, info.clone()), (US, same)]).contains(&"another request under the same branch".into())
    );
    let same = ours("MESSAGE", 2).branch("ours-1-INFO");
    assert_eq!(after(&[(US, info), (US, same)]), ["the branch of another transaction"]);
    let cancel = [(US, ours("CANCEL", 7))];
    assert_eq!(after(&cancel), ["a CANCEL of nothing"]);
    let call = Msg::request("INVITE", "sip:phone@10.0.0.2:5060", OUTSIDE, 3);
    let early = [(US, call.clone()), (US, Msg::of_invite("CANCEL", &call))];
    assert_eq!(wrong(&early), ["a CANCEL before any provisional response"]);
    assert_eq!(after(&[(US, responds(486))]), ["a second final response"]);
    assert_eq!(after(&[(US, responds(180))]), ["a provisional response after the final one"]);
    assert_eq!(after(&[(SHE, hers("INFO", 2))]), ["a request without an answer"]);
    let other = Msg::request("MESSAGE", "sip:x", ALICE, 2);
    assert_eq!(wrong(&[(US, Msg::response(&other.text(), 200, "ours"))]), ["a response to nothing"]);
}

#[test]
fn requests_in_dialogs() {
    assert_eq!(after(&[(US, ours("INFO", 2)), (US, ours("BYE", 2))]), ["a CSeq that does not grow"]);
    assert_eq!(
        after(&[(US, ours("BYE", 2)), (US, ours("INFO", 3))]),
        ["a request after the end of the dialog"]
    );
    let bye = hers("BYE", 2);
    let left = [(SHE, bye.clone()), we_agree(&bye), (US, ours("BYE", 1))];
    assert_eq!(after(&left), ["a request after the end of the dialog"]);
    let by_a_proxy = ours("BYE", 2).with("Route", "<sip:p.example.com;lr>");
    assert_eq!(after(&[(US, by_a_proxy)]), ["another Route than the route set"]);
    let unknown = ours("BYE", 2).set("To", "<sip:phone@10.0.0.2:5060>;tag=x");
    assert_eq!(after(&[(US, unknown)]), ["a dialog that the peer has not made"]);
    let info = ours("INFO", 2);
    let gone = [(US, info.clone()), (SHE, Msg::response(&info.text(), 481, ""))];
    assert_eq!(after(&[&gone[..], &[(US, ours("INFO", 3))]].concat()), ["a request after a 481"]);
    assert!(after(&[&gone[..], &[(US, ours("BYE", 3))]].concat()).is_empty());
    // The dialog is none before there is a tag of ours.
    let stray = hers("INFO", 2);
    assert_eq!(
        wrong(&[(SHE, stray.clone()), we_agree(&stray)]),
        ["another answer than 481 in a dialog that there is not"]
    );
    let failed = [(SHE, invite()), (US, responds(180)), (US, responds(486)), (US, ours("UPDATE", 1))];
    assert_eq!(wrong(&failed), ["a request after the end of the dialog"]);
}

#[test]
fn subscriptions_outlive_the_session() {
    let (refer, bye) = (hers("REFER", 2), hers("BYE", 3));
    let told =
        [(SHE, refer.clone()), we_agree(&refer), (SHE, bye.clone()), we_agree(&bye), (US, ours("NOTIFY", 1))];
    assert!(after(&told).is_empty());
    let told = [(SHE, bye.clone()), we_agree(&bye), (US, ours("NOTIFY", 1))];
    assert_eq!(after(&told), ["a request after the end of the dialog"]);
}

#[test]
fn the_target_that_stands() {
    let elsewhere = "sip:phone@10.0.0.7";
    let moves = hers("UPDATE", 2).set("Contact", &format!("<{elsewhere}>"));
    let (old, new) = (ours("INFO", 1), ours("INFO", 1).uri(elsewhere));
    let other = "another Request-URI than the remote target";
    // Before we have answered, both are right; the new one stands once it is used.
    assert!(after(&[(SHE, moves.clone()), (US, old.clone()), we_agree(&moves)]).is_empty());
    assert!(after(&[(SHE, moves.clone()), (US, new.clone()), we_agree(&moves)]).is_empty());
    let back = [(SHE, moves.clone()), (US, new.clone()), (US, ours("INFO", 2)), we_agree(&moves)];
    assert_eq!(after(&back), [other], "RFC 6141 §4.6");
    // After a yes only the new one is, after a no the old one.
    assert_eq!(after(&[(SHE, moves.clone()), we_agree(&moves), (US, old.clone())]), [other]);
    let no = (US, Msg::response(&moves.text(), 491, ""));
    assert_eq!(after(&[(SHE, moves.clone()), no.clone(), (US, new)]), [other]);
    assert!(after(&[(SHE, moves), no, (US, old)]).is_empty());
    // A response moves it too.
    let update = ours("UPDATE", 1);
    let moved = (SHE, Msg::response(&update.text(), 200, "").with("Contact", &format!("<{elsewhere}>")));
    assert_eq!(after(&[(US, update), moved, (US, ours("INFO", 2))]), [other]);
}

#[test]
fn acknowledgements() {
    let reinvite = ours("INVITE", 1);
    let answered = |request: &Msg| {
        let (who, yes) = yes(request);
        (who, yes.sdp(&sdp("2", 2, 1)))
    };
    let ack = ours("ACK", 1).sdp(&sdp("1", 1, 1));
    let once = [(US, reinvite.clone()), answered(&reinvite)];
    let missing = "a final response without its ACK";
    assert_eq!(after(&once), [missing]);
    let done = [&once[..], &[(US, ack.clone())]].concat();
    assert!(after(&done).is_empty());
    // It comes again, and is acknowledged again.
    let again = [&done[..], &[answered(&reinvite)]].concat();
    assert_eq!(after(&again), [missing]);
    assert!(after(&[&again[..], &[(US, ack.clone())]].concat()).is_empty());
    assert_eq!(after(&[(US, ours("ACK", 7))]), ["an ACK of no INVITE", "an ACK of no 2xx that has come"]);
    let other = ours("ACK", 1).set("To", "<sip:phone@10.0.0.2:5060>;tag=other");
    assert!(after(&[&once[..], &[(US, other)]].concat()).contains(&missing.into()));
    let busy = (SHE, Msg::response(&reinvite.text(), 486, ""));
    let of_failed = (US, ours("ACK", 1).branch("ours-1-INVITE"));
    assert_eq!(after(&[(US, reinvite.clone()), busy.clone()]), [missing]);
    assert!(after(&[(US, reinvite.clone()), busy, of_failed.clone()]).is_empty());
    assert_eq!(after(&[(US, reinvite), of_failed]), ["an ACK of no failure that has come"]);
}

/// Her INVITE that allows reliable responses, and ours of that number.
fn reliably(number: u32) -> [(bool, Msg); 2] {
    let early = Msg::response(&invite().text(), 183, "ours").with("Contact", "<sip:10.0.0.1:5060>");
    let early = early.with("Require", "100rel").with("RSeq", &number.to_string()).sdp(&sdp("1", 1, 1));
    [(SHE, invite().with("Supported", "100rel")), (US, early)]
}

fn prack(number: u32) -> [(bool, Msg); 2] {
    let prack = hers("PRACK", number + 1).with("RAck", &format!("{number} 1 INVITE"));
    [(SHE, prack.clone()), we_agree(&prack)]
}

#[test]
fn reliable_responses() {
    let [asks, first] = reliably(1);
    let end = || (US, responds(200));
    let good = [&[asks.clone(), first.clone()][..], &prack(1), &[end()]].concat();
    assert!(wrong(&good).is_empty());
    let unheard = [asks.clone(), first.clone(), end()];
    assert_eq!(wrong(&unheard), ["a 2xx before the PRACK of a description"]);
    let plain = |(who, msg): (bool, Msg)| (who, msg.body("text/plain", ""));
    let second = plain(reliably(2)[1].clone());
    assert_eq!(
        wrong(&[&[asks.clone(), first.clone(), second][..], &prack(2), &[end()]].concat()),
        ["a second reliable response before the PRACK"]
    );
    let third = plain(reliably(3)[1].clone());
    let skips = [&[asks, first.clone()][..], &prack(1), &[third], &prack(3), &[end()]].concat();
    assert_eq!(wrong(&skips), ["an RSeq that does not go up by one"]);
    let refused = [&[(SHE, invite()), first][..], &prack(1), &[end()]].concat();
    assert_eq!(wrong(&refused), ["a reliable response that is not allowed, or not told"]);
}

/// Our INVITE to her, and her reliable response.
fn heard() -> (Msg, Vec<(bool, Msg)>) {
    let call = Msg::request("INVITE", "sip:phone@10.0.0.2:5060", OUTSIDE, 3).sdp(&sdp("1", 1, 1));
    let early = Msg::response(&call.text(), 183, "hers").contact(ALICE).with("RSeq", "9");
    let early = early.with("Require", "100rel").sdp(&sdp("2", 1, 1));
    (call.clone(), vec![(US, call), (SHE, early)])
}

#[test]
fn pracks() {
    let (call, heard) = heard();
    let prack = |rack: &str, number: u32| {
        let prack = Msg::request("PRACK", "sip:phone@10.0.0.2:5060", OUTSIDE, number);
        let prack = prack.set("From", &call.get("From")).set("To", &format!("{};tag=hers", call.get("To")));
        (US, prack.set("Call-ID", &call.get("Call-ID")).with("RAck", rack))
    };
    let end = || (SHE, Msg::response(&call.text(), 486, "hers"));
    let ack = || (US, Msg::of_invite("ACK", &call).set("To", &format!("{};tag=hers", call.get("To"))));
    let ended = |more: &[(bool, Msg)]| wrong(&[&heard[..], more, &[end(), ack()]].concat());
    assert_eq!(wrong(&heard), ["a reliable response without its PRACK"]);
    assert!(ended(&[prack("9 3 INVITE", 4)]).is_empty());
    assert_eq!(ended(&[prack("8 3 INVITE", 4)]), ["a PRACK of no response that has come"]);
    assert_eq!(ended(&[prack("9 2 INVITE", 4)]), ["a PRACK of no response that has come"]);
    let twice = [prack("9 3 INVITE", 4), prack("9 3 INVITE", 5)];
    assert_eq!(ended(&twice), ["a second PRACK of one response"]);
}

#[test]
fn offers_and_answers() {
    // Of hers.
    let unanswered = [(SHE, invite()), (US, responds(200))];
    assert_eq!(wrong(&unanswered), ["an offer without its answer"]);
    let shown = (US, responds(180).sdp(&sdp("1", 1, 2)));
    assert!(
        wrong(&[(SHE, invite()), shown, (US, ok())])
            .contains(&"another answer than the one that was shown".into())
    );
    let update = hers("UPDATE", 2).sdp(&sdp("2", 2, 1));
    assert_eq!(after(&[(SHE, update.clone()), we_agree(&update)]), ["an offer without its answer"]);
    let (_, agreed) = we_agree(&update);
    assert!(after(&[(SHE, update.clone()), (US, agreed.clone().sdp(&sdp("1", 1, 1)))]).is_empty());
    // Of ours, in the middle of others.
    let offer = |number: u32| (US, ours("UPDATE", number).sdp(&sdp("1", 1, 1)));
    assert_eq!(after(&[offer(1), offer(2)]), ["an offer in the middle of another"]);
    let crossing = [(SHE, update.clone()), offer(1), (US, Msg::response(&update.text(), 491, ""))];
    assert_eq!(after(&crossing), ["an offer in the middle of another"]);
    let both = [offer(1), (SHE, update), (US, agreed.sdp(&sdp("1", 1, 1)))];
    assert_eq!(after(&both), ["an answer in the middle of an offer of ours"]);
    // Without an offer there is nothing to answer.
    let info = hers("UPDATE", 2);
    let (_, agreed) = we_agree(&info);
    assert_eq!(
        after(&[(SHE, info), (US, agreed.sdp(&sdp("1", 1, 1)))]),
        ["a description that answers nothing"]
    );
    let asks = hers("INVITE", 2);
    let ack = hers("ACK", 2);
    assert_eq!(
        after(&[(SHE, asks.clone()), we_agree(&asks), (SHE, ack)]),
        ["a 2xx without the offer that was asked for"]
    );
}

#[test]
fn answers_in_acks() {
    let reinvite = ours("INVITE", 1);
    let (_, offered) = yes(&reinvite);
    let offered = [(US, reinvite.clone()), (SHE, offered.sdp(&sdp("2", 2, 1)))];
    assert_eq!(after(&[&offered[..], &[(US, ours("ACK", 1))]].concat()), ["an offer without its answer"]);
    let reinvite = reinvite.sdp(&sdp("1", 1, 1));
    let (_, answer) = yes(&reinvite);
    let ack = ours("ACK", 1).sdp(&sdp("1", 1, 1));
    let more = [(US, reinvite), (SHE, answer.sdp(&sdp("2", 2, 1))), (US, ack)];
    assert_eq!(after(&more), ["a description in an ACK that answers nothing"]);
}

#[test]
fn origins() {
    let says = |sdp: String| after(&[(US, ours("UPDATE", 1).sdp(&sdp))]);
    assert!(says(sdp("1", 1, 1)).is_empty());
    assert!(says(sdp("1", 2, 2)).is_empty());
    assert_eq!(says(sdp("3", 1, 1)), ["another origin in the same session"]);
    assert_eq!(says(sdp("1", 2, 1)), ["another version of the same description"]);
    assert_eq!(says(sdp("1", 1, 2)), ["a version that does not go up by one"]);
    assert_eq!(says(sdp("1", 3, 2)), ["a version that does not go up by one"]);
    assert_eq!(says(sdp("1", 2, 0)), ["fewer streams than before"]);
}

#[test]
fn session_timers() {
    let asks = |expires: &str| hers("UPDATE", 2).with("Supported", "timer").with("Session-Expires", expires);
    let says = |asked: &Msg, expires: &str| {
        let (_, yes) = we_agree(asked);
        after(&[(SHE, asked.clone()), (US, yes.with("Require", "timer").with("Session-Expires", expires))])
    };
    let plain = asks("1800");
    assert!(says(&plain, "1800;refresher=uac").is_empty());
    assert_eq!(says(&plain, "1801;refresher=uac"), ["a Session-Expires above the one asked for"]);
    assert_eq!(says(&plain, "60;refresher=uac"), ["a Session-Expires below Min-SE"]);
    assert_eq!(says(&plain, "1800"), ["a Session-Expires without a refresher"]);
    let chosen = asks("1800;refresher=uas");
    assert_eq!(says(&chosen, "1800;refresher=uac"), ["another refresher than the one asked for"]);
    let unable = hers("UPDATE", 2);
    assert_eq!(says(&unable, "1800;refresher=uac"), ["a refresher that does not know how"]);
    let (_, yes) = we_agree(&plain);
    let untold = [(SHE, plain.clone()), (US, yes.with("Session-Expires", "1800;refresher=uac"))];
    assert_eq!(after(&untold), ["a refresher that is not told that it is one"]);
    let ours = ours("UPDATE", 1).with("Supported", "timer").with("Session-Expires", "60");
    assert_eq!(after(&[(US, ours)]), ["a Session-Expires below Min-SE"]);
    let small = (US, Msg::response(&plain.text(), 422, ""));
    assert_eq!(after(&[(SHE, plain), small]), ["a 422 without Min-SE"]);
}

#[test]
fn another_life_knows_nothing_of_the_one_before() {
    let info = hers("INFO", 2);
    let told = |status: u16| {
        let mut network = spoken(&[(SHE, invite()), (US, ok())]);
        network.story.push(Happened::Reborn);
        let more = spoken(&[(SHE, info.clone()), (US, Msg::response(&info.text(), status, ""))]);
        let (log, arrived) = (network.log.len(), network.arrived.len());
        network.log.extend(more.log);
        network.arrived.extend(more.arrived);
        network.story.extend(more.story.into_iter().map(|happened| match happened {
            Happened::Sent(n) => Happened::Sent(n + log),
            Happened::Arrived(n) => Happened::Arrived(n + arrived),
            Happened::Reborn => Happened::Reborn,
        }));
        told(&network)
    };
    assert!(told(481).is_empty());
    assert_eq!(told(200), ["another answer than 481 in a dialog that there is not"]);
}
