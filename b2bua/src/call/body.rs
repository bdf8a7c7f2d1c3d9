//! The session description in a body, and the body around it.

use bytes::Bytes;
use sip::session::Body;
use sip_types::header::{ContentDisposition, ContentType};
use sip_types::multipart::{self, Multipart, Part};
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
    /// The description is the part with that index; the others cross byte for byte.
    Multipart(Box<Parts>),
    /// A body that is no description crosses whole.
    Opaque(Body),
}

/// A multipart body that has a description.
#[derive(Clone, Debug)]
pub(crate) struct Parts {
    fields: Fields,
    boundary: Box<str>,
    whole: Multipart,
    sdp: usize,
}

impl Taken {
    /// Takes a body apart. What cannot be read as what it says crosses whole.
    pub(crate) fn from(headers: &Headers, body: &Bytes) -> Self {
        if body.is_empty() {
            return Self::default();
        }
        let fields = content_fields(headers);
        let content_type = headers.get::<ContentType>().ok().flatten();
        let opaque = |fields| Self { sdp: None, wrap: Wrap::Opaque(Body { fields, bytes: body.clone() }) };
        match content_type {
            Some(kind)
                if kind.is("application", "sdp") && is_session(headers.get().ok().flatten().as_ref()) =>
            {
                Self { sdp: Some(body.clone()), wrap: Wrap::Plain(fields) }
            }
            Some(kind) if kind.is_multipart() => match multipart(&kind, body) {
                Some((boundary, whole, at, sdp)) => Self {
                    sdp: Some(sdp),
                    wrap: Wrap::Multipart(Box::new(Parts { fields, boundary, whole, sdp: at })),
                },
                None => opaque(fields),
            },
            _ => opaque(fields),
        }
    }
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
            (Self::Multipart(parts), sdp) => Some(parts.with(sdp)),
        }
    }

    /// Whether there was a description.
    pub(crate) fn has_sdp(&self) -> bool {
        match self {
            Self::Plain(_) | Self::Multipart(_) => true,
            Self::Nothing | Self::Opaque(_) => false,
        }
    }
}

impl Parts {
    fn with(&self, sdp: Option<Bytes>) -> Body {
        let mut whole = self.whole.clone();
        match (sdp, whole.parts.get_mut(self.sdp)) {
            (Some(bytes), Some(part)) => *part = Part::new(part.headers.clone(), bytes),
            (None, Some(_)) => {
                whole.parts.remove(self.sdp);
            }
            (_, None) => {}
        }
        Body { fields: self.fields.clone(), bytes: whole.join(&self.boundary) }
    }
}

/// A description alone.
fn plain(bytes: Bytes) -> Body {
    let mut fields = Fields::default();
    fields.push(HeaderName::ContentType, "application/sdp");
    Body { fields, bytes }
}

/// A description beside a body that had none: the answer to an offer that the far side's body left open.
fn beside(body: &Body, sdp: Bytes) -> Body {
    let parts =
        [Part::new(plain(Bytes::new()).fields, sdp), Part::new(body.fields.clone(), body.bytes.clone())];
    let boundary = (0..).map(|n| format!("liaison-{n}")).find(|b| multipart::is_boundary_free(b, &parts));
    let boundary = boundary.unwrap_or_default();
    let mut fields = Fields::default();
    fields.push(HeaderName::ContentType, format!("multipart/mixed;boundary=\"{boundary}\""));
    fields.push(HeaderName::MimeVersion, "1.0");
    Body { bytes: multipart::join(&boundary, &parts), fields }
}

fn multipart(kind: &ContentType, body: &Bytes) -> Option<(Box<str>, Multipart, usize, Bytes)> {
    let boundary = kind.boundary()?.into();
    let whole = Multipart::parse(kind, body).ok()?;
    let at = whole.parts.iter().position(|part| {
        let kind = part.headers.get::<ContentType>().ok().flatten();
        kind.is_some_and(|kind| kind.is("application", "sdp"))
            && is_session(part.headers.get().ok().flatten().as_ref())
    })?;
    let sdp = whole.parts.get(at)?.body.clone();
    Some((boundary, whole, at, sdp))
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
