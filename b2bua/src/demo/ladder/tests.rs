use super::*;

fn message(right: bool, title: &str, cseq: &str) -> Cell {
    Cell::Message { right, title: title.to_owned(), cseq: cseq.to_owned() }
}

fn row(micros: u64, a: Cell, b: Cell) -> Row {
    Row { at: Duration::from_micros(micros), legs: [a, b] }
}

fn ends() -> Ends {
    let address = |port: u16| SocketAddr::from(([127, 0, 0, 1], port));
    Ends { alice: address(40_001), outside: address(5060), inside: address(5070), bob: address(40_002) }
}

#[test]
fn a_ladder_shows_both_legs_in_order() {
    let rows = [
        row(0, message(true, "INVITE +SDP", "1 INVITE"), Cell::Idle),
        row(412, message(false, "100 Trying", "1 INVITE"), Cell::Idle),
        row(633, Cell::Idle, message(true, "INVITE +SDP", "1 INVITE")),
        row(1_233, Cell::Idle, message(false, "200 OK +SDP", "1 INVITE")),
        row(4_001_233, Cell::Audio("audio".to_owned()), Cell::Audio("audio".to_owned())),
        row(4_001_333, message(true, "BYE", "2 BYE"), Cell::Idle),
        row(4_001_733, message(false, "481 A reason that no arrow has the room for", "2 BYE"), Cell::Idle),
    ];
    insta::assert_snapshot!(render(&rows, &ends(), ["aaaaaaaaaaaaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbbbbbbbbbbbb"]), @r#"
                Alice                                   Liaison                                     Bob
                127.0.0.1:40001            127.0.0.1:5060     127.0.0.1:5070            127.0.0.1:40002
                │  Call-ID aaaaaaaaaaaaaaaaaaaaaaaaaa   │     │  Call-ID bbbbbbbbbbbbbbbbbbbbbbbbbb   │
       0.00 ms  │─ INVITE +SDP ───────────── 1 INVITE ─>│     │                                       │
       0.41 ms  │<─ 100 Trying ────────────── 1 INVITE ─│     │                                       │
       0.63 ms  │                                       │     │─ INVITE +SDP ───────────── 1 INVITE ─>│
       1.23 ms  │                                       │     │<─ 200 OK +SDP ───────────── 1 INVITE ─│
                │<═══════════════ audio ═══════════════>│     │<═══════════════ audio ═══════════════>│
    4001.33 ms  │─ BYE ──────────────────────── 2 BYE ─>│     │                                       │
    4001.73 ms  │<─ 481 A reason that no arro… ─ 2 BYE ─│     │                                       │
    "#);
}

#[test]
fn no_line_is_wider_than_110_columns() {
    let long = "x".repeat(200);
    let rows = [row(59_999_000, message(true, &long, "4294967295 INVITE"), Cell::Audio(long.clone()))];
    let text = render(&rows, &ends(), [&long, &long]);
    assert!(text.lines().all(|line| line.chars().count() <= 110), "{text}");
}

#[test]
fn audio_stands_before_the_bye() {
    use crate::demo::phone::Entry;
    use sip::time::Mono;
    let entry = |millis, sent, text: &str| Entry {
        at: Mono::from_epoch(Duration::from_millis(millis)),
        sent,
        message: Message::parse(text.to_owned().into(), &sip_types::Limits::default()).unwrap(),
    };
    let alice = [
        entry(5, true, "INVITE sip:b SIP/2.0\r\nCall-ID: one\r\nCSeq: 7 INVITE\r\n\r\n"),
        entry(9, true, "BYE sip:b SIP/2.0\r\nCall-ID: one\r\nCSeq: 8 BYE\r\n\r\n"),
    ];
    let bob = [entry(6, false, "INVITE sip:b SIP/2.0\r\nCall-ID: two\r\nCSeq: 3 INVITE\r\n\r\nv=0")];
    let rows = rows(&alice, &bob, Some("audio".to_owned()));
    assert_eq!(
        rows,
        [
            row(0, message(true, "INVITE", "7 INVITE"), Cell::Idle),
            row(1_000, Cell::Idle, message(true, "INVITE +SDP", "3 INVITE")),
            row(1_000, Cell::Audio("audio".to_owned()), Cell::Audio("audio".to_owned())),
            row(4_000, message(true, "BYE", "8 BYE"), Cell::Idle),
        ]
    );
    assert_eq!([call_id(&alice), call_id(&bob)], ["one", "two"]);
}
