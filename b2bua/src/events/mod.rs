//! Subscriptions between the two sides (RFC 6665): a notifier towards who subscribes, a subscriber towards whom that reaches,
//! and between the two a bridge.
//!
//! ```text
//!   SUBSCRIBE ─► the places that a call would reach (`call::outside`) ─► 2xx, or the first NOTIFY ─► begin
//!      subscriber ── SUBSCRIBE ─► refresh ─► notifier        each as a request of our own in the dialog of its side,
//!      subscriber ◄── notify ◄── NOTIFY ─── notifier         its response the other way
//!      either is gone ─► ending ─► the other is told, and let go
//! ```
//! What is told crosses as it is, whatever the package; only the names of our own dialogs become those of the other side
//! (`document`), where another shard has those once it has said them (`elsewhere`).

mod begin;
mod document;
mod elsewhere;
mod ending;
mod notify;
mod subscribe;
mod table;
mod view;

pub(crate) use elsewhere::DialogWord;
pub(crate) use table::{BridgeKey, Subscriptions};

use crate::call::Across;
use crate::call::decide;
use crate::shard::{Core, Held};
use crate::snapshot::Snapshot;
use config::{Profile, TrunkName};
use elsewhere::HeldNotify;
use sip::registration::server::Aor;
use sip::session::{OutgoingId, Reply, RequestId, SessionId};
use sip::subscription::subscriber::Subscriber;
use sip::time::{Mono, Now, Wall};
use sip::{Event, NetworkId};
use std::sync::Arc;

/// One of the two sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// Who subscribes: we are its notifier.
    Subscriber,
    /// Whom it subscribes to: we are its subscriber.
    Notifier,
}

/// How far a usage has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Life {
    Open,
    /// Our last request in it is under way.
    Ending(OutgoingId),
    Over,
}

/// The subscription usage of one side's dialog.
struct Usage {
    session: SessionId,
    network: NetworkId,
    trunk: Option<TrunkName>,
    profile: Arc<Profile>,
    /// Without a trunk: the user of a registrar of ours.
    user: Option<Aor>,
    life: Life,
}

/// A request carried from one side to the other that waits for its response.
struct Carried {
    from: Side,
    id: RequestId,
    sent: OutgoingId,
    /// The time that a SUBSCRIBE asks for.
    asked: Option<u32>,
    /// Whether it is a NOTIFY that ends the subscription.
    last: bool,
}

/// One subscription.
pub(crate) struct Bridged {
    /// The configuration that it began under.
    snapshot: Arc<Snapshot>,
    subscriber: Usage,
    notifier: Usage,
    /// Its Event, as it came.
    event: Box<str>,
    /// The URI of From, and the Request-URI.
    from: Box<str>,
    request_uri: Box<str>,
    began: Wall,
    /// NOTIFYs that have come.
    notifications: u32,
    /// What we know of it as the subscriber.
    state: Subscriber,
    carried: Vec<Carried>,
    /// NOTIFYs that wait for what other shards say, in the order in which they came.
    held: Vec<HeldNotify>,
    _held: Held,
}

impl Subscriptions {
    /// Whom the usage of a session is with: their network, trunk, profile and user.
    pub(crate) fn peer(
        &self,
        session: SessionId,
    ) -> Option<(NetworkId, Option<&TrunkName>, &Profile, Option<&Aor>)> {
        let (key, side) = self.of(session)?;
        let bridged = self.get(key)?;
        let usage = bridged.usage(side);
        Some((usage.network, usage.trunk.as_ref(), &usage.profile, usage.user.as_ref()))
    }
}

impl Bridged {
    fn usage(&self, side: Side) -> &Usage {
        match side {
            Side::Subscriber => &self.subscriber,
            Side::Notifier => &self.notifier,
        }
    }

    fn usage_mut(&mut self, side: Side) -> &mut Usage {
        match side {
            Side::Subscriber => &mut self.subscriber,
            Side::Notifier => &mut self.notifier,
        }
    }

    /// What a message crosses that comes from that side.
    fn across(&self, from: Side) -> Across<'_> {
        let (from, to) = match from {
            Side::Subscriber => (&self.subscriber, &self.notifier),
            Side::Notifier => (&self.notifier, &self.subscriber),
        };
        let crossing = decide::crossing_between(
            &self.snapshot,
            (from.network, &from.profile),
            (to.network, &to.profile),
        );
        Across { crossing, mode: media::Mode::Bypass }
    }

    /// When it wants to be heard though nothing happens.
    fn poll_timeout(&self) -> Option<Mono> {
        self.state.poll_timeout().into_iter().chain(self.held.first().map(|held| held.until)).min()
    }

    /// Takes out what was carried by that request of ours.
    fn take_carried(&mut self, from: Side, sent: OutgoingId) -> Option<Carried> {
        let at = self.carried.iter().position(|one| one.from == from && one.sent == sent)?;
        Some(self.carried.swap_remove(at))
    }
}

impl Core {
    /// What happens in the dialogs of subscriptions that are carried; all other events are given back.
    pub(crate) fn bridged_event(&mut self, now: Now, event: Event) -> Option<Event> {
        match event {
            Event::Requested { session, id, ref request, .. } => {
                if self.outside.waits_for(session) {
                    self.subscription_told(now, session, id, request);
                    return None;
                }
                match self.subscriptions.of(session) {
                    Some((key, Side::Subscriber)) => self.on_subscribe_inside(now, key, id, request),
                    Some((key, Side::Notifier)) => self.on_notify(now, key, id, request),
                    None => return Some(event),
                }
            }
            Event::Responded { session, id, ref outcome, .. } => match self.subscriptions.of(session) {
                Some((key, Side::Subscriber)) => self.on_notified_across(now, key, id, outcome),
                Some((key, Side::Notifier)) => self.on_subscribed_across(now, key, id, outcome),
                None => return Some(event),
            },
            other => return Some(other),
        }
        None
    }

    /// Answers a request of one side.
    fn answer_side(&mut self, now: Now, key: BridgeKey, side: Side, id: RequestId, reply: &Reply) {
        let Some(session) = self.subscriptions.get(key).map(|bridged| bridged.usage(side).session) else {
            return;
        };
        // Whoever asked may have given up.
        let _ = match side {
            Side::Subscriber => self.endpoint.answer_subscriber(now, session, id, reply),
            Side::Notifier => self.endpoint.answer_notifier(now, session, id, reply),
        };
    }
}
