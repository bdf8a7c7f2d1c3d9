//! An address-of-record as it is kept: one JSON object with a version.

use serde::{Deserialize, Serialize};
use sip::Flow;
use sip::registration::server::{Binding, BindingId, Instance, InstanceNo};
use sip::time::{Now, Wall};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// The version of what is written; rows of another one are left alone.
const VERSION: u8 = 1;

#[derive(Serialize, Deserialize)]
struct RecordRow {
    v: u8,
    bindings: Vec<BindingRow>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    instances: Vec<InstanceRow>,
}

#[derive(Serialize, Deserialize)]
struct BindingRow {
    id: u64,
    uri: Box<str>,
    #[serde(default, skip_serializing_if = "str::is_empty")]
    params: Box<str>,
    q: u16,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    instance: Option<Box<str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reg_id: Option<u32>,
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    path: Box<[Box<str>]>,
    call_id: Box<str>,
    cseq: u32,
    flow: FlowRow,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    behind_nat: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    user_agent: Option<Box<str>>,
    since: u64,
    refreshed: u64,
    expires: u64,
}

#[derive(Serialize, Deserialize)]
struct InstanceRow {
    urn: Box<str>,
    no: u64,
    first_cseq: u32,
}

/// A flow in words that mean the same after a restart. A connection is gone by then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FlowRow {
    /// The name of the network.
    pub(crate) network: Box<str>,
    /// The transport, as a URI names it.
    pub(crate) transport: Box<str>,
    /// The address of the listener.
    pub(crate) local: SocketAddr,
    /// The address of the peer.
    pub(crate) peer: SocketAddr,
}

/// The value of a row.
pub(crate) fn write(
    bindings: &[Arc<Binding>],
    instances: &[Instance],
    flow: impl Fn(&Flow) -> Option<FlowRow>,
) -> Option<Box<[u8]>> {
    let bindings = bindings.iter().map(|b| {
        Some(BindingRow {
            id: b.id.0,
            uri: b.uri.as_str().into(),
            params: b.params.clone(),
            q: b.q,
            instance: b.instance.clone(),
            reg_id: b.reg_id,
            path: b.path.clone(),
            call_id: b.call_id.clone(),
            cseq: b.cseq,
            flow: flow(&b.flow)?,
            behind_nat: b.behind_nat,
            user_agent: b.user_agent.clone(),
            since: b.since.0,
            refreshed: b.refreshed.0,
            expires: b.expires.0,
        })
    });
    let instances =
        instances.iter().map(|i| InstanceRow { urn: i.urn.clone(), no: i.no.0, first_cseq: i.first_cseq });
    let row =
        RecordRow { v: VERSION, bindings: bindings.collect::<Option<_>>()?, instances: instances.collect() };
    serde_json::to_vec(&row).ok().map(Vec::into_boxed_slice)
}

/// What a row holds. Bindings whose flow has no place any more are left out, and so is a row that cannot be read.
pub(crate) fn read(
    now: Now,
    value: &[u8],
    flow: impl Fn(&FlowRow) -> Option<Flow>,
) -> Option<(Vec<Binding>, Vec<Instance>)> {
    let row: RecordRow = serde_json::from_slice(value).ok().filter(|row: &RecordRow| row.v == VERSION)?;
    let bindings = row.bindings.into_iter().filter_map(|b| {
        let expires = Wall(b.expires);
        Some(Binding {
            id: BindingId(b.id),
            uri: b.uri.parse().ok()?,
            params: b.params,
            q: b.q,
            instance: b.instance,
            reg_id: b.reg_id,
            path: b.path,
            call_id: b.call_id,
            cseq: b.cseq,
            flow: flow(&b.flow)?,
            behind_nat: b.behind_nat,
            user_agent: b.user_agent,
            since: Wall(b.since),
            refreshed: Wall(b.refreshed),
            expires,
            ends: now.mono + Duration::from_millis(expires.0.saturating_sub(now.wall.0)),
        })
    });
    let instances = row.instances.into_iter();
    let instances =
        instances.map(|i| Instance { urn: i.urn, no: InstanceNo(i.no), first_cseq: i.first_cseq });
    Some((bindings.collect(), instances.collect()))
}
