//! The registration itself.

use super::answer::{Answer, Extras, Fault};
use super::backoff::Backoff;
use crate::ids::{Ids, below};
use crate::time::{Mono, Now};
use sip_types::Uri;
use std::time::Duration;

/// REGISTERs that follow one another without a wait, each mending what the one before was refused for.
const MENDINGS: u8 = 4;
/// A refresh is sent while the binding still has that long, or half of a brief one: more than the time that a request without an
/// answer takes (64*T1), so that its outcome is known before the binding and our GRUUs end (RFC 5627 §4.2).
const SPARE: Duration = Duration::from_secs(35);

/// The longest that a registrar may have us wait: what was meant for longer is asked for again.
const LONGEST: Duration = Duration::from_hours(24);

/// What a registration is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The lifetime to ask for.
    pub expires: Duration,
    /// How long to wait after a refusal that asking again does not mend.
    pub refused: Duration,
    /// How long to wait after other failures.
    pub backoff: Backoff,
}

/// A REGISTER to send now.
#[derive(Clone, Debug, PartialEq)]
pub struct Send {
    /// The lifetime to ask for, in seconds; 0 removes the binding.
    pub expires: u32,
    /// Where to send it instead of to the registrar, after a redirection.
    pub target: Option<Uri>,
    /// Option tags to leave out, in lower case.
    pub without: Vec<Box<str>>,
}

/// What a registration waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Nothing: it was not started, or is over.
    Idle,
    /// The outcome of a REGISTER.
    Sending,
    /// The outcome of the REGISTER that ends it.
    Removing,
    /// The time to refresh.
    Refresh(Mono),
    /// The time to try again, after this fault.
    Retry(Mono, Fault),
}

/// What a registrar granted.
#[derive(Clone, Debug)]
struct Bound {
    until: Mono,
    extras: Extras,
}

/// One registration of ours.
#[derive(Clone, Debug)]
pub struct Registration {
    settings: Settings,
    stage: Stage,
    /// The lifetime asked for; more than set after a 423.
    asking: Duration,
    bound: Option<Bound>,
    /// Attempts that failed in a row.
    failures: u32,
    mendings: u8,
    target: Option<Uri>,
    /// Where redirections have led since the last attempt began: nowhere twice (RFC 3261 §8.1.3.4).
    tried: Vec<Uri>,
    without: Vec<Box<str>>,
    stopping: bool,
}

impl Registration {
    /// One that was not started.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            stage: Stage::Idle,
            asking: settings.expires,
            bound: None,
            failures: 0,
            mendings: 0,
            target: None,
            tried: Vec::new(),
            without: Vec::new(),
            stopping: false,
        }
    }

    /// Takes other settings; the next REGISTER goes by them.
    pub fn adopt(&mut self, settings: Settings) {
        if settings.expires != self.settings.expires {
            self.asking = settings.expires;
        }
        self.settings = settings;
    }

    /// What it waits for.
    #[must_use]
    pub fn stage(&self) -> Stage {
        self.stage
    }

    /// Failed attempts since the last success.
    #[must_use]
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// What the registrar has granted, and until when; `None` if nothing stands.
    #[must_use]
    pub fn bound(&self, now: Now) -> Option<(Mono, &Extras)> {
        self.bound.as_ref().filter(|b| b.until > now.mono).map(|b| (b.until, &b.extras))
    }

    /// Begins, or begins anew without waiting (an operator asks, a network is back).
    pub fn start(&mut self) -> Option<Send> {
        if matches!(self.stage, Stage::Sending | Stage::Removing) {
            return None;
        }
        self.stopping = false;
        self.mendings = 0;
        self.without.clear();
        Some(self.send())
    }

    /// Ends: what is bound is removed. Nothing is sent if nothing is bound, or while a REGISTER is under way, whose
    /// outcome is then followed by the removal.
    pub fn stop(&mut self, now: Now) -> Option<Send> {
        self.stopping = true;
        match self.stage {
            Stage::Sending | Stage::Removing => None,
            Stage::Idle | Stage::Refresh(_) | Stage::Retry(..) => self.remove(now),
        }
    }

    /// Waits no longer: nothing is sent until it is started again. What is bound stands until it ends.
    pub fn rest(&mut self) {
        if let Stage::Refresh(_) | Stage::Retry(..) = self.stage {
            self.stage = Stage::Idle;
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) wants to be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Mono> {
        match self.stage {
            Stage::Refresh(at) | Stage::Retry(at, _) => Some(at),
            Stage::Idle | Stage::Sending | Stage::Removing => None,
        }
    }

    /// A wait may be over.
    pub fn handle_timeout(&mut self, now: Now) -> Option<Send> {
        self.poll_timeout().filter(|at| *at <= now.mono)?;
        self.mendings = 0;
        Some(self.send())
    }

    /// The flow that it stands on is gone. One that had proved itself is replaced at once; after another the wait is
    /// that of a failure (RFC 5626 §4.5).
    pub fn flow_failed(
        &mut self,
        now: Now,
        proven: bool,
        others_left: bool,
        ids: &mut dyn Ids,
    ) -> Option<Send> {
        match self.stage {
            // The outcome of the REGISTER under way says more.
            Stage::Idle | Stage::Sending | Stage::Removing | Stage::Retry(..) => None,
            Stage::Refresh(_) if proven => self.handle_again(),
            Stage::Refresh(_) => {
                self.wait_after(now, Fault::Unreachable, None, others_left, ids);
                None
            }
        }
    }

    fn handle_again(&mut self) -> Option<Send> {
        self.mendings = 0;
        Some(self.send())
    }

    /// The outcome of the REGISTER. `others_left`: another flow of the same address-of-record is registered.
    pub fn handle_outcome(
        &mut self,
        now: Now,
        answer: Answer,
        others_left: bool,
        ids: &mut dyn Ids,
    ) -> Option<Send> {
        match self.stage {
            Stage::Sending => {}
            Stage::Removing => {
                (self.stage, self.bound) = (Stage::Idle, None);
                return None;
            }
            Stage::Idle | Stage::Refresh(_) | Stage::Retry(..) => return None,
        }
        self.stage = Stage::Idle;
        if self.stopping {
            if let Answer::Bound(lifetime, extras) = answer {
                self.bound = Some(Bound { until: now.mono + lifetime, extras: *extras });
            }
            return self.remove(now);
        }
        match answer {
            Answer::Bound(lifetime, extras) => self.granted(now, lifetime, *extras, ids),
            Answer::TooBrief(least) if least > self.asking && self.may_mend() => {
                self.asking = least;
                return Some(self.send());
            }
            Answer::Without(_, tags) if self.has_new(&tags) && self.may_mend() => {
                self.without.extend(tags);
                return Some(self.send());
            }
            Answer::Elsewhere(_, target) if !self.tried.contains(&target) && self.may_mend() => {
                self.tried.push(target.clone());
                self.target = Some(target);
                return Some(self.send());
            }
            Answer::FlowGone { proven: true, .. } if self.may_mend() => return Some(self.send()),
            Answer::FlowGone { fault, .. } => self.wait_after(now, fault, None, others_left, ids),
            Answer::TooBrief(_) => self.refused(now, Fault::Status(423)),
            Answer::Without(status, _) => self.refused(now, Fault::Status(status)),
            Answer::Elsewhere(status, _) => {
                self.wait_after(now, Fault::Status(status), None, others_left, ids);
            }
            Answer::FlowFailed => self.wait_after(now, Fault::Status(430), None, others_left, ids),
            Answer::NotBound => self.wait_after(now, Fault::NotBound, None, others_left, ids),
            Answer::Later(fault, least) => self.wait_after(now, fault, least, others_left, ids),
            Answer::Refused(fault) => self.refused(now, fault),
        }
        None
    }

    fn send(&mut self) -> Send {
        self.stage = Stage::Sending;
        let expires = u32::try_from(self.asking.as_secs()).unwrap_or(u32::MAX).max(1);
        Send { expires, target: self.target.clone(), without: self.without.clone() }
    }

    fn remove(&mut self, now: Now) -> Option<Send> {
        if self.bound(now).is_none() {
            (self.stage, self.bound) = (Stage::Idle, None);
            return None;
        }
        self.stage = Stage::Removing;
        Some(Send { expires: 0, target: self.target.clone(), without: self.without.clone() })
    }

    /// Refreshes come between three quarters and nine tenths of the lifetime, so that those that began together do
    /// not stay together; of a brief one sooner.
    fn granted(&mut self, now: Now, lifetime: Duration, extras: Extras, ids: &mut dyn Ids) {
        // A registrar may shorten what was asked for (RFC 3261 §10.3 step 7), and has no say beyond it.
        let lifetime = lifetime.min(self.asking);
        self.failures = 0;
        self.tried.clear();
        let latest = lifetime.saturating_sub(SPARE).max(lifetime / 2);
        let share = 0.75 + 0.00015 * f32::from(u16::try_from(below(ids, 1000)).unwrap_or(0));
        self.stage = Stage::Refresh(now.mono + lifetime.mul_f32(share).min(latest));
        self.bound = Some(Bound { until: now.mono + lifetime, extras });
    }

    fn refused(&mut self, now: Now, fault: Fault) {
        self.failures = self.failures.saturating_add(1);
        self.forget_mendings();
        self.stage = Stage::Retry(now.mono + self.settings.refused, fault);
    }

    fn wait_after(
        &mut self,
        now: Now,
        fault: Fault,
        least: Option<Duration>,
        others_left: bool,
        ids: &mut dyn Ids,
    ) {
        self.failures = self.failures.saturating_add(1);
        self.forget_mendings();
        let wait = self.settings.backoff.wait(self.failures, others_left, ids);
        self.stage = Stage::Retry(now.mono + wait.max(least.unwrap_or_default().min(LONGEST)), fault);
    }

    /// The next attempt begins as the first did: a redirection or a missing extension may be gone by then.
    fn forget_mendings(&mut self) {
        self.target = None;
        self.tried.clear();
        self.without.clear();
        self.asking = self.settings.expires;
    }

    fn may_mend(&mut self) -> bool {
        self.mendings += 1;
        self.mendings <= MENDINGS
    }

    fn has_new(&self, tags: &[Box<str>]) -> bool {
        tags.iter().any(|tag| !self.without.contains(tag))
    }
}
