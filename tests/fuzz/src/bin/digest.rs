//! Challenges and credentials (RFC 7616, RFC 8760): read, and written as read. None that is shown shows a secret.
#![no_main]

use liaison_fuzz::{text, written_as_read};
use libfuzzer_sys::fuzz_target;
use sip_types::header::{Authorization, Challenge, Credentials, ProxyAuthenticate};

fuzz_target!(|input: &[u8]| {
    let Some(text) = text(input) else { return };
    written_as_read::<Authorization>(&text);
    written_as_read::<ProxyAuthenticate>(&text);
    if let Ok(challenge) = Challenge::parse(&text) {
        let _ = (challenge.is_digest(), format!("{challenge:?}"));
    }
    if let Ok(credentials) = Credentials::parse(&text) {
        let _ = (credentials.is_digest(), format!("{credentials:?}"));
    }
});
