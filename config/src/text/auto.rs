use serde_json::Value as Json;
use toml::de::DeValue;

use crate::declare::{Node, Reader, Shape, Value};

/// A number that the node may choose by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Auto<T> {
    /// Written `"auto"`.
    Auto,
    /// The operator's choice.
    Fixed(T),
}

impl<T: Copy> Auto<T> {
    /// The operator's number, or else the one that `choose` gives.
    pub fn unwrap_or_else(self, choose: impl FnOnce() -> T) -> T {
        match self {
            Self::Auto => choose(),
            Self::Fixed(number) => number,
        }
    }
}

impl<T: Value> Value for Auto<T> {
    fn shape() -> Shape {
        Shape::Either(vec![Shape::Text { expected: "\"auto\"", pattern: Some("^auto$") }, T::shape()])
    }

    fn read(node: Node<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        match node.get_ref() {
            DeValue::String(text) if text.as_ref() == "auto" => Some(Self::Auto),
            DeValue::Integer(_) => T::read(node, reader).map(Self::Fixed),
            _ => reader.refuse_choice(node, &["auto"], &Self::shape().words()),
        }
    }

    fn json(&self) -> Json {
        match self {
            Self::Auto => "auto".into(),
            Self::Fixed(number) => number.json(),
        }
    }

    fn magnitude(&self) -> Option<u128> {
        match self {
            Self::Auto => None,
            Self::Fixed(number) => number.magnitude(),
        }
    }

    fn bound(text: &str) -> Option<u128> {
        T::bound(text)
    }
}
