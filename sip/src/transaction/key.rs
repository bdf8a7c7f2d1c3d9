//! Which transaction a request belongs to (RFC 3261 §17.2.3).

use crate::ids::Branch;
use crate::received::Received;
use sip_types::Method;
use std::fmt::Write;

/// Writes the key of the server transaction that `request` creates or belongs to, as if it had `method`.
///
/// With the magic cookie: branch, sent-by and method. Without (RFC 2543): Request-URI, Call-ID, From tag, CSeq
/// number and the whole top Via. Case is ignored throughout, as in every token and host name.
pub(crate) fn write(out: &mut String, request: &Received, method: &Method) {
    out.clear();
    let via = &request.via;
    let branch = via.branch().unwrap_or_default();
    // Writing to a String cannot fail.
    let _ = match branch.get(..Branch::COOKIE.len()) {
        Some(cookie) if cookie.eq_ignore_ascii_case(Branch::COOKIE) => {
            let mut port = itoa::Buffer::new();
            for part in [branch, " ", port.format(via.port().unwrap_or(0)), " ", method.as_str(), " "] {
                out.push_str(part);
            }
            write!(out, "{}", via.host())
        }
        _ => write!(
            out,
            "2543 {} {} {} {} {method} {via}",
            request.request.uri_text(),
            request.call_id.as_str(),
            request.from.tag().unwrap_or_default(),
            request.cseq.seq,
        ),
    };
    out.make_ascii_lowercase();
}
