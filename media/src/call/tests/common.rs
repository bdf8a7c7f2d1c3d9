//! What a description can answer of an offer that it was not made for.

use sdp::{Description, Limits};

use crate::call::own::common;

fn read(formats: &str, maps: &str) -> Description {
    let text = format!(
        "v=0\r\no=- 1 1 IN IP4 h\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4 RTP/AVP {formats}\r\n{maps}"
    );
    Description::parse(text.into_bytes().into(), &Limits::default()).unwrap()
}

#[test]
fn rfc3264_6_1_an_encoding_with_another_clock_is_another_format() {
    let source = read("8 97 101", "a=rtpmap:97 L16/16000\r\na=rtpmap:101 telephone-event/16000\r\n");
    let offer = read("8 97 101", "a=rtpmap:97 L16/8000\r\na=rtpmap:101 telephone-event/8000\r\n");
    let common = common(&source, &offer).unwrap();
    assert_eq!(common.media().next().unwrap().line().formats, "8");
}
