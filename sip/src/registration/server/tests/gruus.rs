//! RFC 5627: public and temporary GRUUs.

use super::*;
use std::collections::BTreeSet;

const PHONE: &str = "Supported: gruu\nContact: <sip:1@h.example>;+sip.instance=\"<urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6>\"";

fn gruu(fields: &Fields, name: &str) -> Option<String> {
    let contact = contacts(fields).pop()?;
    let contact: sip_types::header::Contact = sip_types::TypedHeader::parse(&contact.into()).unwrap();
    let value = contact.address().unwrap().params().get_unquoted(name)?;
    Some(value.into_owned())
}

// conforms: RFC5627-5.1-4 RFC5627-5.2-1,3 RFC5627-7-1
#[test]
fn rfc5627_5_2_gruus_are_for_those_who_know_them() {
    let mut desk = Desk::new();
    let fields = desk.register("a", 1, PHONE).unwrap();
    let public = gruu(&fields, "pub-gruu").unwrap();
    assert_eq!(public, "sip:bob@biloxi.example;gr=urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6");
    assert!(gruu(&fields, "temp-gruu").unwrap().starts_with("sip:tgruu."));
    let plain = desk.register("a", 2, &PHONE.replace("Supported: gruu\n", "")).unwrap();
    assert_eq!(gruu(&plain, "pub-gruu"), None);
    assert!(contacts(&plain)[0].contains("+sip.instance"));
}

// conforms: RFC5627-5.4-1
#[test]
fn rfc5627_5_4_a_gruu_leads_to_its_instance_alone() {
    let mut desk = Desk::new();
    let fields = desk.register("a", 1, PHONE).unwrap();
    desk.register("b", 1, "Contact: <sip:2@h.example>").unwrap();
    let (public, temporary) = (gruu(&fields, "pub-gruu").unwrap(), gruu(&fields, "temp-gruu").unwrap());
    for uri in [&public, &temporary] {
        assert_eq!(desk.resolved(uri).unwrap(), [("sip:1@h.example".to_owned(), 3600)], "{uri}");
    }
    assert_eq!(desk.bound().len(), 2);
}

// conforms: RFC5627-5.3-1 RFC5627-5.4-5
#[test]
fn rfc5627_5_3_the_public_one_outlives_the_registration_the_temporary_ones_do_not() {
    let mut desk = Desk::new();
    let fields = desk.register("a", 1, PHONE).unwrap();
    let (public, temporary) = (gruu(&fields, "pub-gruu").unwrap(), gruu(&fields, "temp-gruu").unwrap());
    desk.register("a", 2, "Contact: *\nExpires: 0").unwrap();
    assert_eq!(desk.resolved(&public), Some(Vec::new()));
    assert_eq!(desk.resolved(&temporary), None);
}

// conforms: RFC5627-5.1-6 RFC5627-5.2-2 RFC5627-5.4-4
#[test]
fn rfc5627_5_1_a_refresh_keeps_the_temporary_ones_another_call_id_voids_them() {
    let mut desk = Desk::new();
    let first = gruu(&desk.register("a", 1, PHONE).unwrap(), "temp-gruu").unwrap();
    let second = gruu(&desk.register("a", 2, PHONE).unwrap(), "temp-gruu").unwrap();
    assert_ne!(first, second);
    assert_eq!(desk.resolved(&first), desk.resolved(&second));
    let third = gruu(&desk.register("rebooted", 1, PHONE).unwrap(), "temp-gruu").unwrap();
    assert_eq!((desk.resolved(&first), desk.resolved(&second)), (None, None));
    assert!(desk.resolved(&third).is_some());
}

// conforms: RFC5627-6.1-2
#[test]
fn rfc5627_6_1_of_several_contacts_of_an_instance_the_last_refreshed_is_meant() {
    let mut desk = Desk::new();
    let at = |host: &str| PHONE.replace("h.example", host);
    desk.register("a", 1, &at("first.example")).unwrap();
    // It has started again elsewhere.
    desk.seconds = 5;
    let fields = desk.register("b", 1, &at("second.example")).unwrap();
    let all = contacts(&fields);
    let told = all.iter().find(|contact| contact.contains("second")).unwrap();
    let gruu =
        |name: &str| told.split_once(&format!("{name}=\"")).unwrap().1.split('"').next().unwrap().to_owned();
    let (public, temporary) = (gruu("pub-gruu"), gruu("temp-gruu"));
    for uri in [&public, &temporary] {
        assert_eq!(desk.resolved(uri).unwrap(), [("sip:1@second.example".to_owned(), 3600)], "{uri}");
    }
    assert_eq!(desk.kept().len(), 2);
    desk.seconds = 9;
    desk.register("b", 2, &at("first.example")).unwrap();
    assert_eq!(desk.resolved(&public).unwrap()[0].0, "sip:1@first.example");
}

#[test]
fn a_temporary_gruu_that_was_tampered_with_is_void() {
    let mut desk = Desk::new();
    let good = gruu(&desk.register("a", 1, PHONE).unwrap(), "temp-gruu").unwrap();
    let user = 4 + "tgruu.".len();
    for at in user..user + 36 {
        let mut bytes = good.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        let bad = String::from_utf8(bytes).unwrap();
        // The last character of each half has bits that mean nothing; the decoder refuses those that are set.
        assert_eq!(desk.resolved(&bad), None, "{at}");
    }
    for bad in
        ["sip:tgruu.@biloxi.example;gr", "sip:tgruu.short@biloxi.example;gr", "sip:bob@biloxi.example;gr"]
    {
        assert_eq!(desk.resolved(bad), None, "{bad}");
    }
}

// conforms: RFC5627-5.1-2,3
#[test]
fn rfc5627_5_1_a_contact_that_is_a_gruu_is_refused() {
    let mut desk = Desk::new();
    let temporary = gruu(&desk.register("a", 1, PHONE).unwrap(), "temp-gruu").unwrap();
    let loops = desk.register("b", 1, &format!("Contact: <{temporary}>")).unwrap_err();
    assert_eq!(loops.reply().status.as_u16(), 403);
    let tel = "Contact: <tel:+49301234>;+sip.instance=\"<urn:x:1>\"";
    assert_eq!(desk.register("b", 2, tel).unwrap_err().reply().status.as_u16(), 403);
}

// conforms: RFC5627-5.1-5,10
#[test]
fn rfc5627_5_1_what_a_contact_says_of_its_gruus_is_passed_over() {
    let mut desk = Desk::new();
    let claimed = format!("{PHONE};pub-gruu=\"sip:evil@x.example;gr=1\";temp-gruu=\"sip:evil@y.example;gr\"");
    let fields = desk.register("a", 1, &claimed).unwrap();
    assert!(gruu(&fields, "pub-gruu").unwrap().starts_with("sip:bob@biloxi.example;gr="));
    assert!(gruu(&fields, "temp-gruu").unwrap().starts_with("sip:tgruu."));
    assert!(!contacts(&fields)[0].contains("evil"));
}

/// A phone with that instance, as the one that knows GRUUs.
fn phone(instance: u8) -> String {
    format!("Supported: gruu\nContact: <sip:{instance}@h.example>;+sip.instance=\"<urn:uuid:{instance}>\"")
}

// conforms: RFC5627-5.1-7,8,9 RFC5627-5.4-2,3,7
#[test]
fn rfc5627_5_4_no_two_are_alike_and_nobody_else_sees_which_belong_together() {
    const EACH: u32 = 400;
    let mut desk = Desk::new();
    let users = ["sip:bob@biloxi.example", "sip:eve@biloxi.example"];
    let (mut temporary, mut public, mut all) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
    for user in users {
        for instance in [1, 2] {
            let mut of_one = Vec::new();
            for seq in 0..EACH {
                let fields = desk.register_for(user, "a", seq + 1, &phone(instance)).unwrap();
                let contact =
                    contacts(&fields).into_iter().find(|c| c.contains(&format!("uuid:{instance}>"))).unwrap();
                let value = |name: &str| {
                    let (_, rest) = contact.split_once(&format!("{name}=\"")).unwrap();
                    rest.split('"').next().unwrap().to_owned()
                };
                public.insert(value("pub-gruu"));
                assert!(all.insert(value("temp-gruu")), "a temporary GRUU came twice");
                of_one.push(value("temp-gruu"));
            }
            temporary.push(of_one);
        }
    }
    assert_eq!(public.len(), 4, "one for each instance of each user: {public:?}");
    let uris: Vec<sip_types::Uri> = public.iter().map(|gruu| gruu.parse().unwrap()).collect();
    for (nth, one) in uris.iter().enumerate() {
        assert!(uris.iter().skip(nth + 1).all(|other| one != other), "{one}");
        for user in users {
            let own = Aor::of(one) == Aor::of(&user.parse().unwrap());
            assert_eq!(*one == user.parse::<sip_types::Uri>().unwrap(), own, "{one} is {user}");
        }
    }
    // Two of one instance agree in no more places than two of different ones: by chance in one of 64 characters.
    let alike = |one: &[String], other: &[String]| -> f64 {
        let pairs = one.iter().zip(other.iter().skip(1));
        let same = |(a, b): (&String, &String)| {
            block(a).bytes().zip(block(b).bytes()).filter(|(a, b)| a == b).count()
        };
        pairs.map(same).map(|places| f64::from(u32::try_from(places).unwrap())).sum()
    };
    let places = f64::from(21 * (EACH - 1));
    for one in &temporary {
        for other in &temporary {
            let share = alike(one, other) / places;
            assert!((0.008..0.024).contains(&share), "{share} of the characters agree");
        }
    }
    // Who has another key reads nothing.
    let other = GruuKeys::new(&[8; 16], &[9; 32]);
    let resolved = |keys: &GruuKeys, gruu: &str| {
        let directory = desk.registrar.directory();
        matches!(directory.resolve(desk.now(), &gruu.parse().unwrap(), keys), Resolved::Bindings(_))
    };
    for gruu in temporary.iter().flatten().take(20) {
        assert!(resolved(&desk.keys, gruu) && !resolved(&other, gruu), "{gruu}");
    }
}

/// The encrypted block of a temporary GRUU, without its last character, which has two bits only.
fn block(gruu: &str) -> &str {
    gruu.strip_prefix("sip:tgruu.").and_then(|rest| rest.get(..21)).unwrap()
}
