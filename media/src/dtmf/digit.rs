//! What a key is called in each form.

/// A key of a telephone, by its event code (RFC 4733 §3.2, table 3): 0 to 15 are 0–9, `*`, `#`, A–D, 16 is the hook flash.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digit(u8);

/// Which key it was is nobody's business: people type what must stay secret.
impl std::fmt::Debug for Digit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Digit")
    }
}

/// The names of the codes 0 to 15.
const NAMES: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '#', 'A', 'B', 'C', 'D'];

impl Digit {
    /// The hook flash.
    pub const FLASH: Self = Self(16);

    /// The key of an event code; `None` where it is of something else than a key.
    #[must_use]
    pub fn of_code(code: u8) -> Option<Self> {
        (code <= Self::FLASH.0).then_some(Self(code))
    }

    /// The event code.
    #[must_use]
    pub fn code(self) -> u8 {
        self.0
    }

    /// The key of a name: `0`–`9`, `*`, `#`, `A`–`D` in either case, and `!` for the hook flash.
    #[must_use]
    pub fn of_name(name: char) -> Option<Self> {
        let name = name.to_ascii_uppercase();
        if name == '!' {
            return Some(Self::FLASH);
        }
        let at = NAMES.iter().position(|known| *known == name)?;
        u8::try_from(at).ok().map(Self)
    }

    /// The name: `!` for the hook flash.
    #[must_use]
    pub fn name(self) -> char {
        NAMES.get(usize::from(self.0)).copied().unwrap_or('!')
    }

    /// Its two frequencies in Hz (ITU-T Q.23); the hook flash has none.
    #[must_use]
    pub fn frequencies(self) -> Option<(u16, u16)> {
        let rows = ["123A", "456B", "789C", "*0#D"].into_iter().zip(ROWS);
        rows.into_iter().find_map(|(keys, row)| {
            let column = keys.chars().position(|key| key == self.name())?;
            Some((row, *COLUMNS.get(column)?))
        })
    }

    /// The key of a row and a column of the keypad, both from 0.
    pub(crate) fn at(row: usize, column: usize) -> Option<Self> {
        let keys = ["123A", "456B", "789C", "*0#D"];
        keys.get(row)?.chars().nth(column).and_then(Self::of_name)
    }
}

/// The low frequencies, of the rows, in Hz.
pub(crate) const ROWS: [u16; 4] = [697, 770, 852, 941];
/// The high ones, of the columns.
pub(crate) const COLUMNS: [u16; 4] = [1209, 1336, 1477, 1633];
