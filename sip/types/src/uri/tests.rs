use proptest::prelude::*;

use super::{Host, HostBuf, Scheme, Uri, UriErrorKind as Kind, escape_user};

fn uri(text: &str) -> Uri {
    text.parse().unwrap_or_else(|e| panic!("{text}: {e}"))
}

// conforms: RFC3261-8.1.1.2-1
#[test]
fn rfc3261_19_1_1_all_parts_are_read() {
    let u = uri(
        "sip:alice:secretword@atlanta.com:5070;transport=tcp;lr;maddr=192.0.2.1?subject=project%20x&priority=urgent",
    );
    assert_eq!((u.scheme(), u.scheme_text()), (Scheme::Sip, "sip"));
    assert_eq!((u.user(), u.password()), (Some("alice"), Some("secretword")));
    assert_eq!((u.host(), u.port()), (Some(Host::Name("atlanta.com")), Some(5070)));
    assert_eq!((u.transport(), u.is_loose()), (Some("tcp"), true));
    assert_eq!(u.maddr(), Some(Host::V4([192, 0, 2, 1].into())));
    assert_eq!(u.params().count(), 3);
    assert_eq!(u.headers().collect::<Vec<_>>(), [("subject", "project%20x"), ("priority", "urgent")]);
}

#[test]
fn rfc3261_19_1_3_example_uris_are_read() {
    for text in [
        "sip:alice@atlanta.com",
        "sip:alice:secretword@atlanta.com;transport=tcp",
        "sips:alice@atlanta.com?subject=project%20x&priority=urgent",
        "sip:+1-212-555-1212:1234@gateway.com;user=phone",
        "sips:1212@gateway.com",
        "sip:alice@192.0.2.4",
        "sip:atlanta.com;method=REGISTER?to=alice%40atlanta.com",
        "sip:alice;day=tuesday@atlanta.com",
        "SIP:[2001:db8::9]:5061;x",
        "tel:+1-201-555-0123",
        "tel:7042;phone-context=example.com",
        "tel:911",
        "isbn:2983792873",
        "http://www.example.com/a?b#c",
        "urn:service:sos",
        "name:John_Smith",
    ] {
        assert_eq!(uri(text).as_str(), text);
    }
}

#[test]
fn rfc4475_user_parts_with_reserved_and_escaped_characters() {
    let u = uri("sip:sips%3Auser%40example.com@example.net");
    assert_eq!(u.user_decoded().unwrap(), "sips:user@example.com");
    assert_eq!(uri("sip:user;par=u%40example.net@example.com").user(), Some("user;par=u%40example.net"));
    assert_eq!(uri("sip:null-%00-null@example.com").user_decoded().unwrap(), "null-\0-null");
    let odd = "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*";
    let u = uri(&format!("sip:{odd}:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@example.com"));
    assert_eq!(u.user(), Some(odd));
    let u = uri("sip:cal%6Cer@host5.example.net;%6C%72;n%61me=v%61lue%25%34%31");
    assert!(u.is_loose());
    assert_eq!(u.param("name"), Some(Some("v%61lue%25%34%31")));
    assert_eq!(uri("sip:*21#@a").user(), Some("*21#"));
    assert_eq!(uri("sip:%ff@a").user_decoded(), None);
}

// conforms: RFC3261-19.1.1-1 RFC3261-19.1.2-2
#[test]
fn malformed_uris_are_refused_where_they_fail() {
    for (text, kind, at) in [
        ("", Kind::Scheme, 0),
        ("sip", Kind::Scheme, 3),
        ("<sip:a@b>", Kind::Scheme, 0),
        ("1sip:a", Kind::Scheme, 0),
        ("sip:", Kind::Host, 4),
        ("sip:@b", Kind::User, 4),
        ("sip:a b@c", Kind::User, 5),
        ("sip:a%4@c", Kind::User, 5),
        ("sip:a@", Kind::Host, 6),
        ("sip:a@b c", Kind::Host, 7),
        ("sip:a@b@c", Kind::Host, 7),
        ("sip:2001:db8::10", Kind::Host, 4),
        ("sip:[2001:db8::10", Kind::Host, 4),
        ("sip:a@b:", Kind::Port, 8),
        ("sip:a@b:65536", Kind::Port, 8),
        ("sip:a@b:5060x", Kind::Port, 12),
        ("sip:a@b;", Kind::Param, 8),
        ("sip:a@b;;lr", Kind::Param, 8),
        ("sip:a@b;=x", Kind::Param, 8),
        ("sip:a@b; lr", Kind::Param, 8),
        ("sip:a@b;x=%4", Kind::Param, 10),
        ("sip:a@b?", Kind::Header, 8),
        ("sip:a@b?x", Kind::Header, 9),
        ("sip:a@b?x=y&", Kind::Header, 12),
        ("sip:a@b?x=y z", Kind::Header, 11),
        ("tel:", Kind::Number, 4),
        ("tel:+", Kind::Number, 5),
        ("tel:+-", Kind::Number, 6),
        ("tel:+1*2", Kind::Number, 6),
        ("tel:12x", Kind::Number, 6),
        ("tel:12;", Kind::Param, 7),
        ("tel:12;a?b", Kind::Param, 8),
        ("urn:", Kind::Opaque, 4),
        ("urn:a b", Kind::Opaque, 5),
        ("urn:a%g0", Kind::Opaque, 5),
    ] {
        let error = text.parse::<Uri>().map(|_| ()).unwrap_err();
        assert_eq!((error.kind, error.at), (kind, at), "{text}");
    }
    let many = format!("sip:a{}", ";x".repeat(129));
    assert_eq!(many.parse::<Uri>().unwrap_err().kind, Kind::TooMany);
    let many = format!("sip:a?x=y{}", "&x=y".repeat(128));
    assert_eq!(many.parse::<Uri>().unwrap_err().kind, Kind::TooMany);
    assert_eq!(format!("sip:{}", "a".repeat(65_536)).parse::<Uri>().unwrap_err().kind, Kind::TooLong);
}

// conforms: RFC3261-19.1.4-1 RFC5954-4.2-1,2
#[test]
fn rfc3261_19_1_4_equivalent_uris() {
    for (a, b) in [
        ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
        ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;newparam=5"),
        (
            "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
            "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
        ),
        (
            "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
            "sip:alice@atlanta.com?priority=urgent&subject=project%20x",
        ),
        ("sip:[2001:db8::1]", "sip:[2001:DB8:0:0::1]"),
    ] {
        assert!(uri(a) == uri(b) && uri(b) == uri(a), "{a} {b}");
    }
}

// conforms: RFC3261-19.1.4-1
#[test]
fn rfc3261_19_1_4_different_uris() {
    for (a, b) in [
        ("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"),
        ("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"),
        ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"),
        ("sip:a@b", "sips:a@b"),
        ("sip:b", "sip:a@b"),
        ("sip:a@b", "sip:a:@b"),
        ("sip:a@b", "sip:a@b;user=phone"),
        ("sip:a@b", "sip:a@b;ttl=1"),
        ("sip:a@b", "sip:a@b;maddr=c"),
        ("sip:a@b;method=INVITE", "sip:a@b;method=invite"),
        ("sip:a@b?x=1&x=1&x=2", "sip:a@b?x=1&x=2&x=2"),
        ("sip:a%3Bb@c", "sip:a;b@c"),
        ("http://a", "http://A"),
    ] {
        assert!(uri(a) != uri(b) && uri(b) != uri(a), "{a} {b}");
    }
}

#[test]
fn every_uri_is_equal_to_itself() {
    for text in
        ["sip:a@b;transport=tcp;y=1;transport=udp;y=2", "tel:+1;ext=1;ext=2", "tel:+1;%41=1", "tel:+1;%80"]
    {
        assert_eq!(uri(text), uri(text));
    }
    assert_ne!(uri("sip:a@b;y=1;y=2"), uri("sip:a@b;y=2;y=1"));
}

#[test]
fn rfc3966_4_tel_uris_compare_by_digits_and_all_parameters() {
    let same = |a: &str, b: &str| uri(a) == uri(b);
    assert!(same("tel:+1-201-555-0123", "tel:+1.201.(555)0123"));
    assert!(same("tel:7042;phone-context=Example.com", "tel:7042;Phone-Context=example.COM"));
    assert!(same("tel:7042;ext=1-2;phone-context=+1-2", "tel:7042;phone-context=+12;ext=12"));
    assert!(!same("tel:7042", "tel:+7042"));
    assert!(!same("tel:7042;a", "tel:7042"));
    assert!(!same("tel:7042;a=1", "tel:7042;a=2"));
    assert!(!same("tel:7042", "sip:7042@a"));
}

#[test]
fn rfc3966_5_1_1_numbers_come_without_visual_separators() {
    let number = |text: &str| uri(text).number().map(std::borrow::Cow::into_owned);
    assert_eq!(number("tel:+1-201-555-0123;ext=5").as_deref(), Some("+12015550123"));
    assert_eq!(number("sip:+49(30)123.456;phone-context=x@a").as_deref(), Some("+4930123456"));
    assert_eq!(number("sip:%2B49301@a").as_deref(), Some("+49301"));
    assert_eq!(number("sip:*21#@a").as_deref(), Some("*21#"));
    assert_eq!(number("sip:alice@a"), None);
    assert_eq!(number("sip:-@a"), None);
    assert_eq!(number("sip:a.example"), None);
    assert!(uri("sip:1@a;user=Phone").user_is_phone());
}

// conforms: RFC3261-8.1.3.4-2 RFC3261-19.1.5-1,3,4
#[test]
fn rfc3261_19_1_5_a_request_line_has_neither_method_nor_headers() {
    let form = |text: &str| uri(text).for_request_line().to_string();
    assert_eq!(form("sip:a@b;x=1;method=REGISTER;lr?to=c"), "sip:a@b;x=1;lr");
    assert_eq!(form("sip:a@b;x=1?to=c"), "sip:a@b;x=1");
    assert_eq!(form("sip:a@b;x=1"), "sip:a@b;x=1");
    let kept = "sip:a@b;transport=tcp;maddr=192.0.2.1;ttl=1;user=phone";
    assert_eq!(form(&format!("{kept};method=INFO?subject=x")), kept);
    assert_eq!(form("tel:1;method=x"), "tel:1;method=x");
}

// conforms: RFC3261-19.1.1-2
#[test]
fn parameters_are_set_and_taken_out() {
    let u = uri("sip:a@b;X=1;y;x=2?s=t");
    assert_eq!(u.with_param("x", Some("a;b c")).as_str(), "sip:a@b;y;x=a%3Bb%20c?s=t");
    assert_eq!(u.with_param("lr", None).as_str(), "sip:a@b;X=1;y;x=2;lr?s=t");
    assert_eq!(u.without_param("x").as_str(), "sip:a@b;y?s=t");
    assert_eq!(u.without_param("z").as_str(), u.as_str());
    assert_eq!(u.with_param("", None).as_str(), u.as_str());
    assert_eq!(uri("urn:a").with_param("lr", None).as_str(), "urn:a");
}

#[test]
fn uris_are_composed() {
    let host: HostBuf = "[2001:db8::1]".parse().unwrap();
    assert_eq!(Uri::sip(Some("a b%41"), &host, Some(5060)).as_str(), "sip:a%20b%41@[2001:db8::1]:5060");
    assert_eq!(Uri::sips(None, Host::Name("x.example"), None).as_str(), "sips:x.example");
    assert_eq!(Uri::sip(Some(""), Host::Name("x.example"), None).as_str(), "sip:x.example");
    assert_eq!(Uri::sip(Some(&escape_user("50%41#@x")), &host, None).user_decoded().unwrap(), "50%41#@x");
    let broken = Uri::sips(Some("a"), Host::Name("no host\r\n"), None);
    assert_eq!((broken.as_str(), broken.scheme()), ("sips:anonymous.invalid", Scheme::Sips));
    assert_eq!(broken.host(), Some(Host::Name("anonymous.invalid")));
}

fn uri_text() -> impl Strategy<Value = String> {
    let part = "[a-z0-9.;:@?=&%+*\\[\\] ,/<>#-]|%41|;lr|\u{e9}";
    proptest::string::string_regex(&format!("(sips?:|tel:|urn:|)({part}){{0,30}}")).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1024) })]

    #[test]
    fn any_text_is_a_uri_or_refused(text in uri_text()) {
        let Ok(u) = text.parse::<Uri>() else { return Ok(()) };
        prop_assert_eq!(u.as_str(), &text);
        prop_assert!(u == u.clone());
        prop_assert!(!u.as_str().contains([' ', '<', '>', '\r', '\n']));
        let _ = (u.host(), u.number(), u.user_decoded(), u.maddr(), u.headers().count());
        for changed in [u.for_request_line(), u.with_param("lr", None), u.without_param("lr")] {
            let again: Uri = changed.as_str().parse().unwrap();
            prop_assert_eq!(again.as_str(), changed.as_str());
        }
        let with = u.with_param("p", Some("\u{e9};v"));
        prop_assert!(u.scheme() == Scheme::Other || with.has_param("p"));
        prop_assert!(!u.without_param("lr").is_loose());
    }

    // conforms: RFC3261-19.1.2-1,3,5 RFC3261-25.1-2
    #[test]
    fn any_user_is_escaped(user in "\\PC{1,20}", port in any::<Option<u16>>()) {
        let u = Uri::sip(Some(&escape_user(&user)), Host::Name("h"), port);
        prop_assert_eq!(u.user_decoded().unwrap(), user.as_str());
        prop_assert_eq!(u.port(), port);
    }
}

#[test]
fn a_detached_uri_has_all_its_parts_in_memory_of_its_own() {
    let text = crate::ByteString::from("\"A\" <sip:al:secret@[2001:db8::1]:5070;transport=tcp?a=b>;tag=1");
    let address = crate::header::NameAddr::parse(&text).unwrap();
    let (uri, detached) = (address.uri(), address.uri().detached());
    assert_eq!(detached.as_str(), uri.as_str());
    assert_eq!(detached.around().0.len(), uri.as_str().len());
    assert_eq!((detached.user(), detached.host(), detached.port()), (uri.user(), uri.host(), uri.port()));
    assert_eq!(detached.param("transport"), Some(Some("tcp")));
    assert_eq!(detached.headers().collect::<Vec<_>>(), uri.headers().collect::<Vec<_>>());
    assert_eq!(&detached, uri);
}

#[test]
fn rfc3261_19_1_1_headers_are_found_by_name_with_escapes_read() {
    let uri: Uri = "sip:c@d?Replaces=a%40b%3Bto-tag%3D1%3Bfrom-tag%3D2&x=1&REPL%61ces=".parse().unwrap();
    assert_eq!(uri.header("replaces").collect::<Vec<_>>(), ["a@b;to-tag=1;from-tag=2", ""]);
    assert_eq!(uri.header("y").count(), 0);
}
