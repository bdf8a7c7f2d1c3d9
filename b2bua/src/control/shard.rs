//! The way to one shard.

use crate::shard::Command;
use admin_api::control::{ControlError, Unavailability};
use sip::driver::Waker;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// How long a shard may take to answer.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);

/// The way to one shard.
#[derive(Clone)]
pub(crate) struct Shard {
    pub(crate) number: u16,
    pub(crate) commands: mpsc::Sender<Command>,
    pub(crate) waker: Waker,
}

impl Shard {
    pub(super) fn unavailable(&self, why: Unavailability) -> ControlError {
        let retry_after = (why != Unavailability::Stopped).then_some(PATIENCE);
        ControlError::Unavailable { component: format!("shard {}", self.number), why, retry_after }
    }

    /// Room for an order that is to follow.
    pub(super) fn reserve(&self) -> Result<mpsc::Permit<'_, Command>, ControlError> {
        self.commands.try_reserve().map_err(|error| match error {
            mpsc::error::TrySendError::Full(()) => self.unavailable(Unavailability::Overloaded),
            mpsc::error::TrySendError::Closed(()) => self.unavailable(Unavailability::Stopped),
        })
    }

    /// Gives an order.
    pub(crate) fn order(&self, command: Command) -> Result<(), ControlError> {
        self.reserve()?.send(command);
        self.waker.wake();
        Ok(())
    }

    /// Asks, and waits for the answer.
    pub(super) async fn ask<T>(
        &self,
        command: impl FnOnce(oneshot::Sender<T>) -> Command,
    ) -> Result<T, ControlError> {
        let answered = self.begin(command)?;
        self.answer(answered, tokio::time::Instant::now() + PATIENCE).await
    }

    /// Asks.
    pub(super) fn begin<T>(
        &self,
        command: impl FnOnce(oneshot::Sender<T>) -> Command,
    ) -> Result<oneshot::Receiver<T>, ControlError> {
        let (answer, answered) = oneshot::channel();
        self.order(command(answer))?;
        Ok(answered)
    }

    /// Waits for the answer.
    pub(super) async fn answer<T>(
        &self,
        mut answered: oneshot::Receiver<T>,
        deadline: tokio::time::Instant,
    ) -> Result<T, ControlError> {
        match tokio::time::timeout_at(deadline, &mut answered).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(_)) => Err(self.unavailable(Unavailability::Stopped)),
            Err(_) => {
                // What is sent from now on fails, which the shard sees; what was sent in this moment counts.
                answered.close();
                answered.try_recv().map_err(|_| self.unavailable(Unavailability::TimedOut))
            }
        }
    }
}
