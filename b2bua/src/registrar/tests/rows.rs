use super::*;
use crate::registrar::{read, write};
use sip::registration::server::{Instance, InstanceNo};
use std::sync::Arc;

#[test]
fn what_is_written_is_read_again_on_the_clock_of_another_process() {
    let instances = [Instance { urn: "urn:i:1".into(), no: InstanceNo(77), first_cseq: 8 }];
    let row = write(&[Arc::new(binding())], &instances, flow_row).unwrap();
    // The process starts again a hundred seconds later; its clock begins at 0.
    let now = Now { mono: Mono::default(), wall: at(120).wall };
    let back = |row: &FlowRow| {
        assert_eq!((&*row.network, &*row.transport), ("access", "udp"));
        Some(Flow { listener: ListenerId(0), peer: row.peer, connection: None })
    };
    let (bindings, read_instances) = read(now, &row, back).unwrap();
    assert_eq!(read_instances, instances);
    let (was, is) = (binding(), &bindings[0]);
    assert_eq!(is.ends, Mono::from_epoch(Duration::from_secs(3500)));
    assert_eq!(is.flow, Flow { listener: ListenerId(0), ..was.flow });
    let rest = |b: &Binding| Binding { ends: Mono::default(), flow: flow(), ..b.clone() };
    assert_eq!(format!("{:?}", rest(is)), format!("{:?}", rest(&was)));
}

#[test]
fn a_flow_without_a_place_takes_its_binding_along() {
    let row = write(&[Arc::new(binding())], &[], flow_row).unwrap();
    let (bindings, _) = read(at(0), &row, |_| None).unwrap();
    assert!(bindings.is_empty());
}

#[test]
fn rows_that_mean_something_else_are_left_alone() {
    for row in ["", "{}", "not json", "{\"v\":2,\"bindings\":[]}", "{\"v\":1,\"bindings\":[{}]}"] {
        assert!(read(at(0), row.as_bytes(), |_| None).is_none(), "{row}");
    }
}
