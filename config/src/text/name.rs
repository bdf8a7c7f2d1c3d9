use bytestring::ByteString;

use crate::declare::{Kind, Text};

/// Longest name, in bytes.
const LONGEST: usize = 64;

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident, $kind:expr, $expected:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(ByteString);

        impl $name {
            /// The name.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Debug::fmt(self.as_str(), f)
            }
        }

        impl Text for $name {
            const EXPECTED: &'static str = $expected;
            const PATTERN: Option<&'static str> = Some("^[A-Za-z0-9_-]{1,64}$");
            const NAMES: Option<Kind> = $kind;

            fn parse(text: &str) -> Option<Self> {
                let fits = (1..=LONGEST).contains(&text.len())
                    && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
                fits.then(|| Self(text.into()))
            }

            fn print(&self) -> String {
                self.to_string()
            }
        }
    )*};
}

names! {
    /// The name of a network: 1 to 64 letters, digits, `_`, `-`.
    NetworkName, Some(Kind::Network), "the name of a network (1 to 64 letters, digits, _, -)";
    /// The name of a trunk: 1 to 64 letters, digits, `_`, `-`.
    TrunkName, Some(Kind::Trunk), "the name of a trunk (1 to 64 letters, digits, _, -)";
    /// The name of a profile: 1 to 64 letters, digits, `_`, `-`.
    ProfileName, Some(Kind::Profile), "the name of a profile (1 to 64 letters, digits, _, -)";
    /// The name of a route: 1 to 64 letters, digits, `_`, `-`.
    RouteName, None, "a name of its own (1 to 64 letters, digits, _, -)";
}

impl ProfileName {
    /// The profile of whatever names none.
    pub const DEFAULT: &'static str = "default";

    pub(crate) fn default_profile() -> Option<Self> {
        Self::parse(Self::DEFAULT)
    }
}
