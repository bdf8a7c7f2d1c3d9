//! Differentiated services.

use crate::declare::Text;

/// A differentiated services code point (RFC 2474 §3): by name, by its number, or that of another packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dscp(Option<u8>);

impl Dscp {
    /// Its six bits; `None` where they are copied.
    #[must_use]
    pub const fn value(self) -> Option<u8> {
        self.0
    }
}

/// Those that have names of their own: RFC 3246, RFC 5865, RFC 8622. The others are classes.
const NAMES: [(&str, u8); 3] = [("EF", 46), ("VOICE-ADMIT", 44), ("LE", 1)];

/// A class selector (RFC 2474 §4.2.2), or an assured forwarding class with its drop precedence (RFC 2597 §6).
fn class(name: &str) -> Option<u8> {
    match *name.as_bytes() {
        [b'C', b'S', class @ b'0'..=b'7'] => Some((class - b'0') << 3),
        [b'A', b'F', class @ b'1'..=b'4', drop @ b'1'..=b'3'] => {
            Some((class - b'0') << 3 | (drop - b'0') << 1)
        }
        _ => None,
    }
}

impl Text for Dscp {
    const EXPECTED: &'static str = "a DSCP: \"EF\", \"VOICE-ADMIT\", \"LE\", \"AF11\" to \"AF43\", \"CS0\" to \"CS7\", a number to 63, or \"copy\"";
    const PATTERN: Option<&'static str> =
        Some("^(copy|EF|VOICE-ADMIT|LE|AF[1-4][1-3]|CS[0-7]|[0-9]|[1-5][0-9]|6[0-3])$");

    fn parse(text: &str) -> Option<Self> {
        if text == "copy" {
            return Some(Self(None));
        }
        let named = NAMES.iter().find(|(name, _)| *name == text).map(|(_, value)| *value);
        let number = || text.parse::<u8>().ok().filter(|value| *value < 64 && value.to_string() == text);
        named.or_else(|| class(text)).or_else(number).map(|value| Self(Some(value)))
    }

    fn print(&self) -> String {
        let Some(own) = self.0 else { return "copy".to_owned() };
        let named = NAMES.iter().find(|(_, value)| *value == own).map(|(name, _)| (*name).to_owned());
        let (class, drop) = (own >> 3, own & 7);
        named.unwrap_or_else(|| match (class, drop) {
            (_, 0) => format!("CS{class}"),
            (1..=4, 2 | 4 | 6) => format!("AF{class}{}", drop / 2),
            _ => own.to_string(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc2474_3_a_code_point_has_a_name_or_a_number() {
        for (text, value, printed) in [
            ("EF", 46, "EF"),
            ("46", 46, "EF"),
            ("AF41", 34, "AF41"),
            ("AF13", 14, "AF13"),
            ("CS0", 0, "CS0"),
            ("0", 0, "CS0"),
            ("CS5", 40, "CS5"),
            ("VOICE-ADMIT", 44, "VOICE-ADMIT"),
            ("LE", 1, "LE"),
            ("63", 63, "63"),
        ] {
            let dscp = Dscp::parse(text).unwrap();
            assert_eq!((dscp.value(), dscp.print().as_str()), (Some(value), printed));
        }
        for text in ["", "64", "-1", "046", "ef", "AF44", "AF51", "CS8", "CS", "Copy", "0x2e"] {
            assert_eq!(Dscp::parse(text), None, "{text}");
        }
        for value in 0..64 {
            let dscp = Dscp(Some(value));
            assert_eq!(Dscp::parse(&dscp.print()), Some(dscp));
        }
        assert_eq!(
            Dscp::parse("copy").map(|dscp| (dscp.value(), dscp.print())),
            Some((None, "copy".to_owned()))
        );
    }
}
