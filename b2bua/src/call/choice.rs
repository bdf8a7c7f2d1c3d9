//! Which devices of a called user ring, and in which order: by their q (RFC 3261 §16.6), and by what the caller asks for
//! (RFC 3841).

use crate::registrar::Account;
use config::Ring;
use policy::{Step, Trail};
use sip::preferences::{Disposition, Preferences, Rank, TooMany};
use sip::registration::server::{Binding, Target};
use sip_types::{Headers, Method};

/// The devices to call: those of one group ring at once, the groups one after the other.
#[derive(Debug)]
pub(super) struct Choice<'a> {
    pub(super) groups: Vec<Vec<&'a Binding>>,
}

impl<'a> Choice<'a> {
    /// What becomes of the bindings of an account, the best first, by an INVITE with these header fields.
    ///
    /// # Errors
    /// The INVITE has more preferences than are looked at.
    pub(super) fn of(
        account: &Account,
        headers: &Headers,
        found: &'a [Target],
        trail: &mut Trail,
    ) -> Result<Self, TooMany> {
        let preferences = Preferences::of(headers, &Method::Invite)?;
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
        let groups: Vec<Vec<&Binding>> = match ring {
            Ring::Sequence => suited.iter().map(|(_, binding)| vec![*binding]).collect(),
            Ring::Parallel => {
                let together = |a: &(Rank, &Binding), b: &(Rank, &Binding)| (a.0, a.1.q) == (b.0, b.1.q);
                suited.chunk_by(together).map(|group| group.iter().map(|(_, b)| *b).collect()).collect()
            }
        };
        if !groups.is_empty() {
            let contacts = |group: &Vec<&Binding>| group.iter().map(|b| b.uri.to_bytestring()).collect();
            trail.push(Step::Forked { groups: groups.iter().map(contacts).collect(), why });
        }
        Ok(Self { groups })
    }
}

/// The bindings that may be called, in the order of q, and within one q of how well they meet what the caller asks for. What
/// its INVITE asks for unsaid, its method, puts none behind another, and is let go where nobody meets it (RFC 3841 §7.2.4).
fn suited<'a>(preferences: &Preferences, found: &'a [Target], trail: &mut Trail) -> Vec<(Rank, &'a Binding)> {
    let bindings = || found.iter().map(Target::binding);
    let mut suited: Vec<_> =
        bindings().filter_map(|binding| Some((preferences.rank(&binding.params)?, binding))).collect();
    if !preferences.are_explicit() {
        if suited.is_empty() {
            suited = bindings().map(|binding| (Rank::BEST, binding)).collect();
        }
        suited.iter_mut().for_each(|(rank, _)| *rank = Rank::BEST);
    }
    for binding in bindings().filter(|one| !suited.iter().any(|(_, other)| other.id == one.id)) {
        let why = match preferences.are_explicit() {
            true => "it is not what the caller asks for (RFC 3841)",
            false => "it does not know INVITE (RFC 3841)",
        };
        trail.push(Step::PassedOver { contact: binding.uri.to_bytestring(), why });
    }
    suited.sort_by_key(|(rank, binding)| std::cmp::Reverse((binding.q, *rank)));
    suited
}
