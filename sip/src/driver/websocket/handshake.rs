//! The request to upgrade and its answer (RFC 6455 §4.2, RFC 7118 §4.1).

use bytes::Bytes;
use httparse::{Header, Request, Status};
use sha1::{Digest, Sha1};

/// Header fields that a request may have.
const FIELDS: usize = 64;
/// What the key is hashed with (RFC 6455 §1.3).
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// Who may open a WebSocket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// The path that is asked for, without its query.
    pub path: String,
    /// The origins of web pages that may (RFC 6454): `https://phone.example.com`. `None` for any. A client that is
    /// no browser has none, and may.
    pub origins: Option<Vec<String>>,
    /// The longest request, in bytes.
    pub longest: usize,
}

impl Default for Rules {
    fn default() -> Self {
        Self { path: "/".to_owned(), origins: Some(Vec::new()), longest: 8192 }
    }
}

/// What became of a request.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Upgrade {
    /// More bytes are needed.
    Incomplete,
    /// The answer, and the bytes of the request.
    Accepted { answer: Bytes, used: usize },
    /// The answer, after which the connection is closed.
    Refused(Bytes),
}

/// Reads a request from the beginning of a connection.
pub(super) fn read(bytes: &[u8], rules: &Rules) -> Upgrade {
    let mut fields = [httparse::EMPTY_HEADER; FIELDS];
    let mut request = Request::new(&mut fields);
    let used = match request.parse(bytes) {
        Ok(Status::Complete(used)) if used <= rules.longest => used,
        Ok(Status::Partial) if bytes.len() <= rules.longest => return Upgrade::Incomplete,
        Ok(Status::Complete(_) | Status::Partial) | Err(httparse::Error::TooManyHeaders) => {
            return refuse("431 Request Header Fields Too Large", "");
        }
        Err(_) => return refuse("400 Bad Request", ""),
    };
    match accept(&request, rules) {
        Ok(answer) => Upgrade::Accepted { answer, used },
        Err((status, field)) => refuse(status, field),
    }
}

/// The answer that accepts, or the status that refuses with a header field.
fn accept(request: &Request<'_, '_>, rules: &Rules) -> Result<Bytes, (&'static str, &'static str)> {
    if request.method != Some("GET") {
        return Err(("405 Method Not Allowed", "Allow: GET\r\n"));
    }
    if request.version != Some(1) {
        return Err(("505 HTTP Version Not Supported", ""));
    }
    let path = request.path.unwrap_or_default().split('?').next();
    if path != Some(rules.path.as_str()) {
        return Err(("404 Not Found", ""));
    }
    let fields: &[Header<'_>] = request.headers;
    if !has_token(fields, "Upgrade", "websocket") || !has_token(fields, "Connection", "upgrade") {
        return Err(("426 Upgrade Required", "Upgrade: websocket\r\n"));
    }
    if !has_token(fields, "Sec-WebSocket-Version", "13") {
        return Err(("426 Upgrade Required", "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"));
    }
    if !allows(rules, values(fields, "Origin").next()) {
        return Err(("403 Forbidden", ""));
    }
    if !has_token(fields, "Sec-WebSocket-Protocol", "sip") {
        return Err(("400 Bad Request", ""));
    }
    let mut keys = values(fields, "Sec-WebSocket-Key").map(str::as_bytes);
    let (Some(key), None) = (keys.next(), keys.next()) else { return Err(("400 Bad Request", "")) };
    if !is_key(key) || values(fields, "Host").count() != 1 {
        return Err(("400 Bad Request", ""));
    }
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {}\r\nSec-WebSocket-Protocol: sip\r\n\r\n",
        base64(&Sha1::new().chain_update(key).chain_update(GUID).finalize())
    );
    Ok(answer.into())
}

fn refuse(status: &str, field: &str) -> Upgrade {
    let answer = format!("HTTP/1.1 {status}\r\n{field}Content-Length: 0\r\nConnection: close\r\n\r\n");
    Upgrade::Refused(answer.into())
}

/// Whether a page of that origin may. Origins are compared without case: scheme and host have none (RFC 6454 §4).
fn allows(rules: &Rules, origin: Option<&str>) -> bool {
    match (&rules.origins, origin) {
        (None, _) | (_, None) => true,
        (Some(allowed), Some(origin)) => allowed.iter().any(|of| of.eq_ignore_ascii_case(origin)),
    }
}

fn values<'a>(fields: &'a [Header<'_>], name: &'a str) -> impl Iterator<Item = &'a str> {
    fields
        .iter()
        .filter(move |field| field.name.eq_ignore_ascii_case(name))
        .map(|field| std::str::from_utf8(field.value).unwrap_or_default().trim())
}

/// Whether a list of tokens has one, ignoring case.
fn has_token(fields: &[Header<'_>], name: &str, token: &str) -> bool {
    values(fields, name)
        .flat_map(|value| value.split(','))
        .any(|part| part.trim().eq_ignore_ascii_case(token))
}

/// Whether it is the base64 of 16 bytes (RFC 6455 §4.1).
fn is_key(key: &[u8]) -> bool {
    let digit = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    key.strip_suffix(b"==").is_some_and(|digits| digits.len() == 22 && digits.iter().all(digit))
}

/// RFC 4648 §4.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let at = |n: usize| u32::from(chunk.get(n).copied().unwrap_or(0));
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for n in 0..4 {
            let digit = usize::try_from(bits >> (18 - 6 * n) & 63).unwrap_or(0);
            let written = n <= chunk.len();
            text.push(if written { char::from(*DIGITS.get(digit).unwrap_or(&b'=')) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn rfc4648_10_base64() {
        for (bytes, text) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")]
        {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
    }
}
