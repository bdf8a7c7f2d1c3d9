//! What the owner of a session has it say, and why it may not.

use bytes::Bytes;
use bytestring::ByteString;
use sip_types::{Fields, StatusCode};

/// A message body with the header fields that describe it.
#[derive(Clone, Debug, Default)]
pub struct Body {
    /// Content-Type, -Disposition, -Encoding, -ID, -Language, MIME-Version.
    pub fields: Fields,
    /// The octets.
    pub bytes: Bytes,
}

/// What the owner adds to a message that the user agent composes.
#[derive(Clone, Debug, Default)]
pub struct Parts {
    /// Header fields, in order. Those of the dialog and the transaction are the user agent's own.
    pub fields: Fields,
    /// The user part of our Contact, where that stands for the URI of a conference (RFC 4579 §4.2); a GRUU has its own. Empty: none.
    pub contact_user: ByteString,
    /// Feature parameters for our Contact, each with its leading `;` (RFC 3840).
    pub contact_params: ByteString,
    /// The body.
    pub body: Option<Body>,
}

/// A response to send.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The status.
    pub status: StatusCode,
    /// The reason phrase; the registered one where it is empty.
    pub reason: ByteString,
    /// The rest.
    pub parts: Parts,
}

impl Reply {
    /// A response with the registered reason phrase and nothing more.
    pub fn new(status: StatusCode) -> Self {
        Self { status, reason: ByteString::new(), parts: Parts::default() }
    }

    /// Whether it is a final response of 300 or above.
    pub(crate) fn refuses(&self) -> bool {
        self.status.is_final() && !self.status.is_success()
    }
}

/// Why an intent was not carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IntentError {
    /// The session, dialog or request is gone.
    #[error("the session, dialog or request is gone")]
    Gone,
    /// The session is not in a state that allows it.
    #[error("the session is not in a state that allows it")]
    WrongState,
    /// A limit was reached.
    #[error("a limit was reached")]
    Full,
    /// The status is not of the kind that the intent sends.
    #[error("the status is not of the kind that the intent sends")]
    Status,
    /// The request has no usable Contact, so no dialog can be made.
    #[error("the peer's request can make no dialog")]
    NoDialog,
}
