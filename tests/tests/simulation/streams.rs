//! Streams that come to a call and go from it (RFC 3264 §8): each has a place of its own, which stays.

use super::common::{ALICE, BOB, Call, INSIDE, OUTSIDE, TWO_SIDES, World, by_hand, document, ms};
use liaison_tests::message::{Msg, audio, body, field, line};

/// What a phone describes: one audio stream, and a video stream on that port; 0: it has its place only.
fn with_video(address: &str, port: u16, video: u16, version: u32) -> String {
    let audio = audio(address, port).replace(&format!("{port} 1 IN"), &format!("{port} {version} IN"));
    format!("{audio}m=video {video} RTP/AVP 97\r\na=rtpmap:97 VP8/90000\r\n")
}

/// The ports of the streams that a description has, in their order.
fn ports(text: &str) -> Vec<(String, u16)> {
    let media = body(text).lines().filter_map(|line| line.strip_prefix("m="));
    media
        .map(|line| {
            let mut words = line.split(' ');
            (words.next().unwrap().to_owned(), words.next().unwrap().parse().unwrap())
        })
        .collect()
}

fn version(text: &str) -> u64 {
    line(body(text), 'o').split(' ').nth(2).unwrap().parse().unwrap()
}

/// One of the two phones.
#[derive(Clone, Copy)]
struct Phone {
    at: &'static str,
    to: &'static str,
    port: u16,
}

const PHONES: [Phone; 2] =
    [Phone { at: ALICE, to: OUTSIDE, port: 4000 }, Phone { at: BOB, to: INSIDE, port: 6000 }];

/// One of the two changes its video stream, which the other one takes on that port: what each of them hears.
fn change(
    world: &mut World,
    call: &Call,
    (by, seq): (usize, u32),
    (offered, answered): (u16, u16),
    version: u32,
) -> (String, String) {
    let [asks, asked] = [PHONES[by], PHONES[1 - by]];
    let inside = |method: &str| if by == 0 { call.alice(method, seq) } else { call.bob(method, seq) };
    world.post(asks.at, asks.to, &inside("INVITE").sdp(&with_video(asks.at, asks.port, offered, version)));
    let heard = world.expect(asked.at, "INVITE");
    let answer = with_video(asked.at, asked.port, answered, version);
    world.post(asked.at, asked.to, &Msg::response(&heard, 200, "").contact(asked.at).sdp(&answer));
    world.expect(asked.at, "ACK");
    let ok = world.expect(asks.at, "200");
    assert!(field(&ok, "CSeq").ends_with("INVITE"), "{ok}");
    world.post(asks.at, asks.to, &inside("ACK"));
    world.run_for(ms(20));
    (heard, ok)
}

/// S3-19: a video stream is added, removed and added again; its line is never missing, its ports are lent while it is there.
#[test]
fn rfc3264_8_2_video_comes_and_goes_in_mid_call_and_its_place_stays() {
    for by in [0, 1] {
        let mut world = by_hand(TWO_SIDES, 31);
        let call = Call::establish(&mut world);
        let first = [version(&call.ok), version(&call.invited)];
        assert_eq!((world.lent(), world.ways()), (2, 2));
        let (offered, answered) = change(&mut world, &call, (by, 2), (4010, 6010), 2);
        for text in [&offered, &answered] {
            let ports = ports(text);
            assert_eq!(ports.iter().map(|(kind, _)| &**kind).collect::<Vec<_>>(), ["audio", "video"]);
            assert!(ports.iter().all(|(_, port)| *port >= 20_000), "through us: {text}");
            assert!(body(text).contains("a=rtpmap:97 VP8/90000"), "{text}");
        }
        assert_eq!((world.lent(), world.ways()), (4, 4), "both streams of both legs");
        let (removed, gone) = change(&mut world, &call, (by, 3), (0, 0), 3);
        for text in [&removed, &gone] {
            assert_eq!(ports(text)[1], ("video".to_owned(), 0), "{text}");
            assert!(ports(text)[0].1 >= 20_000, "{text}");
        }
        assert_eq!((world.lent(), world.ways()), (2, 2), "the ports of the video have come back");
        // Nobody may leave the line out (RFC 3264 §8): that is refused, and what stands stands.
        let [asks, asked] = [PHONES[by], PHONES[1 - by]];
        let inside = |seq| if by == 0 { call.alice("INVITE", seq) } else { call.bob("INVITE", seq) };
        world.post(asks.at, asks.to, &inside(4).sdp(&audio(asks.at, asks.port)));
        let refused = world.expect(asks.at, "488");
        let ack = if by == 0 { call.alice("ACK", 4) } else { call.bob("ACK", 4) };
        world.post(asks.at, asks.to, &ack.branch("4-invite").set("To", &field(&refused, "To")));
        world.expect_no(asked.at, "INVITE");
        let (again, taken) = change(&mut world, &call, (by, 5), (4020, 6020), 5);
        for text in [&again, &taken] {
            assert_eq!(ports(text).len(), 2, "in its old place: {text}");
            assert!(ports(text)[1].1 >= 20_000, "{text}");
        }
        assert_eq!((world.lent(), world.ways()), (4, 4));
        // Three changes on each leg, each one version more than the one before.
        let after = |leg: usize| [first[leg] + 1, first[leg] + 2, first[leg] + 3];
        assert_eq!([&offered, &removed, &again].map(|text| version(text)), after(1 - by));
        assert_eq!([&answered, &gone, &taken].map(|text| version(text)), after(by));
        call.hang_up(&mut world, 9);
        assert_eq!(world.lent(), 0);
    }
}

/// A stream that the other side does not take has its place with port 0 on both legs, and no ports are lent for it.
#[test]
fn rfc3264_6_video_that_is_not_taken_keeps_its_place_with_port_0() {
    for mode in ["anchored", "bypass"] {
        let text = document("", "", &format!("[profiles.default]\nmedia = \"{mode}\"\n"));
        let mut world = by_hand(&text, 32);
        let call = Call::establish(&mut world);
        let (offered, answered) = change(&mut world, &call, (0, 2), (4010, 0), 2);
        assert_ne!(ports(&offered)[1].1, 0, "{offered}");
        assert_eq!(ports(&answered)[1], ("video".to_owned(), 0), "{answered}");
        assert_eq!(world.lent(), if mode == "anchored" { 2 } else { 0 });
        call.hang_up(&mut world, 9);
    }
}
