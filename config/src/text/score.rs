//! Mean opinion scores.

use crate::declare::Text;

/// A mean opinion score from 1.0 to 4.5, with one digit or two after the point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Score(u16);

impl Score {
    /// In hundredths.
    #[must_use]
    pub const fn hundredths(self) -> u16 {
        self.0
    }
}

impl Text for Score {
    const EXPECTED: &'static str = "a mean opinion score from \"1.0\" to \"4.5\"";
    const PATTERN: Option<&'static str> = Some("^([1-3]\\.[0-9]{1,2}|4\\.([0-4][0-9]?|50?))$");

    fn parse(text: &str) -> Option<Self> {
        let (whole, part) = text.split_once('.')?;
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.len() != 1 || !(1..=2).contains(&part.len()) || !digits(whole) || !digits(part) {
            return None;
        }
        let (whole, number): (u16, u16) = (whole.parse().ok()?, part.parse().ok()?);
        let score = whole * 100 + if part.len() == 1 { number * 10 } else { number };
        (100..=450).contains(&score).then_some(Self(score))
    }

    fn print(&self) -> String {
        let (whole, part) = (self.0 / 100, self.0 % 100);
        if part % 10 == 0 { format!("{whole}.{}", part / 10) } else { format!("{whole}.{part:02}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_score_is_written_as_it_is_spoken_of() {
        for (text, hundredths, printed) in
            [("1.0", 100, "1.0"), ("3.6", 360, "3.6"), ("3.05", 305, "3.05"), ("4.50", 450, "4.5")]
        {
            let score = Score::parse(text).unwrap();
            assert_eq!((score.hundredths(), score.print().as_str()), (hundredths, printed));
        }
        for text in ["", "3", "3.", ".6", "0.9", "4.51", "4.6", "3.456", "+3.0", "3.-1", "33.0"] {
            assert_eq!(Score::parse(text), None, "{text}");
        }
    }
}
