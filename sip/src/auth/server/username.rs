//! Who somebody says to be: a name, or the hash of one (RFC 7616 §3.4, §3.4.4).

use super::verdict::Refusal;
use crate::auth::algorithm::Hash;
use crate::auth::digest::{self, Hex};
use sip_types::header::auth::Credentials;
use std::collections::BTreeMap;
use std::fmt;

/// A user as the credentials name it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Claimant {
    /// By name, unescaped.
    Name(Box<str>),
    /// By the hash of name and realm, in lower-case hexadecimal.
    Hashed(Box<str>),
}

impl Claimant {
    /// The name, or the hexadecimal digits.
    pub fn text(&self) -> &str {
        match self {
            Claimant::Name(text) | Claimant::Hashed(text) => text,
        }
    }

    /// Reads `username` or `username*`, of which there is exactly one, and `userhash`.
    pub(super) fn read(given: &Credentials, hash: Hash, offered: bool) -> Result<Self, Refusal> {
        let hashed = given.param("userhash").is_some_and(|value| value.eq_ignore_ascii_case("true"));
        let plain = given.username().filter(|name| !name.is_empty());
        match (plain, given.param("username*"), hashed) {
            (Some(_), None, true) if !offered => Err(Refusal::Userhash),
            (Some(digits), None, true) => {
                let hex = Hex::parse(hash, &digits).ok_or(Refusal::BadUsername)?;
                Ok(Self::Hashed(hex.as_str().into()))
            }
            (Some(name), None, false) => Ok(Self::Name(name.into())),
            (None, Some(extended), false) => extended_value(&extended).map(Self::Name),
            (None, None, _) => Err(Refusal::Missing("username")),
            (Some(_), Some(_), _) | (None, Some(_), true) => Err(Refusal::BadUsername),
        }
    }
}

impl fmt::Debug for Claimant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Claimant(redacted)")
    }
}

/// An ext-value in UTF-8 (RFC 5987 §3.2.1): `UTF-8'' ` or with a language, then octets percent-encoded.
fn extended_value(text: &str) -> Result<Box<str>, Refusal> {
    let mut parts = text.splitn(3, '\'');
    let (Some(charset), Some(_language), Some(value)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(Refusal::BadUsername);
    };
    if !charset.eq_ignore_ascii_case("UTF-8") || value.is_empty() {
        return Err(Refusal::BadUsername);
    }
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.bytes();
    while let Some(byte) = rest.next() {
        let mut digit = || rest.next().and_then(|b| char::from(b).to_digit(16));
        bytes.push(match byte {
            b'%' => match (digit(), digit()) {
                (Some(high), Some(low)) => u8::try_from(high << 4 | low).map_err(|_| Refusal::BadUsername)?,
                _ => return Err(Refusal::BadUsername),
            },
            plain => plain,
        });
    }
    String::from_utf8(bytes).map(Into::into).map_err(|_| Refusal::BadUsername)
}

/// The names behind hashed usernames of one realm, made once when the users are loaded.
#[derive(Debug, Default)]
pub struct UserHashes {
    names: BTreeMap<Box<str>, Box<str>>,
}

impl UserHashes {
    /// For these users under each of these hash functions.
    pub fn new<'u>(realm: &str, functions: &[Hash], users: impl Iterator<Item = &'u str>) -> Self {
        let mut names = BTreeMap::new();
        for user in users {
            for function in functions {
                names.insert(digest::userhash(*function, user, realm).as_str().into(), user.into());
            }
        }
        Self { names }
    }

    /// The name of a user; for a hash `None` if it is nobody's.
    pub fn name<'n>(&'n self, claimant: &'n Claimant) -> Option<&'n str> {
        match claimant {
            Claimant::Name(name) => Some(name),
            Claimant::Hashed(digits) => self.names.get(digits).map(|name| &**name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::tests::credentials;

    fn read(params: &str) -> Result<Claimant, Refusal> {
        Claimant::read(&credentials(&format!("Digest {params}")), Hash::Sha512_256, true)
    }

    /// Both forms of RFC 7616 §3.9.2, the hash as erratum 4897 has it.
    #[test]
    fn rfc7616_3_9_2_the_user_by_name_and_by_hash() {
        let name = "J\u{e4}s\u{f8}n Doe";
        assert_eq!(read("username*=UTF-8''J%C3%A4s%C3%B8n%20Doe"), Ok(Claimant::Name(name.into())));
        assert_eq!(read("username*=utf-8'en'J%c3%a4s%c3%b8n%20Doe"), Ok(Claimant::Name(name.into())));
        let digits = "793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b";
        let hashed = read(&format!("username=\"{}\", userhash=true", digits.to_uppercase())).unwrap();
        assert_eq!(hashed, Claimant::Hashed(digits.into()));
        let functions = [Hash::Md5, Hash::Sha512_256];
        let users = UserHashes::new("api@example.org", &functions, ["bob", name].into_iter());
        assert_eq!(users.name(&hashed), Some(name));
        assert_eq!(users.name(&Claimant::Hashed("00".into())), None);
        assert_eq!(users.name(&Claimant::Name("eve".into())), Some("eve"));
        assert_eq!(format!("{hashed:?}"), "Claimant(redacted)");
    }

    // conforms: RFC7616-3.4-1
    #[test]
    fn rfc7616_3_4_what_names_nobody_is_refused() {
        for bad in [
            "username*=UTF-8''a, username=\"a\"",
            "username*=UTF-8''a, userhash=true",
            "username*=ISO-8859-1''a",
            "username*=UTF-8''",
            "username*=UTF-8'a",
            "username*=UTF-8''%C3",
            "username*=UTF-8''%+1",
            "username*=UTF-8''%4",
            "username=alice, userhash=true",
        ] {
            assert_eq!(read(bad), Err(Refusal::BadUsername), "{bad}");
        }
        assert_eq!(read("username=\"\", realm=a"), Err(Refusal::Missing("username")));
        let asked = Claimant::read(&credentials("Digest username=a, userhash=true"), Hash::Md5, false);
        assert_eq!(asked, Err(Refusal::Userhash));
    }
}
