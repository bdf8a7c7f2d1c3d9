//! Passwords that are guessed first.

/// Fewest characters of a password.
const SHORTEST: usize = 8;
/// Fewest characters of one that is all digits: a search through eight of them takes a day.
const SHORTEST_NUMBER: usize = 12;

/// Why a password is easily guessed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Weakness {
    /// What every scanner tries first.
    #[error("the password is the user name, or begins with it and has little more")]
    UserName,
    /// Few characters.
    #[error("the password has fewer than {SHORTEST} characters")]
    Short,
    /// Few digits.
    #[error("the password is all digits and has fewer than {SHORTEST_NUMBER}")]
    FewDigits,
    /// What many have thought of.
    #[error("the password is one of those that are tried first")]
    Common,
    /// One character, again and again.
    #[error("the password is one character, repeated")]
    Monotonous,
}

impl Weakness {
    /// What is wrong with a user's password; `None` if nothing is that we see.
    pub(super) fn of(username: &str, password: &str) -> Option<Self> {
        let characters = password.chars().count();
        let (user, word) = (username.to_lowercase(), password.to_lowercase());
        let mut rest = Some(word.as_str()).filter(|_| !user.is_empty());
        while let Some(shorter) = rest.and_then(|rest| rest.strip_prefix(&user)) {
            rest = Some(shorter);
        }
        if rest.is_some_and(|rest| rest.len() < word.len() && rest.chars().count() < 4) {
            return Some(Self::UserName);
        }
        if characters < SHORTEST {
            return Some(Self::Short);
        }
        if characters < SHORTEST_NUMBER && password.bytes().all(|b| b.is_ascii_digit()) {
            return Some(Self::FewDigits);
        }
        if is_common(&word) {
            return Some(Self::Common);
        }
        let mut all = password.chars();
        let first = all.next();
        all.all(|other| Some(other) == first).then_some(Self::Monotonous)
    }
}

/// Words that passwords are made of, and ways along a keyboard.
const COMMON: [&str; 22] = [
    "0123456789",
    "123456789",
    "12345678",
    "abcdefgh",
    "admin",
    "asterisk",
    "changeme",
    "default",
    "freeswitch",
    "geheim",
    "iloveyou",
    "kamailio",
    "letmein",
    "liaison",
    "passw0rd",
    "password",
    "passwort",
    "qwertyui",
    "qwertzui",
    "secret",
    "telephone",
    "welcome",
];

/// Whether a password, in small letters, is one of those words but for a few characters around it.
fn is_common(word: &str) -> bool {
    COMMON.iter().any(|common| word.contains(common) && word.len() < common.len() + 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_scanners_try_first_is_refused() {
        let cases = [
            ("alice", "alice", Some(Weakness::UserName)),
            ("Alice-Office", "alice-OFFICE123", Some(Weakness::UserName)),
            ("alice", "secret7", Some(Weakness::Short)),
            ("alice", "", Some(Weakness::Short)),
            ("4930555", "20240101", Some(Weakness::FewDigits)),
            ("4930555", "12345678901", Some(Weakness::FewDigits)),
            ("alice", "aaaaaaaaaaaa", Some(Weakness::Monotonous)),
            ("alice", "000000000000", Some(Weakness::Monotonous)),
            ("alice", "alicealice", Some(Weakness::UserName)),
            ("alice", "Password", Some(Weakness::Common)),
            ("alice", "12345678a", Some(Weakness::Common)),
            ("alice", "!secret99", Some(Weakness::Common)),
            ("alice", "a-secret-of-alices", None),
            ("alice", "wonderland", None),
            ("alice", "alice-in-wonderland", None),
            ("4930555", "481516234215", None),
            ("", "wonderland", None),
        ];
        for (user, password, expected) in cases {
            assert_eq!(Weakness::of(user, password), expected, "{user} {password}");
        }
    }
}
