//! Questions and orders from outside a shard.

use super::{Core, Counters, Gauges};
use crate::call::{CallKey, reason, view};
use crate::registrar::Ended;
use crate::snapshot::Snapshot;
use crate::trunk;
use admin_api::control::{
    CallDetail, CallFilter, CallOrder, CallQuery, CallSummary, CarriedQuery, CarriedSubscription,
    ControlError, Overload, Quarantine, Subscription, Target, TrunkTarget, Unavailability,
};
use config::TrunkName;
use sip::registration::server::Aor;
use sip::time::Now;
use std::ops::Bound;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;

/// One question or order; the answer goes where it says. A shard that is gone drops it, which the asker sees.
pub enum Command {
    /// A page of calls, and whether more follow.
    Calls(CallQuery, oneshot::Sender<(Vec<(u64, CallSummary)>, bool)>),
    /// One call.
    Call(Box<str>, oneshot::Sender<Option<CallDetail>>),
    /// Ends a call; `false` if there is none.
    EndCall(Box<str>, Option<Box<str>>, oneshot::Sender<bool>),
    /// Places a call.
    Place(Box<CallOrder>, oneshot::Sender<Result<CallDetail, ControlError>>),
    /// Ends the bindings of an address-of-record that is at home here.
    EndRegistration(Aor, oneshot::Sender<Ended>),
    /// The subscriptions to an address-of-record that is at home here.
    Subscriptions(Aor, oneshot::Sender<Vec<Subscription>>),
    /// A page of the subscriptions that are carried, and whether more follow.
    CarriedSubscriptions(CarriedQuery, oneshot::Sender<(Vec<(u64, CarriedSubscription)>, bool)>),
    /// Another configuration is in force.
    Adopt(Arc<Snapshot>, Box<sip::Settings>),
    /// No new calls; those that are left after this time are ended.
    Drain(Duration),
    /// The shard ends at once, whatever it holds.
    Stop,
    /// What the shard counts and holds.
    Report(oneshot::Sender<Report>),
    /// What is known of targets.
    Targets(oneshot::Sender<Vec<Target>>),
    /// Where calls to a trunk would go.
    TrunkTargets(TrunkName, oneshot::Sender<Vec<TrunkTarget>>),
    /// Who is not heard; every shard says the same.
    Quarantine(oneshot::Sender<Quarantine>),
    /// Hears those again that are written like that; `false` if there are none.
    LiftQuarantine(Box<str>, oneshot::Sender<bool>),
    /// What is known of overload, here and at servers; every shard says the same.
    Overload(oneshot::Sender<Overload>),
}

/// What a shard counts and holds.
#[derive(Clone, Copy, Debug, Default)]
pub struct Report {
    /// What has happened.
    pub counters: Counters,
    /// What the user agents have counted.
    pub sip: sip::Counters,
    /// What is held.
    pub gauges: Gauges,
    /// What is known of targets.
    pub targets: sip::location::TargetGauges,
    /// Its load.
    pub load: sip::overload::EndpointView,
    /// Servers that take part in overload control, and those of them that ask for fewer requests; every shard says the same.
    pub servers: (usize, usize),
    /// Sources and flows that are not heard; every shard says the same.
    pub quarantined: usize,
}

impl Core {
    /// Carries out what has come in.
    pub(super) fn obey(&mut self, now: Now) {
        while let Ok(command) = self.commands.try_recv() {
            // Whoever does not wait for the answer any more does not miss it.
            match command {
                Command::Calls(query, answer) => {
                    let _ = answer.send(self.page(&query, now));
                }
                Command::Call(id, answer) => {
                    let call = self.by_name.get(&id).and_then(|key| self.calls.get(*key));
                    let instant = self.instant(now);
                    let _ =
                        answer.send(call.and_then(|call| view::detail(call, &self.endpoint, now, instant)));
                }
                Command::EndCall(id, text, answer) => {
                    let key = self.by_name.get(&id).copied();
                    if let Some(key) = key {
                        let text = text.as_deref().unwrap_or("Ended by the operator");
                        self.end_call(now, key, &reason(480, text), "ended by the operator");
                        self.carry_out_media(key);
                    }
                    let _ = answer.send(key.is_some());
                }
                Command::Place(order, answer) => {
                    self.obey_order(now, &order, answer);
                }
                Command::EndRegistration(aor, answer) => {
                    self.end_registration(now, &aor, answer);
                }
                Command::Subscriptions(aor, answer) => {
                    let _ = answer.send(self.office.watches.views(&aor));
                }
                Command::CarriedSubscriptions(query, answer) => {
                    let _ = answer.send(self.carried_page(now, &query));
                }
                Command::Adopt(snapshot, sip) => self.adopt(now, snapshot, *sip),
                Command::Drain(patience) => self.drain(now, now.mono + patience),
                Command::Stop => self.stopped = true,
                Command::Report(answer) => {
                    let _ = answer.send(Report {
                        counters: self.counters(),
                        sip: self.sip_counters(),
                        gauges: self.gauges(),
                        targets: self.endpoint.target_gauges(),
                        load: self.common.overload.endpoint(self.shard),
                        servers: self.common.overload.servers(now),
                        quarantined: self.common.guard.quarantined(now.mono).len(),
                    });
                }
                Command::Quarantine(answer) => {
                    let _ = answer.send(self.quarantine(now));
                }
                Command::LiftQuarantine(source, answer) => {
                    let _ = answer.send(self.common.guard.lift(now.mono, &source));
                }
                Command::Overload(answer) => {
                    let _ = answer.send(trunk::overload::overload(self, now));
                }
                Command::Targets(answer) => {
                    let _ = answer.send(trunk::view::targets(self, now));
                }
                Command::TrunkTargets(name, answer) => {
                    let _ = answer.send(trunk::view::trunk_targets(self, &name, now));
                }
            }
        }
    }

    /// Places a call for who waits to hear of it: who does not any more has been told that there is none, and may order it again.
    fn obey_order(
        &mut self,
        now: Now,
        order: &CallOrder,
        answer: oneshot::Sender<Result<CallDetail, ControlError>>,
    ) {
        if answer.is_closed() {
            self.counters.placed_refused += 1;
            return;
        }
        let placed = self.place(now, order);
        let key = placed.as_ref().ok().copied();
        let told = answer.send(placed.and_then(|key| self.placed_view(now, key)));
        if let Some(key) = key.filter(|_| told.is_err()) {
            self.end_call(now, key, &reason(480, "Nobody waits for it"), "order given up");
        }
    }

    /// A call that has just been placed.
    fn placed_view(&self, now: Now, key: CallKey) -> Result<CallDetail, ControlError> {
        let call = self.calls.get(key);
        let view = call.and_then(|call| view::detail(call, &self.endpoint, now, self.instant(now)));
        view.ok_or_else(|| ControlError::Unavailable {
            component: format!("shard {}", self.shard),
            why: Unavailability::Failing,
            retry_after: None,
        })
    }

    fn page(&self, query: &CallQuery, now: Now) -> (Vec<(u64, CallSummary)>, bool) {
        let after = query.after.map_or(0, |cursor| cursor.sequence);
        let found = self.by_sequence.range((Bound::Excluded(after), Bound::Unbounded));
        let matching = found
            .filter_map(|(_, key)| self.calls.get(*key))
            .filter(|call| query.filter.session_id.as_ref().is_none_or(|wanted| call.has_identifier(wanted)))
            .filter_map(|call| Some((call.sequence, view::summary(call, now)?)))
            .filter(|(_, call)| matches(&query.filter, call));
        let limit = usize::from(query.limit);
        let mut page: Vec<_> = matching.take(limit + 1).collect();
        let more = page.len() > limit;
        page.truncate(limit);
        (page, more)
    }
}

fn matches(filter: &CallFilter, call: &CallSummary) -> bool {
    let parties = || std::iter::once(&call.calling).chain(&call.called);
    filter.trunk.as_ref().is_none_or(|t| parties().any(|p| p.trunk.as_ref() == Some(t)))
        && filter.network.as_ref().is_none_or(|n| parties().any(|p| p.network == *n))
        && filter.state.is_none_or(|state| state == call.state)
}
