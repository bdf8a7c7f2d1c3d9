//! A body of several parts with a session description in it, which gives way to another one.

use bytes::Bytes;
use sip_types::header::ContentType;
use sip_types::multipart::{Multipart, Part};
use sip_types::{Fields, HeaderName};

/// A multipart body that has a description, in a part of its own or in parts within that.
#[derive(Clone, Debug)]
pub(crate) struct Parts {
    pub(super) boundary: Box<str>,
    pub(super) whole: Multipart,
    /// The part that has it.
    pub(super) at: usize,
    pub(super) held: Held,
    /// Whether all else is nothing without that part: of multipart/related, the root (RFC 2387 §3.2).
    pub(super) is_root: bool,
}

/// Where in a part a description is.
#[derive(Clone, Debug)]
pub(super) enum Held {
    /// The part is it.
    Itself,
    /// It is in a part of the part.
    Within(Box<Parts>),
}

impl Parts {
    /// The description.
    pub(super) fn description(&self) -> Option<Bytes> {
        match &self.held {
            Held::Itself => self.whole.parts.get(self.at).map(|part| part.body.clone()),
            Held::Within(parts) => parts.description(),
        }
    }

    /// The body with another description in the place of the one that was taken, or without any; all else as it came, in its
    /// order, so that what refers to a part still stands before it (RFC 5621 §9.2). `None` where nothing is left.
    pub(super) fn with(&self, sdp: Option<Bytes>) -> Option<Bytes> {
        let mut whole = self.whole.clone();
        let part = whole.parts.get_mut(self.at)?;
        let inside = match &self.held {
            Held::Itself => sdp,
            Held::Within(parts) => parts.with(sdp),
        };
        match inside {
            Some(bytes) => *part = Part::new(part.headers.clone(), bytes),
            None if self.is_root => return None,
            None => drop(whole.parts.remove(self.at)),
        }
        (!whole.parts.is_empty()).then(|| whole.join(&self.boundary))
    }
}

/// The root of multipart/related: the part that `start` names, or else the first (RFC 2387 §3.2). Of other bodies, none is.
pub(super) fn root_of(kind: &ContentType, parts: &[Part]) -> Option<usize> {
    if !kind.is("multipart", "related") {
        return None;
    }
    let start = kind.params().get_unquoted("start");
    let is_start = |fields: &Fields| {
        let id = fields.first(HeaderName::ContentId).and_then(|id| id.text().ok());
        start.as_deref().zip(id).is_some_and(|(start, id)| start.trim_ascii() == id.trim_ascii())
    };
    Some(parts.iter().position(|part| is_start(&part.headers)).unwrap_or(0))
}
