use serde_json::{Map, Value as Json, json};
use toml::de::DeValue;

use crate::declare::{Effect, Setting, Shape, Table};
use crate::model::Config;
use crate::print::prose;

/// The JSON Schema (draft 2020-12) of the document, for editors and other tools. It says less than the reader checks:
/// references between settings and collisions are beyond it.
#[must_use]
pub fn schema() -> Json {
    let mut definitions = Map::new();
    let mut root = table(&Config::TABLE, &mut definitions);
    if let Json::Object(root) = &mut root {
        root.insert("$schema".to_owned(), "https://json-schema.org/draft/2020-12/schema".into());
        root.insert("title".to_owned(), "Configuration of Liaison".into());
        root.insert("$defs".to_owned(), Json::Object(definitions));
    }
    root
}

fn table(table: &Table, definitions: &mut Map<String, Json>) -> Json {
    let properties = table.settings.iter().map(|of| (of.name.to_owned(), setting(of, definitions))).collect();
    let required: Vec<&str> = table.settings.iter().filter(|of| of.required()).map(|of| of.name).collect();
    let mut object = Map::new();
    object.insert("type".to_owned(), "object".into());
    object.insert("description".to_owned(), prose(table.doc).into());
    object.insert("properties".to_owned(), Json::Object(properties));
    object.insert("additionalProperties".to_owned(), false.into());
    if !required.is_empty() {
        object.insert("required".to_owned(), required.into());
    }
    Json::Object(object)
}

fn setting(setting: &Setting, definitions: &mut Map<String, Json>) -> Json {
    let form = (setting.shape)();
    let mut json = shape(&form, definitions);
    let Json::Object(object) = &mut json else { return json };
    object.insert("description".to_owned(), description(setting, &form).into());
    if let Some(default) = setting.default.and_then(toml_to_json) {
        object.insert("default".to_owned(), default);
    }
    if let Some(example) =
        setting.example.filter(|_| !matches!(form, Shape::Map { .. })).and_then(toml_to_json)
    {
        object.insert("examples".to_owned(), json!([example]));
    }
    if let Some((low, high)) = setting.range {
        let bounds = match form {
            Shape::Integer => ["minimum", "maximum"],
            Shape::List(_) => ["minItems", "maxItems"],
            Shape::Map { .. } => ["minProperties", "maxProperties"],
            Shape::Boolean | Shape::Text { .. } | Shape::Choice(_) | Shape::Table(_) | Shape::Either(_) => {
                return json;
            }
        };
        for (name, bound) in bounds.into_iter().zip([low, high]) {
            object.extend(toml_to_json(bound).map(|bound| (name.to_owned(), bound)));
        }
    }
    json
}

fn description(setting: &Setting, form: &Shape) -> String {
    let mut text = prose(setting.doc);
    if let (Some((low, high)), Shape::Text { .. } | Shape::Either(_)) = (setting.range, form) {
        text.push_str(&format!(" From {low} to {high}."));
    }
    if let Some(unit) = setting.unit {
        text.push_str(&format!(" In {unit}."));
    }
    text.push_str(match setting.effect {
        Effect::live => " Changes at once.",
        Effect::pinned => " Changes for calls that begin afterwards.",
        Effect::restart => " Changes when the process starts again.",
    });
    text
}

fn shape(form: &Shape, definitions: &mut Map<String, Json>) -> Json {
    match form {
        Shape::Boolean => json!({ "type": "boolean" }),
        Shape::Integer => json!({ "type": "integer" }),
        Shape::Text { pattern: None, .. } => json!({ "type": "string" }),
        Shape::Text { pattern: Some(pattern), .. } => json!({ "type": "string", "pattern": pattern }),
        Shape::Choice(variants) => {
            let words: Vec<Json> = variants
                .iter()
                .map(|variant| json!({ "const": variant.text, "description": prose(variant.doc) }))
                .collect();
            json!({ "oneOf": words })
        }
        Shape::List(of) => json!({ "type": "array", "items": shape(of, definitions) }),
        Shape::Map { value, .. } => {
            json!({ "type": "object", "additionalProperties": shape(value, definitions) })
        }
        Shape::Table(of) => {
            if !definitions.contains_key(of.name) {
                definitions.insert(of.name.to_owned(), Json::Null);
                let definition = table(of, definitions);
                definitions.insert(of.name.to_owned(), definition);
            }
            json!({ "$ref": format!("#/$defs/{}", of.name) })
        }
        Shape::Either(forms) => {
            let forms: Vec<Json> = forms.iter().map(|form| shape(form, definitions)).collect();
            json!({ "anyOf": forms })
        }
    }
}

/// A TOML value of a declaration as JSON; declarations hold no floats and no dates.
fn toml_to_json(text: &str) -> Option<Json> {
    fn convert(value: &DeValue<'_>) -> Option<Json> {
        Some(match value {
            DeValue::String(text) => text.as_ref().into(),
            DeValue::Integer(number) => number.as_str().parse::<u64>().ok()?.into(),
            DeValue::Boolean(flag) => (*flag).into(),
            DeValue::Array(array) => {
                array.iter().map(|item| convert(item.get_ref())).collect::<Option<_>>()?
            }
            DeValue::Table(table) => Json::Object(
                table
                    .iter()
                    .map(|(key, value)| Some((key.get_ref().to_string(), convert(value.get_ref())?)))
                    .collect::<Option<_>>()?,
            ),
            DeValue::Float(_) | DeValue::Datetime(_) => return None,
        })
    }
    convert(DeValue::parse(text).ok()?.get_ref())
}
