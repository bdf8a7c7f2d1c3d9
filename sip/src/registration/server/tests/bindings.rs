//! RFC 3261 §10.2, §10.3 and RFC 3327.

use super::*;

fn one(uri: &str, left: u64) -> (String, u64) {
    (uri.to_owned(), left)
}

// conforms: RFC3261-10.3-10,11
#[test]
fn rfc3261_10_3_5_the_address_of_record_has_no_parameters_and_no_escapes() {
    let aor = |uri: &str| Aor::of(&uri.parse().unwrap()).map(|a| a.to_string());
    assert_eq!(
        aor("sip:%62ob:secret@BILOXI.example;user=phone;x=1?h=1").as_deref(),
        Some("bob@biloxi.example")
    );
    assert_eq!(aor("sips:bob@biloxi.example:5061").as_deref(), Some("bob@biloxi.example:5061"));
    assert_eq!(aor("sip:[2001:DB8::1]").as_deref(), Some("[2001:db8::1]"));
    assert_eq!(aor("tel:+49301234"), None);
    let odd = Aor::of(&"sip:a%40b@c.example".parse().unwrap()).unwrap();
    assert_eq!((odd.user(), odd.domain()), (Some("a@b"), "c.example"));
}

// conforms: RFC3261-10.3-16,17,18
#[test]
fn rfc3261_10_2_1_a_contact_is_bound_for_what_it_asks() {
    let mut desk = Desk::new();
    let lines = "Contact: <sip:bob@192.0.2.4>;expires=600, <sip:bob@phone.example>\nExpires: 1800";
    let fields = desk.register("a", 1, lines).unwrap();
    assert_eq!(
        contacts(&fields),
        ["<sip:bob@192.0.2.4>;expires=600", "<sip:bob@phone.example>;expires=1800"]
    );
    assert!(fields.contains(HeaderName::Date));
    desk.seconds = 10;
    let fields = desk.register("b", 1, "Contact: <sip:bob@pad.example>").unwrap();
    assert_eq!(
        contacts(&fields),
        [
            "<sip:bob@192.0.2.4>;expires=590",
            "<sip:bob@phone.example>;expires=1790",
            "<sip:bob@pad.example>;expires=3600"
        ]
    );
}

#[test]
fn fewer_contacts_than_are_bound_already_lock_nobody_out() {
    let mut desk = Desk::new();
    desk.register("a", 1, "Contact: <sip:1@h.example>, <sip:2@h.example>, <sip:3@h.example>").unwrap();
    desk.terms.bindings = 2;
    assert_eq!(contacts(&desk.register("z", 1, "").unwrap()).len(), 3);
    desk.register("a", 2, "Contact: <sip:1@h.example>").unwrap();
    let more = desk.register("a", 3, "Contact: <sip:4@h.example>");
    assert_eq!(more.unwrap_err(), Refusal::TooManyContacts);
    desk.register("a", 4, "Contact: <sip:2@h.example>;expires=0").unwrap();
    assert_eq!(desk.bound().len(), 2);
    assert!(desk.register("a", 5, "Contact: <sip:4@h.example>").is_err());
}

#[test]
fn a_contact_that_one_register_names_twice_is_as_it_is_named_last() {
    let mut desk = Desk::new();
    let twice = "Contact: <sip:1@h.example>;expires=600, <sip:1@h.example>;expires=900";
    assert_eq!(contacts(&desk.register("a", 1, twice).unwrap()), ["<sip:1@h.example>;expires=900"]);
    let gone = "Contact: <sip:1@h.example>;expires=600, <sip:1@h.example>;expires=0";
    assert_eq!(contacts(&desk.register("a", 2, gone).unwrap()), [""; 0]);
    let (_, plan) = desk.plan(&received("sip:bob@biloxi.example", "a", 3, gone)).unwrap();
    assert!(plan.contacts.is_empty() && plan.bindings.is_empty(), "nothing has happened: {plan:?}");
}

#[test]
fn what_no_answer_could_list_is_not_bound() {
    let mut desk = Desk::new();
    desk.terms.bindings = 64;
    let long = |n: usize| format!("Contact: <sip:{n}@h.example;x={}>", "x".repeat(7_000));
    let bound = (1..=10).map_while(|n| desk.register(&n.to_string(), 1, &long(n)).ok()).count();
    assert_eq!(bound, 6);
    assert_eq!(desk.register("z", 1, &long(99)).unwrap_err(), Refusal::TooMuch);
    assert_eq!(Refusal::TooMuch.reply().status.as_u16(), 513);
}

#[test]
fn rfc3261_10_2_3_a_query_changes_nothing() {
    let mut desk = Desk::new();
    desk.register("a", 1, "Contact: <sip:bob@192.0.2.4>").unwrap();
    let (_, plan) = desk.plan(&received("sip:bob@biloxi.example", "z", 1, "")).unwrap();
    assert!(!plan.changes());
    assert_eq!(contacts(&desk.register("z", 1, "").unwrap()), ["<sip:bob@192.0.2.4>;expires=3600"]);
}

// conforms: RFC3261-10.3-12,14,15
#[test]
fn rfc3261_10_2_2_star_removes_all_and_only_with_expires_0_alone() {
    let mut desk = Desk::new();
    desk.register("a", 7, "Contact: <sip:1@h.example>, <sip:2@h.example>").unwrap();
    for lines in ["Contact: *", "Contact: *\nExpires: 1", "Contact: *, <sip:x@h.example>\nExpires: 0"] {
        assert!(matches!(desk.register("b", 1, lines), Err(Refusal::Malformed(_))), "{lines}");
    }
    assert_eq!(desk.register("a", 7, "Contact: *\nExpires: 0").unwrap_err(), Refusal::OutOfOrder);
    assert_eq!(desk.bound().len(), 2);
    assert_eq!(contacts(&desk.register("a", 8, "Contact: *\nExpires: 0").unwrap()), [""; 0]);
    assert!(desk.registrar.is_empty());
    assert_eq!((desk.registrar.bindings(), desk.registrar.poll_timeout()), (0, None));
}

#[test]
fn rfc3261_10_2_2_a_contact_with_expires_0_is_removed() {
    let mut desk = Desk::new();
    desk.register("a", 1, "Contact: <sip:1@h.example>, <sip:2@h.example>").unwrap();
    let fields = desk.register("a", 2, "Contact: <sip:1@h.example>;expires=0").unwrap();
    assert_eq!(contacts(&fields), ["<sip:2@h.example>;expires=3600"]);
    assert!(desk.register("a", 3, "Contact: <sip:9@h.example>;expires=0").is_ok());
}

// conforms: RFC3261-10.3-19
#[test]
fn rfc3261_10_3_7_too_brief_is_refused_with_the_least() {
    let mut desk = Desk::new();
    let refused = desk.register("a", 1, "Contact: <sip:1@h.example>;expires=59").unwrap_err();
    assert_eq!(refused, Refusal::IntervalTooBrief(60));
    let reply = refused.reply();
    assert_eq!(reply.status.as_u16(), 423);
    assert_eq!(reply.parts.fields.first(HeaderName::MinExpires).unwrap().value(), &b"60"[..]);
    // An hour or more is never too brief.
    desk.terms.min_expires = Duration::from_secs(7200);
    assert!(desk.register("a", 2, "Contact: <sip:1@h.example>;expires=3600").is_ok());
}

#[test]
fn rfc3261_10_3_7_more_than_the_most_is_cut() {
    let mut desk = Desk::new();
    let fields = desk.register("a", 1, "Contact: <sip:1@h.example>;expires=4294967295").unwrap();
    assert_eq!(contacts(&fields), ["<sip:1@h.example>;expires=7200"]);
    let fields = desk.register("a", 2, "Contact: <sip:1@h.example>;expires=99999999999999").unwrap();
    assert_eq!(
        contacts(&fields),
        ["<sip:1@h.example>;expires=3600"],
        "RFC 3261 §20.10: malformed means an hour"
    );
}

// conforms: RFC3261-10.3-5,21,22,23
#[test]
fn rfc3261_10_3_7_an_older_register_changes_nothing_of_any_contact() {
    let mut desk = Desk::new();
    desk.register("a", 5, "Contact: <sip:1@h.example>").unwrap();
    let lines = "Contact: <sip:new@h.example>, <sip:1@h.example>";
    assert_eq!(desk.register("a", 5, lines).unwrap_err(), Refusal::OutOfOrder);
    assert_eq!(
        desk.register("a", 4, "Contact: <sip:1@h.example>;expires=0").unwrap_err(),
        Refusal::OutOfOrder
    );
    assert_eq!(desk.bound(), [one("sip:1@h.example", 3600)]);
    assert!(desk.register("other", 1, lines).is_ok(), "another Call-ID has its own numbers");
    assert_eq!(desk.bound().len(), 2);
}

#[test]
fn rfc3261_10_3_7_contacts_are_compared_as_uris() {
    let mut desk = Desk::new();
    desk.register("a", 1, "Contact: <sip:b%6Fb@HOST.example;transport=udp>").unwrap();
    let fields = desk.register("a", 2, "Contact: <sip:bob@host.example;transport=udp>;expires=120").unwrap();
    assert_eq!(contacts(&fields), ["<sip:bob@host.example;transport=udp>;expires=120"]);
    desk.register("a", 3, "Contact: <sip:bob@host.example:5060;transport=udp>").unwrap();
    assert_eq!(desk.bound().len(), 2, "a stated default port is another URI (RFC 3261 §19.1.4)");
}

#[test]
fn rfc3261_16_6_the_preferred_contact_comes_first_then_the_newest() {
    let mut desk = Desk::new();
    desk.register("a", 1, "Contact: <sip:low@h.example>;q=0.2, <sip:old@h.example>;q=0.9").unwrap();
    desk.seconds = 1;
    desk.register("b", 1, "Contact: <sip:new@h.example>;q=0.9").unwrap();
    let order: Vec<_> = desk.bound().into_iter().map(|(uri, _)| uri).collect();
    assert_eq!(order, ["sip:new@h.example", "sip:old@h.example", "sip:low@h.example"]);
}

#[test]
fn rfc3840_9_what_a_contact_says_of_itself_stays() {
    let mut desk = Desk::new();
    let lines = "Contact: \"Bob\" <sip:1@h.example>;audio;methods=\"INVITE,BYE\";x-new=1;expires=60;pub-gruu=\"sip:evil\"";
    let fields = desk.register("a", 1, lines).unwrap();
    assert_eq!(contacts(&fields), ["<sip:1@h.example>;audio;methods=\"INVITE,BYE\";x-new=1;expires=60"]);
}

#[test]
fn rfc3327_5_3_the_path_is_kept_and_returned() {
    let mut desk = Desk::new();
    let lines =
        "Contact: <sip:1@h.example>\nPath: <sip:p1.example;lr>\nPath: <sip:p2.example;lr>\nSupported: path";
    let fields = desk.register("a", 1, lines).unwrap();
    let path: Vec<_> = fields.all(HeaderName::Path).map(|f| f.value().to_vec()).collect();
    assert_eq!(path, [b"<sip:p1.example;lr>".to_vec(), b"<sip:p2.example;lr>".to_vec()]);
    assert_eq!(desk.kept()[0].path.len(), 2);
    // A refresh by another way replaces it.
    let fields = desk.register("a", 2, "Contact: <sip:1@h.example>").unwrap();
    assert!(!fields.contains(HeaderName::Path));
    assert_eq!(desk.kept()[0].path.len(), 0);
}

#[test]
fn bindings_end_at_their_time_and_the_owner_hears_of_it() {
    let mut desk = Desk::new();
    desk.register("a", 1, "Contact: <sip:1@h.example>;expires=60, <sip:2@h.example>;expires=120").unwrap();
    assert_eq!(desk.registrar.poll_timeout(), Some(Mono::from_epoch(Duration::from_secs(60))));
    desk.seconds = 60;
    assert_eq!(desk.bound(), [one("sip:2@h.example", 60)], "gone at once, not when the timer is heard");
    let change = desk.registrar.handle_timeout(desk.now()).unwrap();
    assert_eq!(change.contacts.len(), 1);
    assert_eq!((change.contacts[0].1, change.terminated), (ContactEvent::Expired, false));
    assert!(desk.registrar.handle_timeout(desk.now()).is_none());
    desk.seconds = 120;
    assert!(desk.registrar.handle_timeout(desk.now()).unwrap().terminated);
    assert!(desk.registrar.is_empty());
}

#[test]
fn a_register_after_the_end_makes_a_new_binding() {
    let mut desk = Desk::new();
    desk.register("a", 1, "Contact: <sip:1@h.example>;expires=60").unwrap();
    let first = desk.kept()[0].id;
    desk.seconds = 61;
    let (_, plan) =
        desk.plan(&received("sip:bob@biloxi.example", "a", 2, "Contact: <sip:1@h.example>")).unwrap();
    let events: Vec<_> = plan.contacts.iter().map(|(_, e)| *e).collect();
    assert_eq!(events, [ContactEvent::Expired, ContactEvent::Registered]);
    assert_ne!(plan.bindings[0].id, first);
}

#[test]
fn a_refresh_keeps_the_name_and_the_beginning_of_a_binding() {
    let mut desk = Desk::new();
    desk.register("a", 1, "Contact: <sip:1@h.example>").unwrap();
    let before = desk.kept()[0].clone();
    desk.seconds = 30;
    desk.register("a", 2, "Contact: <sip:1@h.example>").unwrap();
    let after = &desk.kept()[0];
    assert_eq!((after.id, after.since), (before.id, before.since));
    assert_eq!((after.refreshed.0 - before.refreshed.0, after.cseq), (30_000, 2));
}

#[test]
fn limits_have_their_answers() {
    let mut desk = Desk::new();
    desk.registrar.limit(Limits { aors: 1, path: 1 });
    desk.terms.bindings = 2;
    desk.register("a", 1, "Contact: <sip:1@h.example>, <sip:2@h.example>").unwrap();
    let third = desk.register("a", 2, "Contact: <sip:3@h.example>").unwrap_err();
    assert_eq!((third, third.reply().status.as_u16()), (Refusal::TooManyContacts, 403));
    let swap = "Contact: <sip:1@h.example>;expires=0, <sip:3@h.example>";
    assert!(desk.register("a", 3, swap).is_ok(), "one goes, one comes");
    let other =
        desk.register_for("sip:eve@biloxi.example", "e", 1, "Contact: <sip:1@h.example>").unwrap_err();
    assert_eq!((other, other.reply().status.as_u16()), (Refusal::Full, 503));
    assert!(desk.register_for("sip:eve@biloxi.example", "e", 2, "").is_ok(), "asking takes no room");
    let path = desk.register("a", 4, "Contact: <sip:1@h.example>\nPath: <sip:a;lr>, <sip:b;lr>").unwrap_err();
    assert_eq!((path, path.reply().status.as_u16()), (Refusal::PathTooLong, 513));
}

// conforms: RFC5627-5.1-1,2
#[test]
fn a_contact_that_leads_back_is_refused() {
    let mut desk = Desk::new();
    for contact in
        ["sip:bob@biloxi.example", "sip:bob@BILOXI.example;transport=tcp", "sip:bob@biloxi.example;gr=urn:x"]
    {
        let refused = desk.register("a", 1, &format!("Contact: <{contact}>")).unwrap_err();
        assert_eq!(refused.reply().status.as_u16(), 403, "{contact}");
    }
}

#[test]
fn what_was_kept_is_there_again_but_for_what_is_over() {
    let mut desk = Desk::new();
    let lines = "Contact: <sip:1@h.example>;expires=60;+sip.instance=\"<urn:i:1>\", <sip:2@h.example>\nSupported: gruu";
    desk.register("a", 1, lines).unwrap();
    let aor = Aor::from_kept("bob@biloxi.example");
    let kept = desk.kept().iter().map(|b| Binding::clone(b)).collect();
    let instances = desk.registrar.directory().record(&aor).unwrap().instances.to_vec();
    assert_eq!(instances.len(), 1);
    let mut again = Desk::new();
    again.seconds = 100;
    again.registrar.restore(again.now(), aor.clone(), kept, &instances);
    assert_eq!(again.bound(), [one("sip:2@h.example", 3500)]);
    assert!(again.registrar.directory().record(&aor).unwrap().instances.is_empty());
}

// conforms: RFC3261-10.3-13,20
#[test]
fn another_call_id_removes_and_updates_whatever_its_number() {
    let mut desk = Desk::new();
    desk.register("a", 9, "Contact: <sip:1@h.example>, <sip:2@h.example>").unwrap();
    let fields = desk.register("b", 1, "Contact: <sip:1@h.example>;expires=0, <sip:2@h.example>;expires=90");
    assert_eq!(contacts(&fields.unwrap()), ["<sip:2@h.example>;expires=90"]);
    assert_eq!(contacts(&desk.register("c", 1, "Contact: *\nExpires: 0").unwrap()), [""; 0]);
}

// conforms: RFC3261-10.3-1
#[test]
fn no_refusal_of_a_registrar_is_global() {
    let all = [
        Refusal::Malformed("x"),
        Refusal::NotFound,
        Refusal::ContactForbidden("x"),
        Refusal::TooManyContacts,
        Refusal::PathTooLong,
        Refusal::Full,
        Refusal::IntervalTooBrief(60),
        Refusal::OutOfOrder,
        Refusal::FirstHopLacksOutbound,
    ];
    for refusal in all {
        assert!(matches!(refusal.reply().status.class(), 4 | 5), "{refusal}");
    }
}

/// What has happened to which contact.
fn told(change: &Change) -> Vec<(String, ContactEvent)> {
    change.contacts.iter().map(|(b, event)| (b.uri.to_string(), *event)).collect()
}

#[test]
fn what_ends_while_a_plan_waits_for_the_store_ends_once() {
    let mut desk = Desk::new();
    desk.register("a", 1, "Contact: <sip:1@h.example>;expires=100, <sip:2@h.example>;expires=100").unwrap();
    // One is refreshed by a REGISTER that waits while both come to their end.
    desk.seconds = 99;
    let (_, plan) =
        desk.plan(&received("sip:bob@biloxi.example", "a", 2, "Contact: <sip:1@h.example>")).unwrap();
    desk.seconds = 100;
    let over = desk.registrar.handle_timeout(desk.now()).unwrap();
    let expired = |n: u8| (format!("sip:{n}@h.example"), ContactEvent::Expired);
    assert_eq!(told(&over), [expired(1), expired(2)]);
    let change = desk.registrar.commit(plan);
    assert_eq!(told(&change), [("sip:1@h.example".to_owned(), ContactEvent::Registered)], "it begins anew");
    assert_eq!(desk.bound(), [one("sip:1@h.example", 3599)]);
    assert_eq!(desk.registrar.bindings(), 1);
    assert!(desk.registrar.handle_timeout(desk.now()).is_none(), "the other one is gone already");
}

#[test]
fn what_a_plan_ends_and_the_clock_before_it_ends_once() {
    for lines in ["Contact: *\nExpires: 0", "Contact: <sip:1@h.example>;expires=0"] {
        let mut desk = Desk::new();
        desk.register("a", 1, "Contact: <sip:1@h.example>;expires=100").unwrap();
        desk.seconds = 99;
        let (_, plan) = desk.plan(&received("sip:bob@biloxi.example", "a", 2, lines)).unwrap();
        desk.seconds = 100;
        assert!(desk.registrar.handle_timeout(desk.now()).is_some());
        let change = desk.registrar.commit(plan);
        assert_eq!((told(&change), change.terminated), (vec![], true));
    }
    // The plan has seen that it is over before the clock was heard.
    let mut desk = Desk::new();
    desk.register("a", 1, "Contact: <sip:1@h.example>;expires=100").unwrap();
    desk.seconds = 100;
    let (_, plan) =
        desk.plan(&received("sip:bob@biloxi.example", "a", 2, "Contact: <sip:2@h.example>")).unwrap();
    assert!(desk.registrar.handle_timeout(desk.now()).is_some());
    let change = desk.registrar.commit(plan);
    assert_eq!(told(&change), [("sip:2@h.example".to_owned(), ContactEvent::Registered)]);
}
