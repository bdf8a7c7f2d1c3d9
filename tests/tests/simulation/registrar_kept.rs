//! Bindings that end otherwise than by REGISTER or their time, and what a later life of the node knows of them.

use super::common::{World, ms};
use super::users::{DESK, DOCUMENT, MOBILE, contact, prove_as, register, world};
use b2bua::registrar::Ended;
use b2bua::shard::Command;
use liaison_tests::disk::Disk;
use liaison_tests::message::field;
use sip::ListenerId;
use sip::driver::Core as _;
use sip::registration::server::Aor;
use tokio::sync::oneshot;

/// A node that keeps its bindings.
struct Kept {
    world: World,
    disk: Disk,
}

impl Kept {
    /// With two flows of bob's device.
    fn with_two_flows() -> Self {
        let mut kept = Self { world: world(DOCUMENT), disk: Disk::default() };
        kept.restart();
        for (device, number) in [(DESK, 1), (MOBILE, 2)] {
            let numbered = format!(";reg-id={number};+sip.instance=\"<urn:uuid:1>\"");
            let request = register("bob", device, 1)
                .set("Contact", &contact("192.168.1.5:5060", &numbered))
                .with("Supported", "outbound");
            prove_as(&mut kept.world, device, &request, "bob");
            kept.world.run_for(ms(100));
            kept.commit(true);
            kept.world.expect(device, "200");
        }
        kept
    }

    fn restart(&mut self) {
        let disk = self.disk.clone();
        self.world.restart(|now| disk.open(now));
    }

    fn commit(&mut self, works: bool) {
        let news = self.disk.commit(works);
        self.world.hear(news);
    }

    fn bound(&self) -> usize {
        let record = self.world.directory().record(&bob());
        record.map_or(0, |record| record.bindings.len())
    }

    fn end(&mut self) -> oneshot::Receiver<Ended> {
        let (ask, answer) = oneshot::channel();
        self.world.command(Command::EndRegistration(bob(), ask));
        answer
    }
}

fn bob() -> Aor {
    Aor::from_kept("bob@example.com")
}

#[test]
fn an_operator_hears_that_bindings_have_ended_once_no_later_life_would_find_them() {
    let mut kept = Kept::with_two_flows();
    let mut answer = kept.end();
    assert!(answer.try_recv().is_err(), "nothing is committed yet");
    assert_eq!(kept.bound(), 2);
    let mut second = kept.end();
    assert_eq!(second.try_recv(), Ok(Ended::Busy));
    kept.commit(true);
    assert_eq!((answer.try_recv(), kept.bound()), (Ok(Ended::Done), 0));
    assert_eq!(kept.end().try_recv(), Ok(Ended::Nothing));
    kept.restart();
    assert_eq!(kept.bound(), 0);
}

#[test]
fn registers_that_waited_for_the_store_are_answered_in_the_order_in_which_they_came() {
    let mut kept = Kept::with_two_flows();
    let numbered = ";reg-id=1;+sip.instance=\"<urn:uuid:1>\"";
    let refresh = register("bob", DESK, 11).set("Contact", &contact("192.168.1.5:5060", numbered));
    prove_as(&mut kept.world, DESK, &refresh.with("Supported", "outbound"), "bob");
    // These ask what is bound.
    for seq in [13, 15] {
        prove_as(&mut kept.world, DESK, &register("bob", DESK, seq).without("Contact"), "bob");
    }
    kept.world.run_for(ms(100));
    kept.commit(true);
    let answered = [(); 3].map(|()| field(&kept.world.expect(DESK, "200"), "CSeq"));
    assert_eq!(answered, ["12 REGISTER", "14 REGISTER", "16 REGISTER"]);
}

#[test]
fn bindings_stand_where_the_store_does_not_let_go_of_them() {
    let mut kept = Kept::with_two_flows();
    let mut answer = kept.end();
    kept.commit(false);
    assert_eq!((answer.try_recv(), kept.bound()), (Ok(Ended::NotKept), 2));
    // Nor is anything half done by a crash before the commit.
    let mut answer = kept.end();
    kept.restart();
    assert_eq!((answer.try_recv().ok(), kept.bound()), (None, 2));
}

#[test]
fn rfc5626_7_a_flow_that_icmp_has_ended_is_not_bound_by_a_later_life_though_others_of_its_user_are() {
    let mut kept = Kept::with_two_flows();
    let now = kept.world.now;
    kept.world.core.handle_unreachable(now, ListenerId(0), MOBILE.parse().unwrap());
    kept.world.run_for(std::time::Duration::from_secs(11));
    assert_eq!(kept.bound(), 1);
    kept.commit(true);
    kept.restart();
    let record = kept.world.directory().record(&bob()).unwrap();
    let peers: Vec<_> = record.bindings.iter().map(|binding| binding.flow.peer.to_string()).collect();
    assert_eq!(peers, [DESK]);
}
