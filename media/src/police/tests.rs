//! What descriptions allow.

use sdp::Description;

use super::*;

fn section(lines: &str) -> Description {
    let text =
        format!("v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n{lines}\r\n");
    Description::parse(text.into_bytes().into(), &sdp::Limits::default()).unwrap()
}

fn payloads(lines: &str) -> Payloads {
    Payloads::of(&section(lines).media().next().unwrap())
}

fn kilobits(lines: &str) -> Option<u32> {
    rate(&section(lines).media().next().unwrap()).map(|octets| octets / 125)
}

#[test]
fn payload_types_are_those_of_the_media_line_and_comfort_noise_in_speech() {
    let speech = payloads("m=audio 4000 RTP/AVP 0 96 101 200");
    let has: Vec<_> = (0..=255).filter(|payload| speech.has(*payload)).collect();
    assert_eq!(has, [0, 13, 96, 101]);
    let pictures = payloads("m=video 4000 RTP/AVP 127");
    assert_eq!((pictures.has(127), pictures.has(13)), (true, false));
}

#[test]
fn rfc3264_8_3_2_what_stood_before_and_what_is_offered_is_allowed_too() {
    let allowed = |ours: &str, theirs: &str| {
        let (ours, theirs) = (section(ours), section(theirs));
        Allowed::of(&ours.media().next().unwrap(), &theirs.media().next().unwrap())
    };
    let first = allowed("m=audio 4000 RTP/AVP 0 101", "m=audio 4000 RTP/AVP 0 96");
    let has = |of: Allowed| -> Vec<_> { (0..128).filter(|payload| of.payloads().has(*payload)).collect() };
    assert_eq!(has(first), [0, 13, 96, 101]);
    let mut next = allowed("m=audio 4000 RTP/AVP 8", "m=audio 4000 RTP/AVP 8").after(first);
    assert_eq!(has(next), [0, 8, 13, 96, 101]);
    let refreshed = allowed("m=audio 4000 RTP/AVP 8", "m=audio 4000 RTP/AVP 8").after(next);
    assert_eq!(refreshed, next, "that is no change");
    next.offer(payloads("m=audio 4000 RTP/AVP 9"));
    assert_eq!(has(next), [0, 8, 9, 13, 96, 101]);
    let last = allowed("m=audio 4000 RTP/AVP 9", "m=audio 4000 RTP/AVP 9").after(next);
    assert_eq!(has(last), [8, 9, 13]);
}

#[test]
fn rfc8866_5_8_a_rate_is_what_our_description_says_else_what_codecs_take() {
    let video = "m=video 4000 RTP/AVP 96\r\na=rtpmap:96 H264/90000";
    assert_eq!(kilobits(video), None, "nobody knows what that takes");
    assert_eq!(kilobits(&video.replace("\r\n", "\r\nb=AS:1000\r\n")), Some(1_500));
    assert_eq!(kilobits(&video.replace("\r\n", "\r\nb=TIAS:2000000\r\n")), Some(3_000));
    assert_eq!(kilobits(&video.replace("\r\n", "\r\nb=AS:1000\r\nb=TIAS:2000000\r\n")), Some(3_000));
    assert_eq!(kilobits("m=audio 4000 RTP/AVP 0 8 101\r\na=rtpmap:101 telephone-event/8000"), Some(224));
    assert_eq!(kilobits("m=audio 4000 RTP/AVP 18\r\nb=AS:0"), Some(200), "no less than anybody needs");
    assert_eq!(kilobits("m=audio 4000 RTP/AVP 0\r\nb=AS:64"), Some(200));
    assert_eq!(kilobits("m=audio 4000 RTP/AVP 111\r\na=rtpmap:111 opus/48000/2"), Some(1_116));
    assert_eq!(kilobits("m=audio 4000 RTP/AVP 0 97"), None, "97 means nothing");
    assert_eq!(kilobits(&format!("m=audio 4000 RTP/AVP 0\r\nb=AS:{}", u64::MAX)), Some(u32::MAX / 125));
}

#[test]
fn what_was_held_up_comes_at_once_and_a_flood_does_not() {
    let mut bucket = Bucket::new(28_000);
    // 4 s of G.711 at once, and then as usual.
    assert!((0..200).all(|_| bucket.take(172, 1_000)));
    assert!((0..500).all(|nth| bucket.take(172, 1_000 + nth * 20)));
    // Packets of 10 ms for an hour.
    assert!((0..360_000).all(|nth| bucket.take(92, 20_000 + nth * 10)));
    // A thousand packets a second.
    let taken = (0..60_000).filter(|nth| bucket.take(172, 4_000_000 + nth)).count();
    let most = (60 + 5) * 28_000 / 220;
    assert!((most - 10..=most).contains(&taken), "{taken}");
    // The clock never goes back.
    assert!(!bucket.take(60_000, 0));
}

#[test]
fn the_bucket_stays_while_its_rate_does() {
    let mut bucket = Bucket::new(25_000);
    while bucket.take(1_000, 5) {}
    let same = Bucket::change(Some(bucket), Some(25_000));
    assert!(!same.unwrap().take(1_000, 5));
    assert!(Bucket::change(Some(bucket), Some(50_000)).unwrap().take(1_000, 5));
    assert!(Bucket::change(Some(bucket), None).is_none());
}
