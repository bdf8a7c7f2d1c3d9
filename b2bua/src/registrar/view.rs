//! What is registered, as the admin API shows it.

use crate::cdr::system_time;
use admin_api::control::{self as api, RegistrationPage, RegistrationQuery};
use sip::registration::server::{Aor, Binding, Directory, Record};
use std::sync::Arc;

/// One page of what is registered.
pub(crate) fn page(directory: &Directory, query: &RegistrationQuery) -> RegistrationPage {
    let follows =
        |record: &Arc<Record>| query.after.as_deref().is_none_or(|after| record.aor.as_str() > after);
    let mut all: Vec<_> = directory.all().into_iter().filter(follows).collect();
    all.sort_unstable_by(|one, other| one.aor.cmp(&other.aor));
    let more = all.len() > usize::from(query.limit);
    all.truncate(query.limit.into());
    let next_cursor = all.last().filter(|_| more).map(|record| record.aor.to_string());
    RegistrationPage { registrations: all.iter().map(|record| registration(record)).collect(), next_cursor }
}

/// What is registered for an address-of-record.
pub(crate) fn one(directory: &Directory, aor: &Aor) -> Option<api::Registration> {
    directory.record(aor).map(|record| registration(&record))
}

fn registration(record: &Record) -> api::Registration {
    api::Registration {
        address: record.aor.to_string(),
        bindings: record.bindings.iter().map(|one| binding(one)).collect(),
    }
}

fn binding(binding: &Binding) -> api::Binding {
    let text = |text: &Option<Box<str>>| text.as_deref().map(str::to_owned);
    api::Binding {
        contact: binding.uri.to_string(),
        q: binding.q,
        instance: text(&binding.instance),
        reg_id: binding.reg_id,
        path: binding.path.iter().map(|path| path.to_string()).collect(),
        source: binding.flow.peer,
        behind_nat: binding.behind_nat,
        user_agent: text(&binding.user_agent),
        registered_at: system_time(binding.since).into(),
        refreshed_at: system_time(binding.refreshed).into(),
        expires_at: system_time(binding.expires).into(),
    }
}
