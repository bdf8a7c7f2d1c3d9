//! JSON for a person: the members in their order, on one line what has room there.

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// A value, with the order of its members kept.
#[derive(Clone, Debug)]
enum Json {
    /// A string, number, truth value or null, as it is written.
    Scalar(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

/// Lays out a JSON text; each line has at most `width` characters where its scalars allow that.
///
/// # Errors
/// The text is no JSON.
pub(super) fn layout(text: &str, width: usize) -> serde_json::Result<String> {
    let json: Json = serde_json::from_str(text)?;
    let mut out = String::new();
    json.write(&mut out, 0, 0, width);
    Ok(out)
}

impl Json {
    fn is_scalar(&self) -> bool {
        matches!(self, Self::Scalar(_))
    }

    /// The value on one line.
    fn compact(&self) -> String {
        match self {
            Self::Scalar(text) => text.clone(),
            Self::List(items) if items.is_empty() => "[]".to_owned(),
            Self::List(items) => {
                format!("[ {} ]", items.iter().map(Self::compact).collect::<Vec<_>>().join(", "))
            }
            Self::Object(members) if members.is_empty() => "{}".to_owned(),
            Self::Object(members) => {
                let members: Vec<_> =
                    members.iter().map(|(name, value)| format!("{name}: {}", value.compact())).collect();
                format!("{{ {} }}", members.join(", "))
            }
        }
    }

    /// Writes the value; `used` characters of its first line are taken.
    fn write(&self, out: &mut String, indent: usize, used: usize, width: usize) {
        let line = self.compact();
        // One for the comma that may follow.
        if used + line.chars().count() < width || self.is_scalar() {
            out.push_str(&line);
            return;
        }
        let (open, close) = if matches!(self, Self::List(_)) { ('[', ']') } else { ('{', '}') };
        let members: Vec<(String, &Self)> = match self {
            Self::Scalar(_) => Vec::new(),
            Self::List(items) => items.iter().map(|item| (String::new(), item)).collect(),
            Self::Object(members) => {
                members.iter().map(|(name, value)| (format!("{name}: "), value)).collect()
            }
        };
        out.push(open);
        let inner = indent + 2;
        // The width of the line so far; small members share one.
        let mut line = usize::MAX;
        for (n, (name, value)) in members.iter().enumerate() {
            let member = format!("{name}{}", value.compact());
            let length = member.chars().count();
            out.push_str(if n == 0 { "" } else { "," });
            if line.saturating_add(length + 3) <= width {
                out.push(' ');
                line += length + 2;
            } else {
                out.push('\n');
                out.push_str(&" ".repeat(inner));
                line = inner + length + 1;
            }
            out.push_str(name);
            value.write(out, inner, inner + name.chars().count(), width);
            if line >= width {
                // It did not fit and was broken up, or is a scalar that is too long: the next one begins a line.
                line = usize::MAX;
            }
        }
        out.push('\n');
        out.push_str(&" ".repeat(indent));
        out.push(close);
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyJson)
    }
}

struct AnyJson;

impl<'de> Visitor<'de> for AnyJson {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Scalar("null".to_owned()))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Scalar(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Scalar(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Scalar(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        Ok(Json::Scalar(serde_json::Value::from(value).to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Scalar(quoted(value)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Json, A::Error> {
        let mut object = Vec::new();
        while let Some((name, value)) = members.next_entry::<String, Json>()? {
            object.push((quoted(&name), value));
        }
        Ok(Json::Object(object))
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_is_kept_and_what_fits_stays_on_one_line() {
        let text = r#"{"z":"π \"x\"","legs":[{"b":1,"a":null},{"b":-2.5,"a":[true,{},[]]}],"end":"yes"}"#;
        let laid_out = layout(text, 44).unwrap();
        insta::assert_snapshot!(laid_out, @r#"
        {
          "z": "π \"x\"",
          "legs": [
            { "b": 1, "a": null },
            { "b": -2.5, "a": [ true, {}, [] ] }
          ],
          "end": "yes"
        }
        "#);
        let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(value(&laid_out), value(text));
    }

    #[test]
    fn what_is_no_json_is_an_error() {
        assert!(layout("{", 80).is_err());
    }
}
