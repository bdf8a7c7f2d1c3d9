//! One binding of a contact to an address-of-record.

use super::demand::Wish;
use crate::flow::Flow;
use crate::time::{Mono, Wall};
use sip_types::Uri;

/// Names a binding for as long as it lasts, refreshes included: the `id` of a contact in reginfo (RFC 3680 §5.3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BindingId(pub u64);

/// A contact of an address-of-record, and the way there.
#[derive(Clone, Debug)]
pub struct Binding {
    /// Its name.
    pub id: BindingId,
    /// The contact.
    pub uri: Uri,
    /// The display name and parameters of the contact that stay with it, `expires` left out: capabilities
    /// (RFC 3840), `+sip.instance`, `reg-id`, unknown ones. Starts with `;` if it is not empty.
    pub params: Box<str>,
    /// Preference in thousandths; 1000 where the contact says nothing (RFC 3261 §16.6 step 1).
    pub q: u16,
    /// The instance (RFC 5626 §4.1), without its angle brackets.
    pub instance: Option<Box<str>>,
    /// Which of the instance's flows it is (RFC 5626 §4.2); only beside an instance, and where outbound applies.
    pub reg_id: Option<u32>,
    /// The Path, the value nearest to us first (RFC 3327 §5.3): the Route of requests to the contact.
    pub path: Box<[Box<str>]>,
    /// Call-ID of the last REGISTER.
    pub call_id: Box<str>,
    /// CSeq of the last REGISTER.
    pub cseq: u32,
    /// The flow that the last REGISTER came on.
    pub flow: Flow,
    /// Whether it is reached on that flow only, because of a NAT.
    pub behind_nat: bool,
    /// User-Agent of the last REGISTER.
    pub user_agent: Option<Box<str>>,
    /// When it was made.
    pub since: Wall,
    /// When it was last refreshed.
    pub refreshed: Wall,
    /// When it ends, for what is kept and shown.
    pub expires: Wall,
    /// When it ends, for the timer.
    pub ends: Mono,
}

impl Binding {
    /// Whether a contact of a REGISTER means this binding: by instance and `reg-id` where both have them
    /// (RFC 5626 §6), else by URI comparison (RFC 3261 §10.3 step 7).
    #[must_use]
    pub fn is(&self, wish: &Wish) -> bool {
        match (&wish.instance, wish.reg_id) {
            (Some(instance), Some(reg_id)) => {
                self.reg_id == Some(reg_id) && self.instance.as_ref() == Some(instance)
            }
            _ => self.reg_id.is_none() && self.uri == wish.uri,
        }
    }

    /// Whole seconds that are left at `wall`, rounded up.
    #[must_use]
    pub fn left(&self, wall: Wall) -> u64 {
        self.expires.0.saturating_sub(wall.0).div_ceil(1000)
    }
}
