//! The session descriptions of a telephone: PCMA, and nothing else (RFC 8866, RFC 3264).

use bytes::Bytes;
use sip::session::Body;
use sip_types::{Fields, HeaderName};
use std::net::{IpAddr, SocketAddr};

/// Our side of the audio. Its port also names the session: a telephone has one at a time.
pub(super) fn describe(name: &str, audio: SocketAddr) -> Body {
    let (ip, port) = (audio.ip(), audio.port());
    let text = format!(
        "v=0\r\no={name} {port} 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio {port} RTP/AVP 8\r\n\
         a=rtpmap:8 PCMA/8000\r\na=ptime:20\r\na=sendrecv\r\n"
    );
    let mut fields = Fields::default();
    fields.push(HeaderName::ContentType, "application/sdp");
    Body { fields, bytes: text.into() }
}

/// Where the other side hears: the first `m=` line and the `c=` line that holds for it. `None` if it takes no audio.
pub(crate) fn audio_address(body: &Bytes) -> Option<SocketAddr> {
    let text = std::str::from_utf8(body).ok()?;
    let (mut ip, mut port) = (None::<IpAddr>, None::<u16>);
    for line in text.lines() {
        if let Some(connection) = line.strip_prefix("c=IN IP") {
            ip = connection.split(' ').nth(1)?.parse().ok();
        } else if let Some(media) = line.strip_prefix("m=") {
            if port.is_some() {
                break;
            }
            port = media.strip_prefix("audio ")?.split(' ').next()?.parse().ok();
        }
    }
    Some(SocketAddr::new(ip?, port.filter(|port| *port != 0)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_reads_back() {
        let audio = "127.0.0.1:4000".parse().unwrap();
        assert_eq!(audio_address(&describe("alice", audio).bytes), Some(audio));
    }

    #[test]
    fn rfc8866_5_7_the_connection_of_the_medium_counts() {
        let text = "v=0\nc=IN IP4 10.0.0.1\nm=audio 9 RTP/AVP 8\nc=IN IP4 10.0.0.2\nm=video 8 RTP/AVP 99\nc=IN IP4 10.0.0.3";
        assert_eq!(audio_address(&Bytes::from_static(text.as_bytes())), "10.0.0.2:9".parse().ok());
    }

    #[test]
    fn rfc3264_6_a_refused_stream_has_no_address() {
        let text = "v=0\r\nc=IN IP4 10.0.0.1\r\nm=audio 0 RTP/AVP 8\r\n";
        assert_eq!(audio_address(&Bytes::from_static(text.as_bytes())), None);
    }
}
