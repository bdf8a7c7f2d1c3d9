use std::collections::BTreeSet;
use std::time::Duration;

use bytestring::ByteString;

use crate::declare::{Reader, choice, table};
use crate::error::Found;
use crate::model::Algorithm;
use crate::text::Secret;

table! {
    /// What we answer a challenge with.
    pub struct Credentials {
        /// The realm of the challenge, exactly.
        live realm: ByteString, such as "sip.example.com";
        /// The user name.
        live username: ByteString, such as "liaison";
        /// The password.
        live password: Secret, such as { env = "CARRIER_PASSWORD" };
        /// The weakest algorithm that the password may be shown to, when the profile would answer weaker ones.
        live weakest: Option<Algorithm>, such as "SHA-256";
    }
}

table! {
    /// What we answer a challenge of a mobile network with: Digest AKA with MILENAGE (RFC 3310, RFC 4169; 3GPP TS 35.206). The
    /// sequence number of the last challenge is kept over a restart, in `registrations.redb` in the state directory.
    pub struct CardCredentials {
        /// The realm of the challenge, exactly.
        live realm: ByteString, such as "ims.example.com";
        /// The private identity.
        live username: ByteString, such as "001010000000001@ims.example.com";
        /// The subscriber's key K: 32 hexadecimal digits.
        live key: Secret, such as { file = "/etc/liaison/sim.k" };
        /// The operator's key: 32 hexadecimal digits.
        live operator: Secret, such as { file = "/etc/liaison/sim.opc" };
        /// Which of the operator's keys that is.
        live operator_is: OperatorKey = "opc";
    }
}

choice! {
    /// A key of the operator (TS 35.206 §4.1).
    pub enum OperatorKey {
        /// OPc, which holds for one subscriber.
        Opc = "opc",
        /// OP, from which OPc is made.
        Op = "op",
    }
}

table! {
    /// How we challenge the requests of a trunk, or of the users of a registrar: for a password, for a token, or for either.
    pub struct Challenge {
        /// The realm that we name.
        live realm: ByteString, such as "sbc.example.com";
        /// Who may answer with a password. One that is easily guessed is refused: the user name itself, fewer than 8
        /// characters, or fewer than 12 where all are digits.
        live users: Vec<User> = [], in 0..=100_000;
        /// Lets tokens of an authorization server answer (RFC 8898).
        live bearer: Option<Bearer>;
    }
    check check_challenge;
}

table! {
    /// Somebody who may answer our challenge.
    pub struct User {
        /// The user name.
        live username: ByteString, such as "pbx";
        /// The password.
        live password: Secret, such as { file = "/etc/liaison/pbx.password" };
    }
}

table! {
    /// The tokens that answer our challenge: JSON Web Tokens (RFC 7519), signed with a public key.
    pub struct Bearer {
        /// The keys that they are signed with: a JWK set (RFC 7517), or one public key in PEM.
        live keys: Secret, such as { file = "/etc/liaison/auth.jwks" };
        /// The https URI of the authorization server, which our challenges name.
        live authz_server: ByteString, such as "https://auth.example.com";
        /// The `iss` that they must have.
        live issuer: ByteString, such as "https://auth.example.com";
        /// They must be for one of these (`aud`).
        live audiences: Vec<ByteString>, in 1..=16, such as ["sip:example.com"];
        /// They must have all of these in `scope`.
        live scopes: Vec<ByteString> = [], in 0..=16, such as ["sip"];
        /// The claim that names the user.
        live user_claim: ByteString = "sub";
        /// How far clocks may disagree about when a token begins and ends.
        live leeway: Duration = "30s", in "0s"..="5m";
    }
    check check_bearer;
}

table! {
    /// How guessing at passwords is met: by source and user, so that other users of the source go on.
    pub struct Guessing {
        /// Wrong guesses in a row that cost nothing.
        live free: u32 = 5, in 1..=1_000;
        /// The wait after the next wrong guess. It doubles with each further one, up to 64 times; meanwhile the answer is
        /// 403.
        live delay: Duration = "1s", in "100ms"..="60s";
        /// Wrong guesses in a row after which the answer is 403 for as long as `forget_after`.
        live refuse_after: u32 = 20, in 2..=10_000;
        /// How long without a wrong guess makes all forgotten.
        live forget_after: Duration = "1h", in "1m"..="30d";
        /// Bits of an IPv4 address that make its source.
        live ipv4_prefix: u8 = 32, in 8..=32;
        /// Bits of an IPv6 address that make its source.
        live ipv6_prefix: u8 = 64, in 16..=128;
        /// Pairs of source and user that are remembered; beyond, the one that guessed longest ago is forgotten.
        live entries: usize = 20_000, in 16..=10_000_000;
    }
    check check_guessing;
}

fn check_challenge(challenge: &Challenge, reader: &mut Reader<'_>) {
    let mut seen = BTreeSet::new();
    for (index, user) in challenge.users.iter().enumerate() {
        if !seen.insert(&user.username) {
            let found = Found::Text(format!("{:?} again", &*user.username));
            let path = format!("{}.username", reader.element("users", index));
            reader.conflict(&path, found, "each user name once");
        }
    }
    if challenge.users.is_empty() && challenge.bearer.is_none() {
        reader.conflict("users", Found::Text("nobody".to_owned()), "at least one user, or `bearer`");
    }
}

fn check_bearer(bearer: &Bearer, reader: &mut Reader<'_>) {
    let uri = &*bearer.authz_server;
    let host = uri.get(..8).filter(|scheme| scheme.eq_ignore_ascii_case("https://")).and(uri.get(8..));
    if host.is_none_or(str::is_empty) || uri.contains(|c: char| c.is_whitespace() || c.is_control()) {
        reader.conflict("authz_server", Found::Text(format!("{uri:?}")), "an https URI (RFC 8898 §4)");
    }
    for (index, scope) in bearer.scopes.iter().enumerate() {
        // scope-token (RFC 6749 §3.3).
        let token = |b: u8| matches!(b, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
        if scope.is_empty() || !scope.bytes().all(token) {
            let found = Found::Text(format!("{:?}", &**scope));
            reader.conflict(&reader.element("scopes", index), found, "one scope, without spaces and quotes");
        }
    }
}

fn check_guessing(guessing: &Guessing, reader: &mut Reader<'_>) {
    if guessing.refuse_after <= guessing.free {
        let found = Found::Text(guessing.refuse_after.to_string());
        reader.conflict("refuse_after", found, format!("more than `free`, which is {}", guessing.free));
    }
}
