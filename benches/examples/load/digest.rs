//! An answer to a challenge (RFC 7616 §3.4), with MD5 and qop `auth`, which every registrar knows.

use crate::message::{DOMAIN, PASSWORD};
use md5::{Digest, Md5};
use std::fmt::Write;

const CNONCE: &str = "0a4f113b";

/// A challenge, and how often it has been answered.
#[derive(Debug)]
pub(crate) struct Challenge {
    nonce: String,
    answers: u32,
}

impl Challenge {
    /// The challenge in the value of a WWW-Authenticate, if it is one with MD5.
    pub(crate) fn read(value: &str) -> Option<Self> {
        if param(value, "algorithm").is_some_and(|name| !name.eq_ignore_ascii_case("MD5")) {
            return None;
        }
        Some(Self { nonce: param(value, "nonce")?.to_owned(), answers: 0 })
    }

    /// An Authorization for the next request of that user.
    pub(crate) fn answer(&mut self, user: &str, method: &str, uri: &str) -> String {
        self.answers += 1;
        let (nonce, nc) = (&self.nonce, self.answers);
        let ha1 = md5(&format!("{user}:{DOMAIN}:{PASSWORD}"));
        let ha2 = md5(&format!("{method}:{uri}"));
        let response = md5(&format!("{ha1}:{nonce}:{nc:08x}:{CNONCE}:auth:{ha2}"));
        format!(
            "Digest username=\"{user}\", realm=\"{DOMAIN}\", nonce=\"{nonce}\", uri=\"{uri}\", response=\"{response}\", \
             algorithm=MD5, cnonce=\"{CNONCE}\", qop=auth, nc={nc:08x}"
        )
    }
}

fn md5(text: &str) -> String {
    let mut hex = String::with_capacity(32);
    for byte in Md5::digest(text) {
        write!(hex, "{byte:02x}").expect("a string takes all");
    }
    hex
}

/// The value of a parameter, without its quotes.
fn param<'a>(value: &'a str, name: &str) -> Option<&'a str> {
    let params = value.strip_prefix("Digest ")?.split(',').filter_map(|param| param.trim().split_once('='));
    params
        .into_iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim_matches('"'))
}
