//! What of another configuration comes into force now, and what waits for a restart.

use crate::snapshot::Snapshot;
use admin_api::control::{Change, Effect};
use config::Config;

/// What a reload changes in force. Of what is compared whole and has settings of both kinds, such as a listener, only
/// those are other that do not wait for a restart.
pub(super) fn changes_in_force(current: &Snapshot, next: &Snapshot) -> Vec<Change> {
    let changes = config::diff(current.config(), next.config()).into_iter().map(|change| Change {
        path: change.path,
        effect: if change.effect == config::Effect::Live { Effect::Live } else { Effect::Pinned },
    });
    let secrets = next.secrets.changed(&current.secrets);
    let mut changes: Vec<Change> =
        changes.chain(secrets.map(|path| Change { path, effect: Effect::Live })).collect();
    for path in next.changed_files(current) {
        if changes.iter().all(|change| change.path != path) {
            changes.push(Change { path, effect: Effect::Live });
        }
    }
    changes
}

/// What is bound stays as it is, networks, their listeners and media ports, and so does all else that the process was
/// started with.
pub(super) fn keep_until_restart(old: &Config, new: &mut Config) {
    new.node.keep_until_restart(&old.node);
    new.signalling.keep_until_restart(&old.signalling);
    new.limits.keep_until_restart(&old.limits);
    new.media.keep_until_restart(&old.media);
    new.admin.keep_until_restart(&old.admin);
    new.cdr.keep_until_restart(&old.cdr);
    new.log.keep_until_restart(&old.log);
    new.networks.retain(|name, _| old.networks.contains_key(name));
    for (name, before) in &old.networks {
        let network = new.networks.entry(name.clone()).or_insert_with(|| before.clone());
        let listeners = before.listeners.iter().map(|bound| {
            let same = |l: &&config::Listener| l.transport == bound.transport && l.address == bound.address;
            network.listeners.iter().find(same).unwrap_or(bound).clone()
        });
        network.listeners = listeners.collect();
        // A registrar is there from the start or not at all, since listeners and the store are made for it.
        network.registrar = match (&before.registrar, network.registrar.take()) {
            (Some(before), Some(mut wanted)) => {
                wanted.keep_until_restart(before);
                Some(wanted)
            }
            _ => before.registrar.clone(),
        };
        // So is a TURN server, and where it listens.
        network.turn = match (&before.turn, network.turn.take()) {
            (Some(before), Some(mut wanted)) => {
                let listeners = before.listeners.iter().map(|bound| {
                    let same = |l: &&config::TurnListener| {
                        l.transport == bound.transport && l.address == bound.address
                    };
                    wanted.listeners.iter().find(same).unwrap_or(bound).clone()
                });
                let listeners = listeners.collect();
                wanted.keep_until_restart(before);
                wanted.listeners = listeners;
                Some(wanted)
            }
            _ => before.turn.clone(),
        };
        network.media = match (before.media.clone(), network.media.take()) {
            (Some(bound), Some(wanted)) => {
                let mut media = wanted;
                (media.address, media.ports) = (bound.address, bound.ports);
                Some(media)
            }
            (bound, _) => bound,
        };
    }
}
