//! What the fuzz target of handshakes looks at.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use super::association::{Association, News, Out};
use super::{Fingerprint, Hash, Identity, Role, Terms, Version};
use crate::srtp::Suite;

/// No datagram has more answers than a flight has datagrams, with an alert.
const MOST_ANSWERS: usize = 8;

/// Takes datagrams, each after two octets of its length, behind one that says who we are and what we speak: the client for an odd one, 1.3
/// where the second bit is set. True where somebody
/// got keys, or more answers than there may be.
#[must_use]
pub(crate) fn dtls(input: &[u8]) -> bool {
    static IDENTITY: OnceLock<Option<Arc<Identity>>> = OnceLock::new();
    let identity = IDENTITY.get_or_init(|| Identity::generate().ok().map(Arc::new));
    let (Some(identity), Some((first, mut rest))) = (identity, input.split_first()) else { return false };
    let role = if first % 2 == 1 { Role::Client } else { Role::Server };
    let terms = Arc::new(Terms {
        association: 1,
        role,
        identity: Arc::clone(identity),
        fingerprints: Box::new([Fingerprint { hash: Hash::Sha256, octets: Box::new([0; 32]) }]),
        suites: Suite::ALL.into(),
        newest: if first & 2 == 0 { Version::V1_2 } else { Version::V1_3 },
    });
    #[expect(clippy::disallowed_methods, reason = "time begins somewhere")]
    let now = Instant::now();
    let source = SocketAddr::from(([192, 0, 2, 1], 4_000));
    let mut out = Out::default();
    let mut association = Association::new(&terms, false, now, &mut out);
    association.direct(now, source, &mut out);
    while let [high, low, behind @ ..] = rest {
        let length = usize::from(u16::from_be_bytes([*high, *low])).min(behind.len());
        let (datagram, behind) = behind.split_at(length);
        let before = out.datagrams.len();
        association.receive(now, source, datagram, &mut out);
        if out.datagrams.len() > before + MOST_ANSWERS {
            return true;
        }
        rest = behind;
    }
    out.news.iter().any(|news| matches!(news, News::Keyed(..)))
}
