use super::*;
use proptest::prelude::*;

fn rewriter() -> Rewriter {
    Rewriter::new(Paths {
        theirs: "msrp://relay.example.com:9/x;tcp msrp://bob.example.com:7/b0b;tcp".into(),
        ours: "msrp://192.0.2.1:30000/al1ce;tcp".into(),
    })
}

const SENT: &str = "MSRP a786hjs2 SEND\r\nTo-Path: msrp://192.0.2.9:20000/b0b;tcp\r\nFrom-Path: msrp://alice.example.com:2/al1ce;tcp\r\n\
    Message-ID: 87652491\r\nByte-Range: 1-25/25\r\nContent-Type: text/plain\r\n\r\n\
    Hey -------a786hjs2$\r\n-------a786hjs\r\nend\r\n-------a786hjs2$\r\n";
const OK: &str = "MSRP d93k 200 OK\r\nTo-Path: msrp://192.0.2.9:20000/b0b;tcp\r\nFrom-Path: msrp://alice.example.com:2/al1ce;tcp\r\n-------d93k$\r\n";
const GONE: &str = "MSRP a786hjs2 SEND\r\nTo-Path: msrp://relay.example.com:9/x;tcp msrp://bob.example.com:7/b0b;tcp\r\nFrom-Path: msrp://192.0.2.1:30000/al1ce;tcp\r\n\
    Message-ID: 87652491\r\nByte-Range: 1-25/25\r\nContent-Type: text/plain\r\n\r\n\
    Hey -------a786hjs2$\r\n-------a786hjs\r\nend\r\n-------a786hjs2$\r\n";
const ANSWERED: &str = "MSRP d93k 200 OK\r\nTo-Path: msrp://relay.example.com:9/x;tcp\r\nFrom-Path: msrp://192.0.2.1:30000/al1ce;tcp\r\n-------d93k$\r\n";

#[test]
fn the_session_is_that_of_the_last_uri() {
    assert_eq!(session("msrp://a:1/x;tcp msrps://b.example.com:2/s3;tcp;p=1"), Some("s3;tcp;p=1"));
    assert_eq!(session("http://a/x"), None);
    assert_eq!(session("msrp://a:1"), None);
}

#[test]
fn messages_have_the_paths_of_the_leg_that_they_go_to() {
    let mut out = Vec::new();
    // The body's first line looks like its end, but is none: that begins a line.
    rewriter().push([SENT, OK].concat().as_bytes(), &mut out).unwrap();
    assert_eq!(String::from_utf8(out).unwrap(), [GONE, ANSWERED].concat());
}

#[test]
fn what_is_no_msrp_or_never_ends_is_refused() {
    let mut out = Vec::new();
    assert_eq!(rewriter().push(b"GET / HTTP/1.1\r\n", &mut out), Err(Broken));
    assert_eq!(rewriter().push(b"MSRP x SEND\r\nno field\r\n", &mut out), Err(Broken));
    assert_eq!(rewriter().push(&[b'a'; 9_000], &mut out), Err(Broken));
    assert_eq!(out.len(), "MSRP x SEND\r\n".len());
}

proptest! {
    #[test]
    fn it_does_not_matter_how_octets_come(cuts in proptest::collection::vec(1usize..40, 1..80)) {
        let (mut rewriter, mut out) = (rewriter(), Vec::new());
        let text = [SENT, OK, SENT].concat();
        let (mut rest, mut cuts) = (text.as_bytes(), cuts.into_iter().cycle());
        while !rest.is_empty() {
            let (now, later) = rest.split_at(cuts.next().unwrap().min(rest.len()));
            rewriter.push(now, &mut out).unwrap();
            prop_assert!(rewriter.held.len() < 400);
            rest = later;
        }
        prop_assert_eq!(String::from_utf8(out).unwrap(), [GONE, ANSWERED, GONE].concat());
    }

    #[test]
    fn any_octets(parts in proptest::collection::vec(proptest::sample::select(vec!["MSRP ", "abcd ", "SEND\r\n", "To-Path: x\r\n", "\r\n", "-------abcd$\r\n", "-", "\u{e9}", "a:b\r\n"]), 0..60)) {
        let (mut rewriter, mut out) = (rewriter(), Vec::new());
        for part in parts {
            if rewriter.push(part.as_bytes(), &mut out).is_err() {
                break;
            }
        }
    }
}
