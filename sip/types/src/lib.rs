//! SIP messages, URIs and header fields: parsed once, written exactly (RFC 3261 §7, §19, §20, §25).
//!
//! [`Message::parse`] makes one pass over the bytes and remembers where each header field lies; field
//! order, spelling, folding and unknown fields stay as received. A typed value ([`Uri`], [`header::Via`], …)
//! is one [`ByteString`] that shares the message's memory plus a few offsets, so reading one costs a
//! reference count and no allocation. [`MessageWriter`] composes messages and is the only place that writes
//! Content-Length; [`frame()`] finds message ends on streams.
#![forbid(unsafe_code)]

mod body;
mod chars;
mod cursor;
mod error;
pub mod frame;
pub mod header;
mod limits;
mod message;
mod method;
mod name;
mod params;
mod span;
mod status;
mod text;
mod uri;
mod write;

pub use body::multipart;
pub use bytestring::ByteString;
pub use error::{HeaderError, SyntaxError};
pub use frame::{Frame, FrameError, frame};
pub use header::TypedHeader;
pub use limits::Limits;
pub use message::{
    Field, Fields, Framing, Headers, Message, OwnedField, ParseError, ParseErrorKind, Request, Response,
};
pub use method::Method;
pub use name::HeaderName;
pub use params::Params;
pub use status::StatusCode;
pub use text::{quote, unquote};
pub use uri::{Host, HostBuf, InvalidHost, Scheme, Uri, UriError, UriErrorKind, escape_user};
pub use write::MessageWriter;
