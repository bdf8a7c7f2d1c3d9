//! RFC 5626 §6: instances, flows, and hops that keep none.

use super::*;

const ONE: &str = ";+sip.instance=\"<urn:uuid:00000000-0000-1000-8000-000A95A0E128>\"";

// conforms: RFC5626-6-9
#[test]
fn rfc5626_6_a_flow_is_bound_by_instance_and_number_not_by_its_contact() {
    let mut desk = Desk::new();
    let lines = |host: &str, n: u32| {
        format!("Supported: outbound, path\nContact: <sip:line@{host};ob>{ONE};reg-id={n}")
    };
    let fields = desk.register("a", 1, &lines("192.0.2.2", 1)).unwrap();
    assert_eq!(fields.first(HeaderName::Require).unwrap().value(), &b"outbound"[..]);
    assert_eq!(fields.first(HeaderName::FlowTimer).unwrap().value(), &b"25"[..]);
    desk.register("b", 1, &lines("192.0.2.2", 2)).unwrap();
    assert_eq!(contacts(&desk.register("q", 1, "").unwrap()).len(), 2);
    // The phone starts again elsewhere: the same flow, another address.
    desk.seconds = 5;
    desk.register("c", 1, &lines("198.51.100.7", 1)).unwrap();
    assert_eq!(desk.kept().len(), 2);
    // RFC 5626 §7: of one instance the flow that was refreshed last is tried, and the other only instead of it.
    let tried: Vec<_> = desk.bound().into_iter().map(|(uri, _)| uri).collect();
    assert_eq!(tried, ["sip:line@198.51.100.7;ob"]);
    assert_eq!(desk.ways(), [["sip:line@198.51.100.7;ob", "sip:line@192.0.2.2;ob"]]);
}

// conforms: RFC5626-6-7 RFC5626-7-1
#[test]
fn rfc5626_7_bindings_of_an_instance_are_ways_to_one_device_whatever_else_is_bound() {
    let mut desk = Desk::new();
    let numbered =
        |n: u32, q: &str| format!("Supported: outbound\nContact: <sip:1@n{n}.example>{ONE};reg-id={n};q={q}");
    desk.register("a", 1, &numbered(1, "0.2")).unwrap();
    desk.register("b", 1, "Contact: <sip:1@plain.example>;q=0.5").unwrap();
    desk.seconds = 5;
    desk.register("c", 1, &numbered(2, "0.9")).unwrap();
    desk.register("d", 1, &format!("Contact: <sip:1@gruu.example>{ONE};q=0.1")).unwrap();
    desk.seconds = 9;
    desk.register("c", 2, &numbered(2, "0.9")).unwrap();
    let device = ["sip:1@n2.example", "sip:1@gruu.example", "sip:1@n1.example"];
    assert_eq!(desk.ways(), [&device[..], &["sip:1@plain.example"]], "its q is that of its newest binding");
}

// conforms: RFC5626-6-1,8 RFC5626-10-1
#[test]
fn rfc5626_6_contact_parameters_and_path_are_kept_and_a_reg_id_is_a_number_below_2_31() {
    let mut desk = Desk::new();
    let lines = |id: &str| {
        format!(
            "Supported: outbound, path\nPath: <sip:token@edge.example;lr;ob>\n\
             Contact: <sip:1@h.example>{ONE};reg-id={id};+g.x=\"1\""
        )
    };
    desk.register("a", 1, &lines("2147483647")).unwrap();
    let [kept] = &desk.kept()[..] else { panic!("one binding") };
    assert_eq!((kept.reg_id, &*kept.path[0]), (Some(2_147_483_647), "<sip:token@edge.example;lr;ob>"));
    assert!(kept.params.contains(";+g.x=\"1\"") && kept.params.contains(ONE), "{}", kept.params);
    for id in ["0", "2147483648", "x"] {
        let fields = desk.register(id, 1, &lines(id)).unwrap();
        assert!(!fields.contains(HeaderName::Require), "{id}");
    }
}

// conforms: RFC5626-6-2,3,4,5,6
#[test]
fn rfc5626_6_a_first_hop_without_outbound_is_named() {
    let mut desk = Desk::new();
    let vias = "Via: SIP/2.0/TCP edge.example;branch=z9hG4bK1, SIP/2.0/TCP ua.example;branch=z9hG4bK2";
    let contact = format!("Contact: <sip:line@192.0.2.2>{ONE};reg-id=1");
    let asked = format!("{vias}\nSupported: outbound\n{contact}");
    let refused = desk.register("a", 1, &asked).unwrap_err();
    assert_eq!((refused, refused.reply().status.as_u16()), (Refusal::FirstHopLacksOutbound, 439));
    let path = desk.register("a", 2, &format!("{asked}\nPath: <sip:edge.example;lr>")).unwrap_err();
    assert_eq!(path, Refusal::FirstHopLacksOutbound, "no ob in the first Path");
    let fields = desk.register("a", 3, &format!("{asked}\nPath: <sip:token@edge.example;lr;ob>")).unwrap();
    assert!(fields.contains(HeaderName::Require));
    // Who did not ask for outbound gets a plain binding, its reg-id passed over.
    let fields = desk.register("d", 1, &format!("{vias}\n{contact}")).unwrap();
    assert!(!fields.contains(HeaderName::Require));
}

#[test]
fn rfc5626_6_a_reg_id_without_instance_means_nothing() {
    let mut desk = Desk::new();
    let fields = desk.register("a", 1, "Supported: outbound\nContact: <sip:1@h.example>;reg-id=1").unwrap();
    assert!(!fields.contains(HeaderName::Require));
    assert_eq!(desk.kept()[0].reg_id, None);
}

#[test]
fn rfc5626_6_one_flow_a_register() {
    let mut desk = Desk::new();
    let two = format!("Supported: outbound\nContact: <sip:1@h.example>{ONE};reg-id=1, <sip:2@h.example>");
    assert!(matches!(desk.register("a", 1, &two), Err(Refusal::Malformed(_))));
    let with_removal =
        format!("Supported: outbound\nContact: <sip:1@h.example>{ONE};reg-id=1, <sip:2@h.example>;expires=0");
    assert!(desk.register("a", 2, &with_removal).is_ok());
}

// conforms: RFC5626-6-11
#[test]
fn the_flow_of_a_binding_is_that_of_its_last_register() {
    let mut desk = Desk::new();
    let mut request = received(
        "sip:bob@biloxi.example",
        "a",
        1,
        &format!("Supported: outbound\nContact: <sip:1@h.example>{ONE};reg-id=1"),
    );
    let (_, plan) = desk.plan(&request).unwrap();
    desk.registrar.commit(plan);
    request = received(
        "sip:bob@biloxi.example",
        "a",
        2,
        &format!("Supported: outbound\nContact: <sip:1@h.example>{ONE};reg-id=1"),
    );
    request.flow.peer = "203.0.113.9:40000".parse().unwrap();
    let (_, plan) = desk.plan(&request).unwrap();
    desk.registrar.commit(plan);
    assert_eq!(desk.kept()[0].flow.peer, request.flow.peer);
}

// conforms: RFC3261-21.4.16-1
#[test]
fn rfc3261_21_4_16_who_has_to_know_outbound_is_told_so() {
    let asks = |lines: &str, gruu| {
        let request = received("sip:bob@biloxi.example", "a", 1, lines);
        Demand::read(&request, false).unwrap().require_outbound(gruu).map_err(|refusal| {
            let reply = refusal.reply();
            let required = reply.parts.fields.first(HeaderName::Require);
            (reply.status.as_u16(), required.map(|field| String::from_utf8_lossy(field.value()).into_owned()))
        })
    };
    let lacks = |extensions: &str| Err((421, Some(extensions.to_owned())));
    let plain = "Contact: <sip:x@y.invalid;transport=ws>";
    let numbered = format!("{plain}{ONE};reg-id=1");
    let knows = |tags: &str, contact: &str| format!("Supported: {tags}\n{contact}");
    assert_eq!(asks(plain, true), lacks("outbound, gruu"));
    assert_eq!(asks(plain, false), lacks("outbound"));
    assert_eq!(asks(&numbered, false), lacks("outbound"));
    assert_eq!(asks(&knows("outbound", &numbered), true), lacks("gruu"));
    assert_eq!(asks(&knows("outbound", &numbered), false), Ok(()));
    assert_eq!(asks(&knows("path, gruu, outbound", &numbered), true), Ok(()));
    for contact in [plain, &format!("{plain}{ONE}"), &format!("{plain};reg-id=1")] {
        assert_eq!(asks(&knows("outbound, gruu", contact), true), Err((403, None)), "{contact}");
    }
    // Whoever it is may ask, and go.
    for lines in ["", "Contact: *\nExpires: 0", &format!("{plain};expires=0")] {
        assert_eq!(asks(lines, true), Ok(()), "{lines}");
    }
}
