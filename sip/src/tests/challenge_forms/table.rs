//! The forms that challenges come in.

use crate::auth::Hash;

pub(super) const USER: &str = "WWW-Authenticate";
pub(super) const PROXY: &str = "Proxy-Authenticate";

pub(super) const MD5: &str = r#"Digest realm="home", nonce="n1", algorithm=MD5, qop="auth""#;
pub(super) const SHA: &str = r#"Digest realm="home", nonce="n1", algorithm=SHA-256, qop="auth""#;
pub(super) const OF_PROXY: &str = r#"Digest realm="proxy", nonce="p1", algorithm=MD5, qop="auth""#;
/// RAND and AUTN of test set 1 of TS 35.207.
pub(super) const FOR_A_CARD: &str = r#"Digest realm="card", nonce="I1U8vpY3qJ0hiuZNrke/NVXzKLQ1d7m5Sp/6w1Tfr7M=", algorithm=AKAv1-MD5, qop="auth""#;

/// What a response with challenges comes to.
pub(super) enum Outcome {
    /// The request goes out again with an answer to each of these challenges, by place, with that qop (none where it is empty),
    /// and to no other.
    Answered(&'static [(usize, &'static str)]),
    /// Nothing is shown.
    Refused,
}
use Outcome::{Answered, Refused};

/// A response with challenges.
pub(super) struct Form {
    pub(super) name: &'static str,
    pub(super) status: u16,
    /// Fields, in order.
    pub(super) challenges: &'static [(&'static str, &'static str)],
    pub(super) outcome: Outcome,
    /// The weakest hash that we are told to answer with.
    pub(super) weakest: Hash,
    /// Whether we are told to answer where there is no qop.
    pub(super) without_qop: bool,
}

type Challenges = &'static [(&'static str, &'static str)];

const fn form(name: &'static str, status: u16, challenges: Challenges, outcome: Outcome) -> Form {
    Form { name, status, challenges, outcome, weakest: Hash::Md5, without_qop: false }
}

const fn strict(name: &'static str, challenges: Challenges, outcome: Outcome) -> Form {
    Form { weakest: Hash::Sha256, ..form(name, 401, challenges, outcome) }
}

const fn lax(name: &'static str, challenges: Challenges, outcome: Outcome) -> Form {
    Form { without_qop: true, ..form(name, 401, challenges, outcome) }
}

const FIRST: Outcome = Answered(&[(0, "auth")]);
const SECOND: Outcome = Answered(&[(1, "auth")]);
const BOTH: Outcome = Answered(&[(0, "auth"), (1, "auth")]);

/// Who asks, and how many.
const ASKERS: &[Form] = &[
    form("401", 401, &[(USER, MD5)], FIRST),
    form("407", 407, &[(PROXY, OF_PROXY)], FIRST),
    form("a proxy's field in a 401", 401, &[(PROXY, OF_PROXY)], FIRST),
    form("a user agent's field in a 407", 407, &[(USER, MD5)], FIRST),
    form("both in one response", 407, &[(PROXY, OF_PROXY), (USER, MD5)], BOTH),
    form("both with one realm", 401, &[(USER, MD5), (PROXY, MD5)], BOTH),
    form("two realms of a fork", 401, &[(USER, MD5), (USER, OF_PROXY)], BOTH),
    form(
        "two servers of one realm behind a fork",
        401,
        &[(USER, MD5), (USER, r#"Digest realm="home", nonce="n2", algorithm=MD5, qop="auth""#)],
        BOTH,
    ),
    form(
        "a foreign realm beside ours",
        401,
        &[(USER, r#"Digest realm="foreign", nonce="f", qop="auth""#), (USER, MD5)],
        SECOND,
    ),
    form("a foreign realm", 401, &[(USER, r#"Digest realm="foreign", nonce="f", qop="auth""#)], Refused),
    form("a realm in another case", 401, &[(USER, r#"Digest realm="HOME", nonce="f", qop="auth""#)], Refused),
    form("no challenge", 401, &[], Refused),
];

const ALGORITHMS: &[Form] = &[
    form("no algorithm", 401, &[(USER, r#"Digest realm="home", nonce="n", qop="auth""#)], FIRST),
    form(
        "MD5-sess",
        401,
        &[(USER, r#"Digest realm="home", nonce="n", algorithm=MD5-sess, qop="auth""#)],
        FIRST,
    ),
    form("SHA-256", 401, &[(USER, SHA)], FIRST),
    form(
        "SHA-256-sess",
        407,
        &[(PROXY, r#"Digest realm="home", nonce="n", algorithm=SHA-256-sess, qop="auth""#)],
        FIRST,
    ),
    form(
        "SHA-512-256",
        401,
        &[(USER, r#"Digest realm="home", nonce="n", algorithm=SHA-512-256, qop="auth""#)],
        FIRST,
    ),
    form(
        "SHA-512-256-sess",
        401,
        &[(USER, r#"Digest realm="home", nonce="n", algorithm=SHA-512-256-sess, qop="auth""#)],
        FIRST,
    ),
    form(
        "an algorithm in small letters",
        401,
        &[(USER, r#"Digest realm="home", nonce="n", algorithm=sha-256, qop="auth""#)],
        FIRST,
    ),
    form("the strongest of two", 401, &[(USER, MD5), (USER, SHA)], SECOND),
    form(
        "the first of equals",
        401,
        &[
            (USER, MD5),
            (USER, SHA),
            (USER, r#"Digest realm="home", nonce="n", algorithm=SHA-512-256, qop="auth""#),
        ],
        SECOND,
    ),
    form("a card's", 401, &[(USER, FOR_A_CARD)], FIRST),
    form(
        "a card's of the second version",
        407,
        &[(
            PROXY,
            r#"Digest realm="card", nonce="I1U8vpY3qJ0hiuZNrke/NVXzKLQ1d7m5Sp/6w1Tfr7M=", algorithm=AKAv2-MD5, qop="auth""#,
        )],
        FIRST,
    ),
    form(
        "a card's, for who has none",
        401,
        &[(
            USER,
            r#"Digest realm="home", nonce="I1U8vpY3qJ0hiuZNrke/NVXzKLQ1d7m5Sp/6w1Tfr7M=", algorithm=AKAv1-MD5, qop="auth""#,
        )],
        Refused,
    ),
    form(
        "a card's of another network",
        401,
        &[(
            USER,
            r#"Digest realm="card", nonce="J1U8vpY3qJ0hiuZNrke/NVXzKLQ1d7m5Sp/6w1Tfr7M=", algorithm=AKAv1-MD5, qop="auth""#,
        )],
        Refused,
    ),
    form(
        "a password's, for who has a card",
        401,
        &[(USER, r#"Digest realm="card", nonce="n", algorithm=SHA-256, qop="auth""#)],
        Refused,
    ),
    form(
        "an unknown one beside a known one",
        401,
        &[(USER, r#"Digest realm="home", nonce="n", algorithm=SHA3-256, qop="auth""#), (USER, MD5)],
        SECOND,
    ),
    form(
        "an unknown one",
        401,
        &[(USER, r#"Digest realm="home", nonce="n", algorithm=ROT13, qop="auth""#)],
        Refused,
    ),
    strict("a weaker one than configured", &[(USER, MD5)], Refused),
    strict(
        "none, which is weaker than configured",
        &[(USER, r#"Digest realm="home", nonce="n", qop="auth""#)],
        Refused,
    ),
    strict("a weaker and a stronger one than configured", &[(USER, MD5), (USER, SHA)], SECOND),
    strict("a card's, whose password is used once", &[(USER, FOR_A_CARD)], FIRST),
];

const QUALITIES: &[Form] = &[
    form(
        "auth-int only",
        401,
        &[(USER, r#"Digest realm="home", nonce="n", algorithm=SHA-256, qop="auth-int""#)],
        Answered(&[(0, "auth-int")]),
    ),
    form(
        "auth-int in a session",
        401,
        &[(USER, r#"Digest realm="home", nonce="n", algorithm=MD5-sess, qop="auth-int""#)],
        Answered(&[(0, "auth-int")]),
    ),
    form("both qualities", 401, &[(USER, r#"Digest realm="home", nonce="n", qop="auth-int,auth""#)], FIRST),
    form(
        "an unknown quality beside a known one",
        401,
        &[(USER, r#"Digest realm="home", nonce="n", qop="auth-conf , auth-int""#)],
        Answered(&[(0, "auth-int")]),
    ),
    form("a quality in capitals", 401, &[(USER, r#"Digest realm="home", nonce="n", qop="AUTH""#)], FIRST),
    form("a quality without quotes", 401, &[(USER, r#"Digest realm="home", nonce="n", qop=auth"#)], FIRST),
    form("an unknown quality", 401, &[(USER, r#"Digest realm="home", nonce="n", qop="auth-conf""#)], Refused),
    form("an empty list of qualities", 401, &[(USER, r#"Digest realm="home", nonce="n", qop="""#)], Refused),
    form("no quality", 401, &[(USER, r#"Digest realm="home", nonce="n""#)], Refused),
    lax(
        "no quality, which is let through",
        &[(USER, r#"Digest realm="home", nonce="n", opaque="o""#)],
        Answered(&[(0, "")]),
    ),
    lax(
        "a session without quality",
        &[(USER, r#"Digest realm="home", nonce="n", algorithm=MD5-sess"#)],
        Refused,
    ),
    lax("no quality beside one", &[(USER, r#"Digest realm="home", nonce="n""#), (USER, SHA)], SECOND),
];

const PARAMETERS: &[Form] = &[
    form(
        "opaque with what must be escaped",
        401,
        &[(USER, r#"Digest realm="home", nonce="n", qop="auth", opaque="o,\"1\\""#)],
        FIRST,
    ),
    form(
        "an empty opaque",
        401,
        &[(USER, r#"Digest realm="home", nonce="n", qop="auth", opaque="""#)],
        FIRST,
    ),
    form(
        "a domain, wherever it leads",
        401,
        &[(USER, r#"Digest realm="home", domain="sip:elsewhere.example sips:b", nonce="n", qop="auth""#)],
        FIRST,
    ),
    form(
        "stale at first",
        401,
        &[(USER, r#"Digest realm="home", nonce="n", qop="auth", stale=TRUE"#)],
        FIRST,
    ),
    form(
        "a hashed user",
        401,
        &[(
            USER,
            r#"Digest realm="home", nonce="n", algorithm=SHA-256, qop="auth", charset=UTF-8, userhash=true"#,
        )],
        FIRST,
    ),
    form(
        "a hashed user under MD5",
        407,
        &[(PROXY, r#"Digest realm="home", nonce="n", qop="auth", userhash=true"#)],
        FIRST,
    ),
    form(
        "no hashed user",
        401,
        &[(USER, r#"Digest realm="home", nonce="n", qop="auth", userhash=false"#)],
        FIRST,
    ),
    form(
        "unknown parameters",
        401,
        &[(USER, r#"Digest realm="home", x=y, nonce="n", z="a, realm=\"foreign\"", qop="auth""#)],
        FIRST,
    ),
    form(
        "a realm with quotes and letters of all kinds",
        401,
        &[(USER, "Digest realm=\"d\u{e4} \\\"in\\\", a\\\\b\", nonce=\"n\", qop=\"auth\"")],
        FIRST,
    ),
    form(
        "names in capitals and spaces",
        401,
        &[(USER, "DIGEST  REALM = \"home\" ,NONCE= \"n\",, QOP =\"auth\",ALGORITHM=md5")],
        FIRST,
    ),
    form("no realm", 401, &[(USER, r#"Digest nonce="n", qop="auth""#)], Refused),
    form("no nonce", 401, &[(USER, r#"Digest realm="home", qop="auth""#)], Refused),
];

const SCHEMES: &[Form] = &[
    form(
        "an unknown scheme beside a known one",
        401,
        &[
            (USER, r#"Bearer realm="home", authz_server="https://a""#),
            (USER, r#"Basic realm="home""#),
            (USER, MD5),
        ],
        Answered(&[(2, "auth")]),
    ),
    form("Basic", 401, &[(USER, r#"Basic realm="home""#)], Refused),
    form("Bearer", 401, &[(USER, r#"Bearer realm="home", authz_server="https://a""#)], Refused),
    form(
        "what is malformed beside a good one",
        401,
        &[(USER, "Digest realm=\"home"), (USER, "Digest"), (USER, ""), (USER, MD5)],
        Answered(&[(3, "auth")]),
    ),
    form("malformed", 401, &[(USER, "Digest realm=\"home\" nonce=\"n\"")], Refused),
    // RFC 3261 §20.44: each stands in a field of its own.
    form(
        "two in one field",
        401,
        &[(
            USER,
            r#"Digest realm="home", nonce="a", qop="auth", Digest realm="home", nonce="b", qop="auth""#,
        )],
        Refused,
    ),
    form(
        "two in one field beside a good one",
        401,
        &[
            (
                USER,
                r#"Digest realm="home", nonce="a", qop="auth", Digest realm="home", nonce="b", qop="auth""#,
            ),
            (USER, SHA),
        ],
        SECOND,
    ),
];

/// Every form.
pub(super) fn forms() -> impl Iterator<Item = &'static Form> {
    [ASKERS, ALGORITHMS, QUALITIES, PARAMETERS, SCHEMES].into_iter().flatten()
}
