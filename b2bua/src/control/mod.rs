//! The port of the admin API, carried out on the shards.

mod pages;
mod shard;

pub(crate) use shard::Shard;

use crate::metrics;
use crate::node::Loader;
use crate::registrar::{Ended, view};
use crate::shard::{Command, Report};
use crate::store::Condition;
use crate::trunk::{Standings, registrant};
use crate::turn::{self, Turn};
use admin_api::control::{
    Answer, CallDetail, CallId, CallOrder, CallPage, CallQuery, CarriedQuery, CarriedSubscriptionPage,
    ComponentReadiness, ConfigurationInForce, Control, ControlError, Health, Overload, Phase, Quarantine,
    Readiness, ReasonText, Registration, RegistrationPage, RegistrationQuery, ReloadMode, ReloadOutcome,
    Seconds, SubscriptionList, TargetList, Timestamp, TrunkList, TrunkTargets, TurnAllocationPage,
    TurnCredentials, TurnCredentialsOrder, TurnQuery, Unavailability,
};
use admin_api::metrics::MetricFamily;
use config::Config;
use media::relay::Gauges;
use shard::PATIENCE;
use sip::home::Homes;
use sip::registration::server::{Aor, Directory};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Instant, SystemTime};

/// What the store is called.
const STORE: &str = "the store of registrations";

/// Everything that the admin API can reach.
pub(crate) struct Switchboard {
    pub(crate) shards: Vec<Shard>,
    pub(crate) loader: Mutex<Loader>,
    pub(crate) draining: Arc<AtomicBool>,
    /// How many calls were ordered.
    pub(crate) placed: AtomicUsize,
    pub(crate) started: (Instant, SystemTime),
    pub(crate) listeners: Vec<String>,
    pub(crate) relay: Box<dyn Fn() -> Gauges + Send + Sync>,
    pub(crate) directory: Arc<Directory>,
    pub(crate) standings: Arc<Standings>,
    pub(crate) homes: Arc<Homes>,
    pub(crate) records_lost: Box<dyn Fn() -> u64 + Send + Sync>,
    /// How the store is doing, where there is one.
    pub(crate) store: Option<Arc<Condition>>,
    pub(crate) transports: Vec<Arc<sip::driver::counters::Counters>>,
    /// The TURN servers, where there are any.
    pub(crate) turn: Option<Turn>,
}

impl Switchboard {
    /// What does not do its part, though calls do without it.
    fn degraded(&self) -> Vec<ComponentReadiness> {
        let gone = self.turn.iter().filter(|turn| turn.is_over()).map(|_| ComponentReadiness {
            component: "the TURN server".to_owned(),
            reason: Some("it has stopped: allocations are lost, and nobody gets one".to_owned()),
        });
        gone.chain(self.degraded_store()).collect()
    }

    fn degraded_store(&self) -> Vec<ComponentReadiness> {
        let Some(store) = &self.store else { return Vec::new() };
        let damaged = store.aside().map(|aside| {
            format!(
                "it was damaged and has begun anew; the damaged file, until somebody removes it, is {}",
                aside.display()
            )
        });
        let failing = store.failing().map(|why| format!("rows cannot be kept, so nobody registers: {why}"));
        let reasons = failing.into_iter().chain(damaged);
        reasons.map(|why| ComponentReadiness { component: STORE.to_owned(), reason: Some(why) }).collect()
    }

    /// The shard that a call id names.
    fn home(&self, id: &CallId) -> Result<&Shard, ControlError> {
        let number = id.as_str().split_once('-').and_then(|(shard, _)| shard.parse::<u16>().ok());
        self.shards
            .iter()
            .find(|shard| Some(shard.number) == number)
            .ok_or_else(|| ControlError::CallNotFound(id.clone()))
    }

    /// The shard that is home to an address-of-record.
    fn home_of(&self, aor: &Aor) -> Option<&Shard> {
        let home = self.homes.of_user(&aor.uri()?)?;
        self.shards.iter().find(|shard| shard.number == u16::from(home.0))
    }

    /// A shard, for what every shard says the same of.
    fn any(&self) -> Result<&Shard, ControlError> {
        self.shards.first().ok_or_else(|| ControlError::Unavailable {
            component: "shards".to_owned(),
            why: Unavailability::Stopped,
            retry_after: None,
        })
    }

    /// The loader. A panic while it was held would have ended a request, not the process; its state is whole
    /// between any two steps.
    fn loader(&self) -> std::sync::MutexGuard<'_, Loader> {
        self.loader.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// The configuration in force.
    pub(crate) fn config(&self) -> Arc<Config> {
        self.loader().current().config().clone()
    }

    /// Reads the configuration again and, unless it is a dry run, hands it to the shards.
    pub(crate) fn reload_now(&self, mode: ReloadMode) -> Result<ReloadOutcome, ControlError> {
        let mut loader = self.loader.try_lock().map_err(|_| ControlError::ReloadUnderWay)?;
        let (outcome, adopted) = loader.reload(mode)?;
        if let Some((snapshot, sip)) = adopted {
            // Every shard and the TURN servers take it or nobody does: room for the order is had first.
            let turn = self.turn.as_ref().map(Turn::reserve).transpose()?;
            let places = self.shards.iter().map(|shard| Ok((shard, shard.reserve()?)));
            for (shard, place) in places.collect::<Result<Vec<_>, ControlError>>()? {
                place.send(Command::Adopt(snapshot.clone(), Box::new(sip.clone())));
                shard.waker.wake();
            }
            if let Some(room) = turn {
                room.adopt(&snapshot.turn);
            }
            loader.commit(snapshot);
        }
        Ok(outcome)
    }

    /// Gives every shard an order. One that cannot take it keeps it from no other, and one that has ended needs none,
    /// unless all have.
    ///
    /// # Errors
    /// What the first one said that should have taken it.
    pub(crate) fn order_all(&self, order: impl Fn() -> Command) -> Result<(), ControlError> {
        let (mut refused, mut ended) = (None, None);
        for shard in &self.shards {
            match shard.order(order()) {
                Ok(()) => ended = Some(None),
                Err(error @ ControlError::Unavailable { why: Unavailability::Stopped, .. }) => {
                    ended.get_or_insert(Some(error));
                }
                Err(error) => {
                    refused.get_or_insert(error);
                }
            }
        }
        refused.or(ended.flatten()).map_or(Ok(()), Err)
    }

    /// What every shard says, asked at the same time: waiting for one is waiting for all.
    async fn reports(&self) -> Vec<Result<Report, ControlError>> {
        let asked: Vec<_> = self.shards.iter().map(|shard| shard.begin(Command::Report)).collect();
        let deadline = tokio::time::Instant::now() + PATIENCE;
        let mut reports = Vec::with_capacity(asked.len());
        for (shard, asked) in self.shards.iter().zip(asked) {
            reports.push(match asked {
                Ok(answered) => shard.answer(answered, deadline).await,
                Err(error) => Err(error),
            });
        }
        reports
    }

    /// The reports, where every shard gives one.
    async fn all_reports(&self) -> Result<Vec<Report>, ControlError> {
        self.reports().await.into_iter().collect()
    }
}

impl Control for Switchboard {
    fn calls(&self, query: CallQuery) -> Answer<'_, CallPage> {
        Box::pin(async move {
            let CallQuery { after, limit, filter } = query;
            let command = |after, limit, answer| {
                Command::Calls(CallQuery { after, limit, filter: filter.clone() }, answer)
            };
            let (calls, next_cursor) = pages::page(&self.shards, after, limit, command).await?;
            Ok(CallPage { calls, next_cursor })
        })
    }

    fn call(&self, id: CallId) -> Answer<'_, CallDetail> {
        Box::pin(async move {
            let name: Box<str> = id.as_str().into();
            let found = self.home(&id)?.ask(|answer| Command::Call(name, answer)).await?;
            found.ok_or(ControlError::CallNotFound(id))
        })
    }

    fn place_call(&self, order: CallOrder) -> Answer<'_, CallDetail> {
        Box::pin(async move {
            // Calls that come in are spread over the shards as well.
            let turn = self.placed.fetch_add(1, Ordering::Relaxed);
            let shard = turn.checked_rem(self.shards.len()).and_then(|at| self.shards.get(at));
            let shard = shard.map_or_else(|| self.any(), Ok)?;
            shard.ask(|answer| Command::Place(Box::new(order), answer)).await?
        })
    }

    fn end_call(&self, id: CallId, reason: Option<ReasonText>) -> Answer<'_, ()> {
        Box::pin(async move {
            let name: Box<str> = id.as_str().into();
            let text = reason.map(|reason| reason.as_str().into());
            let found = self.home(&id)?.ask(|answer| Command::EndCall(name, text, answer)).await?;
            if found { Ok(()) } else { Err(ControlError::CallNotFound(id)) }
        })
    }

    fn targets(&self) -> Answer<'_, TargetList> {
        Box::pin(async move {
            let mut targets = Vec::new();
            for shard in &self.shards {
                targets.extend(shard.ask(Command::Targets).await?);
            }
            Ok(TargetList { targets })
        })
    }

    fn overload(&self) -> Answer<'_, Overload> {
        Box::pin(async move { self.any()?.ask(Command::Overload).await })
    }

    fn quarantine(&self) -> Answer<'_, Quarantine> {
        Box::pin(async move { self.any()?.ask(Command::Quarantine).await })
    }

    fn lift_quarantine(&self, source: String) -> Answer<'_, ()> {
        Box::pin(async move {
            let name: Box<str> = source.as_str().into();
            let found = self.any()?.ask(|answer| Command::LiftQuarantine(name, answer)).await?;
            if found { Ok(()) } else { Err(ControlError::SourceNotFound(source)) }
        })
    }

    fn trunks(&self) -> Answer<'_, TrunkList> {
        Box::pin(async move {
            Ok(TrunkList { trunks: registrant::view::trunks(&self.config(), &self.standings) })
        })
    }

    fn trunk_targets(&self, trunk: String) -> Answer<'_, TrunkTargets> {
        Box::pin(async move {
            let known = self.config().trunks.keys().find(|name| name.as_str() == trunk).cloned();
            let Some(name) = known else { return Err(ControlError::TrunkNotFound(trunk)) };
            let mut targets = Vec::new();
            for shard in &self.shards {
                let name = name.clone();
                targets.extend(shard.ask(|answer| Command::TrunkTargets(name, answer)).await?);
            }
            Ok(TrunkTargets { trunk, targets })
        })
    }

    fn registrations(&self, query: RegistrationQuery) -> Answer<'_, RegistrationPage> {
        Box::pin(async move { Ok(view::page(&self.directory, &query)) })
    }

    fn registration(&self, address: String) -> Answer<'_, Registration> {
        Box::pin(async move {
            let found = view::one(&self.directory, &Aor::from_kept(&address));
            found.ok_or(ControlError::RegistrationNotFound(address))
        })
    }

    fn subscriptions(&self, address: String) -> Answer<'_, SubscriptionList> {
        Box::pin(async move {
            let aor = Aor::from_kept(&address);
            let shard = self.home_of(&aor).ok_or(ControlError::RegistrationNotFound(address))?;
            let subscriptions = shard.ask(|answer| Command::Subscriptions(aor, answer)).await?;
            Ok(SubscriptionList { subscriptions })
        })
    }

    fn carried_subscriptions(&self, query: CarriedQuery) -> Answer<'_, CarriedSubscriptionPage> {
        Box::pin(async move {
            let CarriedQuery { after, limit } = query;
            let command =
                |after, limit, answer| Command::CarriedSubscriptions(CarriedQuery { after, limit }, answer);
            let (subscriptions, next_cursor) = pages::page(&self.shards, after, limit, command).await?;
            Ok(CarriedSubscriptionPage { subscriptions, next_cursor })
        })
    }

    fn end_registration(&self, address: String) -> Answer<'_, ()> {
        Box::pin(async move {
            let aor = Aor::from_kept(&address);
            let Some(shard) = self.home_of(&aor) else {
                return Err(ControlError::RegistrationNotFound(address));
            };
            match shard.ask(|answer| Command::EndRegistration(aor, answer)).await? {
                Ended::Done => Ok(()),
                Ended::Nothing => Err(ControlError::RegistrationNotFound(address)),
                Ended::Busy => Err(shard.unavailable(Unavailability::Overloaded)),
                Ended::NotKept => Err(ControlError::Unavailable {
                    component: STORE.into(),
                    why: Unavailability::Failing,
                    retry_after: None,
                }),
            }
        })
    }

    fn turn_allocations(&self, query: TurnQuery) -> Answer<'_, TurnAllocationPage> {
        Box::pin(async move {
            let views = match &self.turn {
                Some(turn) => turn.allocations().await?,
                None => Vec::new(),
            };
            Ok(turn::page(&self.config(), views, &query))
        })
    }

    #[expect(clippy::disallowed_methods, reason = "credentials end so long after they are asked for")]
    fn turn_credentials(&self, order: TurnCredentialsOrder) -> Answer<'_, TurnCredentials> {
        Box::pin(async move {
            let snapshot = self.loader().current().clone();
            turn::credentials(&snapshot, &order, SystemTime::now())
        })
    }

    fn configuration(&self) -> Answer<'_, ConfigurationInForce> {
        Box::pin(async move { Ok(self.loader().in_force()) })
    }

    fn reload(&self, mode: ReloadMode) -> Answer<'_, ReloadOutcome> {
        Box::pin(async move { self.reload_now(mode) })
    }

    #[expect(clippy::disallowed_methods, reason = "uptime is the process's own, no core is asked")]
    fn health(&self) -> Answer<'_, Health> {
        Box::pin(async move {
            self.all_reports().await?;
            Ok(Health {
                version: env!("CARGO_PKG_VERSION").to_owned(),
                started_at: Timestamp::from(self.started.1),
                uptime_seconds: Seconds(self.started.0.elapsed()),
            })
        })
    }

    fn readiness(&self) -> Answer<'_, Readiness> {
        Box::pin(async move {
            let draining = self.draining.load(Ordering::Relaxed);
            let mut components: Vec<_> = self
                .listeners
                .iter()
                .map(|name| ComponentReadiness { component: format!("listener {name}"), reason: None })
                .collect();
            for (shard, report) in self.shards.iter().zip(self.reports().await) {
                let reason = report.err().map(|error| error.to_string());
                components.push(ComponentReadiness { component: format!("shard {}", shard.number), reason });
            }
            let phase = if draining { Phase::Draining } else { Phase::Serving };
            Ok(Readiness { phase, components, degraded: self.degraded() })
        })
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "how long certificates are good for is told at the time of asking"
    )]
    fn metrics(&self) -> Answer<'_, Vec<MetricFamily>> {
        Box::pin(async move {
            let reports = self.all_reports().await?;
            let snapshot = self.loader().current().clone();
            let (relay, lost) = ((self.relay)(), (self.records_lost)());
            let certificates = (&*snapshot.certificates, SystemTime::now());
            Ok(metrics::families(
                &reports,
                &self.transports,
                &relay,
                (lost, self.turn.as_ref().map(|turn| &*turn.counts).unwrap_or_default()),
                self.store.as_deref(),
                certificates,
            ))
        })
    }
}
