//! One job for several SIP parsers.
//!
//! The job: take the bytes of a message, refuse what is malformed, keep the message and its typed header fields (Via,
//! From, To, Call-ID, CSeq, Contact, Route) as owned values, and read from them what a user agent reads. Each adapter
//! does it with the best that its crate's public interface offers; where that is less than the job, the adapter says so.
//! The tests compare the very values that the benchmark reads, so nobody is timed for other work than the rest.

mod ezk;
mod liaison;
mod rsip;
mod rsipstack;
#[cfg(test)]
mod tests;

use std::{fmt::Display, hint::black_box, net::IpAddr};

use bytes::Bytes;

pub use self::{ezk::Ezk, liaison::Liaison, rsip::Rsip, rsipstack::Rsipstack};

/// A parser that can do the job.
pub trait Parser {
    /// The name of its crate.
    const NAME: &'static str;

    /// The message and its typed header fields, owned.
    type Parsed;

    /// The message in typed form; `None` if it is malformed, by this parser's own judgement, or lacks Via, From, To,
    /// Call-ID or CSeq.
    fn parse(bytes: &Bytes) -> Option<Self::Parsed>;

    /// Hands every value to `reader`: of the start line, method and the Request-URI's user, host and port, or the status;
    /// of each Via, transport, sent-by and parameters; of From and To, the URI's user, host and port and the tag; the Call-ID;
    /// of CSeq, number and method; of each Contact and Route, the URI's user, host, port and parameters.
    fn read(parsed: &Self::Parsed, reader: &mut impl Reader);

    /// The message as bytes again, by the crate's own means: start line, header fields and body, put together anew.
    fn write(parsed: &Self::Parsed) -> Bytes;
}

/// What the second half of the table times: the message is parsed and typed as in [`job`], and written again.
pub fn round_trip<P: Parser>(bytes: &Bytes) -> Option<Bytes> {
    let parsed = P::parse(black_box(bytes))?;
    Some(P::write(black_box(&parsed)))
}

/// What is timed: the whole job. The caller drops the result, which belongs to the job too.
pub fn job<P: Parser>(bytes: &Bytes) -> Option<P::Parsed> {
    let parsed = P::parse(black_box(bytes))?;
    P::read(&parsed, &mut BlackBox);
    Some(parsed)
}

/// Takes the values.
pub trait Reader {
    /// `value` is `part` of the `nth` element of `field`.
    fn value(&mut self, field: Field, nth: usize, part: Part, value: Value<'_>);
}

/// The part of the message that a value is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names of the start line and of header fields")]
pub enum Field {
    StartLine,
    Via,
    From,
    To,
    CallId,
    CSeq,
    Contact,
    Route,
}

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// A method.
    Method,
    /// A status code.
    Status,
    /// The transport of a Via.
    Transport,
    /// The user of a URI.
    User,
    /// The host of a URI or a sent-by.
    Host,
    /// The port of a URI or a sent-by; nothing if none is stated.
    Port,
    /// A tag.
    Tag,
    /// A parameter of a Via or a URI.
    Param,
    /// A Call-ID.
    Id,
    /// A sequence number.
    Number,
}

/// A value in the form in which a parser has it; making text of it is not part of the job.
#[derive(Clone, Copy)]
pub enum Value<'a> {
    /// Text.
    Text(&'a str),
    /// A number.
    Number(u32),
    /// An address.
    Ip(IpAddr),
    /// A type of the parser's own.
    Typed(&'a dyn Display),
    /// A parameter's name and value.
    Param(&'a str, Option<&'a str>),
    /// A parameter that the parser has a type for.
    TypedParam(&'static str, &'a dyn Display),
}

/// Keeps the compiler from dropping what nobody looks at.
struct BlackBox;

impl Reader for BlackBox {
    #[inline]
    fn value(&mut self, _: Field, _: usize, _: Part, value: Value<'_>) {
        black_box(value);
    }
}
