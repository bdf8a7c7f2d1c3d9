//! Causes of ITU-T Q.850.

use serde_json::Value as Json;

use crate::declare::{Key, Kind, Node, Reader, Shape, Value};
use crate::error::Fault;

/// A cause value of ITU-T Q.850: 1 to 127.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cause(u8);

impl Cause {
    /// The cause with that value.
    #[must_use]
    pub const fn new(value: u8) -> Option<Self> {
        if value >= 1 && value <= 127 { Some(Self(value)) } else { None }
    }

    /// Its value.
    #[must_use]
    pub const fn value(self) -> u8 {
        self.0
    }
}

impl Key for Cause {
    const EXPECTED: &'static str = "a cause of Q.850 from 1 to 127";
    const NAMES: Option<Kind> = None;

    fn parse(text: &str) -> Option<Self> {
        let digits = !text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|_| digits).and_then(Self::new)
    }

    fn print(&self) -> String {
        self.0.to_string()
    }
}

impl Value for Cause {
    fn shape() -> Shape {
        Shape::Integer
    }

    fn read(node: Node<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        match Self::new(u8::read(node, reader)?) {
            Some(cause) => Some(cause),
            None => reader.refuse(node, Fault::Range, <Self as Key>::EXPECTED),
        }
    }

    fn json(&self) -> Json {
        self.0.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_has_seven_bits_and_is_not_0() {
        for (text, cause) in [
            ("1", Some(1)),
            ("127", Some(127)),
            ("0", None),
            ("128", None),
            ("017", None),
            ("+17", None),
            ("", None),
        ] {
            assert_eq!(<Cause as Key>::parse(text).map(Cause::value), cause, "{text}");
        }
    }
}
