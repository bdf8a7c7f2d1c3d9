//! Why things were decided as they were.

use std::net::IpAddr;

use bytestring::ByteString;
use config::{NetworkName, Pattern, RouteName, TrunkName};
use sip_types::StatusCode;

use crate::credentials::Refusal;
use crate::failure::Mapped;
use crate::headers::Verdict;
use crate::route::Miss;

/// Steps that a trail keeps.
const LONGEST: usize = 64;

/// One thing that was decided, with its reason.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Step {
    /// Whose request it is.
    Peer {
        /// The network that it came from.
        network: NetworkName,
        /// The address that it came from.
        source: IpAddr,
        /// The trunk, if it is one's.
        trunk: Option<TrunkName>,
    },
    /// It calls the contact that we registered with the trunk, and so somebody else.
    Registered {
        /// The called party.
        called: ByteString,
    },
    /// Its legs have DTMF in different forms, and nobody here can read it.
    Sealed,
    /// A section of media is not there, because of us.
    LeftOut {
        /// Its place in the description, from 0.
        section: usize,
        /// The media type.
        medium: ByteString,
        /// Why.
        why: &'static str,
    },
    /// A route that asks for the called party, and did not match.
    Missed {
        /// The route.
        route: RouteName,
        /// The pattern that matched the called party.
        called: Pattern,
        /// What did not match.
        miss: Miss,
    },
    /// The route that matched.
    Routed {
        /// The route.
        route: RouteName,
        /// The pattern that matched the called party.
        called: Pattern,
        /// The trunks and URIs that it leads to.
        to: Vec<ByteString>,
    },
    /// The route that matched refuses.
    Rejected {
        /// The route.
        route: RouteName,
        /// The pattern that matched the called party.
        called: Pattern,
        /// The status of the refusal.
        status: StatusCode,
    },
    /// No route matched.
    NoRoute,
    /// A peer has asked that somebody else take its place: what follows is of this.
    Referred {
        /// Whom it has named.
        to: ByteString,
    },
    /// An operator has a call placed: what follows is of who is called at this moment.
    Placed {
        /// Whom it calls.
        to: ByteString,
    },
    /// A device of the called user is not called.
    PassedOver {
        /// Its contact.
        contact: ByteString,
        /// Why.
        why: &'static str,
    },
    /// The devices of the called user, as they ring.
    Forked {
        /// Their contacts: those of each group at once, the groups in turn.
        groups: Vec<Vec<ByteString>>,
        /// Why so.
        why: &'static str,
    },
    /// A leg to a device has ended.
    Branch {
        /// The contact.
        contact: ByteString,
        /// The final status of its INVITE, if it had one.
        status: Option<StatusCode>,
        /// What ended it.
        cause: &'static str,
    },
    /// A header field did not cross, by policy.
    Dropped {
        /// The field.
        field: ByteString,
        /// Why.
        why: Verdict,
    },
    /// What a side answers to the other side's challenge crossed: a request of ours in the call cannot answer one.
    Proof {
        /// The field.
        field: ByteString,
    },
    /// A failure was given another status.
    Failed(Mapped),
    /// A challenge was not answered.
    Unanswered {
        /// The realm of the challenge.
        realm: ByteString,
        /// Why.
        why: Refusal,
    },
}

impl Step {
    /// What was decided about.
    #[must_use]
    pub const fn subject(&self) -> &'static str {
        match self {
            Self::Peer { .. } => "peer",
            Self::Registered { .. } => "called party",
            Self::Referred { .. } => "transfer",
            Self::Sealed => "dtmf",
            Self::LeftOut { .. } => "media",
            Self::Placed { .. } => "order",
            Self::Missed { .. } | Self::Routed { .. } | Self::Rejected { .. } | Self::NoRoute => "route",
            Self::PassedOver { .. } | Self::Forked { .. } | Self::Branch { .. } => "device",
            Self::Dropped { .. } => "header",
            Self::Failed(_) => "failure",
            Self::Proof { .. } | Self::Unanswered { .. } => "credentials",
        }
    }

    /// What was decided.
    #[must_use]
    pub fn decision(&self) -> String {
        match self {
            Self::Peer { trunk: Some(trunk), .. } => format!("trunk {trunk}"),
            Self::Peer { trunk: None, .. } => "no trunk".to_owned(),
            Self::Registered { called } => called.to_string(),
            Self::Missed { route, .. } => format!("not {route}"),
            Self::Routed { route, to, .. } => format!("{route}: to {}", to.join(", ")),
            Self::Rejected { route, status, .. } => format!("{route}: refused with {status}"),
            Self::NoRoute => "404".to_owned(),
            Self::Sealed => "as it comes".to_owned(),
            Self::LeftOut { section, medium, .. } => format!("no {medium} in section {section}"),
            Self::Referred { to } | Self::Placed { to } => format!("to {to}"),
            Self::PassedOver { contact, .. } => format!("not {contact}"),
            Self::Forked { groups, .. } => {
                let groups: Vec<_> = groups.iter().map(|group| group.join(" and ")).collect();
                groups.join(", then ")
            }
            Self::Branch { contact, status: Some(status), .. } => format!("{contact} ended with {status}"),
            Self::Branch { contact, status: None, .. } => format!("{contact} ended"),
            Self::Dropped { field, .. } => format!("{field} does not cross"),
            Self::Proof { field } => format!("{field} crosses"),
            Self::Failed(mapped) => format!("{} becomes {}", mapped.from, mapped.to),
            Self::Unanswered { realm, .. } => format!("no credentials for {realm:?}"),
        }
    }

    /// Why.
    #[must_use]
    pub fn reason(&self) -> String {
        match self {
            Self::Peer { network, source, trunk: Some(_) } => {
                format!("{source} is its source in network {network}")
            }
            Self::Peer { network, source, trunk: None } => {
                format!("{source} is no trunk's source in network {network}")
            }
            Self::Registered { .. } => "it calls the contact that we registered with the trunk".to_owned(),
            Self::Missed { called, miss, .. } => format!("called matches {called}, but {miss}"),
            Self::Routed { called, .. } | Self::Rejected { called, .. } => {
                format!("called matches {called}, and so does all else that it asks")
            }
            Self::NoRoute => "no route matches".to_owned(),
            Self::Sealed => "its media is secret between the two sides, or flows around us".to_owned(),
            Self::Referred { .. } => "a peer refers to it".to_owned(),
            Self::Placed { .. } => "the admin API was asked to place the call".to_owned(),
            Self::PassedOver { why, .. } | Self::LeftOut { why, .. } | Self::Forked { why, .. } => {
                (*why).to_owned()
            }
            Self::Branch { cause, .. } => (*cause).to_owned(),
            Self::Dropped { why, .. } => why.to_string(),
            Self::Proof { .. } => {
                "it is between the two sides: requests of our own prove nothing there".to_owned()
            }
            Self::Failed(mapped) => mapped.rule.to_string(),
            Self::Unanswered { why, .. } => why.to_string(),
        }
    }
}

impl std::fmt::Display for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {} ({})", self.subject(), self.decision(), self.reason())
    }
}

/// The steps of a call, in order; the first 64 are kept and the rest is counted.
#[derive(Clone, Debug, Default)]
pub struct Trail {
    steps: Vec<Step>,
    omitted: u32,
}

impl Trail {
    /// Adds a step.
    pub fn push(&mut self, step: Step) {
        if self.steps.len() < LONGEST {
            self.steps.push(step);
        } else {
            self.omitted = self.omitted.saturating_add(1);
        }
    }

    /// The steps kept.
    pub fn iter(&self) -> std::slice::Iter<'_, Step> {
        self.steps.iter()
    }

    /// How many steps were not kept.
    #[must_use]
    pub const fn omitted(&self) -> u32 {
        self.omitted
    }
}

impl<'t> IntoIterator for &'t Trail {
    type Item = &'t Step;
    type IntoIter = std::slice::Iter<'t, Step>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// One step a line.
impl std::fmt::Display for Trail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, step) in self.steps.iter().enumerate() {
            let end = if index == 0 { "" } else { "\n" };
            write!(f, "{end}{step}")?;
        }
        match self.omitted {
            0 => Ok(()),
            omitted => write!(f, "\n{omitted} more"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fork_reads_as_it_rings() {
        let group = |contacts: &[&'static str]| contacts.iter().map(|c| ByteString::from_static(c)).collect();
        let groups = vec![group(&["sip:a@h", "sip:b@h"]), group(&["sip:c@h"])];
        let step = Step::Forked { groups, why: "the registrar's ring is parallel" };
        assert_eq!(
            step.to_string(),
            "device: sip:a@h and sip:b@h, then sip:c@h (the registrar's ring is parallel)"
        );
        let step = Step::Branch { contact: "sip:a@h".into(), status: None, cause: "ring limit" };
        assert_eq!(step.to_string(), "device: sip:a@h ended (ring limit)");
    }

    #[test]
    fn a_trail_is_bounded_and_counts_what_it_leaves_out() {
        let mut trail = Trail::default();
        (0..LONGEST + 3).for_each(|_| trail.push(Step::NoRoute));
        assert_eq!((trail.iter().count(), trail.omitted()), (LONGEST, 3));
        assert!(trail.to_string().ends_with("\n3 more"));
    }
}
