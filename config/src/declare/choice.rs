/// Declares a setting's type with a closed list of values: `/// meaning` then `Variant = "text",`.
macro_rules! choice {
    (
        $(#[doc = $doc:literal])*
        pub enum $name:ident {
            $( $(#[doc = $variant_doc:literal])* $variant:ident = $text:literal, )*
        }
    ) => {
        $(#[doc = $doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $( $(#[doc = $variant_doc])* $variant, )* }

        impl $name {
            /// The word as the document has it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl $crate::declare::Value for $name {
            fn shape() -> $crate::declare::Shape {
                $crate::declare::Shape::Choice(&[$(
                    $crate::declare::Variant { text: $text, doc: &[$($variant_doc),*] },
                )*])
            }

            fn read(node: $crate::declare::Node<'_>, reader: &mut $crate::declare::Reader<'_>) -> Option<Self> {
                match node.get_ref() {
                    $(toml::de::DeValue::String(text) if text.as_ref() == $text => Some(Self::$variant),)*
                    _ => reader.refuse_choice(node, &[$($text),*], &Self::shape().words()),
                }
            }

            fn json(&self) -> serde_json::Value {
                self.as_str().into()
            }
        }
    };
}

pub(crate) use choice;
