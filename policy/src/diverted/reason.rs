//! Why a call was diverted: the reasons of Diversion, the causes of History-Info, and what came of a target.

use sip_types::StatusCode;

/// The cause of a reason (RFC 7544 §5).
pub(super) fn cause_of(reason: &str) -> u16 {
    match reason {
        "unconditional" => 302,
        "user-busy" => 486,
        "no-answer" => 408,
        "deflection" => 480,
        "unavailable" => 503,
        _ => 404,
    }
}

/// The reason of a cause (RFC 7544 §6).
pub(super) fn reason_of(cause: u16) -> &'static str {
    match cause {
        302 => "unconditional",
        486 => "user-busy",
        408 => "no-answer",
        480 | 487 => "deflection",
        503 => "unavailable",
        _ => "unknown",
    }
}

/// What a redirection is among the causes of RFC 4458: each is a diversion without a condition that we know of.
pub(super) fn cause_of_status(status: StatusCode) -> u16 {
    if status.is_redirection() { 302 } else { 404 }
}

/// The Reason of what came of a target, escaped for its URI (RFC 7044 §10.2).
pub(super) fn reason_header(status: StatusCode, reason: Option<&str>) -> String {
    let own = format!("SIP;cause={}", status.as_u16());
    let all = match reason.filter(|reason| !reason.trim_ascii_start().to_ascii_uppercase().starts_with("SIP"))
    {
        Some(reason) => format!("{own},{reason}"),
        None => own,
    };
    format!("Reason={}", escaped(&all))
}

/// Escapes what `hvalue` has no place for (RFC 3261 §25.1).
fn escaped(text: &str) -> String {
    use std::fmt::Write;
    let mut out = String::with_capacity(text.len() + 16);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.!~*'()[]/?:+$".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}
