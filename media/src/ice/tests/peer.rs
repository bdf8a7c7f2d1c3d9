//! A peer's messages, written independently of how ours are.

use std::net::SocketAddr;

use hmac::Mac;

use crate::stun::{self, Attributes};

/// A check to be made.
#[derive(Clone)]
pub(crate) struct Asking {
    pub(crate) kind: u16,
    pub(crate) id: [u8; 12],
    pub(crate) user: Option<String>,
    pub(crate) password: Option<String>,
    pub(crate) priority: Option<u32>,
    pub(crate) nominates: bool,
    pub(crate) controlling: bool,
    pub(crate) controlled: bool,
    pub(crate) more: Vec<(u16, Vec<u8>)>,
    pub(crate) fingerprint: bool,
}

impl Asking {
    /// As a full agent that controls makes it.
    pub(crate) fn new(local: &str, remote: &str, password: &str) -> Self {
        Self {
            kind: 1,
            id: *b"twelve bytes",
            user: Some(format!("{local}:{remote}")),
            password: Some(password.into()),
            priority: Some(0x6e00_01ff),
            nominates: false,
            controlling: true,
            controlled: false,
            more: Vec::new(),
            fingerprint: true,
        }
    }

    pub(crate) fn nominating(self) -> Self {
        Self { nominates: true, ..self }
    }

    pub(crate) fn priority(self, priority: u32) -> Self {
        Self { priority: Some(priority), ..self }
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut out = self.kind.to_be_bytes().to_vec();
        out.extend([0, 0, 0x21, 0x12, 0xa4, 0x42]);
        out.extend(self.id);
        if let Some(user) = &self.user {
            attribute(&mut out, 0x0006, user.as_bytes());
        }
        if let Some(priority) = self.priority {
            attribute(&mut out, 0x0024, &priority.to_be_bytes());
        }
        if self.nominates {
            attribute(&mut out, 0x0025, &[]);
        }
        if self.controlling {
            attribute(&mut out, 0x802a, &[7; 8]);
        }
        if self.controlled {
            attribute(&mut out, 0x8029, &[7; 8]);
        }
        for (kind, value) in &self.more {
            attribute(&mut out, *kind, value);
        }
        if let Some(password) = &self.password {
            length(&mut out, 24);
            let mut mac = stun::key(password);
            mac.update(&out);
            let hash = mac.finalize().into_bytes();
            attribute(&mut out, 0x0008, &hash);
        }
        if self.fingerprint {
            length(&mut out, 8);
            let sum = stun::fingerprint(&out);
            attribute(&mut out, 0x8028, &sum.to_be_bytes());
        }
        out
    }
}

fn attribute(out: &mut Vec<u8>, kind: u16, value: &[u8]) {
    out.extend(kind.to_be_bytes());
    out.extend(u16::try_from(value.len()).unwrap().to_be_bytes());
    out.extend(value);
    out.resize(out.len().next_multiple_of(4), 0);
    length(out, 0);
}

/// Writes the length, with so much to come.
fn length(out: &mut [u8], more: usize) {
    let length = u16::try_from(out.len() - 20 + more).unwrap();
    out[2..4].copy_from_slice(&length.to_be_bytes());
}

/// An answer as a peer reads it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Mapped(SocketAddr),
    Refused(u16, Vec<u16>),
}

/// Reads an answer, with its FINGERPRINT, and with its MESSAGE-INTEGRITY if a password is given; else it must have none.
#[track_caller]
pub(crate) fn read(answer: &[u8], password: Option<&str>) -> Answer {
    assert!(stun::is_whole(answer), "the fingerprint is wrong");
    let (kind, id) = stun::header(answer).unwrap();
    let attributes: Vec<_> = Attributes::of(answer).map(Result::unwrap).collect();
    let value = |wanted: u16| {
        attributes.iter().find(|(kind, ..)| *kind == wanted).map(|(_, value, at)| (*value, *at))
    };
    match (password, value(0x0008)) {
        (Some(password), Some((hash, at))) => {
            let mac = stun::integrity(&stun::key(password), answer, at).unwrap();
            assert!(mac.verify_slice(hash).is_ok(), "the integrity is wrong");
        }
        (None, None) => {}
        (_, found) => panic!("{found:?}"),
    }
    if kind == 0x0111 {
        let (code, _) = value(0x0009).unwrap();
        let unknown = value(0x000a).map(|(value, _)| value).unwrap_or_default();
        let unknown = unknown.chunks(2).map(|kind| u16::from_be_bytes([kind[0], kind[1]])).collect();
        return Answer::Refused(u16::from(code[2]) * 100 + u16::from(code[3]), unknown);
    }
    assert_eq!(kind, 0x0101);
    let (mapped, _) = value(0x0020).unwrap();
    let mask: Vec<u8> = [0x21, 0x12, 0xa4, 0x42].into_iter().chain(*id).collect();
    let port = u16::from_be_bytes([mapped[2] ^ 0x21, mapped[3] ^ 0x12]);
    let ip: Vec<u8> = mapped[4..].iter().zip(mask).map(|(byte, mask)| byte ^ mask).collect();
    Answer::Mapped(match mapped[1] {
        1 => SocketAddr::from((<[u8; 4]>::try_from(ip).unwrap(), port)),
        2 => SocketAddr::from((<[u8; 16]>::try_from(ip).unwrap(), port)),
        family => panic!("family {family}"),
    })
}
