//! What an answer must be to the letter, made of the texts of RFC 7616 §3.4 without the code that is tested.

use md5::Md5;
use sha2::{Digest, Sha256, Sha512_256};

/// The parameters of a challenge or of credentials: names in small letters, values without quotes.
pub(super) fn params(value: &str) -> Vec<(String, String)> {
    let (_, rest) = value.split_once(' ').unwrap();
    let mut parts = vec![String::new()];
    let (mut quoted, mut escaped) = (false, false);
    for c in rest.chars() {
        match c {
            '"' if !escaped => quoted = !quoted,
            ',' if !quoted => parts.push(String::new()),
            '\\' if quoted && !escaped => escaped = true,
            c => {
                parts.last_mut().unwrap().push(c);
                escaped = false;
            }
        }
    }
    let split =
        |part: &String| part.split_once('=').map(|(n, v)| (n.trim().to_lowercase(), v.trim().to_owned()));
    parts.iter().filter_map(split).collect()
}

/// The value of a parameter.
pub(super) fn param(value: &str, name: &str) -> Option<String> {
    params(value).into_iter().find(|(known, _)| known == name).map(|(_, value)| value)
}

/// H of the algorithm, in hexadecimal.
fn hash(algorithm: &str, text: &[u8]) -> String {
    let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect();
    let algorithm = algorithm.to_uppercase();
    match algorithm.trim_end_matches("-SESS") {
        "MD5" | "AKAV1-MD5" | "AKAV2-MD5" => hex(&Md5::digest(text)),
        "SHA-256" => hex(&Sha256::digest(text)),
        "SHA-512-256" => hex(&Sha512_256::digest(text)),
        other => panic!("{other}"),
    }
}

/// Whose answer it is.
pub(super) struct User<'a> {
    pub(super) name: &'a str,
    pub(super) password: &'a [u8],
}

/// The response that credentials must have for a request with that method and body.
fn response(credentials: &str, user: &User<'_>, method: &str, body: &str) -> String {
    let get = |name: &str| param(credentials, name).unwrap_or_default();
    let algorithm = param(credentials, "algorithm").unwrap_or_else(|| "MD5".into());
    let h = |text: &str| hash(&algorithm, text.as_bytes());
    let a1 = [format!("{}:{}:", user.name, get("realm")).as_bytes(), user.password].concat();
    let mut ha1 = hash(&algorithm, &a1);
    if algorithm.to_lowercase().ends_with("-sess") {
        ha1 = h(&format!("{ha1}:{}:{}", get("nonce"), get("cnonce")));
    }
    let a2 = match get("qop").as_str() {
        "auth-int" => format!("{method}:{}:{}", get("uri"), h(body)),
        _ => format!("{method}:{}", get("uri")),
    };
    match get("qop").as_str() {
        "" => h(&format!("{ha1}:{}:{}", get("nonce"), h(&a2))),
        qop => h(&format!("{ha1}:{}:{}:{}:{qop}:{}", get("nonce"), get("nc"), get("cnonce"), h(&a2))),
    }
}

/// Checks what a request says in answer to a challenge, with that qop and count.
pub(super) fn check(
    case: &str,
    challenge: &str,
    credentials: &str,
    user: &User<'_>,
    request: &str,
    (qop, count): (&str, u32),
) {
    let given = |name: &str| param(credentials, name);
    assert!(credentials.starts_with("Digest "), "{case}");
    for same in ["realm", "nonce", "opaque", "algorithm"] {
        assert_eq!(given(same), param(challenge, same), "{case}: {same} comes back as it was");
    }
    let hashed = param(challenge, "userhash").as_deref() == Some("true");
    let algorithm = given("algorithm").unwrap_or_else(|| "MD5".into());
    let name = match hashed {
        true => hash(&algorithm, format!("{}:{}", user.name, given("realm").unwrap()).as_bytes()),
        false => user.name.to_owned(),
    };
    assert_eq!(given("username"), Some(name), "{case}");
    assert_eq!(given("userhash").as_deref(), hashed.then_some("true"), "{case}");
    let mut line = request.split(' ');
    let (method, uri) = (line.next().unwrap(), line.next().unwrap());
    assert_eq!(given("uri").as_deref(), Some(uri), "{case}: as in the request line");
    if qop.is_empty() {
        assert_eq!((given("qop"), given("nc"), given("cnonce")), (None, None, None), "{case}");
    } else {
        assert_eq!(given("qop").as_deref(), Some(qop), "{case}");
        assert_eq!(given("nc"), Some(format!("{count:08x}")), "{case}");
        assert!(given("cnonce").is_some_and(|cnonce| cnonce.len() >= 16), "{case}");
    }
    let body = request.split_once("\r\n\r\n").unwrap().1;
    assert_eq!(given("response"), Some(response(credentials, user, method, body)), "{case}");
    let written = ["username", "realm", "nonce", "uri", "response", "cnonce", "opaque", "auts"];
    for (name, _) in params(credentials) {
        let quoted = credentials.contains(&format!("{name}=\""));
        assert_eq!(quoted, written.contains(&&*name), "{case}: {name} is quoted or not (RFC 8760 §2.7)");
    }
}

/// RFC 7616 §3.9.1: what is checked here is what the RFC says.
#[test]
fn rfc7616_3_9_1_the_example() {
    let user = User { name: "Mufasa", password: b"Circle of Life" };
    for (algorithm, expected) in [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ] {
        let credentials = format!(
            r#"Digest username="Mufasa", realm="http-auth@example.org", uri="/dir/index.html", algorithm={algorithm},
            nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", nc=00000001, qop=auth,
            cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ""#
        );
        assert_eq!(response(&credentials, &user, "GET", ""), expected);
    }
}
