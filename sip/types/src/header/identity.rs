//! Who somebody is, as a network asserts (P-Asserted-Identity) or as somebody prefers (P-Preferred-Identity, RFC 3325).

use super::{Elements, PAssertedIdentity, PPreferredIdentity, TypedHeader};
use crate::{Headers, Scheme, Uri};

/// A header field whose values are identities (RFC 3325 §9.1, §9.2).
pub trait IdentityHeader: TypedHeader {
    /// The URI of one value.
    fn identity(&self) -> &Uri;
}

impl IdentityHeader for PAssertedIdentity {
    fn identity(&self) -> &Uri {
        self.uri()
    }
}

impl IdentityHeader for PPreferredIdentity {
    fn identity(&self) -> &Uri {
        self.uri()
    }
}

/// The identities of a message: at most one SIP or SIPS URI, and at most one telephone number (RFC 3325 §9.1).
#[derive(Clone, Debug)]
pub struct Identities<T> {
    /// The SIP or SIPS URI.
    pub sip: Option<T>,
    /// The number.
    pub tel: Option<T>,
    /// How many values beyond these are to be ignored: of another scheme, of one that was there already, or unreadable
    /// (RFC 5876 §4.5).
    pub ignored: usize,
    /// Whether the number stands first.
    tel_first: bool,
}

impl<T: IdentityHeader> Identities<T> {
    /// Those of a message.
    #[must_use]
    pub fn of(headers: &Headers) -> Self {
        let mut all = Self { sip: None, tel: None, ignored: 0, tel_first: false };
        for field in headers.all(T::NAME) {
            let Ok(text) = field.text() else {
                all.ignored += 1;
                continue;
            };
            for value in Elements::new(T::NAME, text) {
                all.add(T::parse(&value.into()).ok());
            }
        }
        all
    }

    fn add(&mut self, value: Option<T>) {
        let place = match value.as_ref().map(|value| value.identity().scheme()) {
            Some(Scheme::Sip | Scheme::Sips) => &mut self.sip,
            Some(Scheme::Tel) => &mut self.tel,
            _ => return self.ignored += 1,
        };
        match place {
            Some(_) => self.ignored += 1,
            empty => *empty = value,
        }
        self.tel_first = self.tel_first || (self.tel.is_some() && self.sip.is_none());
    }

    /// Those that count, in their order.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        let [first, second] = if self.tel_first { [&self.tel, &self.sip] } else { [&self.sip, &self.tel] };
        first.iter().chain(second)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Limits, Message};

    fn asserted(fields: &[&str]) -> (String, usize) {
        let fields: String = fields.iter().map(|value| format!("P-Asserted-Identity: {value}\r\n")).collect();
        let text = format!("INVITE sip:b@example.com SIP/2.0\r\n{fields}Content-Length: 0\r\n\r\n");
        let message = Message::parse(text.into(), &Limits::default()).unwrap();
        let identities = Identities::<PAssertedIdentity>::of(message.headers());
        let kept: Vec<_> = identities.iter().map(ToString::to_string).collect();
        (kept.join(", "), identities.ignored)
    }

    // conforms: RFC5876-4.5-1
    #[test]
    fn rfc5876_4_5_one_sip_uri_and_one_number_count_and_nothing_else() {
        for (fields, kept, ignored) in [
            (&["\"A, B\" <sip:a@x>, <tel:+49>"][..], "\"A, B\" <sip:a@x>, <tel:+49>", 0),
            (&["<tel:+49>", "sip:a@x"], "<tel:+49>, sip:a@x", 0),
            (&["<sips:a@x>, <sip:b@x>"], "<sips:a@x>", 1),
            (&["<sip:a@x>, <tel:+1>, <tel:+2>"], "<sip:a@x>, <tel:+1>", 1),
            (&["<mailto:a@x>, <tel:+1>"], "<tel:+1>", 1),
            (&["<sip:a@x"], "", 1),
            (&["<sip:a@x>", "<sip:a@x>", "<urn:x:y>"], "<sip:a@x>", 2),
            (&[], "", 0),
        ] {
            assert_eq!(asserted(fields), (kept.to_owned(), ignored), "{fields:?}");
        }
    }
}
