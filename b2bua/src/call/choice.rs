//! Which devices of a called user ring, and in which order: by their q (RFC 3261 §16.6), and by what the caller asks for
//! (RFC 3841).

use crate::registrar::Account;
use config::Ring;
use policy::{Step, Trail};
use sip::preferences::{Disposition, Preferences, Rank, TooMany};
use sip::registration::server::Target;
use sip_types::{Headers, Method};

/// The devices to call: those of one group ring at once, the groups one after the other.
#[derive(Debug)]
pub(super) struct Choice<'a> {
    pub(super) groups: Vec<Vec<&'a Target>>,
}

impl<'a> Choice<'a> {
    /// What becomes of the devices of an account, the best first, by a request of that method with these header fields.
    ///
    /// # Errors
    /// The request has more preferences than are looked at.
    pub(super) fn of(
        account: &Account,
        (method, headers): (&Method, &Headers),
        found: &'a [Target],
        trail: &mut Trail,
    ) -> Result<Self, TooMany> {
        let preferences = Preferences::of(headers, method)?;
        let disposition = Disposition::of(headers);
        let mut suited = suited(&preferences, found, trail);
        let (ring, mut why) = match (disposition.parallel, account.ring) {
            (Some(true), _) => (Ring::Parallel, "the caller asks for parallel"),
            (Some(false), _) => (Ring::Sequence, "the caller asks for sequential"),
            (None, Ring::Parallel) => (Ring::Parallel, "ring is parallel"),
            (None, Ring::Sequence) => (Ring::Sequence, "ring is sequence"),
        };
        if disposition.no_fork && suited.len() > 1 {
            suited.truncate(1);
            why = "the caller asks for no fork";
        }
        let groups: Vec<Vec<&Target>> = match ring {
            Ring::Sequence => suited.iter().map(|(_, device)| vec![*device]).collect(),
            Ring::Parallel => {
                let rank = |(rank, device): &(Rank, &Target)| (*rank, device.binding().q);
                let groups = suited.chunk_by(|a, b| rank(a) == rank(b));
                groups.map(|group| group.iter().map(|(_, device)| *device).collect()).collect()
            }
        };
        if !groups.is_empty() {
            let contact = |device: &&Target| device.binding().uri.to_bytestring();
            let contacts = |group: &Vec<&Target>| group.iter().map(contact).collect();
            trail.push(Step::Forked { groups: groups.iter().map(contacts).collect(), why });
        }
        Ok(Self { groups })
    }
}

/// The devices that may be called, in the order of q, and within one q of how well they meet what the caller asks for. What
/// its request asks for unsaid, its method, puts none behind another, and is let go where nobody meets it (RFC 3841 §7.2.4).
fn suited<'a>(preferences: &Preferences, found: &'a [Target], trail: &mut Trail) -> Vec<(Rank, &'a Target)> {
    let rank = |device: &Target| preferences.rank(&device.binding().params);
    let mut suited: Vec<_> = found.iter().filter_map(|device| Some((rank(device)?, device))).collect();
    if !preferences.are_explicit() {
        if suited.is_empty() {
            suited = found.iter().map(|device| (Rank::BEST, device)).collect();
        }
        suited.iter_mut().for_each(|(rank, _)| *rank = Rank::BEST);
    }
    let is_suited = |one: &Target| suited.iter().any(|(_, other)| other.binding().id == one.binding().id);
    for device in found.iter().filter(|device| !is_suited(device)) {
        let why = match preferences.are_explicit() {
            true => "it is not what the caller asks for (RFC 3841)",
            false => "it does not know the method (RFC 3841)",
        };
        trail.push(Step::PassedOver { contact: device.binding().uri.to_bytestring(), why });
    }
    suited.sort_by_key(|(rank, device)| std::cmp::Reverse((device.binding().q, *rank)));
    suited
}
