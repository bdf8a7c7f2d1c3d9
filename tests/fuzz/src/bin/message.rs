//! Messages and their ends: what reads, reads the same when it is framed, and each typed field of it can be asked for.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use sip_types::header::{CSeq, CallId, Contact, ContentType, From, Route, To, Via};
use sip_types::{Frame, Limits, Message, frame};

fuzz_target!(|input: &[u8]| {
    let limits = Limits::default();
    if let Frame::Message { len } | Frame::KeepAlive { len } = frame(input, &limits) {
        assert!(0 < len && len <= input.len(), "{len} of {}", input.len());
    }
    let Ok(message) = Message::parse(Bytes::copy_from_slice(input), &limits) else { return };
    let headers = message.headers();
    let _ = (headers.require::<From>(), headers.require::<To>(), headers.require::<CallId>());
    let _ = (headers.require::<CSeq>(), headers.first_of::<Via>(), headers.first_of::<Contact>());
    let _ = (headers.first_of::<Route>(), headers.first_of::<ContentType>());
});
