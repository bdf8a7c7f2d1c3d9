//! SIPS contacts (RFC 5630 §5.2).

use super::*;

const TO: &str = "sip:bob@biloxi.example";
const SECURE: &str = "sips:biloxi.example";
const PHONE: &str = "Supported: gruu\nContact: <sips:1@h.example>;+sip.instance=\"<urn:x:1>\"";

fn gruu(fields: &Fields, name: &str) -> String {
    let contact = contacts(fields).pop().unwrap();
    let contact: sip_types::header::Contact = sip_types::TypedHeader::parse(&contact.into()).unwrap();
    contact.address().unwrap().params().get_unquoted(name).unwrap().into_owned()
}

// conforms: RFC5630-5.2-2,3
#[test]
fn rfc5630_5_2_a_sips_contact_is_bound_only_where_all_is_sips() {
    let rows = [
        ("sip:biloxi.example", "Contact: <sips:1@h.example>", "Request-URI"),
        (SECURE, "Contact: <sips:1@h.example>, <sip:2@h.example>", "Contact"),
        (SECURE, "Contact: <sips:1@h.example>\nPath: <sips:p1.example;lr>, <sip:p2.example;lr>", "Path"),
    ];
    let mut desk = Desk::new();
    for (uri, lines, what) in rows {
        let refused = desk.accept(&addressed(uri, TO, "a", 1, lines)).unwrap_err();
        assert_eq!(refused.reply().status.as_u16(), 400, "{what}");
        assert!(desk.registrar.is_empty(), "{what}");
    }
    let lines = "Contact: <sips:1@h.example>\nPath: <sips:p.example;lr>";
    for to in [TO, "sips:bob@biloxi.example"] {
        let fields = desk.accept(&addressed(SECURE, to, to, 1, lines)).unwrap();
        assert_eq!(contacts(&fields), ["<sips:1@h.example>;expires=3600"], "From and To may be either");
    }
    let gone = "Contact: <sips:1@h.example>;expires=0";
    assert!(desk.register("c", 1, gone).is_ok(), "to remove it is no binding");
    assert!(desk.accept(&addressed(SECURE, TO, "d", 1, "Contact: <sip:2@h.example>")).is_ok());
}

// conforms: RFC5630-5.2-1
#[test]
fn rfc5630_5_2_both_schemes_mean_one_address_of_record() {
    let mut desk = Desk::new();
    desk.accept(&addressed(SECURE, "sips:bob@biloxi.example", "a", 1, "Contact: <sips:1@h.example>"))
        .unwrap();
    desk.register("b", 1, "Contact: <sip:2@h.example>").unwrap();
    assert_eq!(desk.bound().len(), 2);
    assert_eq!(desk.resolved("sips:bob@biloxi.example"), desk.resolved(TO));
    let loops = "Contact: <sips:bob@BILOXI.example;transport=tcp>";
    let refused = desk.accept(&addressed(SECURE, TO, "c", 1, loops)).unwrap_err();
    assert_eq!(refused.reply().status.as_u16(), 403, "it would lead back");
}

// conforms: RFC5630-5.2.1-1,2,3
#[test]
fn rfc5630_5_2_1_a_gruu_has_the_scheme_of_its_contact_and_works_with_both() {
    let mut desk = Desk::new();
    let fields = desk.accept(&addressed(SECURE, TO, "a", 1, PHONE)).unwrap();
    let gruus = ["pub-gruu", "temp-gruu"].map(|name| gruu(&fields, name));
    for sips in &gruus {
        assert!(sips.starts_with("sips:"), "{sips}");
        let sip = sips.replacen("sips:", "sip:", 1);
        assert!(desk.resolved(sips).is_some_and(|bound| bound.len() == 1), "{sips}");
        assert_eq!(desk.resolved(&sip), desk.resolved(sips), "{sip}");
    }
    let mut plain = Desk::new();
    let fields = plain.register("a", 1, &PHONE.replace("sips:", "sip:")).unwrap();
    for sip in ["pub-gruu", "temp-gruu"].map(|name| gruu(&fields, name)) {
        assert!(sip.starts_with("sip:"), "{sip}");
        let sips = sip.replacen("sip:", "sips:", 1);
        assert_eq!(plain.resolved(&sips), plain.resolved(&sip), "{sips}");
    }
}
