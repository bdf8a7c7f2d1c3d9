//! Types of the crate `sip-types` as values.

use serde_json::Value as Json;
use sip_types::{Method, StatusCode, Uri};

use crate::declare::{Key, Kind, Node, Reader, Shape, Text, Value};
use crate::error::Fault;

impl Text for Uri {
    const EXPECTED: &'static str = "a SIP URI";
    const PATTERN: Option<&'static str> = Some("^[A-Za-z][A-Za-z0-9+.-]*:");

    fn parse(text: &str) -> Option<Self> {
        Self::parse(&text.into()).ok()
    }

    fn print(&self) -> String {
        self.to_string()
    }
}

/// A final status that refuses or redirects, as a key.
impl Key for StatusCode {
    const EXPECTED: &'static str = "a status code from 300 to 699";
    const NAMES: Option<Kind> = None;

    fn parse(text: &str) -> Option<Self> {
        let three_digits = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|_| three_digits).and_then(Self::new).filter(|status| status.class() >= 3)
    }

    fn print(&self) -> String {
        self.as_u16().to_string()
    }
}

/// The same as a value; the declared range says which codes fit.
impl Value for StatusCode {
    fn shape() -> Shape {
        Shape::Integer
    }

    fn read(node: Node<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        match Self::new(u16::read(node, reader)?).filter(|status| status.class() >= 3) {
            Some(status) => Some(status),
            None => reader.refuse(node, Fault::Range, <Self as Key>::EXPECTED),
        }
    }

    fn json(&self) -> Json {
        self.as_u16().into()
    }
}

impl Text for Method {
    const EXPECTED: &'static str = "a method";

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn print(&self) -> String {
        self.to_string()
    }
}
