//! Names, bodies of INFO, G.711.

use super::super::{Digit, Law, info};
use super::{KEYS, digit};

#[test]
fn every_key_has_a_code_a_name_and_two_frequencies() {
    for (name, code) in KEYS.chars().zip([1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 10, 11, 12, 13, 14, 15]) {
        let key = digit(name);
        assert_eq!((key.code(), key.name(), Digit::of_code(code)), (code, name, Some(key)));
        assert!(key.frequencies().is_some());
    }
    assert_eq!(digit('5').frequencies(), Some((770, 1336)));
    assert_eq!(digit('#').frequencies(), Some((941, 1477)));
    assert_eq!((Digit::FLASH.frequencies(), Digit::of_code(17)), (None, None));
}

#[test]
fn a_key_is_not_told_by_debugging() {
    assert_eq!(format!("{:?}", digit('7')), "Digit");
}

#[test]
fn bodies_of_info_are_read_in_all_ways_they_are_written() {
    let relay = |body: &str| info::read("application/dtmf-relay", body.as_bytes());
    assert_eq!(relay("Signal=5\r\nDuration=160\r\n"), Some((digit('5'), 160)));
    assert_eq!(relay("Signal= *\nDuration= 250"), Some((digit('*'), 250)));
    assert_eq!(relay("signal=11\r\nduration=90\r\n"), Some((digit('#'), 90)));
    assert_eq!(relay("Signal=a"), Some((digit('A'), info::DEFAULT_MILLIS)));
    assert_eq!(relay("Signal=16\r\nDuration=5\r\n"), Some((Digit::FLASH, info::LEAST_MILLIS)));
    assert_eq!(relay("Signal=1\r\nDuration=999999999\r\n"), Some((digit('1'), info::MOST_MILLIS)));
    assert_eq!(info::read("Application/DTMF; q=1", b"9\r\n"), Some((digit('9'), info::DEFAULT_MILLIS)));
    for body in ["", "Signal=", "Signal=17", "Signal=x", "Signal=55", "Duration=3", "\u{7f}"] {
        assert_eq!(relay(body), None, "{body}");
    }
    assert_eq!(info::read("application/json", b"5"), None);
    assert_eq!(info::read("application/dtmf", &[0xff]), None);
}

#[test]
fn a_body_that_is_written_is_read_the_same() {
    for key in KEYS.chars().map(digit).chain([Digit::FLASH]) {
        assert_eq!(info::read(info::RELAY, info::write(key, 120).as_bytes()), Some((key, 120)));
    }
}

#[test]
fn every_code_of_g711_is_the_code_of_its_sample() {
    for code in 0..=u8::MAX {
        assert_eq!(Law::A.encode(Law::A.decode(code)), code, "{code:#04x}");
        // µ-law has a negative zero.
        let again = Law::Mu.encode(Law::Mu.decode(code));
        assert!(again == code || (code, again) == (0x7f, 0xff), "{code:#04x} {again:#04x}");
    }
    assert_eq!((Law::A.encode(0), Law::Mu.encode(0)), (0xd5, 0xff));
    assert_eq!((Law::Mu.decode(0x00), Law::Mu.decode(0x80)), (-32_124, 32_124), "ITU-T G.711 table 2");
    assert_eq!((Law::A.decode(0x2a), Law::A.decode(0xaa)), (-32_256, 32_256), "ITU-T G.711 table 1");
    assert_eq!((Law::Mu.encode(i16::MIN), Law::A.encode(i16::MIN)), (0x00, 0x2a));
}
