//! A body with its parts is read: which of them cross, and which one describes the session (RFC 5621).

use super::parts::{Held, Parts, root_of};
use super::reference::{self, Reference, References};
use super::{Rules, is_encoded, is_sdp, is_session};
use bytes::Bytes;
use policy::{BodyRefused, is_protected};
use sip_types::header::{ContentDisposition, ContentType};
use sip_types::multipart::{Multipart, Part};
use sip_types::{Fields, Headers, TypedHeader};

/// How deep parts may be in parts; what is deeper is as if it could not be read.
const MAX_DEPTH: usize = 8;

/// The type of a part that has none (RFC 2046 §5.1).
const UNTYPED: &str = "text/plain";

/// The reading of one message's body.
pub(super) struct Reading<'r> {
    rules: &'r Rules<'r>,
    headers: &'r Headers,
    /// Whether a description is taken out, for another one to take its place.
    takes: bool,
    taken: bool,
    /// What stands before the part that is being read, and whether it crosses: only there it may be referred to (RFC 5621 §9.2).
    /// What has been looked through for references is here no more.
    before: Vec<(Bytes, bool)>,
    /// What is referred to there and in the header fields of the message, once a part asks.
    referred: Option<References>,
}

/// A part that crosses.
pub(super) struct Kept {
    pub(super) part: Part,
    /// Where it has the description that is taken out of it.
    pub(super) held: Option<Held>,
    changed: bool,
    /// Its place among the parts that came.
    nth: usize,
}

/// What a body or part says of itself.
struct Label {
    kind: Option<ContentType>,
    disposition: Option<ContentDisposition>,
}

impl<'r> Reading<'r> {
    pub(super) fn new(headers: &'r Headers, rules: &'r Rules<'r>, takes: bool) -> Self {
        Self { rules, headers, takes, taken: false, before: Vec::new(), referred: None }
    }

    /// The whole body.
    ///
    /// # Errors
    /// It, or something in it, does not cross and must be understood.
    pub(super) fn body(&mut self, fields: Fields, body: &Bytes) -> Result<Option<Kept>, BodyRefused> {
        let label = Label::of(&fields);
        let part = Part { headers: fields, body: body.clone(), raw: Bytes::new() };
        let need = self.rules.is_required(label.disposition.as_ref());
        self.part(part, &label, need, MAX_DEPTH)
    }

    /// What crosses of a body or part, parts within it asked about one by one.
    fn part(
        &mut self,
        part: Part,
        label: &Label,
        need: bool,
        depth: usize,
    ) -> Result<Option<Kept>, BodyRefused> {
        let content = part.body.clone();
        let kept = self.unlisted(part, label, need, depth);
        if !label.kind.as_ref().is_some_and(has_parts) {
            self.before.push((content, matches!(kept, Ok(Some(_)))));
        }
        kept
    }

    fn unlisted(
        &mut self,
        part: Part,
        label: &Label,
        need: bool,
        depth: usize,
    ) -> Result<Option<Kept>, BodyRefused> {
        let leave_out = |why| if need { Err(why) } else { Ok(None) };
        if label.disposition.as_ref().is_some_and(|d| d.is("by-reference")) {
            match self.reference(&part.headers) {
                Reference::Crosses => {}
                // Whoever sent it has said what it is for; there it is for nothing.
                Reference::StaysBehind => return Ok(None),
                Reference::None => return leave_out(BodyRefused::Unreferenced),
            }
        }
        let kind = label.kind.as_ref();
        if kind.is_some_and(is_sdp) && is_session(label.disposition.as_ref()) {
            if self.takes && !self.taken {
                if is_encoded(&part.headers.list().unwrap_or_default()) {
                    return leave_out(BodyRefused::Unknown);
                }
                self.taken = true;
                return Ok(Some(Kept { held: Some(Held::Itself), ..Kept::whole(part) }));
            }
            if !self.takes && self.rules.anchored {
                return leave_out(BodyRefused::Forbidden);
            }
        }
        if !self.rules.admit(kind, need)? {
            return Ok(None);
        }
        match kind.filter(|kind| has_parts(kind)) {
            Some(kind) => self.container(part, kind, label.disposition.as_ref(), need, depth),
            None => Ok(Some(Kept::whole(part))),
        }
    }

    /// What crosses of a part that has parts.
    fn container(
        &mut self,
        part: Part,
        kind: &ContentType,
        disposition: Option<&ContentDisposition>,
        need: bool,
        depth: usize,
    ) -> Result<Option<Kept>, BodyRefused> {
        let parsed = if depth == 0 { None } else { Multipart::parse(kind, &part.body).ok() };
        let (Some(boundary), Some(mut whole)) = (kind.boundary(), parsed) else {
            return Ok(self.rules.admit_unread(need)?.then(|| Kept::whole(part)));
        };
        let parts = std::mem::take(&mut whole.parts);
        let (count, root, taken) = (parts.len(), root_of(kind, &parts), self.taken);
        let read = match kind.is("multipart", "alternative") {
            true => self.alternatives(parts, disposition, need, depth),
            false => self.each(parts, root, need, depth),
        };
        let Some(mut kept) = read?.filter(|kept| !kept.is_empty()) else {
            // What was taken out of it does not count either.
            self.taken = taken;
            return Ok(None);
        };
        let changed = kept.len() != count || kept.iter().any(|kept| kept.changed);
        let held = kept.iter_mut().enumerate().find_map(|(at, kept)| Some((at, kept.nth, kept.held.take()?)));
        whole.parts = kept.into_iter().map(|kept| kept.part).collect();
        let held = match held {
            Some((at, nth, held)) => {
                Some(Parts { boundary: boundary.into(), is_root: root == Some(nth), whole, at, held })
            }
            None if changed => {
                let part = Part::new(part.headers, whole.join(&boundary));
                return Ok(Some(Kept { changed, ..Kept::whole(part) }));
            }
            None => None,
        };
        Ok(Some(Kept { held: held.map(Box::new).map(Held::Within), changed, ..Kept::whole(part) }))
    }

    /// Each part by its own handling (RFC 5621 §8.2). One that must be understood and does not cross keeps all others with it, and
    /// is an error only where they must be understood themselves; in a message that nobody can be refused it is left out alone.
    fn each(
        &mut self,
        parts: Vec<Part>,
        root: Option<usize>,
        need: bool,
        depth: usize,
    ) -> Result<Option<Vec<Kept>>, BodyRefused> {
        let mut kept = Vec::with_capacity(parts.len());
        for (nth, part) in parts.into_iter().enumerate() {
            let label = Label::within(&part.headers);
            let required = self.rules.is_required(label.disposition.as_ref());
            match self.part(part, &label, required, depth - 1) {
                Ok(Some(part)) => kept.push(Kept { nth, ..part }),
                // Without its root the rest means nothing (RFC 2387 §3.2).
                Ok(None) if root == Some(nth) => return Ok(None),
                Ok(None) => {}
                Err(why) if need => return Err(why),
                Err(_) => return Ok(None),
            }
        }
        Ok(Some(kept))
    }

    /// The alternatives, whose own handling does not count (RFC 5621 §8.3). Of those that describe the session the last counts, as it
    /// is the one that we understand best (§6.1); where media is anchored none of the others describes it.
    fn alternatives(
        &mut self,
        parts: Vec<Part>,
        disposition: Option<&ContentDisposition>,
        need: bool,
        depth: usize,
    ) -> Result<Option<Vec<Kept>>, BodyRefused> {
        let (mut kept, mut refused, taken) = (Vec::<Kept>::with_capacity(parts.len()), None, self.taken);
        for (nth, part) in parts.into_iter().enumerate() {
            self.taken = taken;
            let label = Label::within(&part.headers);
            match self.part(part, &label, true, depth - 1) {
                Ok(Some(part)) => kept.push(Kept { nth, ..part }),
                Ok(None) => {}
                Err(why) => refused = Some(why),
            }
        }
        if let Some(last) = kept.iter().rposition(|kept| kept.held.is_some()) {
            self.taken = true;
            let anchored = self.rules.anchored;
            let mut at = 0..;
            kept.retain(|kept| at.next() == Some(last) || (kept.held.is_none() && !anchored));
        }
        if disposition.is_some_and(|d| d.is("session") || d.is("early-session")) {
            only_last_of_each_type(&mut kept);
        }
        match refused.filter(|_| kept.is_empty() && need) {
            Some(why) => Err(why),
            None => Ok(Some(kept)),
        }
    }

    fn reference(&mut self, fields: &Fields) -> Reference {
        let Some(id) = reference::content_id(fields) else { return Reference::None };
        let crossing = self.rules.crossing;
        let referred = self.referred.get_or_insert_with(|| References::of_headers(self.headers, crossing));
        self.before.drain(..).for_each(|(content, crosses)| referred.note(&content, crosses));
        referred.to(id)
    }
}

/// An alternative that describes the session has a content type of its own (RFC 5621 §6.2).
fn only_last_of_each_type(kept: &mut Vec<Kept>) {
    let kinds: Vec<_> = kept.iter().map(|kept| Label::within(&kept.part.headers).kind).collect();
    let is_same = |a: &ContentType, b: &ContentType| a.is(b.type_(), b.subtype());
    let mut at = 0..;
    kept.retain(|_| {
        let at = at.next().unwrap_or_default();
        let own = kinds.get(at).and_then(Option::as_ref);
        let later = kinds.iter().skip(at + 1).filter_map(Option::as_ref);
        !own.is_some_and(|own| later.into_iter().any(|later| is_same(own, later)))
    });
}

/// Whether it is asked about part by part: not what is protected as a whole (RFC 8551).
fn has_parts(kind: &ContentType) -> bool {
    kind.is_multipart() && !is_protected(kind)
}

impl Kept {
    fn whole(part: Part) -> Self {
        Self { part, held: None, changed: false, nth: 0 }
    }
}

impl Label {
    fn of(fields: &Fields) -> Self {
        Self { kind: fields.get().ok().flatten(), disposition: fields.get().ok().flatten() }
    }

    /// As [`of`](Self::of), for what stands in a multipart body.
    fn within(fields: &Fields) -> Self {
        let mut label = Self::of(fields);
        if label.kind.is_none() && !fields.contains(ContentType::NAME) {
            label.kind = ContentType::parse(&UNTYPED.into()).ok();
        }
        label
    }
}
