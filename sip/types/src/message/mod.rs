//! Messages (RFC 3261 §7).

mod error;
mod field;
mod fields;
mod head;
mod headers;
mod parse;
pub(crate) mod scan;
mod start_line;
#[cfg(test)]
mod tests;

use bytes::Bytes;
pub use error::{ParseError, ParseErrorKind};
pub use field::{Field, OwnedField};
pub use fields::Fields;
pub use head::{Head, param_of};
pub use headers::Headers;
use start_line::TextSpan;
pub(crate) use start_line::is_plausible as is_plausible_start_line;

use crate::{Method, StatusCode, Uri, UriError, UriErrorKind};

/// A parsed message: the bytes as received and where everything lies. Cloning copies the table of header fields only.
#[derive(Clone, Debug)]
pub enum Message {
    /// A request.
    Request(Request),
    /// A response.
    Response(Response),
}

/// How the body agrees with Content-Length (RFC 3261 §18.3, §20.14).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// The body has the stated length, or none is stated and it goes to the end of the datagram.
    Exact,
    /// That many bytes followed the body and were dropped.
    Excess(usize),
    /// The body (or the empty line before it, counted too) ends early: a request is answered 400, a response discarded.
    Short {
        /// How many bytes are not there.
        missing: usize,
    },
    /// Content-Length is no number, or there are several that differ; the body goes to the end of the datagram.
    /// A request is answered 400, a response discarded.
    Invalid,
}

/// A request (RFC 3261 §7.1).
#[derive(Clone, Debug)]
pub struct Request {
    method: Method,
    uri: TextSpan,
    version_supported: bool,
    common: Common,
}

/// A response (RFC 3261 §7.2).
#[derive(Clone, Debug)]
pub struct Response {
    status: StatusCode,
    reason: TextSpan,
    common: Common,
}

#[derive(Clone, Debug)]
struct Common {
    headers: Headers,
    body: Bytes,
    framing: Framing,
}

impl Common {
    fn to_bytes(&self) -> Bytes {
        [self.headers.raw().as_ref(), &self.body].concat().into()
    }
}

macro_rules! common {
    () => {
        /// The header fields, in order.
        #[must_use]
        pub fn headers(&self) -> &Headers {
            &self.common.headers
        }

        /// The body; empty if there is none.
        #[must_use]
        pub fn body(&self) -> &Bytes {
            &self.common.body
        }

        /// The message as received, without line ends before and bytes after it.
        #[must_use]
        pub fn to_bytes(&self) -> Bytes {
            self.common.to_bytes()
        }

        /// How the body agrees with Content-Length.
        #[must_use]
        pub fn framing(&self) -> Framing {
            self.common.framing
        }
    };
}

impl Request {
    common!();

    /// The method.
    #[must_use]
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// The Request-URI as received, spaces inside it included; cut at the first byte that is not UTF-8.
    #[must_use]
    pub fn uri_text(&self) -> &str {
        self.uri.lossy(self.common.headers.raw())
    }

    /// The Request-URI.
    ///
    /// # Errors
    /// It is not a URI (400; 414 if too long).
    pub fn uri(&self) -> Result<Uri, UriError> {
        match self.common.headers.read((self.uri.start(), self.uri.end()), Uri::parse_part) {
            Some(uri) => uri,
            None => Err(UriError { kind: UriErrorKind::NotUtf8, at: self.uri_text().len() }),
        }
    }

    /// Whether the Request-URI is a SIPS URI, told by its scheme alone (RFC 3261 §19.1): the rest may be malformed.
    #[must_use]
    pub fn is_sips(&self) -> bool {
        self.uri_text().get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("sips:"))
    }

    /// Whether the version is SIP/2.0; else the answer is 505 (RFC 3261 §21.5.6).
    #[must_use]
    pub fn version_supported(&self) -> bool {
        self.version_supported
    }
}

impl Response {
    common!();

    /// The status code.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The reason phrase, which may be empty; cut at the first byte that is not UTF-8.
    #[must_use]
    pub fn reason(&self) -> &str {
        self.reason.lossy(self.common.headers.raw())
    }

    /// The reason phrase as received.
    #[must_use]
    pub fn reason_bytes(&self) -> &[u8] {
        self.reason.of(self.common.headers.raw())
    }
}

impl Message {
    fn common(&self) -> &Common {
        match self {
            Self::Request(request) => &request.common,
            Self::Response(response) => &response.common,
        }
    }

    /// The header fields, in order.
    #[must_use]
    pub fn headers(&self) -> &Headers {
        &self.common().headers
    }

    /// The body; empty if there is none.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.common().body
    }

    /// The message as received, without line ends before and bytes after it.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        self.common().to_bytes()
    }

    /// How the body agrees with Content-Length.
    #[must_use]
    pub fn framing(&self) -> Framing {
        self.common().framing
    }

    /// The request, if it is one.
    #[must_use]
    pub fn as_request(&self) -> Option<&Request> {
        match self {
            Self::Request(request) => Some(request),
            Self::Response(_) => None,
        }
    }

    /// The response, if it is one.
    #[must_use]
    pub fn as_response(&self) -> Option<&Response> {
        match self {
            Self::Response(response) => Some(response),
            Self::Request(_) => None,
        }
    }
}
