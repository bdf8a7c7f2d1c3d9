//! Any sequence of REGISTERs, ends and queries leaves the registrar consistent.

use super::*;
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Step {
    Register {
        aor: u8,
        call_id: u8,
        cseq: u8,
        contact: u8,
        expires: Option<u16>,
        instance: Option<u8>,
        flow: bool,
    },
    RemoveAll {
        aor: u8,
        call_id: u8,
        cseq: u8,
    },
    Wait(u16),
    End {
        aor: u8,
    },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0u8..3, 0u8..3, 0u8..20, 0u8..4, proptest::option::of(0u16..4000), proptest::option::of(0u8..2), any::<bool>())
            .prop_map(|(aor, call_id, cseq, contact, expires, instance, flow)| Step::Register {
                aor, call_id, cseq, contact, expires, instance, flow
            }),
        1 => (0u8..3, 0u8..3, 0u8..20).prop_map(|(aor, call_id, cseq)| Step::RemoveAll { aor, call_id, cseq }),
        2 => (0u16..3000).prop_map(Step::Wait),
        1 => (0u8..3).prop_map(|aor| Step::End { aor }),
    ]
}

fn consistent(desk: &Desk) {
    let records = desk.registrar.directory().all();
    let all: Vec<_> = records.iter().map(|r| (&r.aor, &r.bindings)).collect();
    assert_eq!(all.iter().map(|(_, b)| b.len()).sum::<usize>(), desk.registrar.bindings());
    assert_eq!(all.len(), desk.registrar.len());
    for (aor, bindings) in &all {
        assert!(!bindings.is_empty());
        assert!(!aor.as_str().is_empty());
        for (n, one) in bindings.iter().enumerate() {
            for other in &bindings[n + 1..] {
                assert_ne!(one.id, other.id);
                let same_flow =
                    one.reg_id.is_some() && one.reg_id == other.reg_id && one.instance == other.instance;
                assert!(!same_flow, "a flow is bound twice");
            }
        }
    }
    let first = all.iter().flat_map(|(_, b)| b.iter().map(|b| b.ends)).min();
    assert_eq!(desk.registrar.poll_timeout(), first);
}

proptest! {
    #[test]
    fn nothing_is_lost_or_doubled(steps in proptest::collection::vec(step(), 0..60)) {
        let mut desk = Desk::new();
        for step in steps {
            match step {
                Step::Register { aor, call_id, cseq, contact, expires, instance, flow } => {
                    let mut lines = format!("Contact: <sip:c{contact}@h.example>");
                    if let Some(expires) = expires { lines += &format!(";expires={expires}"); }
                    if let Some(instance) = instance { lines += &format!(";+sip.instance=\"<urn:i:{instance}>\""); }
                    if flow { lines += ";reg-id=1\nSupported: outbound, gruu"; }
                    let before = desk.registrar.bindings();
                    let to = format!("sip:u{aor}@biloxi.example");
                    if desk.register_for(&to, &call_id.to_string(), cseq.into(), &lines).is_err() {
                        prop_assert_eq!(before, desk.registrar.bindings());
                    }
                }
                Step::RemoveAll { aor, call_id, cseq } => {
                    let to = format!("sip:u{aor}@biloxi.example");
                    let _ = desk.register_for(&to, &call_id.to_string(), cseq.into(), "Contact: *\nExpires: 0");
                }
                Step::Wait(seconds) => {
                    desk.seconds += u64::from(seconds);
                    while desk.registrar.handle_timeout(desk.now()).is_some() {}
                }
                Step::End { aor } => {
                    let aor = Aor::from_kept(&format!("u{aor}@biloxi.example"));
                    desk.registrar.end(&aor, ContactEvent::Deactivated, |b| b.instance.is_some());
                }
            }
            consistent(&desk);
        }
        desk.seconds += 10_000;
        while desk.registrar.handle_timeout(desk.now()).is_some() {}
        prop_assert!(desk.registrar.is_empty());
        prop_assert_eq!(desk.registrar.poll_timeout(), None);
    }
}
