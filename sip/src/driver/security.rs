//! Whom connections are taken from and made to.

use super::tls;
use super::websocket::Rules;
use crate::flow::ListenerId;
use ipnet::IpNet;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What decides who a connection may lead to. A handshake uses what is in force when it begins; connections that are
/// open stay as they are.
#[derive(Clone, Debug, Default)]
pub struct Security {
    /// Certificates, and whose are believed.
    pub tls: tls::Configuration,
    /// Who may open a WebSocket, by listener; the default rules where there is no entry.
    pub websockets: BTreeMap<ListenerId, Arc<Rules>>,
    /// Where peers are that are known, whom a part of the connections is kept for.
    pub peers: Arc<[IpNet]>,
}

impl Security {
    pub(crate) fn websocket(&self, listener: ListenerId) -> Arc<Rules> {
        self.websockets.get(&listener).cloned().unwrap_or_default()
    }
}
