//! One subscription to what is registered for an address-of-record (RFC 3680).

use crate::shard::Held;
use sip::Failure;
use sip::ids::Ids;
use sip::registration::reginfo::{self, Names, Registration, Scope};
use sip::registration::server::{Aor, Binding, Change, ContactEvent, Record};
use sip::subscription::notifier::{EndReason, Notify, Subscription};
use sip::time::{Mono, Now, Wall};
use sip_types::Response;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// The least time between two NOTIFYs that nobody asked for (RFC 3680 §4.10).
const PACE: Duration = Duration::from_secs(5);
/// Contacts whose news are gathered for the next NOTIFY; with more, it tells everything that is bound.
const NEWS: usize = 64;

/// Who subscribes to what.
#[derive(Clone, Debug)]
pub(crate) struct Subscriber {
    /// Whose registrations.
    pub(crate) aor: Aor,
    /// The user who proved to be the subscriber.
    pub(crate) user: Box<str>,
    /// The `id` of its Event.
    pub(crate) event_id: Option<Box<str>>,
    /// Where its last SUBSCRIBE came from.
    pub(crate) source: SocketAddr,
}

/// One subscription.
pub(crate) struct Watch {
    pub(crate) subscriber: Subscriber,
    subscription: Subscription,
    since: Wall,
    /// When it ends unless it is refreshed.
    expires: Wall,
    /// The number of the next document.
    version: u32,
    /// What has happened to contacts since the last document.
    news: Vec<(Arc<Binding>, ContactEvent)>,
    /// The next document has to tell everything: the last one did not arrive, or there was more news than is kept.
    incomplete: bool,
    _held: Held,
}

impl Watch {
    /// One that was accepted for that long.
    pub(crate) fn new(now: Now, subscriber: Subscriber, lifetime: Duration, held: Held) -> Self {
        Self {
            subscriber,
            subscription: Subscription::new(now, lifetime, true, PACE),
            since: now.wall,
            expires: after(now, lifetime),
            version: 0,
            news: Vec::new(),
            incomplete: false,
            _held: held,
        }
    }

    /// A SUBSCRIBE in it was accepted for that long.
    pub(crate) fn refresh(&mut self, now: Now, source: SocketAddr, lifetime: Duration) {
        self.subscription.refresh(now, lifetime);
        (self.subscriber.source, self.expires) = (source, after(now, lifetime));
    }

    /// Bindings have changed.
    pub(crate) fn changed(&mut self, change: &Change) {
        for (binding, event) in &change.contacts {
            self.news.retain(|(known, _)| known.id != binding.id);
            if self.news.len() < NEWS {
                self.news.push((binding.clone(), *event));
            } else {
                self.incomplete = true;
            }
        }
        self.subscription.changed();
    }

    /// Ends it; the subscriber is told why.
    pub(crate) fn end(&mut self, now: Now, why: EndReason) {
        self.subscription.end(now, why, None);
    }

    /// The outcome of its NOTIFY. What did not arrive is told by the next one.
    pub(crate) fn notified(&mut self, outcome: &Result<Response, Failure>) {
        self.incomplete |= outcome.is_err();
        self.subscription.handle_outcome(outcome);
    }

    /// Whether nothing more comes of it.
    pub(crate) fn is_over(&self) -> bool {
        self.subscription.is_over()
    }

    /// Whether it still stands: nobody has ended it.
    pub(crate) fn stands(&self) -> bool {
        !matches!(self.subscription.state(), sip::subscription::notifier::State::Terminated(..))
    }

    /// When [`poll`](Self::poll) wants to be called though nothing happens.
    pub(crate) fn poll_timeout(&self) -> Option<Mono> {
        self.subscription.poll_timeout()
    }

    /// The NOTIFY that is to go out now.
    pub(crate) fn poll(&mut self, now: Now) -> Option<Notify> {
        self.subscription.poll(now)
    }

    /// The document of that NOTIFY: what is bound in `record`, with GRUUs as `names` says.
    pub(crate) fn document(
        &mut self,
        now: Now,
        notify: &Notify,
        record: Option<&Record>,
        names: Names<'_>,
        ids: &mut dyn Ids,
    ) -> String {
        let mut contacts = std::mem::take(&mut self.news);
        let scope = match notify.full || std::mem::take(&mut self.incomplete) {
            true => Scope::Full,
            false => Scope::Partial,
        };
        let bound = record.map(|record| &*record.bindings).unwrap_or_default();
        if scope == Scope::Full {
            self.incomplete = false;
            let unsaid =
                bound.iter().filter(|b| !contacts.iter().any(|(known, _)| known.id == b.id)).cloned();
            let unsaid: Vec<_> = unsaid.map(|b| (last_event(&b), b)).map(|(event, b)| (b, event)).collect();
            contacts.extend(unsaid);
        }
        let registration = Registration {
            aor: &self.subscriber.aor,
            id: "r1",
            contacts: &contacts,
            instances: record.map(|record| &*record.instances).unwrap_or_default(),
            bound: !bound.is_empty(),
        };
        let text = reginfo::document(now, self.version, scope, &[registration], names, ids);
        self.version = self.version.wrapping_add(1);
        text
    }

    /// As the admin API shows it.
    pub(crate) fn view(&self) -> admin_api::control::Subscription {
        use crate::cdr::system_time;
        admin_api::control::Subscription {
            address: self.subscriber.aor.to_string(),
            user: self.subscriber.user.to_string(),
            source: self.subscriber.source,
            began_at: system_time(self.since).into(),
            expires_at: system_time(self.expires).into(),
            notifications: self.version,
        }
    }
}

/// What a binding that is not over has last gone through.
fn last_event(binding: &Binding) -> ContactEvent {
    match binding.refreshed > binding.since {
        true => ContactEvent::Refreshed,
        false => ContactEvent::Registered,
    }
}

fn after(now: Now, lifetime: Duration) -> Wall {
    Wall(now.wall.0 + u64::try_from(lifetime.as_millis()).unwrap_or(u64::MAX / 2))
}
