//! A request whose mandatory header fields were read: the proof that the endpoint hands on.

use crate::flow::Flow;
use sip_types::header::{CSeq, CallId, From, MaxForwards, To, Via};
use sip_types::{HeaderError, HeaderName, Headers, Method, Request};

/// A request with the header fields that every request has (RFC 3261 §8.1.1), read once.
#[derive(Clone, Debug)]
pub struct Received {
    /// The request itself.
    pub request: Request,
    /// The flow that it came on.
    pub flow: Flow,
    /// The topmost Via.
    pub via: Via,
    /// From, with the peer's tag.
    pub from: From,
    /// To, with our tag inside a dialog.
    pub to: To,
    /// Call-ID.
    pub call_id: CallId,
    /// CSeq; its method is that of the request line.
    pub cseq: CSeq,
    /// Max-Forwards, which RFC 2543 peers leave out.
    pub max_forwards: Option<MaxForwards>,
}

/// Why a request was not taken for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Defect {
    /// A line among the header fields is none: it has no name and colon (RFC 3261 §7.3.1).
    #[error("a line is no header field")]
    Line,
    /// A mandatory header field is missing, doubled or malformed.
    #[error("{0}")]
    Header(#[source] HeaderError),
    /// The CSeq names another method than the request line (RFC 3261 §8.1.1.5).
    #[error("CSeq method differs from the request line")]
    MethodMismatch,
}

impl Received {
    /// Reads what every request must have.
    ///
    /// # Errors
    /// The request as it came, and its first defect in the order lines, Via, From, To, Call-ID, CSeq, Max-Forwards.
    pub fn read(request: Request, flow: Flow) -> Result<Self, Box<(Request, Defect)>> {
        match topmost_via(&request) {
            Ok(via) => Self::of(request, flow, via).map_err(|unreadable| {
                let (request, _, defect) = *unreadable;
                Box::new((request, defect))
            }),
            Err(defect) => Err(Box::new((request, defect))),
        }
    }

    /// As [`Self::read`], where the topmost Via has been read.
    pub(crate) fn of(request: Request, flow: Flow, via: Via) -> Result<Self, Box<(Request, Via, Defect)>> {
        match mandatory(&request) {
            Ok((from, to, call_id, cseq, max_forwards)) => {
                Ok(Self { request, flow, via, from, to, call_id, cseq, max_forwards })
            }
            Err(defect) => Err(Box::new((request, via, defect))),
        }
    }

    /// The method.
    pub fn method(&self) -> &Method {
        self.request.method()
    }

    /// All header fields.
    pub fn headers(&self) -> &Headers {
        self.request.headers()
    }
}

type Mandatory = (From, To, CallId, CSeq, Option<MaxForwards>);

fn topmost_via(request: &Request) -> Result<Via, Defect> {
    let headers = request.headers();
    if headers.malformed().is_some() {
        return Err(Defect::Line);
    }
    let via = headers.first_of::<Via>().map_err(Defect::Header)?;
    via.ok_or(Defect::Header(HeaderError::Missing(HeaderName::Via)))
}

fn mandatory(request: &Request) -> Result<Mandatory, Defect> {
    let headers = request.headers();
    if headers.malformed().is_some() {
        return Err(Defect::Line);
    }
    let from = headers.require::<From>().map_err(Defect::Header)?;
    let to = headers.require::<To>().map_err(Defect::Header)?;
    let call_id = headers.require::<CallId>().map_err(Defect::Header)?;
    let cseq = headers.require::<CSeq>().map_err(Defect::Header)?;
    let max_forwards = headers.get::<MaxForwards>().map_err(Defect::Header)?;
    if cseq.method != *request.method() {
        return Err(Defect::MethodMismatch);
    }
    Ok((from, to, call_id, cseq, max_forwards))
}
