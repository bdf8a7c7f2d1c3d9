//! The registrar without user agents: rows, and who waits for whom.

mod contacts;
mod desk;
mod rows;

use super::FlowRow;
use sip::registration::server::{Binding, BindingId};
use sip::time::{Mono, Now, Wall};
use sip::{Flow, ListenerId};
use std::time::Duration;

fn at(seconds: u64) -> Now {
    Now { mono: Mono::from_epoch(Duration::from_secs(seconds)), wall: Wall((1_000_000 + seconds) * 1000) }
}

fn flow_row(flow: &Flow) -> Option<FlowRow> {
    let local = "192.0.2.1:5060".parse().unwrap();
    Some(FlowRow { network: "access".into(), transport: "udp".into(), local, peer: flow.peer })
}

fn flow() -> Flow {
    Flow { listener: ListenerId(3), peer: "198.51.100.7:5062".parse().unwrap(), connection: None }
}

fn binding() -> Binding {
    Binding {
        id: BindingId(u64::MAX),
        uri: "sip:bob@198.51.100.7:5062;ob".parse().unwrap(),
        params: ";+sip.instance=\"<urn:i:1>\";reg-id=1".into(),
        q: 700,
        instance: Some("urn:i:1".into()),
        reg_id: Some(1),
        path: Box::new(["<sip:edge.example;lr>".into()]),
        call_id: "c1".into(),
        cseq: 9,
        flow: flow(),
        behind_nat: true,
        user_agent: Some("phone π".into()),
        since: at(10).wall,
        refreshed: at(20).wall,
        expires: at(3620).wall,
        ends: at(3620).mono,
    }
}
