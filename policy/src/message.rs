//! What is asked of messages (RFC 3428).

use config::Messages;
use sip_types::header::ContentType;

use crate::body::is_protected;

/// Why a message does not cross.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MessageRefused {
    /// It came in the clear, or would go so.
    #[error("Messages Over TLS Only")]
    Insecure,
    /// Whoever is between its ends could read it.
    #[error("Messages With S/MIME Only")]
    Unprotected,
}

/// Whether a message crosses as far as one side has a say in it: `secure` tells whether it goes over TLS there, `kind` what its
/// body is.
///
/// # Errors
/// It does not, and why: it is answered 403, with that as a warning.
pub fn message_crosses(
    asked: &Messages,
    secure: bool,
    kind: Option<&ContentType>,
) -> Result<(), MessageRefused> {
    if asked.require_secure && !secure {
        return Err(MessageRefused::Insecure);
    }
    if asked.require_end_to_end && !kind.is_some_and(is_protected) {
        return Err(MessageRefused::Unprotected);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::profile;
    use sip_types::TypedHeader;

    // conforms: RFC3428-11.3-1
    #[test]
    fn rfc3428_11_3_a_strict_side_takes_what_is_secure_and_what_is_protected() {
        let ask = |lines: &str, secure, kind: &str| {
            let kind = ContentType::parse(&kind.to_owned().into()).unwrap();
            message_crosses(&profile(lines).message, secure, Some(&kind))
        };
        assert_eq!(ask("", false, "text/plain"), Ok(()));
        let tls = "message = { require_secure = true }";
        assert_eq!(ask(tls, false, "application/pkcs7-mime"), Err(MessageRefused::Insecure));
        assert_eq!(ask(tls, true, "text/plain"), Ok(()));
        let whole = "message = { require_end_to_end = true }";
        assert_eq!(ask(whole, true, "message/cpim"), Err(MessageRefused::Unprotected));
        assert_eq!(ask(whole, false, "application/pkcs7-mime"), Ok(()));
        assert_eq!(ask(whole, false, "multipart/signed;boundary=b"), Ok(()));
        assert_eq!(message_crosses(&profile(whole).message, true, None), Err(MessageRefused::Unprotected));
    }
}
