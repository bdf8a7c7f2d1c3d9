use super::frame::Fault;
use super::*;
use proptest::prelude::*;
use std::io::{self, Read, Write};
use tungstenite::client::IntoClientRequest;
use tungstenite::handshake::client::generate_request;
use tungstenite::protocol::Role;
use tungstenite::{Message, WebSocket as Foreign};

const LONGEST: usize = 2000;
const SIP: &[u8] = b"OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/WS x.invalid;branch=z9hG4bK1\r\n\r\n";

/// The example of RFC 7118 §4.1, with other fields.
fn request(change: &[(&str, &str)]) -> String {
    let mut fields = vec![
        ("Host", "sip-ws.example.com"),
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("Origin", "http://www.example.com"),
        ("Sec-WebSocket-Protocol", "sip"),
        ("Sec-WebSocket-Version", "13"),
    ];
    for (name, value) in change {
        fields.retain(|(known, _)| known != name);
        fields.push((name, value));
    }
    let fields: String =
        fields.iter().filter(|(_, v)| !v.is_empty()).map(|(n, v)| format!("{n}: {v}\r\n")).collect();
    format!("GET / HTTP/1.1\r\n{fields}\r\n")
}

fn rules() -> Arc<Rules> {
    Arc::new(Rules { origins: Some(vec!["http://www.example.com".to_owned()]), ..Rules::default() })
}

/// What came of the bytes, the messages in them, and the answers, read as Latin-1.
fn feed(socket: &mut WebSocket, bytes: &[u8]) -> (Fed, Vec<Bytes>, String) {
    let (mut messages, mut answers) = (Vec::new(), Vec::new());
    let fed = socket.feed(bytes, LONGEST, &mut messages, &mut answers);
    (fed, messages, answers.concat().iter().map(|b| char::from(*b)).collect())
}

fn open() -> WebSocket {
    let mut socket = WebSocket::new(rules());
    assert!(feed(&mut socket, request(&[]).as_bytes()).0.opened);
    socket
}

/// A masked frame.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mask = [0x37, 0xfa, 0x21, 0x3d];
    let mut out = vec![first];
    match payload.len() {
        short @ ..126 => out.push(0x80 | u8::try_from(short).unwrap()),
        medium => {
            out.push(0x80 | 126);
            out.extend(u16::try_from(medium).unwrap().to_be_bytes());
        }
    }
    out.extend(mask);
    out.extend(payload.iter().zip(mask.iter().cycle()).map(|(b, m)| b ^ m));
    out
}

// conforms: RFC7118-4.1-2
#[test]
fn rfc7118_4_1_the_example_is_accepted() {
    let (fed, _, answer) = feed(&mut WebSocket::new(rules()), request(&[]).as_bytes());
    assert!(fed.opened && fed.close.is_none());
    assert_eq!(
        answer,
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: sip\r\n\r\n"
    );
}

#[test]
fn requests_that_may_not_are_refused() {
    let long = "x".repeat(9000);
    let rows: &[(&[(&str, &str)], &str)] = &[
        (&[("Sec-WebSocket-Protocol", "")], "400"),
        (&[("Sec-WebSocket-Protocol", "xmpp")], "400"),
        (&[("Sec-WebSocket-Protocol", "xmpp, sip")], "101"),
        (&[("Origin", "http://evil.example")], "403"),
        (&[("Origin", "")], "101"),
        (&[("Origin", "HTTP://www.Example.com")], "101"),
        (&[("Upgrade", "h2c")], "426"),
        (&[("Connection", "keep-alive, Upgrade")], "101"),
        (&[("Connection", "close")], "426"),
        (&[("Sec-WebSocket-Version", "8")], "426"),
        (&[("Sec-WebSocket-Key", "")], "400"),
        (&[("Sec-WebSocket-Key", "short==")], "400"),
        (&[("Host", "")], "400"),
        (&[("X-Long", long.as_str())], "431"),
    ];
    for (change, status) in rows {
        let (fed, _, answer) = feed(&mut WebSocket::new(rules()), request(change).as_bytes());
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{change:?}: {answer}");
        assert_eq!(fed.close, (*status != "101").then_some(Close::Refused), "{change:?}");
    }
    let lines = [
        ("POST / HTTP/1.1", "405"),
        ("GET /x HTTP/1.1", "404"),
        ("GET /?a=b HTTP/1.1", "101"),
        ("GET / HTTP/1.0", "505"),
        ("OPTIONS sip:a@b SIP/2.0", "400"),
    ];
    for (line, status) in lines {
        let text = request(&[]).replacen("GET / HTTP/1.1", line, 1);
        let (_, _, answer) = feed(&mut WebSocket::new(rules()), text.as_bytes());
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{line}: {answer}");
    }
}

#[test]
fn a_request_without_end_is_bounded() {
    let mut socket = WebSocket::new(rules());
    let mut fed = 0;
    loop {
        fed += 100;
        let (got, _, answer) = feed(&mut socket, &[b'x'; 100]);
        if got.close.is_some() {
            assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
            break;
        }
        assert!(fed < 10_000);
    }
}

#[test]
fn rfc6455_5_4_fragments_with_a_ping_between_make_one_message() {
    let mut socket = open();
    let (begin, end) = SIP.split_at(20);
    let bytes = [frame(0x01, begin), frame(0x89, b"hello"), frame(0x00, b""), frame(0x80, end)].concat();
    let (fed, messages, answer) = feed(&mut socket, &bytes);
    assert!(fed.pinged && fed.close.is_none() && !socket.is_partial());
    assert_eq!(messages, [Bytes::from_static(SIP)]);
    assert_eq!(answer, "\u{8a}\u{5}hello");
}

#[test]
fn rfc5626_3_5_1_a_crlf_ping_is_answered_in_a_message() {
    let mut socket = open();
    let (fed, messages, answer) =
        feed(&mut socket, &[frame(0x81, b"\r\n\r\n"), frame(0x82, b"\r\n")].concat());
    assert!(fed.pinged && messages.is_empty());
    assert_eq!(answer, "\u{81}\u{2}\r\n");
}

#[test]
fn rfc6455_7_4_1_what_breaks_the_protocol_is_closed_with_its_code() {
    let unmasked = vec![0x81, 0x01, b'a'];
    let long = frame(0x82, &vec![b'x'; LONGEST + 1]);
    let wide = vec![0x82, 0x80 | 126, 0, 5, 1, 2, 3, 4];
    let huge = [&[0x82, 0x80 | 127][..], &u64::MAX.to_be_bytes(), &[0; 4]].concat();
    let wider = [&[0x82, 0x80 | 127][..], &300u64.to_be_bytes(), &[0; 4]].concat();
    let rows = [
        ("unmasked", unmasked, Fault::Protocol),
        ("RSV bit", frame(0xc1, b"a"), Fault::Protocol),
        ("opcode", frame(0x83, b"a"), Fault::Protocol),
        ("continuation of nothing", frame(0x80, b"a"), Fault::Protocol),
        ("message in a message", [frame(0x01, b"a"), frame(0x81, b"b")].concat(), Fault::Protocol),
        ("fragmented ping", frame(0x09, b"a"), Fault::Protocol),
        ("long ping", frame(0x89, &[0; 126]), Fault::Protocol),
        ("length in too many bytes", wide, Fault::Protocol),
        ("length in far too many bytes", wider, Fault::Protocol),
        ("length with its top bit", huge, Fault::Protocol),
        ("close code of one byte", frame(0x88, b"a"), Fault::Protocol),
        ("close code that nobody may send", frame(0x88, &1005u16.to_be_bytes()), Fault::Protocol),
        ("text that is not UTF-8", frame(0x81, b"\xff"), Fault::Encoding),
        ("too long", long, Fault::TooLong),
    ];
    for (what, bytes, fault) in rows {
        let mut socket = open();
        let mut answers: Vec<Bytes> = Vec::new();
        let fed = socket.feed(&bytes, LONGEST, &mut Vec::new(), &mut answers);
        assert_eq!(fed.close, Some(Close::Fault), "{what}");
        let want = [&[0x88, 2][..], &fault.code().to_be_bytes()].concat();
        assert_eq!(answers.concat(), want, "{what}");
        let (after, messages, answer) = feed(&mut socket, &frame(0x81, SIP));
        assert!(after.close.is_none() && messages.is_empty() && answer.is_empty(), "{what}: what follows");
    }
    let fragments = [frame(0x02, &[b'x'; 1500]), frame(0x80, &[b'x'; 1500])].concat();
    assert_eq!(feed(&mut open(), &fragments).0.close, Some(Close::Fault), "too long in fragments");
}

#[test]
fn rfc6455_5_5_1_a_close_is_answered_with_its_code() {
    let mut answers: Vec<Bytes> = Vec::new();
    let fed = open().feed(&frame(0x88, b"\x03\xe8bye"), LONGEST, &mut Vec::new(), &mut answers);
    assert_eq!((fed.close, answers.concat()), (Some(Close::Left), vec![0x88, 2, 0x03, 0xe8]));
}

/// What a foreign client writes and reads.
#[derive(Default)]
struct Pipe {
    incoming: io::Cursor<Vec<u8>>,
    written: Vec<u8>,
}

impl Read for Pipe {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self.incoming.read(into)? {
            0 => Err(io::ErrorKind::WouldBlock.into()),
            read => Ok(read),
        }
    }
}

impl Write for Pipe {
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        self.written.extend_from_slice(from);
        Ok(from.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_foreign_client_is_accepted() {
    let mut wanted = "ws://sbc.example.com/".into_client_request().unwrap();
    wanted.headers_mut().insert("Sec-WebSocket-Protocol", "sip".parse().unwrap());
    let (text, _) = generate_request(wanted).unwrap();
    let (fed, _, answer) = feed(&mut WebSocket::new(Arc::default()), &text);
    assert!(fed.opened, "{answer}");
}

proptest! {
    // conforms: RFC7118-4.2-1
    #[test]
    fn a_foreign_clients_messages_survive_any_cut(
        bodies in proptest::collection::vec((any::<bool>(), "[a-zäß ]{0,300}"), 1..6),
        sizes in proptest::collection::vec(1usize..90, 1..50),
    ) {
        let mut client = Foreign::from_raw_socket(Pipe::default(), Role::Client, None);
        let texts: Vec<String> = bodies.iter().map(|(_, body)| format!("INFO sip:a@b SIP/2.0\r\n\r\n{body}")).collect();
        for (text, (binary, _)) in texts.iter().zip(&bodies) {
            let message = if *binary { Message::binary(text.clone().into_bytes()) } else { Message::text(text.clone()) };
            client.send(message).unwrap();
        }
        let (mut socket, mut got, mut at) = (open(), Vec::new(), 0);
        let written = client.get_ref().written.clone();
        for size in sizes.iter().cycle() {
            let end = written.len().min(at + size);
            got.extend(feed(&mut socket, &written[at..end]).1);
            at = end;
            if at == written.len() { break }
        }
        prop_assert_eq!(got.iter().map(|m| String::from_utf8(m.to_vec()).unwrap()).collect::<Vec<_>>(), texts);
        prop_assert!(!socket.is_partial());
    }

    // conforms: RFC7118-4.2-2 RFC7118-5-2
    #[test]
    fn a_foreign_client_reads_what_we_write(length in 0usize..70_000, text in any::<bool>()) {
        let payload = vec![if text { b'x' } else { 0xff }; length];
        let incoming = io::Cursor::new([&header(&payload)[..], &payload].concat());
        let mut client = Foreign::from_raw_socket(Pipe { incoming, ..Pipe::default() }, Role::Client, None);
        let message = client.read().unwrap();
        prop_assert_eq!(message.is_text(), text || length == 0);
        prop_assert_eq!(message.into_data().to_vec(), payload);
    }

    #[test]
    fn no_bytes_are_too_strange(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        feed(&mut open(), &bytes);
        feed(&mut WebSocket::new(rules()), &bytes);
    }
}
