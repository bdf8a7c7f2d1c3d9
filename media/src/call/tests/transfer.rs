//! A party gets another partner, of its own call or of another one.

use super::*;
use crate::{Direction, PortPair, Ports, PortsError, ThreadId};
use sdp::Description;

const C: PartyId = PartyId(9);

fn direction(text: &Bytes) -> Direction {
    let description = Description::parse(text.clone(), &Limits::default()).unwrap();
    description.media().next().unwrap().direction()
}

/// A call in which A has put B on hold.
fn held() -> Call {
    let mut call = Call::established();
    call.offer(A, B, &AUDIO.replace("a=sendrecv", "a=sendonly")).unwrap();
    call.answer(B, A, &format!("{ANSWER}a=recvonly\n")).unwrap();
    call
}

#[test]
fn whom_the_transferor_had_on_hold_is_offered_to_others_as_it_would_be_without() {
    let mut call = held();
    call.media.add_party(C, &call.networks[0]);
    call.media.introduce(B);
    let offer = call.media.compose_offer(C, B, &mut call.ports).unwrap();
    assert_eq!(direction(&offer), Direction::SendRecv);
    call.media.receive_answer(C, wire(ANSWER).as_bytes()).unwrap();
    call.media.connect(B, C);
    let resumed = call.media.compose_offer(B, C, &mut call.ports).unwrap();
    assert_eq!(direction(&resumed), Direction::SendRecv);
    assert!(!call.media.stands(B, &resumed), "B still has to hear that it is no more on hold");
}

#[test]
fn who_holds_by_itself_stays_so() {
    let mut call = Call::established();
    call.offer(B, A, &AUDIO.replace("a=sendrecv", "a=inactive")).unwrap();
    call.answer(A, B, &format!("{ANSWER}a=inactive\n")).unwrap();
    call.media.add_party(C, &call.networks[0]);
    call.media.introduce(B);
    let offer = call.media.compose_offer(C, B, &mut call.ports).unwrap();
    assert_eq!(direction(&offer), Direction::Inactive);
}

#[test]
fn what_stands_already_needs_no_offer() {
    let mut call = Call::established();
    let again = call.media.compose_offer(B, A, &mut call.ports).unwrap();
    assert!(call.media.stands(B, &again));
    call.media.offer_failed(B);
    let mark = call.media.mark(B);
    call.media.receive_offer(A, wire(&AUDIO.replace("a=ptime:20\n", "")).as_bytes()).unwrap();
    let other = call.media.compose_offer(B, A, &mut call.ports).unwrap();
    assert!(!call.media.stands(B, &other));
    call.media.withdraw(B, mark);
    assert_eq!(call.media.compose_offer(B, A, &mut call.ports).unwrap(), other, "its version was not used");
}

#[test]
fn who_has_left_has_no_ports_and_is_still_told_of() {
    let mut call = Call::established();
    call.drain();
    call.media.retire(A);
    call.drain();
    let released = call.commands.iter().filter(|command| matches!(command, Command::Release { .. })).count();
    assert_eq!(released, 1);
    assert_eq!((call.media.view(A).unwrap().streams.len(), call.media.view(B).unwrap().peer), (1, None));
}

/// Ports of another relay thread.
struct Elsewhere(VirtualPorts);

impl Ports for Elsewhere {
    fn take(&mut self, network: NetworkId, _: Option<ThreadId>) -> Result<PortPair, PortsError> {
        let mut pair = self.0.take(network, None)?;
        pair.id.thread = ThreadId(7);
        Ok(pair)
    }
}

#[test]
fn a_party_of_another_call_keeps_its_ports_and_its_version() {
    let (mut call, mut other) = (Call::established(), Call::new(Mode::Anchored));
    std::mem::swap(&mut call.ports, &mut other.ports);
    other.offer(A, B, AUDIO).unwrap();
    other.answer(B, A, ANSWER).unwrap();
    std::mem::swap(&mut call.ports, &mut other.ports);
    let before = other.media.view(A).unwrap().streams[0].local;
    let moving = other.media.part_with(A).unwrap();
    assert!(other.media.view(A).is_none());
    call.media.take_in(C, moving);
    call.media.connect(B, C);
    assert_eq!(call.media.view(C).unwrap().streams[0].local, before);
    assert_eq!(call.media.view(B).unwrap().peer, Some(C));
    let offer = call.media.compose_offer(C, B, &mut call.ports).unwrap();
    assert!(shown(&offer).lines().nth(1).unwrap().contains(" 2 IN "), "{}", shown(&offer));
}

#[test]
fn a_party_whose_ports_are_of_another_thread_gets_new_ones_and_gives_its_own_back() {
    let mut call = Call::established();
    let mut other = Call::new(Mode::Anchored);
    let mut ports = Elsewhere(VirtualPorts::new(&other.networks));
    other.media.receive_offer(A, wire(AUDIO).as_bytes()).unwrap();
    other.media.compose_offer(B, A, &mut ports).unwrap();
    other.media.receive_answer(B, wire(ANSWER).as_bytes()).unwrap();
    other.media.compose_answer(A, B, &mut ports).unwrap();
    let moving = other.media.part_with(A).unwrap();
    call.drain();
    call.commands.clear();
    call.media.take_in(C, moving);
    call.drain();
    assert!(matches!(call.commands.as_slice(), [Command::Release { pair }] if pair.thread == ThreadId(7)));
    let offer = call.media.compose_offer(C, B, &mut call.ports).unwrap();
    assert!(!call.media.stands(C, &offer));
}
