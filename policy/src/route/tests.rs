use std::net::IpAddr;

use proptest::prelude::*;
use sip_types::{Method, Uri};

use super::*;
use crate::testing::{NETWORKS, compiled, name};

const TRUNKS: &str = r#"
[trunks.north]
network = "b"
targets = ["sip:192.0.2.1", "sip:192.0.2.2:5070;transport=tcp"]
from = ["192.0.2.0/24", "2001:db8::/32"]
[trunks.south]
network = "b"
targets = ["sip:198.51.100.1"]
domain = "south.example:5062"
from = ["192.0.2.128/25", "192.0.2.7"]
[trunks.desk]
network = "a"
targets = ["sip:desk@10.0.0.1"]
"#;

fn policy(routes: &str) -> Compiled {
    compiled(&format!("{NETWORKS}{TRUNKS}{routes}"))
}

/// Where `method called` from network `a` goes, with the trail.
fn decide(policy: &Compiled, called: &str, from: &str) -> (String, String) {
    let (called, from): (Uri, Uri) = (called.parse().unwrap(), from.parse().unwrap());
    let facts = RouteFacts {
        network: name(&policy.config().networks, "a"),
        trunk: None,
        method: &Method::Invite,
        request_uri: &called,
        from: Some(&from),
    };
    let mut trail = Trail::default();
    let decision = match policy.route(&facts, &mut trail) {
        Decision::NoRoute => "none".to_owned(),
        Decision::Reject { route, status, .. } => format!("{route} {status}"),
        Decision::Targets { route, targets } => {
            let target = |target: &Target| match target.request_uri == target.next_hop {
                true => target.request_uri.to_string(),
                false => format!("{} by {}", target.request_uri, target.next_hop),
            };
            format!("{route} {}", targets.iter().map(target).collect::<Vec<_>>().join(", "))
        }
    };
    (decision, trail.to_string())
}

#[test]
fn the_most_specific_called_pattern_decides() {
    assert_eq!(decide(&policy(""), "sip:x@y", "sip:a@b").0, "none");
    let rows = ["any", "domain", "short", "long", "user", "pair", "uri"];
    let patterns = [
        "*",
        "@example.com",
        "+49*",
        "+4930*",
        "+49-30-1",
        "+49301@example.com",
        "sip:+49301@example.com;x=1",
    ];
    let routes: String = rows
        .iter()
        .zip(patterns)
        .map(|(name, called)| {
            format!("[[routes]]\nname = \"{name}\"\ncalled = [\"{called}\"]\nreject = {{}}\n")
        })
        .collect();
    let policy = policy(&routes);
    let rows = [
        ("sip:+49301@example.com;x=1", "uri 403"),
        ("sip:+49301@EXAMPLE.com;x=2", "pair 403"),
        ("sip:+49.301@example.com:5070;user=phone", "pair 403"),
        ("sip:+49301@other.example", "user 403"),
        ("tel:+49-301", "user 403"),
        ("sip:+493012@example.com", "long 403"),
        ("sip:+498@example.com", "short 403"),
        ("sip:bob@example.com", "domain 403"),
        ("sip:bob@sub.example.com", "any 403"),
        ("urn:service:sos", "any 403"),
    ];
    for (called, expected) in rows {
        assert_eq!(decide(&policy, called, "sip:a@b").0, expected, "{called}");
    }
}

#[test]
fn priority_comes_before_patterns_and_the_document_decides_among_equals() {
    let policy = policy(
        r#"
[[routes]]
name = "second"
called = ["1*"]
calling = ["sip:boss@b"]
reject = { status = 480 }
[[routes]]
name = "third"
called = ["1*"]
reject = { status = 404 }
[[routes]]
name = "screen"
priority = 1
calling = ["bad*", "@evil.example"]
reject = { status = 603 }
"#,
    );
    assert_eq!(decide(&policy, "sip:12@x", "sip:a@b").0, "third 404");
    assert_eq!(decide(&policy, "sip:12@x", "sip:boss@b").0, "second 480");
    assert_eq!(decide(&policy, "sip:12@x", "sip:badger@b").0, "screen 603");
    assert_eq!(decide(&policy, "sip:12@x", "sip:a@EVIL.example").0, "screen 603");
}

#[test]
fn a_trail_says_which_routes_were_tried_and_why_they_matched_or_not() {
    let policy = policy(
        r#"
[[routes]]
name = "from-b"
networks = ["b"]
called = ["+4930*"]
to = ["north"]
[[routes]]
name = "from-north"
trunks = ["north"]
called = ["+4930*"]
to = ["north"]
[[routes]]
name = "messages"
methods = ["MESSAGE"]
called = ["+493*"]
to = ["north"]
[[routes]]
name = "boss"
calling = ["boss@example.com"]
called = ["+4*"]
to = ["north"]
[[routes]]
name = "rest"
to = ["south", { uri = "sip:voicemail@10.0.0.9", network = "a" }]
[[routes]]
name = "never"
to = ["north"]
"#,
    );
    let (decision, trail) = decide(&policy, "sip:+49301@example.com", "sip:a@b");
    insta::assert_snapshot!(decision, @"rest sip:+49301@south.example:5062 by sip:198.51.100.1, sip:voicemail@10.0.0.9");
    insta::assert_snapshot!(trail, @r#"
    route: not from-b (called matches +4930*, but the network does not match)
    route: not from-north (called matches +4930*, but the trunk does not match)
    route: not messages (called matches +493*, but the method does not match)
    route: not boss (called matches +4*, but the calling party does not match)
    route: rest: to south, sip:voicemail@10.0.0.9 (called matches *, and so does all else that it asks)
    "#);
    let (_, trail) = decide(&self::policy(""), "sip:x@y", "sip:a@b");
    insta::assert_snapshot!(trail, @"route: 404 (no route matches)");
    let called: Uri = "sip:+49301@example.com".parse().unwrap();
    let facts = RouteFacts {
        network: name(&policy.config().networks, "b"),
        trunk: Some(name(&policy.config().trunks, "south")),
        method: &Method::Message,
        request_uri: &called,
        from: None,
    };
    insta::assert_snapshot!(policy.explain(&facts).join("\n"), @r#"
    routes[0] from-b: matches, and is taken
    routes[1] from-north: the trunk does not match
    routes[2] messages: matches, but another one comes first
    routes[3] boss: the calling party does not match
    routes[4] rest: matches, but another one comes first
    routes[5] never: matches, but another one comes first
    "#);
}

#[test]
fn rfc3261_8_1_1_1_the_request_uri_is_the_called_user_at_the_trunks_host() {
    let to = |to: &str, number: &str| {
        policy(&format!(
            "[[routes]]\nname = \"r\"\nto = [\"{to}\"]\n{}",
            match number {
                "" => String::new(),
                number => format!("number = {{ {number} }}\n"),
            }
        ))
    };
    let rows = [
        (
            "north",
            "",
            "sip:0301@a",
            "r sip:0301@192.0.2.1 by sip:192.0.2.1, \
             sip:0301@192.0.2.2:5070;transport=tcp by sip:192.0.2.2:5070;transport=tcp",
        ),
        ("south", "", "sip:a%20b@a", "r sip:a%20b@south.example:5062 by sip:198.51.100.1"),
        ("south", "", "tel:+49-30", "r sip:+4930@south.example:5062;user=phone by sip:198.51.100.1"),
        ("desk", "", "sip:0301@a", "r sip:desk@10.0.0.1"),
        (
            "south",
            "strip = \"0\", prefix = \"+49\"",
            "sip:030-1@a",
            "r sip:+49301@south.example:5062 by sip:198.51.100.1",
        ),
        ("south", "strip = \"0\"", "sip:1@a", "r sip:1@south.example:5062 by sip:198.51.100.1"),
        (
            "south",
            "prefix = \"9\"",
            "sip:bob@a;user=phone",
            "r sip:9bob@south.example:5062;user=phone by sip:198.51.100.1",
        ),
        ("south", "prefix = \"9\"", "sip:a.example", "r sip:south.example:5062 by sip:198.51.100.1"),
    ];
    for (trunk, number, called, expected) in rows {
        assert_eq!(decide(&to(trunk, number), called, "sip:a@b").0, expected, "{trunk} {number} {called}");
    }
}

#[test]
fn a_source_belongs_to_the_trunk_with_the_longest_network() {
    let policy = policy("");
    let (a, b) = (name(&policy.config().networks, "a"), name(&policy.config().networks, "b"));
    let rows = [
        ("192.0.2.1", Some("north")),
        ("192.0.2.7", Some("south")),
        ("192.0.2.200", Some("south")),
        ("::ffff:192.0.2.200", Some("south")),
        ("2001:db8::1", Some("north")),
        ("192.0.3.1", None),
        ("2001:db9::1", None),
    ];
    for (source, trunk) in rows {
        let source: IpAddr = source.parse().unwrap();
        assert_eq!(policy.peer(b, source).map(TrunkName::as_str), trunk, "{source}");
        assert_eq!(policy.peer(a, source), None);
    }
}

proptest! {
    #[test]
    fn the_pattern_table_equals_a_scan_of_the_patterns(
        user in "[+a01]{0,4}",
        host in "[xy]",
        patterns in proptest::collection::vec(prop_oneof![
            "[+a01]{1,4}\\*", "[+a01]{1,4}", "[+a01]{1,4}@[xy]", "@[xy]", "\\*", "sip:[+a01]{1,3}@[xy]",
        ], 0..24),
    ) {
        let routes: String = patterns.iter().enumerate()
            .map(|(index, called)| format!("[[routes]]\nname = \"r{index}\"\ncalled = [\"{called}\"]\nreject = {{}}\n"))
            .collect();
        let policy = policy(&routes);
        let at = if user.is_empty() { host } else { format!("{user}@{host}") };
        let uri: Uri = format!("sip:{at}").parse().unwrap();
        let party = Party::new(&uri);
        let rank = |pattern: &Pattern| match pattern {
            Pattern::Uri(_) => 1000,
            Pattern::UserAtHost { .. } => 900,
            Pattern::User(_) => 800,
            Pattern::Prefix(prefix) => 100 + prefix.len(),
            Pattern::Domain(_) => 2,
            Pattern::Any => 1,
        };
        let best = policy.config().routes.iter().enumerate()
            .filter(|(_, route)| party.matches(&route.called[0]))
            .max_by_key(|(index, route)| (rank(&route.called[0]), std::cmp::Reverse(*index)))
            .map_or("none".to_owned(), |(index, _)| format!("r{index} 403"));
        prop_assert_eq!(decide(&policy, uri.as_str(), "sip:a@b").0, best);
    }
}

#[test]
fn a_domain_of_ours_leads_to_its_user_as_the_route_rewrites_it() {
    let document = format!(
        "{NETWORKS}[networks.b.registrar]\ndomains = [\"example.com\"]\n\
         challenge = {{ realm = \"r\", users = [{{ username = \"u\", password = {{ env = \"X\" }} }}] }}\n\
         accounts = [{{ address = \"100@example.com\", users = [\"u\"] }}]\n\
         [[routes]]\nname = \"users\"\nto = [{{ domain = \"example.com\" }}]\nnumber = {{ strip = \"+49\" }}\n"
    );
    let policy = compiled(&document);
    let route = |called: &str| {
        let called: Uri = called.parse().unwrap();
        let network = name(&policy.config().networks, "a");
        let facts =
            RouteFacts { network, trunk: None, method: &Method::Invite, request_uri: &called, from: None };
        match policy.route(&facts, &mut Trail::default()) {
            Decision::Targets { targets, .. } => targets,
            other => panic!("{other:?}"),
        }
    };
    let targets = route("sip:+49100@10.0.0.1:5060;user=phone");
    let [target] = &*targets else { panic!("{targets:?}") };
    assert!(target.registered && target.network.as_str() == "b", "{target:?}");
    assert_eq!(target.request_uri.as_str(), "sip:100@example.com");
    let gruu = route("sip:alice@example.com;gr=urn:uuid:1");
    assert_eq!(gruu[0].request_uri.as_str(), "sip:alice@example.com;gr=urn:uuid:1");
}
