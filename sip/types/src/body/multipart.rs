//! Multipart bodies (RFC 2046 §5.1, RFC 5621). What is split can be joined again byte for byte.

use bytes::Bytes;
use memchr::memmem;

use crate::{
    ByteString, Fields, chars,
    header::ContentType,
    message::scan::{self, Lines, Step},
};

/// Parts of one body; more are an error.
pub const MAX_PARTS: usize = 64;

/// Header fields of one part; more are an error.
const MAX_HEADERS: usize = 64;

/// One part. [`join`] writes `raw`, so a part that is to change is made anew with [`Part::new`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The part's header fields (Content-Type, Content-Disposition, Content-ID, …).
    pub headers: Fields,
    /// The part's body.
    pub body: Bytes,
    /// Header fields and body as received, without the delimiter lines around.
    pub raw: Bytes,
}

impl Part {
    /// A part of those header fields and that body.
    #[must_use]
    pub fn new(headers: Fields, body: Bytes) -> Self {
        let mut raw = Vec::with_capacity(body.len() + 128);
        for field in &headers {
            let name = field.name_text().bytes().map(|b| if chars::is(b, chars::TOKEN) { b } else { b'-' });
            raw.extend(name);
            raw.extend_from_slice(b": ");
            raw.extend(field.value().iter().map(|&b| if b == b'\r' || b == b'\n' { b' ' } else { b }));
            raw.extend_from_slice(b"\r\n");
        }
        raw.extend_from_slice(b"\r\n");
        raw.extend_from_slice(&body);
        Self { headers, body, raw: raw.into() }
    }

    /// Reads the bytes between two delimiter lines.
    fn parse(raw: Bytes) -> Result<Self, MultipartError> {
        let mut headers = Fields::new();
        let mut lines = Lines::new(&raw, 0);
        let body = loop {
            if headers.len() > MAX_HEADERS {
                return Err(MultipartError::TooManyHeaders);
            }
            match lines.next() {
                Step::Line { start, end, .. } => push(&mut headers, &raw, start, end)?,
                Step::Blank { body } => break body,
                Step::End { at } => {
                    if at < raw.len() {
                        push(&mut headers, &raw, at, raw.len())?;
                    }
                    break raw.len();
                }
            }
        };
        Ok(Self { headers, body: raw.slice(body..), raw })
    }
}

fn push(headers: &mut Fields, raw: &Bytes, start: usize, end: usize) -> Result<(), MultipartError> {
    let parts = scan::cut(raw, start, end).ok_or(MultipartError::Header)?;
    let name =
        ByteString::try_from(raw.slice(start..start + parts.name)).map_err(|_| MultipartError::Header)?;
    headers.push_unknown(name, raw.slice(parts.value.0..parts.value.1));
    Ok(())
}

/// A body taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Multipart {
    /// Before the first delimiter, its line end included.
    pub preamble: Bytes,
    /// The parts.
    pub parts: Vec<Part>,
    /// After the closing delimiter, from its line end on.
    pub epilogue: Bytes,
}

/// Why a body cannot be taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MultipartError {
    /// The type is not multipart.
    #[error("not a multipart type")]
    NotMultipart,
    /// No `boundary` parameter of 1 to 70 characters that a boundary can have (RFC 2046 §5.1.1).
    #[error("no valid boundary")]
    Boundary,
    /// No delimiter line.
    #[error("no part")]
    NoPart,
    /// No closing delimiter line.
    #[error("no closing delimiter")]
    Unclosed,
    /// A line in the head of a part is no header field.
    #[error("malformed header field in a part")]
    Header,
    /// More than [`MAX_PARTS`].
    #[error("too many parts")]
    TooManyParts,
    /// More than 64 header fields in one part.
    #[error("too many header fields in a part")]
    TooManyHeaders,
}

/// The parts of a body; preamble and epilogue are left out (see [`Multipart::parse`]).
///
/// # Errors
/// See [`MultipartError`].
pub fn split(content_type: &ContentType, body: &Bytes) -> Result<Vec<Part>, MultipartError> {
    Multipart::parse(content_type, body).map(|m| m.parts)
}

/// The body that has those parts, without preamble and epilogue. `boundary` must occur in no part; see
/// [`is_boundary_free`].
#[must_use]
pub fn join<'a>(boundary: &str, parts: impl IntoIterator<Item = &'a Part>) -> Bytes {
    let mut out = Vec::new();
    write(&mut out, boundary, parts);
    out.into()
}

/// Whether `boundary` can be used to [`join`] those parts: it is valid and occurs in none of them.
pub fn is_boundary_free<'a>(boundary: &str, parts: impl IntoIterator<Item = &'a Part>) -> bool {
    let delimiter = format!("--{boundary}");
    is_boundary(boundary) && parts.into_iter().all(|p| memmem::find(&p.raw, delimiter.as_bytes()).is_none())
}

fn write<'a>(out: &mut Vec<u8>, boundary: &str, parts: impl IntoIterator<Item = &'a Part>) {
    for part in parts {
        out.extend_from_slice(b"--");
        out.extend_from_slice(boundary.as_bytes());
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(&part.raw);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"--");
    out.extend_from_slice(boundary.as_bytes());
    out.extend_from_slice(b"--");
}

fn is_boundary(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(&b);
    (1..=70).contains(&text.len()) && !text.ends_with(' ') && text.bytes().all(allowed)
}

/// A delimiter line: from its dashes to behind its line end.
struct Delimiter {
    start: usize,
    /// Behind the boundary and the closing dashes.
    text_end: usize,
    end: usize,
    closing: bool,
}

/// The next delimiter line at or after `from`.
fn delimiter(body: &[u8], needle: &[u8], from: usize) -> Option<Delimiter> {
    let mut at = from;
    loop {
        let start = at + memmem::find(body.get(at..)?, needle)?;
        at = start + 1;
        if start > 0 && body.get(start - 1) != Some(&b'\n') {
            continue;
        }
        let mut text_end = start + needle.len();
        let closing = body.get(text_end..).is_some_and(|rest| rest.starts_with(b"--"));
        text_end += if closing { 2 } else { 0 };
        let rest = body.get(text_end..)?;
        let padding = rest.iter().take_while(|&&b| chars::is_wsp(b)).count();
        let line_end = match rest.get(padding..) {
            Some([b'\r', b'\n', ..]) => 2,
            Some([b'\n', ..]) => 1,
            Some([]) if closing => 0,
            _ => continue,
        };
        return Some(Delimiter { start, text_end, end: text_end + padding + line_end, closing });
    }
}

/// `end` without the line end before it, which belongs to the delimiter.
fn before_line_end(body: &[u8], start: usize, end: usize) -> usize {
    match body.get(start..end) {
        Some([.., b'\r', b'\n']) => end - 2,
        Some([.., b'\n']) => end - 1,
        _ => end,
    }
}

impl Multipart {
    /// Takes a body apart.
    ///
    /// # Errors
    /// See [`MultipartError`].
    pub fn parse(content_type: &ContentType, body: &Bytes) -> Result<Self, MultipartError> {
        if !content_type.is_multipart() {
            return Err(MultipartError::NotMultipart);
        }
        let boundary = content_type.boundary().filter(|b| is_boundary(b)).ok_or(MultipartError::Boundary)?;
        let needle = format!("--{boundary}");
        let mut open = delimiter(body, needle.as_bytes(), 0).ok_or(MultipartError::NoPart)?;
        let preamble = body.slice(..open.start);
        let mut parts = Vec::new();
        while !open.closing {
            if parts.len() >= MAX_PARTS {
                return Err(MultipartError::TooManyParts);
            }
            let next = delimiter(body, needle.as_bytes(), open.end).ok_or(MultipartError::Unclosed)?;
            let end = before_line_end(body, open.end, next.start);
            parts.push(Part::parse(body.slice(open.end..end))?);
            open = next;
        }
        if parts.is_empty() {
            return Err(MultipartError::NoPart);
        }
        Ok(Self { preamble, parts, epilogue: body.slice(open.text_end..) })
    }

    /// The body again.
    #[must_use]
    pub fn join(&self, boundary: &str) -> Bytes {
        let mut out = Vec::new();
        out.extend_from_slice(&self.preamble);
        write(&mut out, boundary, &self.parts);
        out.extend_from_slice(&self.epilogue);
        out.into()
    }
}

#[cfg(test)]
mod tests;
