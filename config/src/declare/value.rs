//! The kinds of value a setting can have.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use bytestring::ByteString;
use ipnet::IpNet;
use serde_json::Value as Json;
use toml::de::DeValue;

use crate::declare::{Kind, Node, Reader, Shape};
use crate::error::Fault;

/// A type that a setting can have.
pub(crate) trait Value: Sized {
    /// Whether the setting may be left out without a default.
    const OPTIONAL: bool = false;

    fn shape() -> Shape;

    /// The value, or `None` after reporting what is wrong with it.
    fn read(node: Node<'_>, reader: &mut Reader<'_>) -> Option<Self>;

    fn json(&self) -> Json;

    /// The value of a setting that is left out and has no default.
    fn absent() -> Option<Self> {
        None
    }

    /// What a range limits: a number, a time in nanoseconds, or how many.
    fn magnitude(&self) -> Option<u128> {
        None
    }

    /// A declared bound in the same measure.
    fn bound(text: &str) -> Option<u128> {
        text.replace('_', "").parse().ok()
    }
}

/// A value that is a string of some form.
pub(crate) trait Text: Sized {
    /// The form in words, with its article.
    const EXPECTED: &'static str;
    /// A regular expression for editors.
    const PATTERN: Option<&'static str> = None;
    /// What the text is the name of: as a key it defines that, as a value it refers to it.
    const NAMES: Option<Kind> = None;

    fn parse(text: &str) -> Option<Self>;

    fn print(&self) -> String;

    fn magnitude(&self) -> Option<u128> {
        None
    }

    fn bound(text: &str) -> Option<u128> {
        text.parse().ok()
    }
}

/// A type that the keys of a map can have.
pub(crate) trait Key: Sized + Ord {
    /// The form in words, with its article.
    const EXPECTED: &'static str;
    /// What a key defines the name of.
    const NAMES: Option<Kind>;

    fn parse(text: &str) -> Option<Self>;

    fn print(&self) -> String;
}

impl<T: Text + Ord> Key for T {
    const EXPECTED: &'static str = T::EXPECTED;
    const NAMES: Option<Kind> = T::NAMES;

    fn parse(text: &str) -> Option<Self> {
        T::parse(text)
    }

    fn print(&self) -> String {
        Text::print(self)
    }
}

impl<T: Text> Value for T {
    fn shape() -> Shape {
        Shape::Text { expected: T::EXPECTED, pattern: T::PATTERN }
    }

    fn read(node: Node<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let DeValue::String(text) = node.get_ref() else {
            return reader.refuse(node, Fault::Type, &Self::shape().words());
        };
        match T::parse(text) {
            Some(value) => {
                if let Some(kind) = T::NAMES {
                    reader.reference(node, kind, text);
                }
                Some(value)
            }
            None => reader.refuse(node, Fault::Form, T::EXPECTED),
        }
    }

    fn json(&self) -> Json {
        self.print().into()
    }

    fn magnitude(&self) -> Option<u128> {
        Text::magnitude(self)
    }

    fn bound(text: &str) -> Option<u128> {
        <T as Text>::bound(text)
    }
}

impl Value for bool {
    fn shape() -> Shape {
        Shape::Boolean
    }

    fn read(node: Node<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        match node.get_ref() {
            DeValue::Boolean(value) => Some(*value),
            _ => reader.refuse(node, Fault::Type, "true or false"),
        }
    }

    fn json(&self) -> Json {
        (*self).into()
    }
}

macro_rules! integers {
    ($($type:ty),*) => {$(
        impl Value for $type {
            fn shape() -> Shape {
                Shape::Integer
            }

            fn read(node: Node<'_>, reader: &mut Reader<'_>) -> Option<Self> {
                let DeValue::Integer(written) = node.get_ref() else {
                    return reader.refuse(node, Fault::Type, "an integer");
                };
                match <$type>::from_str_radix(written.as_str(), written.radix()) {
                    Ok(value) => Some(value),
                    Err(_) => reader.refuse(node, Fault::Form, &format!("an integer from 0 to {}", <$type>::MAX)),
                }
            }

            fn json(&self) -> Json {
                (*self).into()
            }

            fn magnitude(&self) -> Option<u128> {
                u128::try_from(*self).ok()
            }
        }
    )*};
}

integers!(u8, u16, u32, u64, usize);

impl<T: Value> Value for Option<T> {
    const OPTIONAL: bool = true;

    fn shape() -> Shape {
        T::shape()
    }

    fn read(node: Node<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        T::read(node, reader).map(Some)
    }

    fn json(&self) -> Json {
        self.as_ref().map_or(Json::Null, Value::json)
    }

    fn absent() -> Option<Self> {
        Some(None)
    }

    fn magnitude(&self) -> Option<u128> {
        self.as_ref().and_then(Value::magnitude)
    }

    fn bound(text: &str) -> Option<u128> {
        T::bound(text)
    }
}

impl<T: Value> Value for Vec<T> {
    fn shape() -> Shape {
        Shape::List(Box::new(T::shape()))
    }

    /// Elements at fault are reported and left out.
    fn read(node: Node<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let DeValue::Array(array) = node.get_ref() else {
            return reader.refuse(node, Fault::Type, &Self::shape().words());
        };
        let mut values = Self::with_capacity(array.len());
        let mut kept = Vec::with_capacity(array.len());
        for (index, element) in array.iter().enumerate() {
            let value = reader.at(&format!("[{index}]"), element.span(), |reader| T::read(element, reader));
            kept.extend(value.as_ref().map(|_| index));
            values.extend(value);
        }
        if kept.len() < array.len() {
            reader.keep(kept);
        }
        Some(values)
    }

    fn json(&self) -> Json {
        self.iter().map(Value::json).collect()
    }

    fn magnitude(&self) -> Option<u128> {
        u128::try_from(self.len()).ok()
    }
}

impl<K: Key, V: Value> Value for BTreeMap<K, V> {
    fn shape() -> Shape {
        Shape::Map { key: K::EXPECTED, value: Box::new(V::shape()) }
    }

    /// Entries at fault are reported and left out.
    fn read(node: Node<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let DeValue::Table(table) = node.get_ref() else {
            return reader.refuse(node, Fault::Type, &Self::shape().words());
        };
        let mut map = Self::new();
        for (key, value) in table {
            let text: &str = key.get_ref();
            if let Some(kind) = K::NAMES {
                reader.define(kind, text);
            }
            let read =
                reader.at(text, if value.span().is_empty() { key.span() } else { value.span() }, |reader| {
                    let read = V::read(value, reader);
                    let Some(name) = K::parse(text) else {
                        return reader.refuse_key(key.span(), text, K::EXPECTED);
                    };
                    read.map(|read| (name, read))
                });
            map.extend(read);
        }
        Some(map)
    }

    fn json(&self) -> Json {
        Json::Object(self.iter().map(|(key, value)| (key.print(), value.json())).collect())
    }

    fn magnitude(&self) -> Option<u128> {
        u128::try_from(self.len()).ok()
    }
}

impl Text for IpAddr {
    const EXPECTED: &'static str = "an IP address";

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn print(&self) -> String {
        self.to_string()
    }
}

impl Text for SocketAddr {
    const EXPECTED: &'static str = "an IP address and port (IPv6 in brackets)";

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn print(&self) -> String {
        self.to_string()
    }
}

impl Text for IpNet {
    const EXPECTED: &'static str = "an IP address or a network in CIDR form without host bits";

    fn parse(text: &str) -> Option<Self> {
        let network = match text.parse::<Self>() {
            Ok(network) => network,
            Err(_) => text.parse::<IpAddr>().ok()?.into(),
        };
        (network.network() == network.addr()).then_some(network)
    }

    fn print(&self) -> String {
        if self.prefix_len() == self.max_prefix_len() { self.addr().to_string() } else { self.to_string() }
    }
}

impl Text for PathBuf {
    const EXPECTED: &'static str = "a path";

    fn parse(text: &str) -> Option<Self> {
        (!text.is_empty() && !text.contains('\0')).then(|| text.into())
    }

    fn print(&self) -> String {
        self.display().to_string()
    }
}

impl Text for ByteString {
    const EXPECTED: &'static str = "text without control characters";

    fn parse(text: &str) -> Option<Self> {
        (!text.contains(char::is_control)).then(|| text.into())
    }

    fn print(&self) -> String {
        self.to_string()
    }
}
