use super::*;
use crate::flow::{Flow, ListenerId};
use crate::ids::tests::Seeded;
use crate::registration::server::{BindingId, InstanceNo};
use crate::time::{Mono, Wall};

fn binding() -> Binding {
    Binding {
        id: BindingId(0x4c),
        uri: "sip:bob@192.0.2.4;x=%22".parse().unwrap(),
        params: ";q=0.8;audio;+sip.instance=\"<urn:i:1>\"".into(),
        q: 800,
        instance: Some("urn:i:1".into()),
        reg_id: None,
        path: Box::default(),
        call_id: "1j9&\u{1}x".into(),
        cseq: 54321,
        flow: Flow { listener: ListenerId(0), peer: "192.0.2.4:5060".parse().unwrap(), connection: None },
        behind_nat: false,
        user_agent: None,
        since: Wall(1_000_000),
        refreshed: Wall(2_000_000),
        expires: Wall(5_000_000),
        ends: Mono::default(),
    }
}

fn show(scope: Scope, contacts: &[(Arc<Binding>, ContactEvent)], bound: bool, names: Names<'_>) -> String {
    let aor = Aor::from_kept("b<ob@biloxi.example");
    let instances = [Instance { urn: "urn:i:1".into(), no: InstanceNo(7), first_cseq: 54301 }];
    let registration = Registration { aor: &aor, id: "r1", contacts, instances: &instances, bound };
    let now = Now { wall: Wall(2_500_000), ..Now::default() };
    document(now, 3, scope, &[registration], names, &mut Seeded(1))
}

#[test]
fn rfc3680_5_contacts_are_shown_with_what_happened_to_them() {
    let gone = Arc::new(Binding { id: BindingId(1), params: Box::default(), instance: None, ..binding() });
    let contacts = [(Arc::new(binding()), ContactEvent::Refreshed), (gone, ContactEvent::Unregistered)];
    insta::assert_snapshot!(show(Scope::Full, &contacts, true, Names::Nothing));
}

#[test]
fn rfc5628_gruus_are_shown_to_those_who_may_see_them() {
    let keys = GruuKeys::new(&[1; 16], &[2; 32]);
    let contacts = [(Arc::new(binding()), ContactEvent::Registered)];
    insta::assert_snapshot!(show(Scope::Partial, &contacts, true, Names::All(&keys)));
    let public = show(Scope::Partial, &contacts, true, Names::Public(&keys));
    assert!(public.contains("<gr:pub-gruu ") && !public.contains("temp-gruu"), "{public}");
}

#[test]
fn rfc3680_4_2_the_state_of_a_registration_follows_its_contacts() {
    let state = |contacts: &[(Arc<Binding>, ContactEvent)], bound| {
        let text = show(Scope::Full, contacts, bound, Names::Nothing);
        text.split("<registration ")
            .nth(1)
            .unwrap()
            .split("state=\"")
            .nth(1)
            .unwrap()
            .split('"')
            .next()
            .unwrap()
            .to_owned()
    };
    assert_eq!(state(&[], false), "init");
    assert_eq!(state(&[(Arc::new(binding()), ContactEvent::Registered)], true), "active");
    assert_eq!(state(&[(Arc::new(binding()), ContactEvent::Expired)], false), "terminated");
    assert_eq!(state(&[(Arc::new(binding()), ContactEvent::Expired)], true), "active");
}
