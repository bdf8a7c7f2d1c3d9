use super::*;
use sip_types::{Limits, Message};

/// Preferences of an INVITE with these lines.
fn preferences(lines: &[&str]) -> Result<Preferences, TooMany> {
    with_headers(lines, |headers| Preferences::of(headers, &Method::Invite))
}

fn with_headers<T>(lines: &[&str], read: impl Fn(&Headers) -> T) -> T {
    let text = format!("INVITE sip:u@h SIP/2.0\r\n{}\r\n\r\n", lines.join("\r\n"));
    let Message::Request(request) = Message::parse(text.into(), &Limits::default()).unwrap() else {
        panic!("no request")
    };
    read(request.headers())
}

// conforms: RFC3841-7.2-2
#[test]
fn rfc3841_7_2_5_the_example() {
    let asked = preferences(&[
        "Reject-Contact: *;actor=\"msg-taker\";video",
        "Accept-Contact: *;audio;require",
        "a: *;video;explicit",
        "Accept-Contact: *;methods=\"BYE\";class=\"business\";q=1.0",
    ])
    .unwrap();
    let ranks = [
        ";audio;video;methods=\"INVITE,BYE\";q=0.2",
        ";audio=\"FALSE\";methods=\"INVITE\";actor=\"msg-taker\";q=0.2",
        ";audio;actor=\"msg-taker\";methods=\"INVITE\";video;q=0.3",
        ";audio;methods=\"INVITE,OPTIONS\";q=0.2",
        ";q=0.5",
    ]
    .map(|contact| asked.rank(contact));
    // Its fourth contact meets the third value no better than the first: one of the two shares is nought.
    assert_eq!(ranks, [Some(Rank(833_333)), None, None, Some(Rank(500_000)), Some(Rank::BEST)]);
    assert!(asked.are_explicit());
}

#[test]
fn rfc3841_7_2_2_without_preferences_the_method_must_be_known() {
    let asked = preferences(&[]).unwrap();
    assert!(!asked.are_explicit());
    assert_eq!(asked.rank(";methods=\"MESSAGE,BYE\""), None);
    assert_eq!(asked.rank(";methods=\"INVITE,BYE\""), Some(Rank::BEST));
    assert_eq!(asked.rank(";audio"), Some(Rank(0)));
    assert_eq!(asked.rank(""), Some(Rank::BEST));
}

#[test]
fn rfc3841_7_2_4_require_and_explicit() {
    let rank = |value: &str, contact: &str| {
        preferences(&[&format!("Accept-Contact: *;{value}")]).unwrap().rank(contact).map(|rank| rank.0)
    };
    for (value, contact, expected) in [
        ("audio", ";audio", Some(1_000_000)),
        ("audio", ";video", Some(0)),
        ("audio;require", ";video", Some(0)),
        ("audio;require;explicit", ";video", None),
        ("audio;explicit", ";audio;video", Some(1_000_000)),
        ("audio;video;explicit", ";audio", Some(0)),
        ("audio;video", ";audio", Some(500_000)),
        ("audio", ";audio=\"FALSE\"", Some(0)),
        ("audio;require", ";audio=\"FALSE\"", None),
        ("require", ";audio", Some(1_000_000)),
    ] {
        assert_eq!(rank(value, contact), expected, "{value} {contact}");
    }
}

#[test]
fn what_is_only_not_wanted_puts_no_other_behind() {
    let asked = preferences(&["Reject-Contact: *;mobility=\"mobile\""]).unwrap();
    assert_eq!(asked.rank(";mobility=\"fixed\""), Some(Rank::BEST));
    assert_eq!(asked.rank(";audio"), Some(Rank::BEST), "it does not say that it is mobile");
    assert_eq!(asked.rank(";mobility=\"mobile\""), None);
}

#[test]
fn rfc3841_11_there_is_a_limit_and_what_cannot_be_read_says_nothing() {
    let lines = vec!["Accept-Contact: *;audio"; MOST_PREFERENCES];
    assert!(preferences(&lines).is_ok());
    assert_eq!(preferences(&[lines, vec!["Reject-Contact: *;video"]].concat()).err(), Some(TooMany));
    assert!(!preferences(&["Accept-Contact: audio;require"]).unwrap().are_explicit());
}

#[test]
fn rfc3841_9_1_directives_are_read() {
    let read = |line| with_headers(&[line], Disposition::of);
    let all = read("Request-Disposition: proxy, no-fork, no-recurse, SEQUENTIAL, queue, no-cancel");
    assert_eq!(all, Disposition { no_fork: true, no_recurse: true, parallel: Some(false) });
    assert_eq!(read("d: parallel").parallel, Some(true));
    assert_eq!(read("d: fork, recurse, parallel, sequential"), Disposition::default());
}
