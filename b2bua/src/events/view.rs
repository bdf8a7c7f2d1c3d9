//! Subscriptions that are carried, as the admin API shows them.

use super::{Bridged, Side};
use crate::cdr::system_time;
use crate::shard::Core;
use admin_api::control::{CarriedQuery, CarriedState, CarriedSubscription, CarriedUsage};
use sip::subscription::subscriber::State;
use sip::time::{Now, Wall};

impl Core {
    /// One page of this shard's, each with its number, and whether more follow.
    pub(crate) fn carried_page(
        &self,
        now: Now,
        query: &CarriedQuery,
    ) -> (Vec<(u64, CarriedSubscription)>, bool) {
        let after = query.after.filter(|cursor| cursor.shard == self.shard).map(|cursor| cursor.sequence);
        let limit = usize::from(query.limit);
        let mut page: Vec<_> = self.subscriptions.after(after).take(limit + 1).collect();
        let more = page.len() > limit;
        page.truncate(limit);
        let view = |(number, bridged): (u64, &Bridged)| (number, self.carried_view(now, number, bridged));
        (page.into_iter().map(view).collect(), more)
    }

    fn carried_view(&self, now: Now, number: u64, bridged: &Bridged) -> CarriedSubscription {
        let left = u64::try_from(bridged.state.left(now).as_millis()).unwrap_or(u64::MAX / 2);
        let usage = |side| {
            let usage = bridged.usage(side);
            let network = bridged.snapshot.network_name(usage.network);
            CarriedUsage {
                network: network.map(ToString::to_string).unwrap_or_default(),
                trunk: usage.trunk.as_ref().map(ToString::to_string),
                sip_call_id: self.endpoint.call_id(usage.session).unwrap_or_default().to_owned(),
            }
        };
        CarriedSubscription {
            id: format!("{}-{number}", self.shard),
            event: bridged.event.to_string(),
            from_uri: bridged.from.to_string(),
            request_uri: bridged.request_uri.to_string(),
            state: match bridged.state.state() {
                State::NotifyWait => CarriedState::NotifyWait,
                State::Pending => CarriedState::Pending,
                State::Active => CarriedState::Active,
                State::Terminated(_) => CarriedState::Terminated,
            },
            subscriber: usage(Side::Subscriber),
            notifier: usage(Side::Notifier),
            began_at: system_time(bridged.began).into(),
            expires_at: system_time(Wall(now.wall.0.saturating_add(left))).into(),
            notifications: bridged.notifications,
        }
    }
}
