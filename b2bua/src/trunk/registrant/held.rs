//! How many registrations there are.

use super::{Registrants, State};

/// What a shard has of registrations.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Held {
    /// Trunks that it registers.
    pub(crate) trunks: usize,
    /// Those of them that were registered when last tried, by one flow at least.
    pub(crate) registered: usize,
    /// Flows of trunks with outbound.
    pub(crate) flows: usize,
    /// Those of them that stand.
    pub(crate) flows_up: usize,
}

impl Registrants {
    /// How many there are.
    pub(crate) fn held(&self) -> Held {
        let mut held = Held::default();
        let mut last = None;
        for ((trunk, number), id) in &self.by_trunk {
            let Some(registrant) = self.all.get(*id) else { continue };
            let is_registered = registrant.told == State::Registered;
            // The flows of a trunk stand together.
            let before = last.filter(|(name, _)| *name == trunk).map(|(_, registered)| registered);
            held.trunks += usize::from(before.is_none());
            held.registered += usize::from(is_registered && before != Some(true));
            held.flows += usize::from(*number > 0);
            held.flows_up += usize::from(registrant.flow.is_some());
            last = Some((trunk, is_registered || before == Some(true)));
        }
        held
    }
}
