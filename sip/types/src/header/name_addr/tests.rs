use proptest::prelude::*;

use super::NameAddr;
use crate::Uri;

fn address(text: &str) -> NameAddr {
    NameAddr::parse(&text.into()).unwrap_or_else(|e| panic!("{text}: {e}"))
}

#[test]
fn rfc3261_20_10_forms_of_addresses() {
    let a = address("\"Mr. \\\"W\\\" \\\\\"  <sip:w@x;lr>;q=0.7;  tag = t1 ;text=\"a;b\"");
    assert_eq!(a.display().unwrap(), "Mr. \"W\" \\");
    assert_eq!(a.uri().as_str(), "sip:w@x;lr");
    assert_eq!(
        (a.tag(), a.param("Q"), a.param("text")),
        (Some("t1"), Some(Some("0.7")), Some(Some("\"a;b\"")))
    );
    assert_eq!(address("A. B-c  <sip:w@x>").display().unwrap(), "A. B-c");
    assert_eq!(address("caller<sip:w@x>").display().unwrap(), "caller");
    assert_eq!(address("\"\" <sip:w@x>").display(), None);
    assert_eq!(address("<sip:w@x>").display(), None);
}

#[test]
fn rfc3261_20_10_without_brackets_parameters_belong_to_the_field() {
    let a = address("sip:w@x;tag=1;unknownparam");
    assert_eq!((a.uri().as_str(), a.tag()), ("sip:w@x", Some("1")));
    assert_eq!(a.param("unknownparam"), Some(None));
    let a = address("<sip:w@x;unknownparam>");
    assert!(a.uri().has_param("unknownparam") && a.params().next().is_none());
}

// conforms: RFC3261-7.3.1-4
#[test]
fn malformed_addresses_are_refused() {
    for text in [
        "",
        "<>",
        "<sip:a@b",
        "\"a <sip:a@b>",
        "\"a\\\" <sip:a@b>",
        "\"a\" sip:a@b",
        "Bell, Alexander <sip:a@b>",
        "a: b <sip:a@b>",
        "< sip:a@b >",
        "<sip:a@b>;",
        "<sip:a@b>;;",
        "<sip:a@b> x",
        "<sip:a@b>;a=\"",
        "<sip:a@b>;tag",
        "<sip:a@b>;tag=",
        "<sip:a@b>;tag=1;tag=2",
        "sip:a@b?x=y",
        "sip:a@b,sip:c@d",
        "sip:a;x=y@b",
        "sip:a@b <sip:c@d>",
        "alice",
        "\"a\0\" <sip:a@b>",
    ] {
        assert!(NameAddr::parse(&text.into()).is_err(), "{text}");
    }
}

#[test]
fn rfc4475_3_1_2_15_an_unquoted_name_is_quoted_when_written() {
    let a = address("J\u{fc}rgen (Office) <sip:j@x>;tag=1");
    assert_eq!(a.display().unwrap(), "J\u{fc}rgen (Office)");
    insta::assert_snapshot!(a, @r#""Jürgen (Office)" <sip:j@x>;tag=1"#);
    insta::assert_snapshot!(address(" A B <sip:j@x> "), @"A B <sip:j@x>");
}

// conforms: RFC3261-20-7 RFC3261-20.10-1 RFC3261-20.20-1 RFC3261-20.31-1 RFC3261-25.1-1 RFC8217-1-1,2
// conforms: RFC8217-3-1,2,3 RFC8217-4-1
#[test]
fn addresses_are_composed_and_changed() {
    let uri: Uri = "sip:a@b;lr".parse().unwrap();
    let a = NameAddr::new(Some("Q \"q\""), &uri).with_tag("t").with_param("x", Some("y z"));
    insta::assert_snapshot!(a, @r#""Q \"q\"" <sip:a@b;lr>;tag=t;x="y z""#);
    insta::assert_snapshot!(a.with_tag("u").without_param("X"), @r#""Q \"q\"" <sip:a@b;lr>;tag=u"#);
    insta::assert_snapshot!(a.with_uri(&"tel:+1".parse().unwrap()), @r#""Q \"q\"" <tel:+1>;tag=t;x="y z""#);
    insta::assert_snapshot!(a.without_params(), @r#""Q \"q\"" <sip:a@b;lr>"#);
    insta::assert_snapshot!(NameAddr::new(None, a.uri()), @"<sip:a@b;lr>");
    assert_eq!(a.with_param("no token", None).to_string(), a.to_string());
    insta::assert_snapshot!(NameAddr::new(None, address("sip:c@d;tag=5").uri()), @"<sip:c@d>");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1024) })]

    #[test]
    fn any_display_name_reads_back(name in "[^\\p{Cc}]{1,20}") {
        let a = NameAddr::new(Some(&name), &"sip:a@b".parse().unwrap());
        prop_assert_eq!(a.display().unwrap(), name.as_str());
        let again = address(&a.to_string());
        prop_assert_eq!(again.display().unwrap(), name.as_str());
    }

    #[test]
    fn what_is_read_is_written_and_read_alike(
        text in "(\"[a\\\\\" ]{0,4}\"|[a-z\u{e9}(@]{0,4}| )?<?sip:[a-z@;=.]{1,12}>?(;[a-z=\" ]{0,6}){0,3}"
    ) {
        let Ok(a) = NameAddr::parse(&text.as_str().into()) else { return Ok(()) };
        let again = NameAddr::parse(&a.to_string().into()).unwrap();
        prop_assert_eq!(a.uri().as_str(), again.uri().as_str());
        prop_assert_eq!(a.display(), again.display());
        prop_assert_eq!(a.tag(), again.tag());
        prop_assert!(a.params().eq(again.params()));
        let tagged = a.with_tag("new");
        prop_assert_eq!(tagged.tag(), Some("new"));
        prop_assert_eq!(tagged.uri().as_str(), a.uri().as_str());
    }
}
