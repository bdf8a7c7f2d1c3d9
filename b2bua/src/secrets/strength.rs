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
    /// One character, again and again.
    #[error("the password is one character, repeated")]
    Monotonous,
}

impl Weakness {
    /// What is wrong with a user's password; `None` if nothing is that we see.
    pub(super) fn of(username: &str, password: &str) -> Option<Self> {
        let characters = password.chars().count();
        let (user, word) = (username.to_lowercase(), password.to_lowercase());
        let rest = word.strip_prefix(&user).filter(|_| !user.is_empty());
        if rest.is_some_and(|rest| rest.chars().count() < 4) {
            return Some(Self::UserName);
        }
        if characters < SHORTEST {
            return Some(Self::Short);
        }
        if characters < SHORTEST_NUMBER && password.bytes().all(|b| b.is_ascii_digit()) {
            return Some(Self::FewDigits);
        }
        let mut all = password.chars();
        let first = all.next();
        all.all(|other| Some(other) == first).then_some(Self::Monotonous)
    }
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
