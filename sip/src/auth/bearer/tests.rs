use super::*;
use crate::auth::tests::{at, credentials};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

/// Made for these tests with `openssl genpkey`, as the next one.
const EC: &str = "-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg/a7/wwAGXQlv+ViV
x/mguNf50Vv/iwdz0q9Qgw28LpehRANCAARCmQAi13rFi7KYygTCs+f/9i3i+Gof
QT50J9E5fNlTqQ0NskFTB1cP7k6V+MZcHn0j76u9loi+Nzgs3BsPXCvx
-----END PRIVATE KEY-----";
const EC_PUBLIC: &str = "-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEQpkAItd6xYuymMoEwrPn//Yt4vhq
H0E+dCfROXzZU6kNDbJBUwdXD+5OlfjGXB59I++rvZaIvjc4LNwbD1wr8Q==
-----END PUBLIC KEY-----";
const ED: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIEUSn/CJFtXBF1sDKJdTZyHAecc744mYM7QfdE3wEzP3
-----END PRIVATE KEY-----";
const ED_PUBLIC: &str = "-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAp0LbL1K8fSzuftf2JdscCWBlEQwUXXAgzsAqCkYANKI=
-----END PUBLIC KEY-----";

fn settings() -> Settings {
    Settings {
        realm: "example.com".into(),
        authz_server: "https://auth.example.com".into(),
        issuer: "https://auth.example.com".into(),
        audiences: vec!["sip:example.com".into(), "sbc".into()],
        scopes: vec!["sip".into(), "register".into()],
        user_claim: "sub".into(),
        leeway: Duration::from_secs(30),
    }
}

fn warden() -> Warden {
    Warden::new(settings(), KeySet::read(EC_PUBLIC).unwrap())
}

/// The time of [`at`]`(0)`.
const START: u64 = 1_700_000_000;

fn claims() -> Value {
    json!({
        "iss": "https://auth.example.com", "aud": ["other", "sbc"], "sub": "alice",
        "exp": START + 100, "nbf": START + 10, "scope": "register openid sip",
    })
}

fn sign(claims: &Value) -> String {
    encode(&Header::new(Algorithm::ES256), claims, &EncodingKey::from_ec_pem(EC.as_bytes()).unwrap()).unwrap()
}

fn verify(seconds: u64, token: &str) -> Verdict {
    warden().verify(at(seconds), &[credentials(&format!("Bearer {token}"))])
}

fn fault(seconds: u64, token: &str) -> Fault {
    match verify(seconds, token) {
        Verdict::Rejected(fault) => fault,
        other => panic!("{other:?}"),
    }
}

/// [`claims`] with one of them changed, or dropped.
fn with(name: &str, value: Option<Value>) -> String {
    let mut claims = claims();
    let map = claims.as_object_mut().unwrap();
    match value {
        Some(value) => map.insert(name.to_owned(), value),
        None => map.remove(name),
    };
    sign(&claims)
}

#[test]
fn rfc8898_4_the_challenge() {
    let mut warden = warden();
    insta::assert_snapshot!(warden.challenge(None), @r#"Bearer realm="example.com", scope="sip register", authz_server="https://auth.example.com""#);
    insta::assert_snapshot!(warden.challenge(Some(Fault::Scope)), @r#"Bearer realm="example.com", scope="sip register", authz_server="https://auth.example.com", error="invalid_scope""#);
    warden.settings.scopes.clear();
    insta::assert_snapshot!(warden.challenge(Some(Fault::Expired)), @r#"Bearer realm="example.com", authz_server="https://auth.example.com", error="invalid_token""#);
}

#[test]
fn rfc8898_2_2_a_valid_token_names_its_user() {
    let Verdict::Accepted(bearer) = verify(20, &sign(&claims())) else { panic!() };
    assert_eq!((bearer.user(), bearer.expires()), ("alice", START + 100));
    assert!(!format!("{bearer:?}").contains("alice"));
    let mut warden = warden();
    warden.settings.user_claim = "preferred_username".into();
    let token = credentials(&format!("bearer {}", with("preferred_username", Some(json!("al")))));
    let digest = credentials("Digest realm=\"example.com\"");
    let Verdict::Accepted(bearer) = warden.verify(at(20), &[digest.clone(), token]) else { panic!() };
    assert_eq!(bearer.user(), "al");
    assert!(matches!(warden.verify(at(20), &[digest]), Verdict::Absent));
}

#[test]
fn rfc7519_4_1_every_claim_counts() {
    let now = 20;
    let cases = [
        ("iss", Some(json!("https://evil.example")), Fault::Issuer),
        ("iss", Some(json!(["https://auth.example.com"])), Fault::Claim("iss")),
        ("iss", None, Fault::Claim("iss")),
        ("aud", Some(json!("other")), Fault::Audience),
        ("aud", Some(json!([])), Fault::Audience),
        ("aud", None, Fault::Claim("aud")),
        ("exp", None, Fault::Claim("exp")),
        ("exp", Some(json!("soon")), Fault::Claim("exp")),
        ("exp", Some(json!(-1)), Fault::Claim("exp")),
        ("exp", Some(json!(START - 10)), Fault::Expired),
        ("nbf", Some(json!(START + 51)), Fault::TooEarly),
        ("nbf", Some(json!(true)), Fault::Claim("nbf")),
        ("scope", Some(json!("sip")), Fault::Scope),
        ("scope", Some(json!("sips registered")), Fault::Scope),
        ("scope", None, Fault::Scope),
        ("sub", None, Fault::Claim("of the user")),
        ("sub", Some(json!("")), Fault::Claim("of the user")),
        ("sub", Some(json!(7)), Fault::Claim("of the user")),
    ];
    for (name, value, expected) in cases {
        assert_eq!(fault(now, &with(name, value.clone())), expected, "{name} {value:?}");
    }
    for (name, value) in
        [("nbf", None), ("aud", Some(json!("sbc"))), ("exp", Some(json!(START as f64 + 99.5)))]
    {
        assert!(matches!(verify(now, &with(name, value.clone())), Verdict::Accepted(_)), "{name} {value:?}");
    }
}

#[test]
fn rfc7519_4_1_4_time_is_what_is_passed_in() {
    let token = sign(&claims());
    assert!(matches!(verify(129, &token), Verdict::Accepted(_)));
    assert_eq!(fault(130, &token), Fault::Expired);
    let late = with("nbf", Some(json!(START + 100)));
    assert_eq!(fault(69, &late), Fault::TooEarly);
    assert!(matches!(verify(70, &late), Verdict::Accepted(_)));
}

#[test]
fn a_token_that_is_not_signed_by_our_key_is_refused() {
    let token = sign(&claims());
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let (header, payload) = signed.split_once('.').unwrap();
    let other = sign(&json!({ "iss": "x" }));
    let stolen = other.split('.').nth(1).unwrap();
    assert_eq!(fault(20, &format!("{header}.{stolen}.{signature}")), Fault::Signature);
    assert_eq!(fault(20, &format!("{header}.{payload}.")), Fault::Signature);
    // {"alg":"none"}
    assert_eq!(fault(20, &format!("eyJhbGciOiJub25lIn0.{payload}.")), Fault::Malformed);
    // Our public key as a shared secret.
    let confused = EncodingKey::from_secret(EC_PUBLIC.as_bytes());
    let token = encode(&Header::new(Algorithm::HS256), &claims(), &confused).unwrap();
    assert_eq!(fault(20, &token), Fault::NoKey);
    let ed = EncodingKey::from_ed_pem(ED.as_bytes()).unwrap();
    let token = encode(&Header::new(Algorithm::EdDSA), &claims(), &ed).unwrap();
    assert_eq!(fault(20, &token), Fault::NoKey);
    let critical = Header { crit: Some(vec!["exp".to_owned()]), ..Header::new(Algorithm::ES256) };
    let key = EncodingKey::from_ec_pem(EC.as_bytes()).unwrap();
    assert_eq!(fault(20, &encode(&critical, &claims(), &key).unwrap()), Fault::Critical);
}

#[test]
fn what_is_no_token_is_malformed() {
    let long = "a".repeat(MAX_TOKEN + 1);
    for text in ["", "a", "a.b", "a.b.c", "a.b.c.d.e", "..", "realm=\"a\"", &long] {
        assert_eq!(fault(20, text), Fault::Malformed, "{text}");
    }
}

#[test]
fn keys_are_found_by_id_and_by_algorithm() {
    let ed = json!({
        "kty": "OKP", "crv": "Ed25519", "kid": "new", "alg": "EdDSA", "x": "p0LbL1K8fSzuftf2JdscCWBlEQwUXXAgzsAqCkYANKI",
    });
    let text = json!({ "keys": [
        ed,
        { "kty": "oct", "kid": "shared", "k": "c2VjcmV0" },
        { "kty": "OKP", "crv": "Ed25519", "kid": "enc", "use": "enc", "x": ed["x"] },
        { "kty": "AKP", "alg": "ML-DSA-44", "pub": "AA" },
    ]});
    let keys = KeySet::read(&text.to_string()).unwrap();
    assert_eq!((keys.len(), keys.is_empty()), (1, false));
    let warden = Warden::new(settings(), keys);
    let sign = |kid: Option<&str>| {
        let header = Header { kid: kid.map(str::to_owned), ..Header::new(Algorithm::EdDSA) };
        encode(&header, &claims(), &EncodingKey::from_ed_pem(ED.as_bytes()).unwrap()).unwrap()
    };
    let verify = |kid| warden.verify(at(20), &[credentials(&format!("Bearer {}", sign(kid)))]);
    assert!(matches!(verify(Some("new")), Verdict::Accepted(_)));
    assert!(matches!(verify(None), Verdict::Accepted(_)));
    assert!(matches!(verify(Some("old")), Verdict::Rejected(Fault::NoKey)));
    assert!(KeySet::read(ED_PUBLIC).is_ok());
}

#[test]
fn a_text_without_public_keys_is_refused() {
    let shared = r#"{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}"#;
    assert!(matches!(KeySet::read(shared), Err(KeysError::NoKey)));
    assert!(matches!(KeySet::read(r#"{"keys":[]}"#), Err(KeysError::NoKey)));
    assert!(matches!(KeySet::read("{"), Err(KeysError::Unreadable(_))));
    assert!(matches!(KeySet::read("secret"), Err(KeysError::Unreadable(_))));
    let many = format!("{{\"keys\":[{}]}}", vec![r#"{"kty":"oct","k":"AA"}"#; 65].join(","));
    assert!(matches!(KeySet::read(&many), Err(KeysError::TooMany)));
}

const PAYLOAD: &str =
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";

#[test]
fn rfc7515_a_2_rs256() {
    let modulus = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yR\
    T-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXB\
    dQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9ia\
    GNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";
    let signature = "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9\
    uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB\
    _eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rq\
    Vt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
    let set = json!({ "keys": [{ "kty": "RSA", "n": modulus, "e": "AQAB" }] });
    let keys = KeySet::read(&set.to_string()).unwrap();
    let claims = keys.open(&format!("eyJhbGciOiJSUzI1NiJ9.{PAYLOAD}.{signature}")).unwrap();
    assert_eq!(claims["iss"], "joe");
    let other = signature.replace("cC4h", "dC4h");
    assert_eq!(keys.open(&format!("eyJhbGciOiJSUzI1NiJ9.{PAYLOAD}.{other}")), Err(Fault::Signature));
}

#[test]
fn rfc7515_a_3_es256() {
    let set = json!({ "keys": [{
        "kty": "EC", "crv": "P-256",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    }]});
    let signature = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
    let keys = KeySet::read(&set.to_string()).unwrap();
    assert_eq!(
        keys.open(&format!("eyJhbGciOiJFUzI1NiJ9.{PAYLOAD}.{signature}")).unwrap()["exp"],
        1_300_819_380
    );
}

proptest::proptest! {
    #[test]
    fn no_text_makes_a_panic(text in "\\PC{0,80}", parts in "[A-Za-z0-9_-]{0,40}(\\.[A-Za-z0-9_-]{0,40}){0,5}") {
        let keys = KeySet::read(EC_PUBLIC).unwrap();
        proptest::prop_assert!(keys.open(&text).is_err());
        proptest::prop_assert!(keys.open(&parts).is_err());
        let signed = format!("eyJhbGciOiJFUzI1NiJ9.{parts}");
        proptest::prop_assert!(keys.open(&signed).is_err());
        let _ = KeySet::read(&text);
        let _ = KeySet::read(&format!("{{{text}"));
    }
}
