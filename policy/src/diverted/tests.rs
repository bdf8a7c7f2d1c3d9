use super::*;
use crate::testing::{invite, profile};

/// What a leg is told of a call to `sip:b@x` with these header fields, which goes to that target.
fn told(
    fields: &[&str],
    mode: &str,
    trusted: bool,
    tried: &[Tried<'_>],
    target: (&str, Option<Redirected>),
) -> Vec<String> {
    let (from, to) = (profile(""), profile(&format!("diversion = \"{mode}\"")));
    let crossing = Crossing {
        from_trusted: true,
        to_trusted: trusted,
        from_profile: &from,
        to_profile: &to,
        realms: &[],
    };
    let message = invite(fields);
    let called: Uri = "sip:b@example.com".parse().unwrap();
    let uri: Uri = target.0.parse().unwrap();
    let target = Target { request_uri: &uri, redirected: target.1 };
    let fields = history(message.headers(), &called, tried, target, &crossing);
    let text = |field: &sip_types::OwnedField| {
        format!("{}: {}", field.name_text(), String::from_utf8_lossy(field.value()))
    };
    fields.map(|fields| fields.iter().map(text).collect()).unwrap_or_default()
}

const NO_LEGS: &[Tried<'_>] = &[];

fn leg(target: &str, status: u16) -> Tried<'_> {
    Tried {
        target,
        status: StatusCode::new(status),
        reason: None,
        redirected: None,
        same_network: true,
        heard: false,
        brought: &[],
    }
}

#[test]
fn they_cross_as_they_are_where_nothing_else_is_said() {
    assert!(told(&["Diversion: <sip:a@x>"], "carry", true, NO_LEGS, ("sip:b@y", None)).is_empty());
}

// conforms: RFC7044-9.1-3,4,6,7 RFC7044-9.2-2,3,5,6 RFC7044-10.3-1,2,3,4
#[test]
fn rfc7044_9_a_request_without_history_begins_one() {
    let text = told(&[], "history-info", true, NO_LEGS, ("sip:b@gw.example", None));
    assert_eq!(
        text,
        ["History-Info: <sip:b@example.com>;index=1", "History-Info: <sip:b@gw.example>;index=1.1;rc=1",]
    );
    let text = told(&[], "history-info", true, NO_LEGS, ("sip:b@example.com", None));
    assert_eq!(text[1], "History-Info: <sip:b@example.com>;index=1.1;np=1");
}

// conforms: RFC7044-9.1-1,2 RFC7044-9.2-1 RFC7044-10.3-5,6,12 RFC7044-5-1
#[test]
fn rfc7044_10_3_what_came_is_kept_and_a_gap_is_told_of() {
    let came = "History-Info: <sip:first@a.example?Reason=SIP%3Bcause%3D302>;index=1;foo=bar, \
                <sip:b@example.com>;index=1.1;mp=1";
    let text = told(&[came], "history-info", true, NO_LEGS, ("sip:b@gw.example", None));
    assert_eq!(
        text,
        [
            "History-Info: <sip:first@a.example?Reason=SIP%3Bcause%3D302>;index=1;foo=bar",
            "History-Info: <sip:b@example.com>;index=1.1;mp=1",
            "History-Info: <sip:b@gw.example>;index=1.1.1;rc=1.1",
        ]
    );
    let gap = told(
        &["History-Info: <sip:first@a.example>;index=1"],
        "history-info",
        true,
        NO_LEGS,
        ("sip:b@gw", None),
    );
    assert_eq!(
        gap[1..],
        ["History-Info: <sip:b@example.com>;index=1.0.1", "History-Info: <sip:b@gw>;index=1.0.1.1;rc=1.0.1",]
    );
}

// conforms: RFC7044-9.3-1,2 RFC7044-10.2-1,2,3 RFC7044-10.3-7,10,11 RFC7044-11-2
#[test]
fn rfc7044_9_3_the_next_branch_tells_what_came_of_those_before() {
    let busy = Tried { reason: Some("Q.850;cause=17;text=\"busy\""), ..leg("sip:b@one", 486) };
    let tried = [busy, Tried { status: None, ..leg("sip:b@rings", 0) }, leg("sip:b@two", 408)];
    let text = told(&[], "history-info", true, &tried, ("sip:b@three", None));
    assert_eq!(
        text[1..],
        [
            "History-Info: <sip:b@one?Reason=SIP%3Bcause%3D486%2CQ.850%3Bcause%3D17%3Btext%3D%22busy%22>;index=1.1;rc=1",
            "History-Info: <sip:b@two?Reason=SIP%3Bcause%3D408>;index=1.3;rc=1",
            "History-Info: <sip:b@three>;index=1.4;rc=1",
        ]
    );
}

// conforms: RFC7044-10.3-8,9 RFC7044-10.4-1,2 RFC5806-3.1-1,2
#[test]
fn a_redirection_that_we_follow_diverts_the_call() {
    let redirected =
        Redirected { from: 0, status: StatusCode::MOVED_TEMPORARILY, param: Some(TargetParam::Mp) };
    let tried = [leg("sip:b@one", 302)];
    let text = told(&[], "history-info", true, &tried, ("sip:c@two", Some(redirected)));
    assert_eq!(
        text[1..],
        [
            "History-Info: <sip:b@one?Reason=SIP%3Bcause%3D302>;index=1.1;rc=1",
            "History-Info: <sip:c@two;cause=302>;index=1.2;mp=1.1",
        ]
    );
    let unsaid = Redirected { param: None, ..redirected };
    let text = told(&[], "history-info", true, &tried, ("sip:c@two", Some(unsaid)));
    assert_eq!(text[2], "History-Info: <sip:c@two;cause=302>;index=1.2");
    let text = told(
        &["Diversion: <sip:a@x>;reason=no-answer"],
        "diversion",
        true,
        &tried,
        ("sip:c@two", Some(redirected)),
    );
    assert_eq!(
        text,
        [
            "Diversion: <sip:b@one>;reason=unconditional;counter=1;privacy=off",
            "Diversion: <sip:a@x>;reason=no-answer",
        ]
    );
    // Who has diverted it in another network is nobody outside of what we trust.
    let elsewhere = [Tried { same_network: false, ..leg("sip:b@one", 302) }];
    let text = told(&[], "diversion", false, &elsewhere, ("sip:c@two", Some(redirected)));
    assert_eq!(
        text,
        ["Diversion: <sip:anonymous@anonymous.invalid>;reason=unconditional;counter=1;privacy=full"]
    );
}

const DIVERTED: &str = "Diversion: <sip:two@x>;reason=user-busy;counter=1;privacy=full, \
                        <sip:one@x>;reason=unconditional;counter=1;privacy=off";

#[test]
fn rfc7544_5_diversions_become_history() {
    let text = told(&[DIVERTED], "history-info", true, NO_LEGS, ("sip:b@gw", None));
    assert_eq!(
        text,
        [
            "History-Info: <sip:one@x>;index=1",
            "History-Info: <sip:two@x;cause=302?Privacy=history>;index=1.1;mp=1",
            "History-Info: <sip:b@example.com;cause=486>;index=1.1.1;mp=1.1",
            "History-Info: <sip:b@gw>;index=1.1.1.1;rc=1.1.1",
        ]
    );
    let many = told(
        &["Diversion: <tel:+49301>;reason=deflection;counter=2"],
        "history-info",
        true,
        NO_LEGS,
        ("sip:b@gw", None),
    );
    assert_eq!(
        many[..3],
        [
            "History-Info: <sip:unknown@unknown.invalid>;index=1",
            "History-Info: <sip:+49301@unknown.invalid;user=phone;cause=404>;index=1.1;mp=1",
            "History-Info: <sip:b@example.com;cause=480>;index=1.1.1;mp=1.1",
        ]
    );
}

#[test]
fn rfc7544_6_history_becomes_diversions_and_what_is_more_than_that_stays() {
    let pure = "History-Info: <sip:one@x?Privacy=none>;index=1, \
                <sip:two@x;cause=408?Privacy=history>;index=1.1;mp=1, <sip:b@example.com;cause=486>;index=1.1.1;mp=1.1";
    let text = told(&[pure], "diversion", true, NO_LEGS, ("sip:b@gw", None));
    assert_eq!(
        text,
        [
            "Diversion: <sip:two@x>;reason=user-busy;counter=1;privacy=full",
            "Diversion: <sip:one@x>;reason=no-answer;counter=1;privacy=off",
        ]
    );
    let more = "History-Info: <sip:proxy.x>;index=1, <sip:one@x>;index=1.1;rc=1, <sip:b@example.com;cause=302>;index=1.1.1;mp=1.1";
    let text = told(&[more], "diversion", true, NO_LEGS, ("sip:b@gw", None));
    assert_eq!(text.len(), 2, "{text:?}");
    assert_eq!(text[0], "Diversion: <sip:one@x>;reason=unconditional;counter=1;privacy=off");
    assert_eq!(text[1], more);
    // Outside of what we trust none of it is told that asks to stay unknown.
    let asks = "History-Info: <sip:proxy.x?Privacy=history>;index=1, <sip:one@x>;index=1.1;rc=1, <sip:b@example.com;cause=302>;index=1.1.1;mp=1.1";
    let text = told(&[asks], "diversion", false, NO_LEGS, ("sip:b@gw", None));
    assert_eq!(
        text,
        [
            "Diversion: <sip:one@x>;reason=unconditional;counter=1;privacy=off",
            "History-Info: <sip:anonymous@anonymous.invalid>;index=1",
            "History-Info: <sip:one@x>;index=1.1;rc=1",
            "History-Info: <sip:b@example.com;cause=302>;index=1.1.1;mp=1.1",
        ]
    );
    let text = told(&[more, "Privacy: history"], "diversion", false, NO_LEGS, ("sip:b@gw", None));
    assert!(text.len() == 4 && text.iter().all(|entry| entry.contains("<sip:anonymous@")), "{text:?}");
}

// conforms: RFC7044-10.1.2-1,2,5 RFC7044-9.2-4 RFC7044-9.1-5 RFC7044-10.1.1-4 RFC7044-13-2
#[test]
fn rfc7044_10_1_2_who_asks_to_stay_unknown_does_outside_of_what_we_trust() {
    let text = told(&[DIVERTED], "history-info", false, NO_LEGS, ("sip:b@gw", None));
    assert_eq!(text[1], "History-Info: <sip:anonymous@anonymous.invalid>;index=1.1;mp=1");
    assert_eq!(text[0], "History-Info: <sip:one@x>;index=1");
    let all = told(&[DIVERTED, "Privacy: id; history"], "history-info", false, NO_LEGS, ("sip:b@gw", None));
    assert!(all.iter().all(|entry| entry.contains("<sip:anonymous@anonymous.invalid>")), "{all:?}");
    let text = told(&[DIVERTED], "diversion", false, NO_LEGS, ("sip:b@gw", None));
    assert_eq!(
        text[0],
        "Diversion: <sip:anonymous@anonymous.invalid>;reason=user-busy;counter=1;privacy=full"
    );
    let elsewhere = [Tried { same_network: false, ..leg("sip:b@secret.example", 486) }];
    let text = told(&[], "history-info", false, &elsewhere, ("sip:b@gw", None));
    assert_eq!(
        text[1],
        "History-Info: <sip:anonymous@anonymous.invalid?Reason=SIP%3Bcause%3D486>;index=1.1;rc=1"
    );
}

/// What is told of a call to `sip:b@gw` with a thousand values of a header field, in ten fields.
fn told_of_many(name: &str, mode: &str, value: impl Fn(usize) -> String) -> Vec<String> {
    let field = |nth: usize| {
        let values: Vec<_> = (nth * 100..nth * 100 + 100).map(&value).collect();
        format!("{name}: {}", values.join(", "))
    };
    let fields: Vec<_> = (0..10).map(field).collect();
    let fields: Vec<_> = fields.iter().map(String::as_str).collect();
    told(&fields, mode, true, NO_LEGS, ("sip:b@gw", None))
}

#[test]
fn a_thousand_diversions_that_stand_for_99_each_become_few_entries() {
    let text = told_of_many("Diversion", "history-info", |nth| format!("<sip:{nth}@x>;counter=99"));
    assert_eq!(text.len(), MOST + 2, "{text:?}");
    assert!(text.iter().map(String::len).sum::<usize>() < 4096, "{text:?}");
    // The most recent ones, by name.
    assert_eq!(text[0], "History-Info: <sip:19@x>;index=1");
    assert_eq!(text[1], "History-Info: <sip:18@x;cause=404>;index=1.1;mp=1");
    assert!(text[MOST - 1].starts_with("History-Info: <sip:0@x;cause=404>;"), "{text:?}");
    assert!(text[MOST].starts_with("History-Info: <sip:b@example.com;cause=404>;"), "{text:?}");
}

#[test]
fn diversions_that_are_only_counted_have_the_room_that_is_left() {
    let many = "Diversion: <sip:two@x>;reason=user-busy;counter=99, <sip:one@x>;reason=no-answer;counter=99";
    let text = told(&[many], "history-info", true, NO_LEGS, ("sip:b@gw", None));
    assert_eq!(text.len(), MOST + 2, "{text:?}");
    assert_eq!(text[0], "History-Info: <sip:one@x>;index=1");
    assert_eq!(text[1], "History-Info: <sip:unknown@unknown.invalid;cause=408>;index=1.1;mp=1");
    assert!(text[2].starts_with("History-Info: <sip:unknown@unknown.invalid;cause=404>;"), "{text:?}");
    assert!(text[MOST - 1].starts_with("History-Info: <sip:two@x;cause=404>;"), "{text:?}");
    let history = (1..=15).map(|nth| format!("<sip:h{nth}@x>;index=1.{nth}")).collect::<Vec<_>>().join(", ");
    let diversions = (1..=15).rev().map(|nth| format!("<sip:d{nth}@x>;counter=9")).collect::<Vec<_>>();
    let both = [format!("History-Info: {history}"), format!("Diversion: {}", diversions.join(", "))];
    let text = told(&[&both[0], &both[1]], "history-info", true, NO_LEGS, ("sip:b@gw", None));
    assert_eq!(text.len(), MOST + 2, "{text:?}");
    assert_eq!(text[0], "History-Info: <sip:h11@x>;index=1.11");
    assert_eq!(text[5], "History-Info: <sip:d1@x>;index=1.15.1;mp=1.15");
}

#[test]
fn of_a_long_history_the_most_recent_part_is_told() {
    let entry = |nth| match nth {
        999 => "<sip:b@example.com>;index=1.999".to_owned(),
        nth => format!("<sip:{nth}@x;cause=302>;index=1.{nth}"),
    };
    let text = told_of_many("History-Info", "history-info", entry);
    assert_eq!(text.len(), MOST + 1, "{text:?}");
    assert_eq!(text[0], "History-Info: <sip:980@x;cause=302>;index=1.980");
    assert_eq!(text[MOST], "History-Info: <sip:b@gw>;index=1.999.1;rc=1.999");
    let text =
        told_of_many("History-Info", "diversion", |nth| format!("<sip:{nth}@x;cause=302>;index=1.{nth}"));
    assert_eq!(text.len(), MOST, "{text:?}");
    assert_eq!(text[0], "Diversion: <sip:998@x>;reason=unconditional;counter=1;privacy=off");
    // Those that came as such are nobody's to remove.
    let text = told_of_many("Diversion", "diversion", |nth| format!("<sip:{nth}@x>;counter=99"));
    assert_eq!(text.len(), 1000);
}

#[test]
fn an_index_that_no_call_can_have_is_none() {
    let index = |depth: usize| format!("1{}", ".1".repeat(depth));
    let came = |depth| format!("History-Info: <sip:b@example.com>;index={}", index(depth));
    let text = told(&[&came(LONGEST_INDEX)], "history-info", true, NO_LEGS, ("sip:b@gw", None));
    assert_eq!(text[0], "History-Info: <sip:b@example.com>;index=1");
    let text = told(&[&came(LONGEST_INDEX / 2)], "history-info", true, NO_LEGS, ("sip:b@gw", None));
    assert_eq!(text[0], came(LONGEST_INDEX / 2));
}

// conforms: RFC7044-10.1.2-6,7
#[test]
fn rfc7044_10_1_2_outside_of_what_we_trust_no_entry_has_a_privacy_of_its_own() {
    let came = "History-Info: <sip:one@x?Privacy=none&Reason=SIP%3Bcause%3D302>;index=1;foo=bar, \
                <sip:two@x?Privacy=session>;index=1.1, <sip:b@example.com?Privacy=id%3Bhistory>;index=1.1.1;mp=1.1";
    let outside = told(&[came], "history-info", false, NO_LEGS, ("sip:b@gw", None));
    assert_eq!(
        outside[..3],
        [
            "History-Info: <sip:one@x?Reason=SIP%3Bcause%3D302>;index=1;foo=bar",
            "History-Info: <sip:two@x>;index=1.1",
            "History-Info: <sip:anonymous@anonymous.invalid>;index=1.1.1;mp=1.1",
        ]
    );
    let within = told(&[came], "history-info", true, NO_LEGS, ("sip:b@gw", None));
    assert!(within[..3].iter().all(|entry| entry.contains("Privacy=")), "{within:?}");
}

// conforms: RFC7044-10.1.2-3,4
#[test]
fn rfc7044_10_1_2_what_has_been_hidden_is_not_asked_for_again() {
    let left = |privacy: &str, trusted: bool, mode: &str| {
        let (from, to) = (profile(""), profile(&format!("diversion = \"{mode}\"")));
        let crossing = Crossing {
            from_trusted: true,
            to_trusted: trusted,
            from_profile: &from,
            to_profile: &to,
            realms: &[],
        };
        let left = privacy_left(invite(&[&format!("Privacy: {privacy}")]).headers(), &crossing);
        left.map(|left| left.map(|privacy| privacy.to_string()))
    };
    assert_eq!(left("id;history;critical", false, "history-info"), Some(Some("id;critical".to_owned())));
    assert_eq!(left("History", false, "history-info"), Some(None));
    assert_eq!(left("id", false, "history-info"), None);
    assert_eq!(left("history", true, "history-info"), None);
    assert_eq!(left("history", false, "diversion"), Some(None));
    assert_eq!(left("history", false, "carry"), None);
}

/// What a caller is told that has sent these header fields.
fn told_back(fields: &[&str], trusted: bool, tried: &[Tried<'_>], brought: &[HistoryInfo]) -> Vec<String> {
    let profile = profile("diversion = \"history-info\"");
    let crossing = Crossing {
        from_trusted: true,
        to_trusted: trusted,
        from_profile: &profile,
        to_profile: &profile,
        realms: &[],
    };
    let called: Uri = "sip:b@example.com".parse().unwrap();
    let fields = history_back(invite(fields).headers(), &called, tried, brought, &crossing);
    fields.iter().map(|field| String::from_utf8_lossy(field.value()).into_owned()).collect()
}

fn entry_of(text: &str) -> HistoryInfo {
    sip_types::TypedHeader::parse(&text.to_owned().into()).unwrap()
}

// conforms: RFC7044-9.3-3,4
#[test]
fn rfc7044_9_3_what_responses_tell_is_told_on_in_its_place() {
    let brought = [
        entry_of("<sip:b@example.com>;index=1"),
        entry_of("<sip:b@one>;index=1.1;rc=1"),
        entry_of("<sip:deeper@one>;index=1.1.10;mp=1.1"),
        entry_of("<sip:deep@one?Reason=SIP%3Bcause%3D404>;index=1.1.2;mp=1.1"),
        entry_of("<sip:beside@one>;index=1.2"),
    ];
    let tried = [Tried { brought: &brought, ..leg("sip:b@one", 486) }, leg("sip:b@two", 408)];
    let text = told(&[], "history-info", true, &tried, ("sip:b@three", None));
    assert_eq!(
        text,
        [
            "History-Info: <sip:b@example.com>;index=1",
            "History-Info: <sip:b@one?Reason=SIP%3Bcause%3D486>;index=1.1;rc=1",
            "History-Info: <sip:deep@one?Reason=SIP%3Bcause%3D404>;index=1.1.2;mp=1.1",
            "History-Info: <sip:deeper@one>;index=1.1.10;mp=1.1",
            "History-Info: <sip:beside@one>;index=1.2",
            "History-Info: <sip:b@two?Reason=SIP%3Bcause%3D408>;index=1.2;rc=1",
            "History-Info: <sip:b@three>;index=1.3;rc=1",
        ]
    );
}

/// What a leg in another network has told is as private as the leg.
#[test]
fn what_responses_tell_of_another_network_stays_unknown_outside_of_what_we_trust() {
    let brought = [entry_of("<sip:deep@one?Reason=SIP%3Bcause%3D404>;index=1.1.1;mp=1.1")];
    let elsewhere = Tried { brought: &brought, same_network: false, ..leg("sip:b@one", 486) };
    let target = ("sip:b@two", None);
    let text = told(&[], "history-info", false, std::slice::from_ref(&elsewhere), target);
    let hidden = "<sip:anonymous@anonymous.invalid?Reason=SIP%3Bcause%3D404>;index=1.1.1;mp=1.1";
    assert_eq!(text[2], format!("History-Info: {hidden}"));
    let text = told(&[], "history-info", true, std::slice::from_ref(&elsewhere), target);
    assert_eq!(text[2], format!("History-Info: {}", brought[0]));
    let heard = Tried { status: None, heard: true, brought: &[], ..elsewhere };
    let text = told_back(&["Supported: histinfo"], false, &[heard], &brought);
    assert_eq!(text[2], hidden);
}

// conforms: RFC7044-9.4-1
#[test]
fn rfc7044_9_4_a_caller_that_knows_of_histories_is_told_what_its_call_has_been_through() {
    let heard = Tried { status: None, heard: true, ..leg("sip:b@two", 0) };
    let elsewhere = Tried { same_network: false, ..leg("sip:b@one", 486) };
    let tried = [elsewhere, Tried { status: None, ..leg("sip:b@rings", 0) }, heard];
    let brought = [entry_of("<sip:far@two>;index=1.3.1;mp=1.3")];
    assert!(told_back(&[], true, &tried, &brought).is_empty(), "it has not asked");
    let expected = [
        "<sip:b@example.com>;index=1",
        "<sip:b@one?Reason=SIP%3Bcause%3D486>;index=1.1;rc=1",
        "<sip:b@two>;index=1.3;rc=1",
        "<sip:far@two>;index=1.3.1;mp=1.3",
    ];
    assert_eq!(told_back(&["Supported: 100rel, histinfo"], true, &tried, &brought), expected);
    let own = "History-Info: <sip:first@x?Privacy=history>;index=1, <sip:b@example.com>;index=1.1;mp=1";
    let outside = told_back(&[own], false, &tried, &[]);
    assert_eq!(
        outside,
        [
            "<sip:anonymous@anonymous.invalid>;index=1",
            "<sip:b@example.com>;index=1.1;mp=1",
            "<sip:anonymous@anonymous.invalid?Reason=SIP%3Bcause%3D486>;index=1.1.1;rc=1.1",
            "<sip:b@two>;index=1.1.3;rc=1.1",
        ]
    );
}
