//! A session description for a peer that takes no body of several parts (RFC 3261 §7.4.1).

use super::parts::{Held, Parts};
use super::{Taken, Wrap, plain};
use bytes::Bytes;
use policy::BodyRefused;
use sip_types::header::{Accept, ContentDisposition, ContentType};
use sip_types::{HeaderName, Headers};

/// Whether the sender of a message says that it takes no body of several parts: with an Accept that has none of them. `None`: it says
/// nothing of what it takes.
pub(crate) fn refuses_parts(headers: &Headers) -> Option<bool> {
    if !headers.contains(HeaderName::Accept) {
        return None;
    }
    let ranges = headers.list::<Accept>().ok()?;
    let takes = |kind| ranges.iter().any(|range| range.q() > 0 && range.admits("multipart", kind));
    Some(!["mixed", "alternative", "related"].into_iter().any(takes))
}

impl Taken {
    /// The description alone, where it came in one part of several.
    ///
    /// # Errors
    /// Of the other parts one must be understood, and `refusing` is set.
    pub(crate) fn alone(self, refusing: bool) -> Result<Self, BodyRefused> {
        let Wrap::Multipart(fields, parts) = &self.wrap else { return Ok(self) };
        let kind = fields.get::<ContentType>().ok().flatten();
        if refusing && parts.need_others(kind.as_ref()) {
            return Err(BodyRefused::Unknown);
        }
        Ok(Self { wrap: Wrap::Plain(plain(Bytes::new()).fields), ..self })
    }
}

impl Parts {
    /// Whether what stands beside the description must be understood too. Of alternatives one is enough.
    fn need_others(&self, kind: Option<&ContentType>) -> bool {
        let others = self.whole.parts.iter().enumerate().filter(|(at, _)| *at != self.at);
        let needs = |(_, part): (_, &sip_types::multipart::Part)| {
            let said = part.headers.get::<ContentDisposition>().ok().flatten();
            said.is_none_or(|disposition| disposition.handling_required())
        };
        let is_choice = kind.is_some_and(|kind| kind.is("multipart", "alternative"));
        let inside = match &self.held {
            Held::Itself => false,
            Held::Within(parts) => {
                let part = self.whole.parts.get(self.at);
                parts.need_others(part.and_then(|part| part.headers.get().ok().flatten()).as_ref())
            }
        };
        inside || (!is_choice && others.into_iter().any(needs))
    }
}
