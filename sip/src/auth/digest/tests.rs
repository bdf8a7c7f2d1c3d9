use super::*;

struct Case {
    hash: Hash,
    session: bool,
    user: [&'static str; 3],
    nonce: &'static str,
    qop: Option<Qop>,
    cnonce: &'static str,
    covered: Covered<'static>,
}

impl Case {
    fn response(&self) -> String {
        let [username, realm, password] = self.user;
        let algorithm = Algorithm { hash: self.hash, session: self.session, aka: None };
        let key =
            keyed(algorithm, ha1(self.hash, username, realm, password.as_bytes()), self.nonce, self.cnonce);
        let with = self.qop.map(|qop| Protection { qop, nc: "00000001", cnonce: self.cnonce });
        response(self.hash, &key, self.nonce, with, &ha2(self.hash, self.qop, &self.covered)).to_string()
    }
}

fn get(uri: &'static str) -> Covered<'static> {
    Covered { method: "GET", uri, body: b"" }
}

fn rfc2617(qop: Option<Qop>, session: bool) -> Case {
    Case {
        hash: Hash::Md5,
        session,
        user: ["Mufasa", "testrealm@host.com", "Circle Of Life"],
        nonce: "dcd98b7102dd2f0e8b11d0f600bfb0c093",
        qop,
        cnonce: "0a4f113b",
        covered: get("/dir/index.html"),
    }
}

fn rfc7616(hash: Hash) -> Case {
    Case {
        hash,
        session: false,
        user: ["Mufasa", "http-auth@example.org", "Circle of Life"],
        nonce: "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
        qop: Some(Qop::Auth),
        cnonce: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
        covered: get("/dir/index.html"),
    }
}

#[test]
fn rfc2617_3_5_md5() {
    assert_eq!(rfc2617(Some(Qop::Auth), false).response(), "6629fae49393a05397450978507c4ef1");
}

/// RFC 2617 has no example of its own; both are what Python's hashlib makes of the strings that its §3.2.2 spells out.
#[test]
fn rfc2617_3_2_2_without_qop_and_with_session() {
    assert_eq!(rfc2617(None, false).response(), "670fd8c2df070c60b045671b8b24ff02");
    assert_eq!(rfc2617(Some(Qop::Auth), true).response(), "8e3825c57e897f5a0dec6c2d4e5059d0");
}

#[test]
fn rfc7616_3_9_1_md5_and_sha_256() {
    assert_eq!(rfc7616(Hash::Md5).response(), "8ca523f5e9506fed4657c9700eebdbec");
    assert_eq!(
        rfc7616(Hash::Sha256).response(),
        "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"
    );
}

/// The values of erratum 4897: the text of the RFC used a truncated SHA-512.
#[test]
fn rfc7616_3_9_2_sha_512_256_and_userhash_as_corrected() {
    let case = Case {
        hash: Hash::Sha512_256,
        session: false,
        user: ["J\u{e4}s\u{f8}n Doe", "api@example.org", "Secret, or not?"],
        nonce: "5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK",
        qop: Some(Qop::Auth),
        cnonce: "NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v",
        covered: get("/doe.json"),
    };
    assert_eq!(case.response(), "3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5");
    let hashed = userhash(Hash::Sha512_256, "J\u{e4}s\u{f8}n Doe", "api@example.org");
    assert_eq!(hashed.as_str(), "793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b");
}

#[test]
fn rfc8760_2_6_an_absent_body_hashes_as_an_empty_one() {
    assert_eq!(hash(Hash::Md5, &[b""]).as_str(), "d41d8cd98f00b204e9800998ecf8427e");
    assert_eq!(
        hash(Hash::Sha256, &[b""]).as_str(),
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    );
}

#[test]
fn auth_int_covers_the_body() {
    let of = |body| ha2(Hash::Sha256, Some(Qop::AuthInt), &Covered { body, ..get("/") }).to_string();
    assert_ne!(of(b"v=0"), of(b"v=1"));
    let plain = |body| ha2(Hash::Sha256, Some(Qop::Auth), &Covered { body, ..get("/") }).to_string();
    assert_eq!(plain(b"v=0"), plain(b"v=1"));
}

#[test]
fn hexadecimal_has_one_length_per_hash() {
    assert!(Hex::parse(Hash::Md5, "6629FAE49393a05397450978507c4ef1").is_some());
    assert!(Hex::parse(Hash::Sha256, "6629fae49393a05397450978507c4ef1").is_none());
    assert!(Hex::parse(Hash::Md5, "6629fae49393a05397450978507c4efg").is_none());
    assert_eq!(read_hex::<2>("00ff"), Some([0, 255]));
    assert_eq!(read_hex::<2>("00FF"), None);
    assert_eq!(read_hex::<2>("00f"), None);
}
