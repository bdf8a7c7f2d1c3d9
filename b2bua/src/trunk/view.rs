//! Targets as the admin API shows them.

use crate::cdr::system_time;
use crate::shard::Core;
use admin_api::control as api;
use sip::location::{TargetState, TargetView, Trouble};
use sip::time::Now;

/// Every target that a shard remembers.
pub(crate) fn targets(core: &Core, now: Now) -> Vec<api::Target> {
    core.endpoint.targets(now).iter().map(|view| target(core, view)).collect()
}

fn target(core: &Core, view: &TargetView) -> api::Target {
    let (state, trouble, held) = match view.state {
        TargetState::Up => (api::TargetState::Up, None, None),
        TargetState::Held(trouble, left) => (api::TargetState::Held, Some(trouble), Some(left)),
        TargetState::Due(trouble) => (api::TargetState::Due, Some(trouble), None),
    };
    let network = core.snapshot.network_name(view.place.network);
    api::Target {
        network: network.map(ToString::to_string).unwrap_or_default(),
        transport: view.place.transport.uri_param().to_owned(),
        address: view.place.address,
        state,
        trouble: trouble.map(|trouble| match trouble {
            Trouble::Silent => api::TargetTrouble::Silent,
            Trouble::OutOfReach => api::TargetTrouble::OutOfReach,
            Trouble::Unavailable => api::TargetTrouble::Unavailable,
        }),
        since: system_time(view.since).into(),
        last_news_at: system_time(view.last).into(),
        held_seconds: held.map(Into::into),
        shard: core.shard,
    }
}
