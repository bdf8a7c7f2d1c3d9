//! The forms that credentials come in.

use super::draft::{Asked, Draft};

/// What a request with them comes to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// It is done what is asked.
    Passes,
    /// 401 with stale=true, counted as such.
    Stale,
    /// 401, counted as a guess.
    Guess,
    /// 401, and no guess.
    Asks,
    /// 400.
    Defect,
}
use Expected::{Asks, Defect, Guess, Passes, Stale};

/// What we ask for.
#[derive(Clone, Copy)]
pub enum Profile {
    /// SHA-256 and MD5, with `auth`.
    Plain,
    /// All that we know, from clients of all ages.
    Wide,
    /// SHA-256 only.
    Strict,
}
use Profile::{Plain, Strict, Wide};

impl Profile {
    pub fn text(self) -> &'static str {
        match self {
            Plain => "",
            Wide => {
                "\n[profiles.default.digest]\nalgorithms = [\"SHA-512-256\", \"SHA-256\", \"MD5\"]\n\
                 qop = [\"auth\", \"auth-int\"]\nuserhash = true\nallow_without_qop = true\n"
            }
            Strict => "\n[profiles.default.digest]\nalgorithms = [\"SHA-256\"]\n",
        }
    }
}

type Fields = Vec<(&'static str, String)>;

/// One form.
pub struct Form {
    pub name: &'static str,
    pub profile: Profile,
    /// Seconds between the challenge and the answer.
    pub wait: u64,
    pub credentials: fn(&Asked) -> Fields,
    pub expected: Expected,
}

const fn form(
    name: &'static str,
    expected: Expected,
    profile: Profile,
    credentials: fn(&Asked) -> Fields,
) -> Form {
    Form { name, profile, wait: 0, credentials, expected }
}

fn one(value: String) -> Fields {
    vec![("Authorization", value)]
}

fn draft(asked: &Asked) -> Draft {
    asked.draft("SHA-256")
}

/// The right answer with one parameter written otherwise afterwards.
fn changed(asked: &Asked, name: &str, value: &str) -> Fields {
    one(draft(asked).sign().set(name, value).text())
}

/// The right answer to something that is written otherwise.
fn other(asked: &Asked, name: &str, value: &str) -> Fields {
    one(draft(asked).set(name, value).signed())
}

fn lacking(asked: &Asked, name: &str) -> Fields {
    one(draft(asked).sign().without(name).text())
}

const ABSENT: &[Form] = &[
    form("none", Asks, Plain, |_| Vec::new()),
    form("for a foreign realm", Asks, Plain, |a| other(a, "realm", "\"elsewhere\"")),
    form("for the realm in another case", Asks, Plain, |a| other(a, "realm", "\"SBC\"")),
    form("for no realm", Asks, Plain, |a| lacking(a, "realm")),
    // RFC 8760 §2.7: who was not challenged yet may say who it is.
    form("with an empty response and nonce", Asks, Plain, |a| {
        one(draft(a).set("nonce", "\"\"").set("response", "\"\"").text())
    }),
    form("in a proxy's field", Asks, Plain, |a| vec![("Proxy-Authorization", a.right())]),
    form("Basic", Asks, Plain, |_| one("Basic Ym9iOndvbmRlcmxhbmQ=".into())),
    form("Bearer, where no token is asked for", Asks, Plain, |_| one("Bearer abc.def.ghi".into())),
    form("of an unknown scheme", Asks, Plain, |a| one(draft(a).scheme("Digest2").signed())),
    form("garbage", Asks, Plain, |_| one("Digest realm=\"sbc".into())),
    form("empty", Asks, Plain, |_| one(String::new())),
];

const RIGHT: &[Form] = &[
    form("SHA-256", Passes, Plain, |a| one(a.right())),
    form("MD5", Passes, Plain, |a| one(a.draft("MD5").signed())),
    form("MD5 by saying nothing", Passes, Plain, |a| one(a.draft("MD5").without("algorithm").signed())),
    form("SHA-512-256", Passes, Wide, |a| one(a.draft("SHA-512-256").signed())),
    form("auth-int", Passes, Wide, |a| other(a, "qop", "auth-int")),
    form("without qop, where that is let through", Passes, Wide, |a| {
        one(draft(a).without("qop").without("nc").without("cnonce").signed())
    }),
    form("by a hash", Passes, Wide, |a| {
        let draft = draft(a).set("userhash", "true");
        let name = format!("\"{}\"", draft.hash("bob:sbc"));
        one(draft.set("username", &name).signed())
    }),
    form("by a hash in capitals", Passes, Wide, |a| {
        let draft = draft(a).set("userhash", "true");
        let name = format!("\"{}\"", draft.hash("bob:sbc").to_uppercase());
        one(draft.set("username", &name).signed())
    }),
    form("by an extended name", Passes, Plain, |a| {
        one(draft(a).without("username").set("username*", "UTF-8''%62ob").signed())
    }),
    form("beside those for a foreign realm", Passes, Plain, |a| {
        let foreign = draft(a).set("realm", "\"elsewhere\"").signed();
        vec![("Authorization", foreign), ("Authorization", a.right())]
    }),
    form("behind those with another nonce", Passes, Plain, |a| {
        let old = draft(a).set("nonce", "\"theirs\"").signed();
        vec![("Authorization", old), ("Authorization", a.right())]
    }),
    form("beside garbage and other schemes", Passes, Plain, |a| {
        let garbage =
            ["Digest realm=\"sbc", "Basic Ym9iOmI=", ""].map(|text| ("Authorization", text.to_owned()));
        garbage.into_iter().chain([("Authorization", a.right())]).collect()
    }),
    Form { wait: 290, ..form("late, but not too late", Passes, Plain, |a| one(a.right())) },
];

const WRITTEN_OTHERWISE: &[Form] = &[
    form("quotes where none belong", Passes, Plain, |a| {
        one(draft(a)
            .sign()
            .set("qop", "\"auth\"")
            .set("nc", "\"00000001\"")
            .set("algorithm", "\"SHA-256\"")
            .text())
    }),
    form("no quotes where they belong", Passes, Plain, |a| {
        one(draft(a).sign().set("username", "bob").set("realm", "sbc").set("cnonce", "c1").text())
    }),
    form("quoted letters that need it not", Passes, Plain, |a| changed(a, "username", r#""b\ob""#)),
    form("names and values in capitals", Passes, Plain, |a| {
        let signed = draft(a).sign().set("qop", "AUTH").set("algorithm", "sha-256");
        one(signed.rename("username", "USERNAME").rename("response", "Response").scheme("DIGEST").text())
    }),
    form("the digits of the response in capitals", Passes, Plain, |a| {
        let response = format!("\"{}\"", draft(a).response().to_uppercase());
        changed(a, "response", &response)
    }),
    form("unknown parameters", Passes, Plain, |a| changed(a, "x", "\"a, realm=\\\"b\\\"\"")),
    form("opaque that nobody gave", Passes, Plain, |a| changed(a, "opaque", "\"o\"")),
    form("userhash=false", Passes, Plain, |a| changed(a, "userhash", "false")),
    form("the digest-uri with parameters", Passes, Plain, |a| {
        let uri = format!("\"{};transport=udp\"", a.uri);
        other(a, "uri", &uri)
    }),
    form("the digest-uri in other letters", Passes, Plain, |a| {
        let uri = format!("\"{}\"", a.uri.replace("example", "EXAMPLE"));
        other(a, "uri", &uri)
    }),
    form("the user in capitals", Guess, Plain, |a| {
        one(draft(a).set("username", "\"BOB\"").but(|draft| draft.user = "BOB".into()).signed())
    }),
    form("the nonce in capitals", Stale, Plain, |a| {
        let nonce = draft(a).text().split("nonce=").nth(1).unwrap().split(',').next().unwrap().to_uppercase();
        other(a, "nonce", &nonce)
    }),
];

const NONCES: &[Form] = &[
    Form { wait: 301, ..form("with a nonce that is too old", Stale, Plain, |a| one(a.right())) },
    form("with a nonce of ours that was never given out", Stale, Plain, |a| {
        other(a, "nonce", &format!("\"{}\"", "0".repeat(64)))
    }),
    form("with a nonce of somebody else", Stale, Plain, |a| other(a, "nonce", "\"theirs\"")),
    form("with a forged nonce under a response that was heard", Stale, Plain, |a| {
        changed(a, "nonce", &format!("\"{}\"", "0".repeat(64)))
    }),
    form("with another count under a response that was heard", Guess, Plain, |a| {
        changed(a, "nc", "00000002")
    }),
    form("with another cnonce under a response that was heard", Guess, Plain, |a| {
        changed(a, "cnonce", "\"c2\"")
    }),
];

const WRONG: &[Form] = &[
    form("a wrong password", Guess, Plain, |a| {
        one(draft(a).but(|draft| draft.password = "looking-glass".into()).signed())
    }),
    form("an empty password", Guess, Plain, |a| one(draft(a).but(|draft| draft.password.clear()).signed())),
    form("an unknown user", Guess, Plain, |a| {
        one(draft(a).set("username", "\"eve\"").but(|draft| draft.user = "eve".into()).signed())
    }),
    form("a hash that is nobody's", Guess, Wide, |a| {
        let draft = draft(a).set("userhash", "true");
        let name = format!("\"{}\"", draft.hash("eve:sbc"));
        one(draft.set("username", &name).signed())
    }),
    form("made for another method", Guess, Plain, |a| {
        one(draft(a).but(|draft| draft.method = "FROBNICATE".into()).signed())
    }),
    form("auth-int with another body", Guess, Wide, |a| {
        one(draft(a).set("qop", "auth-int").but(|draft| draft.body.push('x')).signed())
    }),
    form("auth-int said of auth", Guess, Wide, |a| changed(a, "qop", "auth-int")),
    form("auth said of auth-int", Guess, Wide, |a| {
        one(draft(a).set("qop", "auth-int").sign().set("qop", "auth").text())
    }),
];

const NOT_OFFERED: &[Form] = &[
    form("a weaker algorithm", Asks, Strict, |a| one(a.draft("MD5").signed())),
    form("a weaker algorithm by saying nothing", Asks, Strict, |a| {
        one(a.draft("MD5").without("algorithm").signed())
    }),
    form("a session", Asks, Wide, |a| one(a.draft("MD5-sess").signed())),
    form("an unknown algorithm", Asks, Plain, |a| changed(a, "algorithm", "ROT13")),
    form("a card's algorithm", Asks, Plain, |a| one(a.draft("AKAv1-MD5").signed())),
    form("a stronger algorithm", Asks, Plain, |a| one(a.draft("SHA-512-256").signed())),
    form("auth-int where auth is asked", Asks, Plain, |a| other(a, "qop", "auth-int")),
    form("an unknown qop", Asks, Plain, |a| other(a, "qop", "auth-conf")),
    form("no qop", Asks, Plain, |a| one(draft(a).without("qop").without("nc").without("cnonce").signed())),
    form("by a hash that is not asked for", Asks, Plain, |a| {
        let draft = draft(a).set("userhash", "true");
        let name = format!("\"{}\"", draft.hash("bob:sbc"));
        one(draft.set("username", &name).signed())
    }),
];

const DEFECTIVE: &[Form] = &[
    form("no username", Defect, Plain, |a| lacking(a, "username")),
    form("an empty username", Defect, Plain, |a| changed(a, "username", "\"\"")),
    form("two names", Defect, Plain, |a| changed(a, "username*", "UTF-8''bob")),
    form("a name in no letters that we know", Defect, Plain, |a| {
        one(draft(a).without("username").set("username*", "KOI8-R''bob").signed())
    }),
    form("no nonce", Defect, Plain, |a| lacking(a, "nonce")),
    form("no digest-uri", Defect, Plain, |a| lacking(a, "uri")),
    form("no response", Defect, Plain, |a| lacking(a, "response")),
    form("no cnonce", Defect, Plain, |a| lacking(a, "cnonce")),
    form("no count", Defect, Plain, |a| lacking(a, "nc")),
    form("a count of one digit", Defect, Plain, |a| other(a, "nc", "1")),
    form("a count of nothing", Defect, Plain, |a| other(a, "nc", "00000000")),
    form("a count that is none", Defect, Plain, |a| other(a, "nc", "0000000g")),
    form("the response of another algorithm", Defect, Plain, |a| {
        one(a.draft("MD5").sign().set("algorithm", "SHA-256").text())
    }),
    form("a response that is none", Defect, Plain, |a| changed(a, "response", "\"nonsense\"")),
    form("another digest-uri", Defect, Plain, |a| other(a, "uri", "\"sip:eve@example.com\"")),
    form("a digest-uri that is none", Defect, Plain, |a| other(a, "uri", "\"*\"")),
    form("a secure digest-uri", Defect, Plain, |a| {
        let uri = format!("\"{}\"", a.uri.replace("sip:", "sips:"));
        other(a, "uri", &uri)
    }),
];

/// Every form.
pub fn forms() -> impl Iterator<Item = &'static Form> {
    [ABSENT, RIGHT, WRITTEN_OTHERWISE, NONCES, WRONG, NOT_OFFERED, DEFECTIVE].into_iter().flatten()
}
