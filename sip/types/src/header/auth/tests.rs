use super::{AuthBuilder, Challenge, Credentials};

fn challenge(text: &str) -> Challenge {
    Challenge::parse(&text.into()).unwrap()
}

#[test]
fn rfc3261_20_44_a_digest_challenge() {
    let c = challenge(
        "Digest realm=\"atlanta \\\"A\\\"\", domain=\"sip:boxesbybob.com\", qop=\"auth, auth-int\",\
         nonce=\"f84f1cec41e6cbe5aea9c8e88d359\", opaque=\"\", stale=TRUE, algorithm=SHA-256",
    );
    assert!(c.is_digest() && c.stale());
    assert_eq!(c.realm().unwrap(), "atlanta \"A\"");
    assert_eq!(c.nonce().unwrap(), "f84f1cec41e6cbe5aea9c8e88d359");
    assert_eq!(c.opaque().unwrap(), "");
    assert_eq!(c.algorithm().unwrap(), "SHA-256");
    assert_eq!(c.qop().collect::<Vec<_>>(), ["auth", "auth-int"]);
    assert!(c.offers_qop("AUTH"));
    assert_eq!(c.params().count(), 7);
    assert_eq!(challenge("Digest realm=\"a\"").qop().count(), 0);
}

#[test]
fn rfc3261_20_7_digest_credentials() {
    let c = Credentials::parse(
        &"Digest username=\"Alice\", realm = \"atlanta.com\", uri=\"sip:bob@b;x=y,z\",nc=0000000A, qop=auth,\
          nonce=\"84a4cc6f3082121f32b42a2187831a9e\", cnonce=\"c\", response=\"7587245234b3434cc3412213e5f113a5432\""
            .into(),
    )
    .unwrap();
    assert_eq!(c.username().unwrap(), "Alice");
    assert_eq!(c.realm().unwrap(), "atlanta.com");
    assert_eq!(c.uri().unwrap(), "sip:bob@b;x=y,z");
    assert_eq!((c.nc(), c.qop().as_deref()), (Some(10), Some("auth")));
    assert_eq!(c.cnonce().unwrap(), "c");
    assert_eq!(c.param("RESPONSE").unwrap(), "7587245234b3434cc3412213e5f113a5432");
    assert_eq!(c.opaque(), None);
}

#[test]
fn nonce_count_has_exactly_eight_hexadecimal_digits() {
    for nc in ["1", "000000001", "+0000001", "0000000g", "\"\""] {
        assert_eq!(Credentials::parse(&format!("Digest nc={nc}").into()).unwrap().nc(), None, "{nc}");
    }
}

#[test]
fn rfc4475_3_3_7_unknown_schemes_are_kept() {
    let c = Credentials::parse(&"NoOneKnowsThisScheme opaque-data=here".into()).unwrap();
    assert_eq!((c.scheme(), c.param("opaque-data").as_deref()), ("NoOneKnowsThisScheme", Some("here")));
    assert!(Credentials::parse(&"Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==".into()).is_ok());
    assert!(Credentials::parse(&"Negotiate".into()).is_ok());
}

#[test]
fn what_is_neither_is_refused() {
    for text in [
        "",
        "Digest realm",
        "Digest realm=\"a",
        "Digest realm=\"a\" nonce=\"b\"",
        "Digest a b",
        "Digest =a",
        "D=a",
    ] {
        let accepted = Challenge::parse(&text.into()).is_ok();
        assert!(!accepted || text == "Digest realm", "{text}");
    }
    assert!(Challenge::parse(&format!("Digest {}", "a=b,".repeat(65)).into()).is_err());
}

#[test]
fn debug_shows_no_secret() {
    let c = AuthBuilder::new("Digest")
        .quoted("username", "alice")
        .quoted("realm", "r")
        .quoted("response", "5ec2e7")
        .quoted("cnonce", "c0ffee")
        .token("nc", "00000001")
        .credentials()
        .unwrap();
    insta::assert_snapshot!(format!("{c:?}"), @r#"Credentials { scheme: "Digest", realm: Some("r"), .. }"#);
    insta::assert_snapshot!(c, @r#"Digest username="alice", realm="r", response="5ec2e7", cnonce="c0ffee", nc=00000001"#);
}

#[test]
fn a_composed_value_cannot_break_out() {
    let c = AuthBuilder::new("Digest").quoted("realm", "a\", nonce=\"x\r\nVia: y").challenge().unwrap();
    assert_eq!(c.realm().unwrap(), "a\", nonce=\"x  Via: y");
    assert_eq!(c.nonce(), None);
    assert!(AuthBuilder::new("Digest").token("realm", "a b").challenge().is_err());
}

#[test]
fn ts24_229_7_2a_the_keys_of_an_aka_challenge_are_read_and_taken_out() {
    let text = "Digest  realm=\"ims, x\", nonce=\"CjPk9g==\",algorithm=AKAv1-MD5,\
                ik=\"00112233445566778899aabbccddeeff\", CK=\"FFEEDDCCBBAA99887766554433221100\",qop=\"auth\"";
    let challenge = Challenge::parse(&text.into()).unwrap();
    assert_eq!(challenge.ik().unwrap()[..3], [0x00, 0x11, 0x22]);
    assert_eq!(challenge.ck().unwrap()[..3], [0xff, 0xee, 0xdd]);
    let public = challenge.without(&["ik", "ck"]);
    assert_eq!((public.ik(), public.ck()), (None, None));
    insta::assert_snapshot!(public, @r#"Digest realm="ims, x", nonce="CjPk9g==", algorithm=AKAv1-MD5, qop="auth""#);
    assert_eq!(Challenge::parse(&public.to_string().into()).unwrap().realm().unwrap(), "ims, x");
    assert_eq!(public.without(&["ik"]).to_string(), public.to_string());
    assert_eq!(challenge.without(&["realm", "nonce", "algorithm", "ik", "ck", "qop"]).to_string(), "Digest");
    assert!(!format!("{challenge:?}").contains("00112233"));
    for bad in ["ik=\"0011\"", "ik=\"+0112233445566778899aabbccddeeff\"", "ik=\"\""] {
        assert_eq!(Challenge::parse(&format!("Digest {bad}").into()).unwrap().ik(), None, "{bad}");
    }
}

#[test]
fn rfc3310_3_4_auts_and_the_word_of_the_p_cscf_are_read() {
    let text = "Digest username=\"a\", auts=\"5PYxMuX2NOT2NeQ=\", integrity-protected=\"ip-assoc-yes\"";
    let credentials = Credentials::parse(&text.into()).unwrap();
    assert_eq!(credentials.auts().unwrap(), "5PYxMuX2NOT2NeQ=");
    assert_eq!(credentials.integrity_protected().unwrap(), "ip-assoc-yes");
    let without = credentials.without(&["Integrity-Protected"]);
    assert_eq!(without.to_string(), "Digest username=\"a\", auts=\"5PYxMuX2NOT2NeQ=\"");
}

#[test]
fn rfc6750_2_1_a_token_is_no_parameter() {
    let token = |text: &str| Credentials::parse(&text.into()).unwrap().token68().map(str::to_owned);
    assert_eq!(token("Bearer mF_9.B5f-4.1JqM").as_deref(), Some("mF_9.B5f-4.1JqM"));
    assert_eq!(token("Bearer  abc== ").as_deref(), Some("abc=="));
    assert_eq!(token("Bearer realm=\"a\""), None);
    assert_eq!(token("Bearer a=b"), None);
    assert_eq!(token("Bearer"), None);
}
