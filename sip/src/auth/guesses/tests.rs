use super::*;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn at(seconds: u64) -> Mono {
    Mono::from_epoch(Duration::from_secs(seconds))
}

fn table() -> Guesses<ahash::RandomState> {
    Guesses::new(ahash::RandomState::with_seeds(1, 2, 3, 4))
}

const EVE: &str = "192.0.2.66";

#[test]
fn guesses_are_free_then_slowed_then_refused_then_forgotten() {
    let patience = Patience::default();
    let mut table = table();
    let mut now = 0;
    let mut waits = Vec::new();
    let mut reactions = Vec::new();
    for _ in 0..20 {
        match table.permit(at(now), &patience, ip(EVE), "alice") {
            Permit::Check => waits.push(0),
            Permit::Wait(wait) => {
                waits.push(wait.as_secs());
                now += wait.as_secs();
            }
            Permit::Refuse(_) => panic!("too early"),
        }
        reactions.push(table.failed(at(now), &patience, ip(EVE), "alice"));
    }
    assert_eq!(waits[..10], [0, 0, 0, 0, 0, 0, 1, 2, 4, 8]);
    assert_eq!(waits[11..], [32, 64, 64, 64, 64, 64, 64, 64, 64]);
    assert_eq!(reactions[4..7], [Reaction::Noted, Reaction::Slowed, Reaction::Slowed]);
    assert_eq!(reactions[19], Reaction::Refused);
}

#[test]
fn after_a_row_of_guesses_all_are_refused_until_it_is_forgotten() {
    let patience = Patience { refuse_after: 8, ..Patience::default() };
    let mut table = table();
    let reactions: Vec<_> = (0..9).map(|_| table.failed(at(0), &patience, ip(EVE), "alice")).collect();
    assert_eq!(reactions[7], Reaction::Refused);
    assert_ne!(reactions[8], Reaction::Refused, "told once");
    let left = Duration::from_secs(3000);
    assert_eq!(table.permit(at(600), &patience, ip(EVE), "alice"), Permit::Refuse(left));
    // Another user of the source, and the same user elsewhere, go on.
    assert_eq!(table.permit(at(600), &patience, ip(EVE), "bob"), Permit::Check);
    assert_eq!(table.permit(at(600), &patience, ip("192.0.2.67"), "alice"), Permit::Check);
    assert_eq!(table.permit(at(3600), &patience, ip(EVE), "alice"), Permit::Check);
    assert_eq!(table.failed(at(3600), &patience, ip(EVE), "alice"), Reaction::Noted);
}

#[test]
fn a_right_answer_clears_the_row() {
    let patience = Patience::default();
    let mut table = table();
    for _ in 0..7 {
        table.failed(at(0), &patience, ip(EVE), "alice");
    }
    assert_eq!(table.permit(at(0), &patience, ip(EVE), "alice"), Permit::Wait(Duration::from_secs(2)));
    table.passed(&patience, ip(EVE), "alice");
    assert!(table.is_empty() && table.order.is_empty());
    assert_eq!(table.permit(at(0), &patience, ip(EVE), "alice"), Permit::Check);
}

#[test]
fn a_source_is_a_prefix() {
    let patience = Patience { ipv4_prefix: 24, ..Patience::default() };
    let of = |text| prefix(&patience, ip(text));
    assert_eq!(of("192.0.2.66"), of("::ffff:192.0.2.1"));
    assert_ne!(of("192.0.2.66"), of("192.0.3.66"));
    assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:1:2:3"));
    assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
    let all = Patience { ipv4_prefix: 0, ipv6_prefix: 0, ..patience };
    assert_eq!(prefix(&all, ip("192.0.2.1")), ip("0.0.0.0"));
    assert_eq!(prefix(&all, ip("2001:db8::1")), ip("::"));
}

#[test]
fn the_table_is_bounded_and_forgets_who_guessed_longest_ago() {
    let patience = Patience { entries: 100, ..Patience::default() };
    let mut table = table();
    for n in 0..10_000 {
        table.failed(at(n), &patience, ip(EVE), &format!("user{n}"));
        table.failed(at(n), &patience, ip(EVE), "alice");
    }
    assert_eq!((table.len(), table.order.len()), (100, 100));
    assert!(matches!(table.permit(at(10_000), &patience, ip(EVE), "alice"), Permit::Refuse(_)));
}
