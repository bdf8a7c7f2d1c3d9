use super::*;
use crate::flow::ListenerId;

const TERMS: Terms = Terms {
    refusals: 5,
    within: Duration::from_secs(60),
    grace: Duration::from_secs(5),
    quarantine: Duration::from_secs(600),
    proven_for: Duration::from_secs(7200),
    prefixes: Prefixes { ipv4: 32, ipv6: 64 },
    entries: 16_000,
};

fn at(seconds: u64) -> Mono {
    Mono::from_epoch(Duration::from_secs(seconds))
}

fn flow(peer: &str) -> Flow {
    Flow { listener: ListenerId(0), peer: peer.parse().unwrap(), connection: None }
}

fn guard() -> Guard {
    Guard::new(ahash::RandomState::with_seeds(1, 2, 3, 4))
}

/// Who is cut off by so many offences, one a second.
fn offend(guard: &Guard, from: u64, peer: &str, times: u64, offence: Offence) -> Vec<String> {
    let told = (from..from + times).filter_map(|s| guard.offended(at(s), &TERMS, &flow(peer), offence));
    told.map(|suspect| suspect.to_string()).collect()
}

#[test]
fn who_is_refused_again_and_again_is_not_heard_for_a_while_and_told_of_once() {
    let guard = guard();
    assert!(offend(&guard, 0, "192.0.2.66:5060", 4, Offence::Refused).is_empty());
    assert!(!guard.is_cut(at(4), &TERMS, &flow("192.0.2.66:5060")));
    assert_eq!(offend(&guard, 4, "192.0.2.66:5060", 3, Offence::Refused), ["192.0.2.66"]);
    // Whatever its port; nobody else.
    assert!(guard.is_cut(at(7), &TERMS, &flow("192.0.2.66:7777")));
    assert!(!guard.is_cut(at(7), &TERMS, &flow("192.0.2.67:5060")));
    let [one] = guard.quarantined(at(104))[..] else { panic!("one") };
    assert_eq!(one.left, Duration::from_secs(500));
    assert!(guard.is_cut(at(603), &TERMS, &flow("192.0.2.66:5060")));
    // The time is not lengthened by what comes meanwhile.
    assert!(!guard.is_cut(at(604), &TERMS, &flow("192.0.2.66:5060")));
    assert_eq!((guard.quarantined(at(604)).len(), guard.cut.load(Ordering::Relaxed)), (0, 0));
    assert!(offend(&guard, 604, "192.0.2.66:5060", 4, Offence::Refused).is_empty(), "all is forgotten");
}

#[test]
fn refusals_of_long_ago_do_not_count() {
    let guard = guard();
    for minute in 0..10 {
        assert!(offend(&guard, minute * 60, "192.0.2.66:5060", 4, Offence::Refused).is_empty());
    }
}

#[test]
fn a_subscriber_of_ipv6_is_a_source() {
    let guard = guard();
    for host in 1..=5 {
        offend(&guard, 0, &format!("[2001:db8:0:1::{host}]:5060"), 1, Offence::Refused);
    }
    assert_eq!(guard.quarantined(at(0))[0].suspect.to_string(), "2001:db8:0:1::/64");
    assert!(guard.is_cut(at(1), &TERMS, &flow("[2001:db8:0:1:ffff::1]:9")));
    assert!(!guard.is_cut(at(1), &TERMS, &flow("[2001:db8:0:2::1]:5060")));
}

#[test]
fn after_a_restart_all_devices_behind_an_address_are_challenged_before_the_first_answers() {
    let guard = guard();
    let challenge = |seconds, port| {
        let flow = flow(&format!("192.0.2.1:{port}"));
        guard.offended(at(seconds), &TERMS, &flow, Offence::Challenged)
    };
    for port in 1..=1000 {
        assert_eq!(challenge(0, port), None);
    }
    guard.passed(at(1), &TERMS, &flow("192.0.2.1:1"));
    for port in 2..=1000 {
        assert_eq!(challenge(7, port), None, "each has its own count from now on");
    }
    assert!(!guard.is_cut(at(7), &TERMS, &flow("192.0.2.1:1000")));
}

#[test]
fn challenges_that_nobody_answers_count_after_the_grace() {
    let guard = guard();
    assert_eq!(offend(&guard, 0, "192.0.2.66:5060", 5, Offence::Challenged), [""; 0]);
    assert_eq!(offend(&guard, 5, "192.0.2.66:5060", 1, Offence::Challenged), ["192.0.2.66"]);
}

#[test]
fn a_source_with_a_user_is_never_cut_off_as_a_whole() {
    let guard = guard();
    guard.passed(at(0), &TERMS, &flow("192.0.2.1:1000"));
    assert_eq!(offend(&guard, 0, "192.0.2.1:6666", 9, Offence::Refused), ["192.0.2.1:6666"]);
    assert!(guard.is_cut(at(9), &TERMS, &flow("192.0.2.1:6666")));
    assert!(!guard.is_cut(at(9), &TERMS, &flow("192.0.2.1:1001")), "a device that is new");
    assert!(offend(&guard, 9, "192.0.2.1:1000", 50, Offence::Refused).is_empty(), "who mistypes a number");
    // Not for ever.
    assert_eq!(offend(&guard, 7200, "192.0.2.1:1000", 5, Offence::Refused), ["192.0.2.1"]);
}

#[test]
fn a_user_from_before_is_heard_though_the_source_is_cut_off_and_a_right_answer_clears_it() {
    let guard = guard();
    offend(&guard, 0, "192.0.2.1:6666", 5, Offence::Refused);
    assert!(guard.is_cut(at(5), &TERMS, &flow("192.0.2.1:1000")));
    guard.passed(at(5), &TERMS, &flow("192.0.2.1:1000"));
    for port in [1000, 6666] {
        assert!(!guard.is_cut(at(5), &TERMS, &flow(&format!("192.0.2.1:{port}"))));
    }
}

#[test]
fn a_quarantine_is_lifted_by_its_name() {
    let guard = guard();
    offend(&guard, 0, "192.0.2.66:5060", 5, Offence::Refused);
    assert!(!guard.lift(at(5), "192.0.2.6"));
    assert!(guard.lift(at(5), "192.0.2.66") && !guard.lift(at(5), "192.0.2.66"));
    assert!(!guard.is_cut(at(5), &TERMS, &flow("192.0.2.66:5060")));
}

#[test]
fn the_tables_are_bounded_and_forget_who_was_there_longest_ago() {
    let (terms, hasher) = (Terms { entries: 100, ..TERMS }, ahash::RandomState::with_seeds(1, 2, 3, 4));
    let mut tables = Tables::new(hasher);
    for n in 0..10_000_u32 {
        let flow = flow(&format!("{}:5060", std::net::Ipv4Addr::from_bits(n)));
        for _ in 0..5 {
            tables.offended(at(0), &terms, &flow, Offence::Refused);
        }
        let host = std::net::Ipv4Addr::from_bits(1 << 30 | n);
        tables.passed(at(0), &terms, &self::flow(&format!("{host}:5060")));
    }
    assert_eq!((tables.marks.len(), tables.proven.len(), tables.cut), (100, 100, 100));
    assert!(
        tables.is_cut(at(1), &terms, &flow("0.0.39.15:5060"))
            && !tables.is_cut(at(1), &terms, &flow("0.0.0.1:5060"))
    );
}
