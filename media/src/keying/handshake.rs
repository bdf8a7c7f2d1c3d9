//! What descriptions say of a DTLS association (RFC 5763 §5, RFC 8842).

use sdp::{Attribute, Media};

use crate::dtls::{Fingerprint, Role};

/// Most fingerprints of one section that are kept.
const MOST_FINGERPRINTS: usize = 16;
/// RFC 8842 §4.
const TLS_ID: std::ops::RangeInclusive<usize> = 20..=255;

/// Who begins (RFC 4145 §4). `holdconn` is not for DTLS (RFC 8842 §5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Setup {
    Active,
    Passive,
    ActPass,
}

impl Setup {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Passive => "passive",
            Self::ActPass => "actpass",
        }
    }

    fn named(text: &str) -> Option<Self> {
        let text = text.trim_ascii();
        [Self::Active, Self::Passive, Self::ActPass]
            .into_iter()
            .find(|one| one.name().eq_ignore_ascii_case(text))
    }

    /// What leaves us that role.
    pub(crate) fn ours(role: Role) -> Self {
        match role {
            Role::Client => Self::Active,
            Role::Server => Self::Passive,
        }
    }

    /// The role that it leaves us, if it says.
    pub(crate) fn leaves(self) -> Option<Role> {
        match self {
            Self::Active => Some(Role::Server),
            Self::Passive => Some(Role::Client),
            Self::ActPass => None,
        }
    }
}

/// What a peer's section says of the association that it wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Handshake {
    /// Of the certificates that it may come with, in order; at least one.
    pub(crate) fingerprints: Box<[Fingerprint]>,
    pub(crate) setup: Setup,
    pub(crate) tls_id: Option<Box<str>>,
}

/// Why a section has no such thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lacking {
    /// It says nothing of it.
    Nothing,
    /// There is no fingerprint that we can go by, or one that cannot be read.
    Fingerprint,
    /// Nobody is to begin, or who is cannot be read.
    Setup,
}

impl Handshake {
    /// Reads a section, and for it the session (RFC 8122 §5, RFC 4145 §4): `default` is what stands where it does not say who begins.
    pub(super) fn of(media: &Media<'_>, default: Setup) -> Result<Self, Lacking> {
        let mut own = media.section().attributes().filter(is_fingerprint).peekable();
        let of_session = media.session().attributes().filter(is_fingerprint);
        let all: Vec<_> = if own.peek().is_some() { own.collect() } else { of_session.collect() };
        if all.is_empty() {
            return Err(Lacking::Nothing);
        }
        let mut fingerprints = Vec::new();
        for attribute in all {
            let read = attribute.text().map(Fingerprint::parse);
            match read {
                Some(Ok(Some(fingerprint))) if fingerprints.len() < MOST_FINGERPRINTS => {
                    fingerprints.push(fingerprint);
                }
                Some(Ok(None)) => {}
                Some(Ok(Some(_)) | Err(_)) | None => return Err(Lacking::Fingerprint),
            }
        }
        if fingerprints.is_empty() {
            return Err(Lacking::Fingerprint);
        }
        fingerprints.sort_unstable();
        fingerprints.dedup();
        let setup = match media.inherited("setup") {
            None => default,
            Some(stated) => stated.text().and_then(Setup::named).ok_or(Lacking::Setup)?,
        };
        let tls_id = media.section().attribute("tls-id").and_then(Attribute::text).map(str::trim_ascii);
        let tls_id = tls_id.filter(|id| TLS_ID.contains(&id.len())).map(Into::into);
        Ok(Self { fingerprints: fingerprints.into(), setup, tls_id })
    }

    /// Whether it is another association than the one that stands by what was said before (RFC 8842 §3.1, §4); `moved` says that the
    /// peer's address is another one.
    pub(crate) fn is_another(&self, before: &Self, moved: bool) -> bool {
        self.fingerprints != before.fingerprints
            || match (&self.tls_id, &before.tls_id) {
                (Some(now), Some(before)) => now != before,
                (Some(_) | None, None) | (None, Some(_)) => moved,
            }
    }

    /// Whether it says nothing new after that.
    pub(crate) fn repeats(&self, before: &Self) -> bool {
        !self.is_another(before, false)
            && self.tls_id.is_some() == before.tls_id.is_some()
            && (self.setup == Setup::ActPass || self.setup == before.setup)
    }
}

fn is_fingerprint(attribute: &Attribute<'_>) -> bool {
    attribute.name == "fingerprint"
}

/// What a section of ours says of it; the fingerprint is the leg's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OwnHandshake {
    pub(crate) setup: Setup,
    /// Left out in an answer to an offer that has none (RFC 8842 §5.3).
    pub(crate) tls_id: Option<Box<str>>,
}
