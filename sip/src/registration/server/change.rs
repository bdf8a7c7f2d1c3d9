//! What became of the bindings of an address-of-record.

use super::aor::Aor;
use super::binding::Binding;
use std::sync::Arc;

/// Why a contact is as it is now (RFC 3680 §5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ContactEvent {
    /// Bound by its REGISTER.
    Registered,
    /// Bound by the registrar's owner.
    Created,
    /// Refreshed by a REGISTER.
    Refreshed,
    /// Made to end earlier by the registrar's owner.
    Shortened,
    /// Its time was over.
    Expired,
    /// Ended by the registrar's owner, who would take it again.
    Deactivated,
    /// Ended for a while by the registrar's owner.
    Probation,
    /// Ended by its REGISTER.
    Unregistered,
    /// Ended by the registrar's owner, who will not take it again.
    Rejected,
}

impl ContactEvent {
    /// The value of the `event` attribute of reginfo (RFC 3680 §5.3.2).
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Registered => "registered",
            Self::Created => "created",
            Self::Refreshed => "refreshed",
            Self::Shortened => "shortened",
            Self::Expired => "expired",
            Self::Deactivated => "deactivated",
            Self::Probation => "probation",
            Self::Unregistered => "unregistered",
            Self::Rejected => "rejected",
        }
    }

    /// Whether the contact is bound still.
    #[must_use]
    pub fn is_active(self) -> bool {
        match self {
            Self::Registered | Self::Created | Self::Refreshed | Self::Shortened => true,
            Self::Expired | Self::Deactivated | Self::Probation | Self::Unregistered | Self::Rejected => {
                false
            }
        }
    }
}

/// One address-of-record that has changed.
#[derive(Clone, Debug)]
pub struct Change {
    /// The address-of-record.
    pub aor: Aor,
    /// The contacts that something happened to, and what.
    pub contacts: Vec<(Arc<Binding>, ContactEvent)>,
    /// Whether nothing is bound to it any more.
    pub terminated: bool,
}
