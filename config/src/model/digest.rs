use crate::declare::{Reader, choice, table};
use crate::error::Found;

table! {
    /// How digest authentication is done (RFC 3261 §22, RFC 8760).
    pub struct Digest {
        /// The algorithms that we offer, and answer: the strongest first, the two of 256 bits in this order. MD5 is among
        /// them because many peers know nothing else; leave it out where none does.
        pinned algorithms: Vec<Algorithm> = ["SHA-256", "MD5"], in 1..=3;
        /// What a response to our challenge covers, in order of preference.
        pinned qop: Vec<Qop> = ["auth"], in 1..=2;
        /// Whether a challenge without qop is answered, and an answer without qop accepted, in the way of RFC 2069.
        pinned allow_without_qop: bool = false;
        /// Whether our challenges let users name themselves by a hash (RFC 7616 §3.4.4).
        pinned userhash: bool = false;
    }
    check check_digest;
}

choice! {
    /// A digest algorithm.
    pub enum Algorithm {
        /// SHA-256 (RFC 8760).
        Sha256 = "SHA-256",
        /// SHA-512/256 (RFC 8760).
        Sha512_256 = "SHA-512-256",
        /// MD5 (RFC 3261 §22.4).
        Md5 = "MD5",
    }
}

choice! {
    /// A quality of protection (RFC 7616 §3.3).
    pub enum Qop {
        /// Method and URI.
        Auth = "auth",
        /// The body as well.
        AuthInt = "auth-int",
    }
}

fn check_digest(digest: &Digest, reader: &mut Reader<'_>) {
    once("algorithms", &digest.algorithms, "each algorithm once", reader);
    once("qop", &digest.qop, "each value once", reader);
}

/// Reports what is listed a second time.
fn once<T: PartialEq + std::fmt::Display>(name: &str, list: &[T], expected: &str, reader: &mut Reader<'_>) {
    for (index, value) in list.iter().enumerate() {
        if list.iter().take(index).any(|earlier| earlier == value) {
            let found = Found::Text(format!("\"{value}\" again"));
            reader.conflict(&reader.element(name, index), found, expected);
        }
    }
}
