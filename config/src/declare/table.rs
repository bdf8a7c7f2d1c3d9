/// Declares a table of the document. Each line reads
///
/// ```text
/// /// Meaning, as rustdoc, reference page, schema and example print it.
/// EFFECT NAME: TYPE = DEFAULT, in LOW..=HIGH, unit "UNIT", such as EXAMPLE;
/// ```
///
/// where everything after the type may be left out: without a default an `Option` may be absent and anything else is
/// required. Default, bounds and example are TOML, and are read by the reader that reads the document. `say` instead of
/// `such as` lets the example stand in the example document although the setting could be left out.
/// `check FUNCTION;` after the struct names a `fn(&Self, &mut Reader)` for what the types cannot say.
macro_rules! table {
    (
        $(#[doc = $doc:literal])*
        pub struct $name:ident {
            $(
                $(#[doc = $field_doc:literal])*
                $effect:ident $field:ident : $type:ty
                    $(= $default:tt)?
                    $(, in $low:literal ..= $high:literal)?
                    $(, unit $unit:literal)?
                    $(, such as $example:tt)?
                    $(, say $said:tt)? ;
            )*
        }
        $(check $check:path ;)?
    ) => {
        $(#[doc = $doc])*
        #[derive(Clone, Debug, PartialEq)]
        #[non_exhaustive]
        pub struct $name {
            $(
                $(#[doc = $field_doc])*
                $(#[doc = concat!("\n\nDefault: `", stringify!($default), "`.")])?
                $(#[doc = concat!("\n\nRange: `", stringify!($low), "` to `", stringify!($high), "`.")])?
                $(#[doc = concat!("\n\nUnit: ", $unit, ".")])?
                #[doc = concat!("\n\nTakes effect: ", stringify!($effect), ".")]
                pub $field: $type,
            )*
        }

        impl $name {
            pub(crate) const TABLE: $crate::declare::Table = $crate::declare::Table {
                name: stringify!($name),
                doc: &[$($doc),*],
                words: None,
                settings: &[$(
                    $crate::declare::Setting {
                        name: stringify!($field),
                        doc: &[$($field_doc),*],
                        effect: $crate::declare::Effect::$effect,
                        optional: <$type as $crate::declare::Value>::OPTIONAL,
                        shape: <$type as $crate::declare::Value>::shape,
                        $(default: Some(stringify!($default)),)?
                        $(range: Some((stringify!($low), stringify!($high))),)?
                        $(unit: Some($unit),)?
                        $(example: Some(stringify!($example)),)?
                        $(example: Some(stringify!($said)), said: true,)?
                        ..$crate::declare::Setting::NONE
                    },
                )*],
            };
        }

        impl $name {
            /// Takes what changes with a restart only as it was before.
            pub fn keep_until_restart(&mut self, before: &Self) {
                $($crate::declare::table::keep!($effect self before $field);)*
            }
        }

        impl $crate::declare::Value for $name {
            fn shape() -> $crate::declare::Shape {
                $crate::declare::Shape::Table(&Self::TABLE)
            }

            fn read(node: $crate::declare::Node<'_>, reader: &mut $crate::declare::Reader<'_>) -> Option<Self> {
                let table = reader.table(node, &Self::TABLE)?;
                $(let $field = reader.setting::<$type>(node, table, &Self::TABLE, stringify!($field));)*
                let read = Self { $($field: $field?),* };
                $($check(&read, reader);)?
                Some(read)
            }

            fn json(&self) -> serde_json::Value {
                let mut object = serde_json::Map::new();
                $(object.insert(stringify!($field).to_owned(), $crate::declare::Value::json(&self.$field));)*
                serde_json::Value::Object(object)
            }
        }
    };
}

/// Keeps a setting that changes with a restart only.
macro_rules! keep {
    (restart $after:ident $before:ident $field:ident) => {
        $after.$field.clone_from(&$before.$field)
    };
    ($effect:ident $after:ident $before:ident $field:ident) => {
        let _ = &$before.$field;
    };
}

pub(crate) use {keep, table};
