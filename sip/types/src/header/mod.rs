//! Typed header fields, one concept a file. Each reads one element of its field: for a field whose value is a
//! list, [`crate::Headers::list`] splits at the commas. `Display` writes what the field carries on the wire.

mod accept;
pub mod auth;
mod call_id;
mod caller_preferences;
mod contact;
mod content;
mod content_type;
mod cseq;
mod date;
mod dialog_id;
mod event;
mod history;
mod identity;
mod name_addr;
mod numbers;
mod privacy;
mod reason;
mod refer_sub;
mod reliable;
mod retry_after;
mod routes;
mod session_id;
mod session_timer;
mod split;
mod timestamp;
mod tokens;
mod via;
mod warning;

pub use accept::Accept;
pub use auth::{
    Authorization, Challenge, Credentials, ProxyAuthenticate, ProxyAuthorization, WwwAuthenticate,
};
pub use call_id::CallId;
pub use caller_preferences::{AcceptContact, RejectContact};
pub use contact::Contact;
pub use content::{ContentDisposition, ContentEncoding};
pub use content_type::ContentType;
pub use cseq::CSeq;
pub use date::Date;
pub use dialog_id::{Join, Replaces, TargetDialog};
pub use event::{Event, SubscriptionState};
pub use history::{TargetParam, without_headers};
pub use identity::{Identities, IdentityHeader};
pub use name_addr::NameAddr;
pub use numbers::{ContentLength, Expires, FlowTimer, MaxBreadth, MaxForwards, MinExpires};
pub use privacy::{Privacy, PrivacyKind};
pub use reason::Reason;
pub use refer_sub::ReferSub;
pub use reliable::{RAck, RSeq};
pub use retry_after::RetryAfter;
pub use routes::{
    Diversion, From, HistoryInfo, PAssertedIdentity, PAssociatedUri, PCalledPartyId, PPreferredIdentity,
    Path, RecordRoute, ReferTo, ReferredBy, RemotePartyId, ReplyTo, Route, ServiceRoute, To,
};
pub use session_id::{SessionIdentifier, SessionUuid};
pub use session_timer::{MinSE, Refresher, SessionExpires};
pub(crate) use split::Elements;
pub use timestamp::Timestamp;
pub use tokens::{
    Allow, AllowEvents, PEarlyMedia, ProxyRequire, RecvInfo, RequestDisposition, Require, Supported,
    Unsupported,
};
pub use via::{Stamped, Via};
pub use warning::Warning;

use crate::{ByteString, HeaderName, SharedText, SyntaxError};

/// A header field, or one element of a list, with its grammar.
pub trait TypedHeader: Sized {
    /// The field.
    const NAME: HeaderName;

    /// Reads one value; it shares the memory of `text`, which must be unfolded (no CR or LF).
    ///
    /// # Errors
    /// The text does not follow the field's grammar; see the type for what is let through beyond it.
    fn parse(text: &ByteString) -> Result<Self, SyntaxError>;

    /// As [`TypedHeader::parse`] of a part of a text, which is shared only if it is kept.
    ///
    /// # Errors
    /// As for [`TypedHeader::parse`].
    fn parse_part(text: SharedText<'_>) -> Result<Self, SyntaxError> {
        Self::parse(&text.share())
    }
}
