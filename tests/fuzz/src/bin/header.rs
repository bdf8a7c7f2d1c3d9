//! Every typed header field; the first byte says which.
#![no_main]

use liaison_fuzz::{text, written_as_read};
use libfuzzer_sys::fuzz_target;
use sip_types::ByteString;
use sip_types::header::*;

macro_rules! readers {
    ($($field:ident)*) => { &[$(written_as_read::<$field> as fn(&ByteString)),*] };
}

const READERS: &[fn(&ByteString)] = readers![
    Accept Allow AllowEvents Authorization CSeq CallId Contact ContentDisposition ContentEncoding ContentLength
    ContentType Date Diversion Event Expires FlowTimer From HistoryInfo Join MaxBreadth MaxForwards MinExpires MinSE
    PAssertedIdentity PAssociatedUri PCalledPartyId PPreferredIdentity Path Privacy ProxyAuthenticate ProxyAuthorization
    ProxyRequire RAck RSeq Reason RecordRoute RecvInfo ReferTo ReferredBy RemotePartyId Replaces ReplyTo Require
    RetryAfter Route ServiceRoute SessionExpires SubscriptionState Supported TargetDialog Timestamp To Unsupported
    Via Warning WwwAuthenticate
];

fuzz_target!(|input: &[u8]| {
    let Some((which, rest)) = input.split_first() else { return };
    if let Some(text) = text(rest) {
        READERS[usize::from(*which) % READERS.len()](&text);
    }
});
