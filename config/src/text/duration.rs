use std::time::Duration;

use crate::declare::Text;

/// The units, longest first, in milliseconds.
const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

impl Text for Duration {
    const EXPECTED: &'static str = "a duration (d, h, m, s, ms)";
    const PATTERN: Option<&'static str> = Some("^([0-9]+(d|h|m|s|ms))+$");

    /// `"500ms"`, `"180s"`, `"1h30m"`: whole numbers, each unit once, longest first.
    fn parse(text: &str) -> Option<Self> {
        let mut rest = text;
        let mut units = UNITS.iter();
        let mut total: u64 = 0;
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit())?;
            let (number, tail) = rest.split_at_checked(digits)?;
            let unit = tail.find(|c: char| c.is_ascii_digit()).unwrap_or(tail.len());
            let (unit, tail) = tail.split_at_checked(unit)?;
            let (_, milliseconds) = units.find(|(name, _)| *name == unit)?;
            total = total.checked_add(number.parse::<u64>().ok()?.checked_mul(*milliseconds)?)?;
            rest = tail;
        }
        (!text.is_empty()).then(|| Self::from_millis(total))
    }

    fn print(&self) -> String {
        let mut rest = u64::try_from(self.as_millis()).unwrap_or(u64::MAX);
        let mut text = String::new();
        for (name, milliseconds) in UNITS {
            let number = rest / milliseconds;
            rest %= milliseconds;
            if number > 0 {
                text.push_str(&number.to_string());
                text.push_str(name);
            }
        }
        if text.is_empty() { "0s".to_owned() } else { text }
    }

    fn magnitude(&self) -> Option<u128> {
        Some(self.as_nanos())
    }

    fn bound(text: &str) -> Option<u128> {
        Self::parse(text.trim_matches('"')).as_ref().and_then(Text::magnitude)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_print_as_they_parse() {
        for text in ["0s", "500ms", "32s", "3m", "1h30m", "1d2h3m4s5ms"] {
            assert_eq!(Duration::parse(text).unwrap().print(), text);
        }
        assert_eq!(Duration::parse("180s").unwrap().print(), "3m");
    }

    #[test]
    fn durations_need_a_unit_each_once_and_in_order() {
        for text in [
            "",
            "5",
            "s",
            "1.5s",
            "-1s",
            "1s1s",
            "1s1m",
            "1 s",
            "1S",
            "99999999999999999999s",
            "9999999999999999d",
        ] {
            assert_eq!(Duration::parse(text), None, "{text}");
        }
    }
}
