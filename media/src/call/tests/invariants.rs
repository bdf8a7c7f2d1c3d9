//! RFC 3264 §8 on each leg, whatever the peers do.

use super::*;
use proptest::prelude::*;
use sdp::Description;

/// What one side does to its description, and whether it is the caller.
#[derive(Debug, Clone)]
enum Change {
    Add(usize),
    Remove(usize),
    Recycle(usize, usize),
    Direction(usize, usize),
    Formats(usize, usize),
    Move(usize, u16),
    Zeros(usize),
    Nothing,
}

const KINDS: [(&str, &str, &str); 5] = [
    ("audio", "RTP/AVP", "0 8 101"),
    ("video", "RTP/AVPF", "99"),
    ("image", "udptl", "t38"),
    ("message", "TCP/MSRP", "*"),
    ("x-what", "UNKNOWN/Y", "z"),
];
const DIRECTIONS: [&str; 4] = ["sendrecv", "sendonly", "recvonly", "inactive"];

#[derive(Debug, Clone)]
struct Line {
    kind: usize,
    port: u16,
    direction: usize,
    formats: usize,
    zeros: bool,
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        (0..KINDS.len()).prop_map(Change::Add),
        (0..8usize).prop_map(Change::Remove),
        (0..8usize, 0..KINDS.len()).prop_map(|(line, kind)| Change::Recycle(line, kind)),
        (0..8usize, 0..4usize).prop_map(|(line, direction)| Change::Direction(line, direction)),
        (0..8usize, 1..4usize).prop_map(|(line, formats)| Change::Formats(line, formats)),
        (0..8usize, 1_000..60_000u16).prop_map(|(line, port)| Change::Move(line, port)),
        (0..8usize).prop_map(Change::Zeros),
        Just(Change::Nothing),
    ]
}

fn edit(lines: &mut Vec<Line>, change: &Change) {
    let count = lines.len();
    let fresh = |kind| Line { kind, port: 4_000, direction: 0, formats: 3, zeros: false };
    match *change {
        Change::Add(kind) if count < 8 => lines.push(fresh(kind)),
        Change::Add(_) | Change::Nothing => {}
        Change::Remove(line) => lines[line % count].port = 0,
        Change::Recycle(line, kind) if lines[line % count].port == 0 => lines[line % count] = fresh(kind),
        Change::Recycle(..) => {}
        Change::Direction(line, direction) => lines[line % count].direction = direction,
        Change::Formats(line, formats) => lines[line % count].formats = formats,
        Change::Move(line, port) if lines[line % count].port != 0 => lines[line % count].port = port,
        Change::Move(..) => {}
        Change::Zeros(line) => lines[line % count].zeros ^= true,
    }
}

fn describe(lines: &[Line], address: &str) -> String {
    let mut text = format!("v=0\no=peer 9 9 IN IP4 {address}\ns=-\nt=0 0\n");
    for line in lines {
        let (media, proto, formats) = KINDS[line.kind];
        let formats: Vec<_> = formats.split(' ').take(line.formats).collect();
        let address = if line.zeros { "0.0.0.0" } else { address };
        let direction = DIRECTIONS[line.direction];
        text += &format!(
            "m={media} {} {proto} {}\nc=IN IP4 {address}\na={direction}\n",
            line.port,
            formats.join(" ")
        );
    }
    text
}

/// An honest answer to an offer of ours, some lines of it rejected.
fn reply(offer: &Bytes, address: &str, rejected: usize) -> String {
    let offer = Description::parse(offer.clone(), &Limits::default()).unwrap();
    let mut text = format!("v=0\no=peer 8 8 IN IP4 {address}\ns=-\nt=0 0\n");
    for (index, media) in offer.media().enumerate() {
        let line = media.line();
        let port = if line.port == 0 || rejected == index + 1 {
            0
        } else {
            7_000 + u16::try_from(index).unwrap() * 2
        };
        let direction = media.direction().reversed().name();
        text += &format!(
            "m={} {port} {} {}\nc=IN IP4 {address}\na={direction}\n",
            line.media, line.proto, line.formats
        );
    }
    text
}

/// Whom we have told what on one leg.
#[derive(Default)]
struct Told {
    last: Option<(Bytes, usize)>,
    ports: Vec<(String, u16)>,
}

impl Told {
    /// RFC 3264 §8 and S0-8 of the requirements.
    fn check(&mut self, text: &Bytes, own_ports: Option<&std::ops::Range<u16>>) {
        let now = Description::parse(text.clone(), &Limits::default()).unwrap();
        let origin = now.origin().unwrap();
        let count = now.media().count();
        if let Some((before, lines)) = &self.last {
            let was = Description::parse(before.clone(), &Limits::default()).unwrap();
            let old = was.origin().unwrap();
            assert_eq!(
                (old.username, old.session_id, old.addr_type, old.address),
                (origin.username, origin.session_id, origin.addr_type, origin.address)
            );
            let step = origin.version.parse::<u64>().unwrap() - old.version.parse::<u64>().unwrap();
            assert_eq!(
                step,
                u64::from(before != text),
                "version goes up by one when and only when the text changes"
            );
            assert!(count >= *lines, "lines never go away");
        }
        for (index, media) in now.media().enumerate() {
            let Some(own_ports) = own_ports else { break };
            let line = media.line();
            let relayed = line.port != 0 && !line.proto.starts_with("TCP");
            if relayed {
                assert!(
                    own_ports.contains(&line.port) && line.port % 2 == 0,
                    "{} is no port of ours",
                    line.port
                );
                let entry = (line.media.to_owned(), line.port);
                match self.ports.get(index).filter(|(media, port)| *port != 0 && media == line.media) {
                    Some((_, port)) => assert_eq!(*port, line.port, "a stream keeps its port"),
                    None => {
                        self.ports.resize(self.ports.len().max(index + 1), (String::new(), 0));
                        self.ports[index] = entry;
                    }
                }
            } else if let Some(entry) = self.ports.get_mut(index) {
                entry.1 = 0;
            }
        }
        sdp_rs_reads_it(text);
        self.last = Some((text.clone(), count));
    }
}

/// A second opinion: a strict reader takes what we wrote, to the last byte.
fn sdp_rs_reads_it(text: &Bytes) {
    let text = std::str::from_utf8(text).unwrap();
    let (rest, _) = sdp_rs::tokenizers::session_description::Tokenizer::tokenize(text).unwrap();
    assert_eq!(rest, "", "{text}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn rfc3264_8_fifty_offers_keep_the_rules_on_each_leg(
        anchored in proptest::bool::weighted(0.75),
        steps in proptest::collection::vec((change(), any::<bool>(), 0..12usize, 0..8u8), 50)
    ) {
        let mut call = if anchored { Call::with_connections() } else { Call::new(Mode::Bypass) };
        let mut lines = vec![Line { kind: 0, port: 4_000, direction: 0, formats: 3, zeros: false }];
        let (mut told_a, mut told_b) = (Told::default(), Told::default());
        for (index, (change, by_caller, rejected, fate)) in steps.into_iter().enumerate() {
            let (from, to) = if by_caller || index == 0 { (A, B) } else { (B, A) };
            let (near, far) = if from == A { ("198.51.100.1", "198.51.100.99") } else { ("198.51.100.99", "198.51.100.1") };
            let mut wanted = lines.clone();
            edit(&mut wanted, &change);
            let offer = call.offer(from, to, &describe(&wanted, near)).unwrap();
            let (ours, theirs) = if from == A { (&mut told_b, &mut told_a) } else { (&mut told_a, &mut told_b) };
            let (range_to, range_from) = if from == A { (30_000..30_200, 20_000..20_200) } else { (20_000..20_200, 30_000..30_200) };
            let before = ours.ports.clone();
            ours.check(&offer, anchored.then_some(&range_to));
            if fate == 0 && index > 0 {
                call.media.offer_failed(to);
                call.media.offer_failed(from);
                ours.last = ours.last.take().map(|(text, _)| (text, lines.len()));
                ours.ports = before;
                continue;
            }
            let answer = call.answer(to, from, &reply(&offer, far, rejected)).unwrap();
            theirs.check(&answer, anchored.then_some(&range_from));
            prop_assert_eq!(answer_count(&answer), wanted.len());
            if index == 0 {
                call.media.confirm(A);
                call.media.confirm(B);
            }
            lines = wanted;
            for (line, media) in lines.iter_mut().zip(Description::parse(answer, &Limits::default()).unwrap().media()) {
                if media.line().port == 0 {
                    line.port = 0;
                }
            }
            for (index, _) in lines.iter().enumerate().filter(|(_, line)| line.port == 0) {
                for told in [&mut told_a, &mut told_b] {
                    if let Some(entry) = told.ports.get_mut(index) {
                        entry.1 = 0;
                    }
                }
            }
            prop_assert!(call.ports.lent() <= 2 * lines.len());
        }
        call.media.close();
        call.drain();
        prop_assert_eq!(call.ports.lent(), 0);
    }
}

fn answer_count(answer: &Bytes) -> usize {
    Description::parse(answer.clone(), &Limits::default()).unwrap().media().count()
}
