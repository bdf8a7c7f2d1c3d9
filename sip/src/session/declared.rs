//! The extensions that our INVITE has said we support, which every refresh of its session says again (RFC 4028 §7.4).

use super::{FROM_CHANGE, RELIABLE, TARGET_DIALOG, TERMINATED};
use sip_types::{Fields, HeaderName};

/// Those that an INVITE of ours may name, besides that of session timers.
const OPTIONS: [&str; 6] = [RELIABLE, TERMINATED, "replaces", TARGET_DIALOG, FROM_CHANGE, "outbound"];

/// Which of them one has named, a bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Declared(u8);

impl Declared {
    /// What header fields of ours name.
    pub(crate) fn of(fields: &Fields) -> Self {
        let named = |option: &str| {
            let mut values = fields.all(HeaderName::Supported).map(|field| &**field.value());
            values.any(|value| {
                value
                    .split(|byte| *byte == b',')
                    .any(|tag| tag.trim_ascii().eq_ignore_ascii_case(option.as_bytes()))
            })
        };
        let bits = OPTIONS.into_iter().enumerate().filter(|(_, option)| named(option));
        Self(bits.fold(0, |all, (place, _)| all | 1 << place))
    }

    /// Those of them that another message has not named already.
    pub(crate) fn but(self, fields: &Fields) -> impl Iterator<Item = &'static str> {
        let left = self.0 & !Self::of(fields).0;
        OPTIONS
            .into_iter()
            .enumerate()
            .filter(move |(place, _)| left >> place & 1 == 1)
            .map(|(_, option)| option)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_named_is_named_again_once() {
        let mut fields = Fields::default();
        fields.push(HeaderName::Supported, "replaces, x-own");
        fields.push(HeaderName::Supported, "100REL");
        let declared = Declared::of(&fields);
        assert_eq!(declared.but(&Fields::default()).collect::<Vec<_>>(), ["100rel", "replaces"]);
        let mut again = Fields::default();
        again.push(HeaderName::Supported, "100rel");
        assert_eq!(declared.but(&again).collect::<Vec<_>>(), ["replaces"]);
        assert_eq!(Declared::default().but(&fields).count(), 0);
    }
}
