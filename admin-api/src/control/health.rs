//! Read models of health and readiness.

use serde::Serialize;
use utoipa::ToSchema;

use super::values::{Seconds, Timestamp};

/// The process is alive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Health {
    /// The version of the program.
    #[schema(examples("0.1.0"))]
    pub version: String,
    /// When the process started.
    pub started_at: Timestamp,
    /// Time since then, by a clock that nobody sets.
    pub uptime_seconds: Seconds,
}

/// Whether new calls should be sent here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Readiness {
    /// The phase of the process's life.
    pub phase: Phase,
    /// Everything that must work before a call can succeed.
    pub components: Vec<ComponentReadiness>,
    /// What does not do its part though calls succeed without it, such as a store on a full disk: somebody has to look, and
    /// the response stays 200.
    pub degraded: Vec<ComponentReadiness>,
}

impl Readiness {
    /// True when the process serves and every component is ready.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.phase == Phase::Serving && self.components.iter().all(|component| component.reason.is_none())
    }
}

/// A phase of the process's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Not all listeners are open yet.
    Starting,
    /// New calls are taken.
    Serving,
    /// New calls are refused with 503; running ones go on until they end or the drain time has passed.
    Draining,
}

/// Whether one component can do its part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ComponentReadiness {
    /// The component, as an operator knows it.
    #[schema(examples("listener udp 192.0.2.1:5060"))]
    pub component: String,
    /// Why it is not ready; null when it is.
    pub reason: Option<String>,
}
