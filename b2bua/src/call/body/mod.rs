//! The session description in a body, and the body around it.

mod alone;
mod parts;
mod reading;
mod reference;

pub(crate) use alone::refuses_parts;

use bytes::Bytes;
use parts::{Held, Parts};
use policy::{BodyRefused, Crossing};
use reading::{Kept, Reading};
use sip::session::Body;
use sip_types::header::{ContentDisposition, ContentEncoding, ContentType};
use sip_types::multipart::{self, Part};
use sip_types::{Fields, HeaderName, Headers};

/// A body taken apart: the session description, and what was around it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Taken {
    /// The description, if there is one that a user agent may read.
    pub(crate) sdp: Option<Bytes>,
    /// All else.
    pub(crate) wrap: Wrap,
}

/// What surrounds a session description.
#[derive(Clone, Debug, Default)]
pub(crate) enum Wrap {
    /// There is no body.
    #[default]
    Nothing,
    /// The body is the description, with these header fields.
    Plain(Fields),
    /// The description is in a part, the other parts cross byte for byte; the header fields describe the whole.
    Multipart(Fields, Box<Parts>),
    /// A body that is no description crosses whole.
    Opaque(Body),
}

/// What of a body may cross.
pub(crate) struct Rules<'a> {
    /// The sides that it crosses between.
    pub(crate) crossing: &'a Crossing<'a>,
    /// Whether media flows through us: then no session description but the one that we make ourselves crosses.
    pub(crate) anchored: bool,
    /// Whether what must be understood and does not cross is refused. In a response or an ACK nobody can be refused
    /// anything: it is left out.
    pub(crate) refusing: bool,
}

impl Taken {
    /// Takes the body of a message with an offer or an answer apart.
    ///
    /// # Errors
    /// A body or part that must be understood does not cross; the request is refused with that status.
    pub(crate) fn read(headers: &Headers, body: &Bytes, rules: &Rules<'_>) -> Result<Self, BodyRefused> {
        if body.is_empty() {
            return Ok(Self::default());
        }
        let kind = headers.get::<ContentType>().ok().flatten();
        let disposition = headers.get::<ContentDisposition>().ok().flatten();
        let is_description = kind.as_ref().is_some_and(is_sdp) && is_session(disposition.as_ref());
        if is_description && !is_encoded(&headers.list().unwrap_or_default()) {
            return Ok(Self { sdp: Some(body.clone()), wrap: Wrap::Plain(content_fields(headers)) });
        }
        let kept = Reading::new(headers, rules, true).body(content_fields(headers), body)?;
        Ok(kept.map_or_else(Self::default, Self::of_parts))
    }

    /// The body of a message that has neither offer nor answer, as it crosses.
    ///
    /// # Errors
    /// As [`read`](Self::read). A session description does not cross by itself where media is anchored.
    pub(crate) fn carried(
        headers: &Headers,
        body: &Bytes,
        rules: &Rules<'_>,
    ) -> Result<Option<Body>, BodyRefused> {
        if body.is_empty() {
            return Ok(None);
        }
        let kept = Reading::new(headers, rules, false).body(content_fields(headers), body)?;
        Ok(kept.map(|kept| Body { fields: kept.part.headers, bytes: kept.part.body }))
    }

    /// Whether it is a body that no description was found in.
    pub(crate) fn is_opaque(&self) -> bool {
        matches!(self.wrap, Wrap::Opaque(_))
    }

    fn of_parts(Kept { part, held, .. }: Kept) -> Self {
        match held {
            Some(Held::Itself) => Self { sdp: Some(part.body), wrap: Wrap::Plain(part.headers) },
            Some(Held::Within(parts)) => {
                Self { sdp: parts.description(), wrap: Wrap::Multipart(part.headers, parts) }
            }
            None => Self { sdp: None, wrap: Wrap::Opaque(Body { fields: part.headers, bytes: part.body }) },
        }
    }
}

impl Rules<'_> {
    /// Whether a body or part crosses, `need` if it must be understood. Another session description than the one that is
    /// answered does not where media is anchored: it speaks of addresses of the other side.
    fn admit(&self, kind: Option<&ContentType>, need: bool) -> Result<bool, BodyRefused> {
        if self.anchored && kind.is_some_and(is_sdp) {
            return Ok(false);
        }
        if self.anchored && kind.is_some_and(is_fragment) {
            return if need { Err(BodyRefused::Forbidden) } else { Ok(false) };
        }
        policy::body_crosses(kind, need, self.crossing)
    }

    /// Whether a multipart body crosses although its parts cannot be told apart: only where none of them could be one
    /// that must not. Whoever needs it hears of that, so that nothing breaks in silence.
    fn admit_unread(&self, need: bool) -> Result<bool, BodyRefused> {
        match self.anchored || self.crossing.stops_bodies() {
            true if need => Err(BodyRefused::Malformed),
            stops => Ok(!stops),
        }
    }

    fn is_required(&self, disposition: Option<&ContentDisposition>) -> bool {
        self.refusing && disposition.is_none_or(ContentDisposition::handling_required)
    }
}

fn is_sdp(kind: &ContentType) -> bool {
    kind.is("application", "sdp")
}

/// Candidates of ICE by themselves (RFC 8840 §9), which are addresses of the side that they come from.
fn is_fragment(kind: &ContentType) -> bool {
    kind.is("application", "trickle-ice-sdpfrag")
}

/// Whether a body is encoded in a way that we do not read (RFC 3261 §20.12).
fn is_encoded(encodings: &[ContentEncoding]) -> bool {
    encodings.iter().any(|encoding| !encoding.is("identity"))
}

impl Wrap {
    /// The body with another description in the place of the one that was taken, or with one of its own where
    /// there was none. `None` where there is nothing to send.
    pub(crate) fn around(&self, sdp: Option<Bytes>) -> Option<Body> {
        match (self, sdp) {
            (Self::Nothing, None) | (Self::Plain(_), None) => None,
            (Self::Nothing, Some(bytes)) => Some(plain(bytes)),
            (Self::Plain(fields), Some(bytes)) => Some(Body { fields: fields.clone(), bytes }),
            (Self::Opaque(body), None) => Some(body.clone()),
            (Self::Opaque(body), Some(bytes)) => Some(beside(body, bytes)),
            (Self::Multipart(fields, parts), sdp) => {
                Some(Body { fields: fields.clone(), bytes: parts.with(sdp)? })
            }
        }
    }

    /// Whether there was a description.
    pub(crate) fn has_sdp(&self) -> bool {
        match self {
            Self::Plain(_) | Self::Multipart(..) => true,
            Self::Nothing | Self::Opaque(_) => false,
        }
    }
}

/// A description alone.
fn plain(bytes: Bytes) -> Body {
    let mut fields = Fields::default();
    fields.push(HeaderName::ContentType, "application/sdp");
    Body { fields, bytes }
}

/// A description beside a body that had none: the answer to an offer that the far side's body left open. Whoever gets it must
/// understand the description; the whole as much as what is in it, and the other body as its sender says (RFC 5621 §8.2).
fn beside(body: &Body, sdp: Bytes) -> Body {
    let mut described = plain(Bytes::new()).fields;
    described.push(HeaderName::ContentDisposition, "session;handling=required");
    let other = Part::new(with_handling(&body.fields), body.bytes.clone());
    let parts = [Part::new(described, sdp), other];
    let boundary = (0..).map(|n| format!("liaison-{n}")).find(|b| multipart::is_boundary_free(b, &parts));
    let boundary = boundary.unwrap_or_default();
    let mut fields = Fields::default();
    fields.push(HeaderName::ContentType, format!("multipart/mixed;boundary=\"{boundary}\""));
    fields.push(HeaderName::ContentDisposition, "render;handling=required");
    fields.push(HeaderName::MimeVersion, "1.0");
    Body { bytes: multipart::join(&boundary, &parts), fields }
}

/// The header fields of a part that its sender had made a body, its handling said.
fn with_handling(fields: &Fields) -> Fields {
    let mut fields = fields.clone();
    match fields.get::<ContentDisposition>() {
        Ok(Some(said)) if said.params().get("handling").is_none() => {
            fields.remove(HeaderName::ContentDisposition);
            fields.push(HeaderName::ContentDisposition, format!("{said};handling=required"));
        }
        // RFC 3261 §20.11: that is what it is unsaid.
        Ok(None) => fields.push(HeaderName::ContentDisposition, "render;handling=required"),
        _ => {}
    }
    fields
}

/// Whether a body of type application/sdp describes the session (RFC 3261 §20.11: that is what it does unsaid).
fn is_session(disposition: Option<&ContentDisposition>) -> bool {
    disposition.is_none_or(|d| d.is("session"))
}

/// The header fields that describe a body; they go where it goes.
pub(crate) fn content_fields(headers: &Headers) -> Fields {
    let mut fields = Fields::default();
    for field in headers.iter() {
        if is_content(field.name()) {
            fields.push_field(field.to_owned());
        }
    }
    fields
}

/// Whether a header field describes the body.
pub(crate) fn is_content(name: HeaderName) -> bool {
    matches!(
        name,
        HeaderName::ContentType
            | HeaderName::ContentDisposition
            | HeaderName::ContentEncoding
            | HeaderName::ContentId
            | HeaderName::ContentLanguage
            | HeaderName::MimeVersion
    )
}
