//! The table of homes.

use super::*;
use crate::ids::tests::Seeded;

const SHARDS: u8 = 5;

fn homes(node: u16, shards: u8) -> Arc<Homes> {
    let hasher = ahash::RandomState::with_seeds(1, 2, 3, 4);
    Arc::new(Homes::new(&[9; 16], NodeNo(node), shards, hasher))
}

/// A tag and a branch of that shard.
fn minted(homes: &Arc<Homes>, shard: u8) -> (String, String) {
    let mut ids = HomeIds::new(Seeded(u64::from(shard)), homes.clone(), ShardNo(shard));
    (Tag::new(&mut ids).to_string(), Branch::new(&mut ids).to_string())
}

fn request(method: &str, to: &str, call_id: &str) -> String {
    format!(
        "{method} sip:liaison SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bKtheirs\r\nf: <sip:a>;tag=theirs\r\n\
         t: {to}\r\ni: {call_id}\r\nCSeq: 1 {method}\r\nContent-Length: 0\r\n\r\n"
    )
}

#[test]
fn a_response_goes_to_the_shard_in_our_branch() {
    let homes = homes(0, SHARDS);
    for shard in homes.shards() {
        let (tag, branch) = minted(&homes, shard.0);
        let (other, _) = minted(&homes, (shard.0 + 1) % SHARDS);
        let response = |via: &str| {
            let head = format!("SIP/2.0 200 OK\r\nFrom: <sip:us>;tag={other}\r\nTo: <sip:a>;tag={tag}\r\n");
            format!("{head}v: SIP/2.0/UDP us;rport=5;branch={via}\r\nCall-ID: c\r\n\r\n")
        };
        assert_eq!(homes.of(response(&branch).as_bytes()), Some(shard));
        assert_eq!(
            homes.of(response(&branch.to_uppercase().replace("Z9HG4BK", "z9hG4bK")).as_bytes()),
            Some(shard)
        );
        // A stray one is counted somewhere, always in the same place.
        let stray = homes.of(response("z9hG4bKtheirs").as_bytes());
        assert_eq!(stray, homes.of(request("OPTIONS", "<sip:us>", "c").as_bytes()));
        // Ours is the topmost, or none.
        assert_eq!(
            homes.of(response(&format!("z9hG4bKx, SIP/2.0/UDP us;branch={branch}")).as_bytes()),
            stray
        );
    }
}

#[test]
fn a_request_with_our_tag_goes_to_who_made_it_whatever_its_call_id() {
    let homes = homes(0, SHARDS);
    for shard in homes.shards() {
        let (tag, _) = minted(&homes, shard.0);
        for method in ["ACK", "BYE", "INVITE", "CANCEL", "SUBSCRIBE", "X-ANY"] {
            for call_id in ["one", "two", "three"] {
                let text = request(method, &format!("\"x;tag=no\" <sip:us;tag=no>;tag={tag}"), call_id);
                assert_eq!(homes.of(text.as_bytes()), Some(shard), "{method}");
            }
        }
    }
}

#[test]
fn what_begins_goes_by_its_call_id_and_so_does_what_belongs_to_it() {
    let homes = homes(0, SHARDS);
    let mut of_each = [0; SHARDS as usize];
    for n in 0..5000 {
        let call_id = format!("call-{n}@example.com");
        let home = homes.of(request("INVITE", "<sip:us>", &call_id).as_bytes()).unwrap();
        of_each[usize::from(home.0)] += 1;
        for (method, to) in [
            ("CANCEL", "<sip:us>"),
            ("OPTIONS", "<sip:us>"),
            // Tags of a stranger: no dialog of ours, so 481 from there.
            ("BYE", "<sip:us>;tag=theirs"),
            ("BYE", "<sip:us>;tag"),
        ] {
            assert_eq!(homes.of(request(method, to, &call_id).as_bytes()), Some(home), "{method} {to}");
        }
    }
    assert!(of_each.iter().all(|n| (850..1150).contains(n)), "{of_each:?}");
}

#[test]
fn another_node_s_and_made_up_identifiers_are_not_ours() {
    let (ours, theirs) = (homes(0, SHARDS), homes(1, SHARDS));
    let (few, many) = (homes(0, 2), homes(0, 64));
    let by_hash = |homes: &Homes, call_id: &str| homes.of(request("BYE", "<sip:us>", call_id).as_bytes());
    for n in 0..64 {
        let call_id = format!("c{n}");
        let (tag, _) = minted(&theirs, n % SHARDS);
        let text = request("BYE", &format!("<sip:us>;tag={tag}"), &call_id);
        assert_eq!(ours.of(text.as_bytes()), by_hash(&ours, &call_id), "another node's");
        let (tag, _) = minted(&many, 2 + n % 62);
        let text = request("BYE", &format!("<sip:us>;tag={tag}"), &call_id);
        assert_eq!(few.of(text.as_bytes()), by_hash(&few, &call_id), "a shard that is not there");
    }
}

#[test]
fn requests_for_one_address_of_record_meet() {
    let homes = homes(0, 64);
    let home = |method: &str, to: &str, call_id: &str| homes.of(request(method, to, call_id).as_bytes());
    let first = home("REGISTER", "<sip:alice@example.com>", "1");
    for (method, to) in [
        ("REGISTER", "\"A\" <sips:%61lice@EXAMPLE.com:5061;transport=tcp>;x=y"),
        ("PUBLISH", "sip:alice@example.com"),
    ] {
        assert_eq!(home(method, to, "2"), first, "{method} {to}");
    }
    // A SUBSCRIBE subscribes to what its Request-URI names, whatever To says (RFC 6665 §3.1.2).
    let subscribe = request("SUBSCRIBE", "<sip:nobody@example.net>", "3");
    let subscribe = subscribe.replace("sip:liaison", "sip:%61lice@EXAMPLE.com;x=y");
    assert_eq!(homes.of(subscribe.as_bytes()), first);
    let others = (0..20).map(|n| home("REGISTER", &format!("<sip:{n}@example.com>"), "1"));
    assert!(others.into_iter().any(|other| other != first));
}

#[test]
fn what_is_no_message_has_no_home() {
    let homes = homes(0, SHARDS);
    for text in ["", "\r\n\r\n", "INVITE", "INVITE sip:a SIP/2.0\r\n\r\n", "SIP/2.0 200 OK\r\nVia: x\r\n\r\n"]
    {
        assert_eq!(homes.of(text.as_bytes()), None, "{text:?}");
    }
    assert_eq!(homes.of(&request("REGISTER", "<nonsense", "1").into_bytes()), None);
    assert_eq!(homes.of(&[0xff; 64]), None);
    assert_eq!(
        Homes::new(&[0; 16], NodeNo(0), 0, ahash::RandomState::with_seeds(1, 2, 3, 4)).shards().count(),
        1
    );
}

#[test]
fn an_answer_of_stun_goes_to_the_shard_in_its_transactions_name() {
    let homes = homes(0, SHARDS);
    for shard in homes.shards() {
        let mut ids = HomeIds::new(Seeded(u64::from(shard.0)), homes.clone(), shard);
        let request = stun::request(TransactionId::new(&mut ids));
        let answer = stun::answer(&request, "192.0.2.1:5060".parse().unwrap()).unwrap();
        assert_eq!(homes.of(&answer), Some(shard));
    }
    let stranger = stun::request(TransactionId::new(&mut Seeded(77)));
    assert_eq!(homes.of(&stranger), None, "it stays where it came");
}

#[test]
fn what_names_a_dialog_is_at_home_with_it_and_a_cancel_follows_its_invite() {
    let homes = homes(0, SHARDS);
    let invite = |n: u32, seq: u32, more: &str| {
        let text = request("INVITE", "<sip:us>", &format!("call-{n}"));
        text.replace("CSeq: 1", &format!("{more}CSeq: {seq}"))
    };
    let home = |text: &str| homes.of(text.as_bytes()).unwrap();
    for n in 0..200 {
        let named = ShardNo(u8::try_from(n % u32::from(SHARDS)).unwrap());
        let (tag, _) = minted(&homes, named.0);
        let by_hash = home(&invite(n, 1, ""));
        let cancel = |seq| home(&invite(n, seq, "").replace("INVITE", "CANCEL"));
        assert_eq!(cancel(7), by_hash);
        // By either tag, as Liaison is the one or the other side of what is named.
        for (seq, name) in [(7, "Replaces"), (8, "Join")] {
            let value = match seq {
                7 => format!("{name}: x@y;to-tag={tag};from-tag=theirs\r\n"),
                _ => format!("{name}: x@y; to-tag = theirs ;from-tag={tag}\r\n"),
            };
            let text = invite(n, seq, &value);
            assert_eq!((home(&text), home(&text), cancel(seq)), (named, named, named), "{name}");
        }
        assert_eq!(cancel(9), by_hash, "another INVITE's");
        let cancel = invite(n, 7, "").replace("INVITE", "CANCEL");
        assert_eq!(home(&cancel), named);
        // Somebody else's INVITE of the same Call-ID and number does not lead it astray, nor does its own lead another's.
        assert_eq!(home(&cancel.replace("z9hG4bKtheirs", "z9hG4bKanother")), by_hash);
        let last = cancel.replace("Via: SIP/2.0/UDP a;branch=z9hG4bKtheirs\r\n", "");
        let last = last.replace("Content-Length", "v: SIP/2.0/UDP a;branch=z9hG4bKtheirs\r\nContent-Length");
        assert_eq!(home(&last), named, "wherever Via stands");
        assert_eq!(home(&invite(n, 7, "")), by_hash, "which names none");
        let foreign = "Replaces: x@y;to-tag=theirs;from-tag=theirs-too\r\n";
        assert_eq!(home(&invite(n, 3, foreign)), by_hash);
        let target = format!("Target-Dialog: x@y;remote-tag=theirs;local-tag={tag}\r\n");
        let with = |method: &str, more: &str| home(&invite(n, 1, more).replace("INVITE", method));
        assert_eq!((with("REFER", &target), with("SUBSCRIBE", &target)), (named, named));
        assert_eq!(with("SUBSCRIBE", &format!("{target}o: reg\r\n")), with("SUBSCRIBE", ""));
        assert_eq!(with("MESSAGE", &target), by_hash);
        let inside =
            text_with_tag(&invite(n, 1, &format!("Replaces: x;to-tag={tag};from-tag=a\r\n")), &homes);
        assert_eq!(inside, ShardNo(1), "in a dialog it is that one's");
    }
}

/// The home of a request in a dialog of the second shard.
fn text_with_tag(text: &str, homes: &Arc<Homes>) -> ShardNo {
    let (tag, _) = minted(homes, 1);
    homes.of(text.replace("t: <sip:us>", &format!("t: <sip:us>;tag={tag}")).as_bytes()).unwrap()
}
