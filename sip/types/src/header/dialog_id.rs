//! The header fields that name a dialog: Replaces (RFC 3891), Join (RFC 3911), Target-Dialog (RFC 4538).

use std::fmt;

use super::TypedHeader;
use crate::{
    ByteString, HeaderName, Params, SyntaxError, chars::WORD, cursor::Cursor, span::Span, text::trim,
};

/// One row per field: name, documentation, the parameters for the receiver's and the other side's tag.
macro_rules! dialog_ids {
    ($($(#[$doc:meta])* $name:ident, $local:literal, $remote:literal;)*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Debug)]
            pub struct $name {
                text: ByteString,
                call_id: Span,
                params: Span,
                local: Span,
                remote: Span,
            }

            impl $name {
                /// Call-ID of the dialog.
                #[must_use]
                pub fn call_id(&self) -> &str {
                    self.call_id.of(&self.text)
                }

                /// Tag of the side that receives the request.
                #[must_use]
                pub fn local_tag(&self) -> &str {
                    self.local.of(&self.text)
                }

                /// Tag of the other side.
                #[must_use]
                pub fn remote_tag(&self) -> &str {
                    self.remote.of(&self.text)
                }

                /// All parameters.
                #[must_use]
                pub fn params(&self) -> Params<'_> {
                    Params::new(self.params.of(&self.text))
                }

                /// The value that names that dialog, the tags as the receiver of the request sees them.
                ///
                /// # Errors
                /// A part has characters that cannot stand there.
                pub fn new(call_id: &str, local_tag: &str, remote_tag: &str) -> Result<Self, SyntaxError> {
                    let text = format!("{call_id};{}={local_tag};{}={remote_tag}", $local, $remote);
                    Self::parse(&text.into())
                }
            }

            impl TypedHeader for $name {
                const NAME: HeaderName = HeaderName::$name;

                fn parse(text: &ByteString) -> Result<Self, SyntaxError> {
                    let (call_id, params, [local, remote]) = read(text, [$local, $remote])?;
                    Ok(Self { text: text.clone(), call_id, params, local, remote })
                }
            }

            impl fmt::Display for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str(trim(&self.text))
                }
            }
        )*
    };
}

dialog_ids! {
    /// Replaces: the dialog to replace (RFC 3891 §6.1).
    Replaces, "to-tag", "from-tag";
    /// Join: the dialog to join (RFC 3911 §7.1).
    Join, "to-tag", "from-tag";
    /// Target-Dialog: the dialog that authorizes the request (RFC 4538 §7).
    TargetDialog, "local-tag", "remote-tag";
}

impl Replaces {
    /// Only an early dialog may be replaced (RFC 3891 §6.1).
    #[must_use]
    pub fn early_only(&self) -> bool {
        self.params().contains("early-only")
    }
}

type Parts = (Span, Span, [Span; 2]);

fn read(text: &str, names: [&'static str; 2]) -> Result<Parts, SyntaxError> {
    let mut c = Cursor::new(text)?;
    c.skip_space();
    let call_id = c.take_while(WORD);
    if call_id.is_empty() {
        return c.fail("a call identifier");
    }
    let start = c.at();
    let mut tags: [Option<Span>; 2] = [None; 2];
    while let Some(param) = c.param()? {
        for (slot, name) in tags.iter_mut().zip(names) {
            if param.name.eq_ignore_ascii_case(name.as_bytes()) {
                let value = param.span().filter(|v| !v.is_empty());
                if slot.is_some() || value.is_none() {
                    return c.fail("one tag of each side");
                }
                *slot = value;
            }
        }
    }
    match tags {
        [Some(local), Some(remote)] => Ok((call_id, Span::new(start, text.len()), [local, remote])),
        _ => c.fail("a tag of each side"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Join, Replaces, TargetDialog, TypedHeader};

    // conforms: RFC3891-6.1-1 RFC3911-7.1-1
    #[test]
    fn rfc3891_6_1_both_tags_are_needed_once() {
        let r = Replaces::parse(&"98732@sip.example ; from-tag=r33th4x0r;to-tag=ff87ff;early-only".into())
            .unwrap();
        assert_eq!(
            (r.call_id(), r.local_tag(), r.remote_tag()),
            ("98732@sip.example", "ff87ff", "r33th4x0r")
        );
        assert!(r.early_only());
        for text in [
            "",
            "a",
            "a;to-tag=b",
            "a;to-tag=b;from-tag",
            "a;to-tag=b;to-tag=c;from-tag=d",
            ";to-tag=b;from-tag=c",
        ] {
            assert!(Replaces::parse(&text.into()).is_err(), "{text}");
            assert!(Join::parse(&text.into()).is_err(), "{text}");
        }
    }

    #[test]
    fn rfc4538_7_local_is_the_receiver() {
        let t = TargetDialog::new("abc@d", "l", "r").unwrap();
        insta::assert_snapshot!(t, @"abc@d;local-tag=l;remote-tag=r");
        assert_eq!((t.local_tag(), t.remote_tag()), ("l", "r"));
        assert!(TargetDialog::new("a;b", "l r", "r").is_err());
    }
}
