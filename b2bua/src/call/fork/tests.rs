use super::*;
use config::{Config, NetworkName};
use std::sync::Arc;
use std::time::Duration;

fn config(limits: &str) -> Config {
    let text = format!(
        "[networks.a]\nlisteners = [{{ transport = \"udp\", address = \"127.0.0.1:5060\" }}]\n\
         media = {{ address = \"127.0.0.1\" }}\n[limits]\n{limits}"
    );
    Config::parse("test.toml", &text).unwrap_or_else(|errors| panic!("{errors}"))
}

fn network() -> NetworkName {
    config("").networks.keys().next().unwrap().clone()
}

/// A place of a group and branch; its name is in its URI.
fn place(name: &str, group: u16, branch: u16) -> Place {
    let uri: sip_types::Uri = format!("sip:{name}@h").parse().unwrap();
    let target = policy::Target {
        trunk: None,
        network: network(),
        profile: Arc::default(),
        request_uri: uri.clone(),
        next_hop: uri,
        registered: true,
    };
    Place { group, branch, ring_limit: Duration::from_secs(20), ..Place::plain(target, group) }
}

/// What is dialled in turn, beside branches that ring: name, share of the breadth, whether it is the last resort.
fn turns(
    fork: &mut Fork,
    ringing: &mut Vec<u16>,
    legs: &mut usize,
    limits: &Limits,
) -> Vec<(String, u8, bool)> {
    let mut dialled = Vec::new();
    while let Some(turn) = fork.next(&ringing.clone().into_iter(), *legs, limits) {
        ringing.push(turn.place.branch);
        *legs += 1;
        let user = turn.place.target.request_uri.to_string();
        let name = user.strip_prefix("sip:").and_then(|rest| rest.strip_suffix("@h")).unwrap().to_owned();
        dialled.push((name, turn.breadth, turn.last_resort));
    }
    dialled
}

fn names(dialled: Vec<(String, u8, bool)>) -> Vec<String> {
    dialled.into_iter().map(|(name, ..)| name).collect()
}

/// Two devices, the first of which can be reached in two ways, and a third one after them.
fn two_and_one() -> Vec<Place> {
    vec![place("a", 1, 1), place("a2", 1, 1), place("b", 1, 2), place("c", 2, 3)]
}

#[test]
fn one_place_has_all_of_the_breadth() {
    let mut fork = Fork::new(vec![place("a", 1, 1)], MAX_BREADTH);
    let limits = config("").limits;
    let dialled = turns(&mut fork, &mut Vec::new(), &mut 0, &limits);
    assert_eq!(dialled, [("a".to_owned(), 60, true)]);
}

// conforms: RFC5393-5.3.3-5
#[test]
fn a_group_rings_at_once_and_the_ways_of_a_branch_in_turn() {
    let (mut fork, mut ringing, mut legs) = (Fork::new(two_and_one(), MAX_BREADTH), Vec::new(), 0);
    let limits = config("").limits;
    let dialled = turns(&mut fork, &mut ringing, &mut legs, &limits);
    let share = |name: &str, breadth| (name.to_owned(), breadth, false);
    assert_eq!(dialled, [share("a", 20), share("b", 20)], "a share is left for what comes later");
    // `a` cannot be reached in its first way.
    ringing.retain(|branch| *branch != 1);
    fork.give_back(20);
    assert_eq!(turns(&mut fork, &mut ringing, &mut legs, &limits), [share("a2", 20)]);
    // Both fail: the next group.
    ringing.clear();
    fork.give_back(40);
    let dialled = turns(&mut fork, &mut ringing, &mut legs, &limits);
    assert_eq!(dialled, [("c".to_owned(), 60, true)]);
    assert_eq!((fork.group(), fork.len()), (2, 0));
}

#[test]
fn a_branch_with_its_answer_is_tried_in_no_other_way() {
    let (mut fork, mut ringing, mut legs) = (Fork::new(two_and_one(), MAX_BREADTH), Vec::new(), 0);
    let limits = config("").limits;
    turns(&mut fork, &mut ringing, &mut legs, &limits);
    ringing.retain(|branch| *branch != 1);
    fork.settle(1);
    assert!(turns(&mut fork, &mut ringing, &mut legs, &limits).is_empty());
    fork.end_group();
    ringing.clear();
    assert_eq!(names(turns(&mut fork, &mut ringing, &mut legs, &limits)), ["c"]);
}

// conforms: RFC5393-5.3.3-6
#[test]
fn what_is_short_of_breadth_or_beyond_the_limit_waits_for_others_to_fail() {
    for (breadth, limits) in [(1, ""), (60, "branches = 1")] {
        let (mut fork, mut ringing, mut legs) = (Fork::new(two_and_one(), breadth), Vec::new(), 0);
        let limits = config(limits).limits;
        for name in ["a", "a2", "b", "c"] {
            let dialled = turns(&mut fork, &mut ringing, &mut legs, &limits);
            assert_eq!(dialled.len(), 1, "{dialled:?}");
            assert_eq!(dialled[0].0, name);
            let share = dialled[0].1;
            assert!(share >= 1 && share <= breadth);
            // It is given up, and over only later: no breadth, no leg.
            ringing.clear();
            if breadth == 1 {
                assert!(turns(&mut fork, &mut ringing, &mut legs, &limits).is_empty());
            }
            fork.give_back(share);
        }
    }
}

#[test]
fn no_more_targets_are_tried_than_may_be() {
    let (mut fork, mut ringing, mut legs) = (Fork::new(two_and_one(), 60), Vec::new(), 0);
    let limits = config("targets = 2").limits;
    let dialled = turns(&mut fork, &mut ringing, &mut legs, &limits);
    assert_eq!(dialled, [("a".to_owned(), 20, false), ("b".to_owned(), 20, true)]);
    ringing.clear();
    assert!(turns(&mut fork, &mut ringing, &mut legs, &limits).is_empty());
    assert_eq!(fork.len(), 0);
}

#[test]
fn places_put_first_come_in_their_order() {
    let (mut fork, mut ringing, mut legs) = (Fork::new(two_and_one(), 60), Vec::new(), 0);
    let limits = config("").limits;
    turns(&mut fork, &mut ringing, &mut legs, &limits);
    fork.settle(1);
    fork.put_first([place("a3", 1, 1), place("a4", 1, 1)].into_iter());
    for name in ["a3", "a4"] {
        ringing.retain(|branch| *branch != 1);
        fork.give_back(20);
        assert_eq!(names(turns(&mut fork, &mut ringing, &mut legs, &limits)), [name]);
    }
}

#[test]
fn rfc3261_16_7_the_best_failure_is_chosen() {
    let best = |statuses: &[(u16, bool)]| {
        let mut fork = Fork::new(Vec::new(), 60);
        for (status, device) in statuses {
            fork.note(Reply::new(StatusCode::new(*status).unwrap()), *device);
        }
        fork.take_failure().status.as_u16()
    };
    let devices = |statuses: &[u16]| best(&statuses.iter().map(|s| (*s, true)).collect::<Vec<_>>());
    assert_eq!(devices(&[486, 480, 500]), 486);
    assert_eq!(devices(&[500, 404]), 404);
    assert_eq!(devices(&[486, 603, 404]), 603);
    assert_eq!(devices(&[486, 302]), 302);
    assert_eq!(devices(&[486, 484, 415]), 484, "it helps the caller more");
    assert_eq!(best(&[(404, false), (500, false)]), 500, "of a route's targets, the last");
    assert_eq!(best(&[(500, false), (486, true), (503, false)]), 486);
    assert_eq!(best(&[]), 500);
}
