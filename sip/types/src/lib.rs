//! SIP messages, URIs and header fields: parsed once, written exactly (RFC 3261 §7, §19, §20, §25).
//!
//! [`Message::parse`] makes one pass over the bytes and remembers where each header field lies; field
//! order, spelling, folding and unknown fields stay as received. A typed value ([`Uri`], [`header::Via`], …)
//! is one [`ByteString`] that shares the message's memory plus a few offsets, so reading one costs a
//! reference count and no allocation. [`MessageWriter`] composes messages and is the only place that writes
//! Content-Length; [`frame()`] finds message ends on streams.
//!
//! ```
//! use sip_types::{HeaderName, Limits, Message, MessageWriter, Method, header::{CSeq, From, Via}};
//!
//! let mut writer = MessageWriter::request(&Method::Options, "sip:b.example");
//! writer.header(HeaderName::Via, "SIP/2.0/UDP a.example;branch=z9hG4bK1;rport");
//! writer.header(HeaderName::From, "<sip:alice@a.example>;tag=1").header(HeaderName::CSeq, "1 OPTIONS");
//! let bytes = writer.finish(b"");
//!
//! let message = Message::parse(bytes, &Limits::default())?;
//! let headers = message.headers();
//! assert_eq!(headers.require::<From>()?.uri().user(), Some("alice"));
//! assert_eq!(headers.require::<CSeq>()?.method, Method::Options);
//! let top = headers.first_of::<Via>()?.ok_or("no Via")?;
//! assert_eq!((top.branch(), top.rport()), (Some("z9hG4bK1"), Some(None)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
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
mod search;
mod shared;
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
    Field, Fields, Framing, Head, Headers, Message, OwnedField, ParseError, ParseErrorKind, Request,
    Response, param_of,
};
pub use method::Method;
pub use name::HeaderName;
pub use params::Params;
pub use shared::SharedText;
pub use status::StatusCode;
pub use text::{quote, unescape, unquote};
pub use uri::{Host, HostBuf, InvalidHost, Scheme, Uri, UriError, UriErrorKind, escape_user};
pub use write::{MessageWriter, Value};
