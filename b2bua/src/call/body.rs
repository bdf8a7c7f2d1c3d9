//! The session description in a body, and the body around it.

use bytes::Bytes;
use policy::{BodyRefused, Crossing, is_protected};
use sip::session::Body;
use sip_types::header::{ContentDisposition, ContentEncoding, ContentType};
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

/// How deep parts may be in parts; what is deeper is as if it could not be read.
const MAX_DEPTH: usize = 8;

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
        if kind.as_ref().is_some_and(is_sdp) && is_encoded(&headers.list().unwrap_or_default()) {
            return rules.refuse(BodyRefused::Unknown).map(|()| Self::default());
        }
        if kind.as_ref().is_some_and(is_sdp) && is_session(disposition.as_ref()) {
            return Ok(Self { sdp: Some(body.clone()), wrap: Wrap::Plain(content_fields(headers)) });
        }
        if !rules.admit(kind.as_ref(), disposition.as_ref())? {
            return Ok(Self::default());
        }
        match kind.as_ref().filter(|kind| kind.is_multipart() && !is_protected(kind)) {
            Some(kind) => Self::of_parts(headers, (kind, disposition.as_ref()), body, rules),
            None => Ok(Self { sdp: None, wrap: Wrap::Opaque(whole(headers, body)) }),
        }
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
        let taken = Self::read(headers, body, rules)?;
        if !rules.anchored {
            return Ok(taken.wrap.around(taken.sdp.clone()));
        }
        if taken.wrap.needs_sdp() {
            rules.refuse(BodyRefused::Forbidden)?;
        }
        Ok(taken.wrap.around(None))
    }

    /// Whether it is a body that no description was found in.
    pub(crate) fn is_opaque(&self) -> bool {
        matches!(self.wrap, Wrap::Opaque(_))
    }

    fn of_parts(
        headers: &Headers,
        (kind, disposition): (&ContentType, Option<&ContentDisposition>),
        body: &Bytes,
        rules: &Rules<'_>,
    ) -> Result<Self, BodyRefused> {
        let (Some(boundary), Ok(mut all)) = (kind.boundary(), Multipart::parse(kind, body)) else {
            let crosses = rules.admit_unread(disposition)?;
            let wrap = if crosses { Wrap::Opaque(whole(headers, body)) } else { Wrap::Nothing };
            return Ok(Self { sdp: None, wrap });
        };
        let (mut sdp, mut kept) = (None, Vec::with_capacity(all.parts.len()));
        for part in all.parts {
            let kind = part.headers.get::<ContentType>().ok().flatten();
            let disposition = part.headers.get::<ContentDisposition>().ok().flatten();
            if kind.as_ref().is_some_and(is_sdp) && is_session(disposition.as_ref()) && sdp.is_none() {
                if is_encoded(&part.headers.list().unwrap_or_default()) {
                    rules.refuse(BodyRefused::Unknown)?;
                    continue;
                }
                sdp = Some((kept.len(), part.body.clone()));
                kept.push(part);
            } else {
                kept.extend(rules.admitted(part, MAX_DEPTH)?);
            }
        }
        if kept.is_empty() {
            return Ok(Self::default());
        }
        all.parts = kept;
        let fields = content_fields(headers);
        let boundary = boundary.into();
        Ok(match sdp {
            Some((at, description)) => Self {
                sdp: Some(description),
                wrap: Wrap::Multipart(Box::new(Parts { fields, boundary, whole: all, sdp: at })),
            },
            None => Self { sdp: None, wrap: Wrap::Opaque(Body { bytes: all.join(&boundary), fields }) },
        })
    }
}

impl Rules<'_> {
    /// Whether a body or part crosses as it is. Another session description than the one that is answered does not
    /// where media is anchored: it speaks of addresses of the other side.
    fn admit(
        &self,
        kind: Option<&ContentType>,
        disposition: Option<&ContentDisposition>,
    ) -> Result<bool, BodyRefused> {
        if self.anchored && kind.is_some_and(is_sdp) {
            return Ok(false);
        }
        if self.anchored && kind.is_some_and(is_fragment) {
            return self.leave_out(BodyRefused::Forbidden, disposition);
        }
        policy::body_crosses(kind, self.is_required(disposition), self.crossing)
    }

    /// Whether a multipart body crosses although its parts cannot be told apart: only where none of them could be one
    /// that must not. Whoever needs it hears of that, so that nothing breaks in silence.
    fn admit_unread(&self, disposition: Option<&ContentDisposition>) -> Result<bool, BodyRefused> {
        if self.anchored || self.crossing.stops_bodies() {
            return self.leave_out(BodyRefused::Malformed, disposition);
        }
        Ok(true)
    }

    /// Refuses what must be understood, and leaves out all else.
    fn leave_out(
        &self,
        why: BodyRefused,
        disposition: Option<&ContentDisposition>,
    ) -> Result<bool, BodyRefused> {
        if self.is_required(disposition) { Err(why) } else { Ok(false) }
    }

    fn is_required(&self, disposition: Option<&ContentDisposition>) -> bool {
        self.refusing && disposition.is_none_or(ContentDisposition::handling_required)
    }

    /// What crosses of a part, parts within it asked about one by one (RFC 5621 §3).
    fn admitted(&self, part: Part, depth: usize) -> Result<Option<Part>, BodyRefused> {
        let kind = part.headers.get::<ContentType>().ok().flatten();
        let disposition = part.headers.get::<ContentDisposition>().ok().flatten();
        if !self.admit(kind.as_ref(), disposition.as_ref())? {
            return Ok(None);
        }
        let Some(kind) = kind.filter(|kind| kind.is_multipart() && !is_protected(kind)) else {
            return Ok(Some(part));
        };
        let parsed = if depth == 0 { None } else { Multipart::parse(&kind, &part.body).ok() };
        let (Some(boundary), Some(mut inner)) = (kind.boundary(), parsed) else {
            return Ok(self.admit_unread(disposition.as_ref())?.then_some(part));
        };
        let mut kept = Vec::with_capacity(inner.parts.len());
        for part in &inner.parts {
            kept.extend(self.admitted(part.clone(), depth - 1)?);
        }
        if kept == inner.parts {
            return Ok(Some(part));
        }
        inner.parts = kept;
        let some = !inner.parts.is_empty();
        Ok(some.then(|| Part::new(part.headers.clone(), inner.join(&boundary))))
    }

    /// Refuses a body, where anybody can be refused anything.
    fn refuse(&self, why: BodyRefused) -> Result<(), BodyRefused> {
        if self.refusing { Err(why) } else { Ok(()) }
    }
}

fn whole(headers: &Headers, body: &Bytes) -> Body {
    Body { fields: content_fields(headers), bytes: body.clone() }
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
            (Self::Multipart(parts), sdp) => parts.with(sdp),
        }
    }

    /// Whether there was a description that must be understood (RFC 3261 §20.11).
    fn needs_sdp(&self) -> bool {
        let fields = match self {
            Self::Plain(fields) => Some(fields),
            Self::Multipart(parts) => parts.whole.parts.get(parts.sdp).map(|part| &part.headers),
            Self::Nothing | Self::Opaque(_) => None,
        };
        let disposition = |fields: &Fields| fields.get::<ContentDisposition>().ok().flatten();
        fields.is_some_and(|f| disposition(f).is_none_or(|d| d.handling_required()))
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
    fn with(&self, sdp: Option<Bytes>) -> Option<Body> {
        let mut whole = self.whole.clone();
        match (sdp, whole.parts.get_mut(self.sdp)) {
            (Some(bytes), Some(part)) => *part = Part::new(part.headers.clone(), bytes),
            (None, Some(_)) => {
                whole.parts.remove(self.sdp);
            }
            (_, None) => {}
        }
        let some = !whole.parts.is_empty();
        some.then(|| Body { fields: self.fields.clone(), bytes: whole.join(&self.boundary) })
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
