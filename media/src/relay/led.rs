//! A remote whose ICE session is led by the desk: it makes the checks, and says where media goes.

use std::net::SocketAddr;
use std::sync::Arc;

use super::context::{Component, Context};
use crate::ice::desk::Selected;
use crate::ice::full::{Progress, Terms};

impl Context {
    /// What was agreed, where we are a full agent.
    pub(super) fn full_terms(&self) -> Option<&Arc<Terms>> {
        self.ice_settings().and_then(|ice| ice.full.as_ref())
    }

    /// The peer has been found there.
    pub(super) fn found(&mut self, component: Component, source: SocketAddr, now_millis: u64) {
        if let Some(session) = self.session_mut() {
            session.found(component, source, now_millis);
        }
        self.show_ice();
    }

    /// Media goes there.
    pub(super) fn selected(&mut self, component: Component, selected: Selected, now_millis: u64) {
        if let Some(session) = self.session_mut() {
            session.lead(component, selected.remote, now_millis);
        }
        self.show_ice();
        self.counters.ice_kinds(component, selected.local_kind, selected.remote_kind);
    }

    /// The peer does not consent any more.
    pub(super) fn lost(&mut self, component: Component) {
        if let Some(session) = self.session_mut() {
            session.lose(component);
        }
        self.show_ice();
    }

    /// How far the session has come.
    pub(super) fn progressed(&mut self, progress: Progress) {
        self.counters.ice_progress(progress);
    }
}
