//! The one timer of a driver.

use super::clock::Clock;
use super::ready::{Kind, ReadyList, Source};
use crate::time::Mono;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;
use tokio::time::Sleep;

/// Wakes the driver for its earliest deadline.
pub(crate) struct Alarm {
    sleep: Option<Pin<Box<Sleep>>>,
    /// When it will go off; `None` while it is not set.
    at: Option<Mono>,
    slack: Duration,
    clock: Clock,
    waker: Waker,
}

impl Alarm {
    pub(crate) fn new(clock: Clock, slack: Duration, list: &Arc<ReadyList>) -> Self {
        Self { sleep: None, at: None, slack, clock, waker: Source::new(Kind::Alarm, list).into() }
    }

    /// It went off.
    pub(crate) fn gone_off(&mut self) {
        let elapsed = self.sleep.as_ref().is_some_and(|sleep| sleep.is_elapsed());
        self.at = self.at.filter(|_| !elapsed);
    }

    /// Sets it for the earliest deadline. One that is set for less is left so, and finds nothing to do: moving it
    /// with every message would cost more.
    pub(crate) fn set(&mut self, deadline: Option<Mono>) {
        let Some(at) = deadline.map(|deadline| deadline + self.slack) else { return };
        if self.at.is_some_and(|set| set <= at) {
            return;
        }
        self.at = Some(at);
        let instant = self.clock.instant(at);
        let sleep = match &mut self.sleep {
            Some(sleep) => {
                sleep.as_mut().reset(instant);
                sleep
            }
            none => none.insert(Box::pin(tokio::time::sleep_until(instant))),
        };
        if sleep.as_mut().poll(&mut Context::from_waker(&self.waker)).is_ready() {
            self.at = None;
            self.waker.wake_by_ref();
        }
    }
}
