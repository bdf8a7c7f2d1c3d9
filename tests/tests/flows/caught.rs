//! That sweeps find what they are for: nodes that lack a recovery, each in a flow that needs it.

use super::parts::{ALICE, BOB, Flow, INSIDE, OUTSIDE};
use super::{rfc3665, rfc5407, rfc5407_appendices, sessions};
use liaison_tests::network::Datagram;
use liaison_tests::stage::{method, status};
use liaison_tests::sweep::Defect;

/// Whether a sweep of the flow of that name finds the defect.
fn catches(name: &str, defect: Defect) -> bool {
    let all: Vec<(&str, Flow)> =
        [rfc3665::all(), rfc5407::all(), rfc5407_appendices::all(), sessions::all()].concat();
    let (_, flow) = all.iter().find(|(of, _)| *of == name).unwrap_or_else(|| panic!("no flow {name}"));
    flow.catches(defect)
}

fn is_ours(datagram: &Datagram) -> bool {
    [OUTSIDE, INSIDE].contains(&datagram.from.to_string().as_str())
}

/// Whether we have sent it before.
fn is_again(datagram: &Datagram, before: &[Datagram]) -> bool {
    let same = |other: &Datagram| (other.to, &other.bytes) == (datagram.to, &datagram.bytes);
    is_ours(datagram) && before.iter().any(same)
}

/// Whether it is a request of ours of that method.
fn asks(datagram: &Datagram, what: &str) -> bool {
    let text = datagram.text();
    is_ours(datagram) && status(&text).is_none() && method(&text) == what
}

#[test]
fn a_node_without_a_defect() {
    assert!(!catches("rfc3665_3_1_successful_session_establishment", |_, _| false));
}

#[test]
fn a_2xx_is_not_sent_again() {
    let defect: Defect = |datagram, before| {
        let text = datagram.text();
        is_again(datagram, before) && status(&text) == Some(200) && method(&text) == "INVITE"
    };
    assert!(catches("rfc3665_3_1_successful_session_establishment", defect));
}

#[test]
fn an_ack_is_not_sent_again() {
    let defect: Defect = |datagram, before| is_again(datagram, before) && asks(datagram, "ACK");
    assert!(catches("rfc3665_3_1_successful_session_establishment", defect));
}

#[test]
fn a_request_is_not_sent_again() {
    let defect: Defect = |datagram, before| is_again(datagram, before) && asks(datagram, "BYE");
    assert!(catches("rfc3665_3_1_successful_session_establishment", defect));
}

#[test]
fn a_prack_is_not_sent_again() {
    let defect: Defect = |datagram, before| is_again(datagram, before) && asks(datagram, "PRACK");
    assert!(catches("rfc3262_reliable_provisional_responses", defect));
}

#[test]
fn no_bye_where_no_ack_comes() {
    let defect: Defect = |datagram, _| asks(datagram, "BYE") && datagram.to.to_string() == ALICE;
    assert!(catches("rfc3261_15_bye_waits_for_an_ack_that_never_comes", defect));
}

#[test]
fn no_bye_for_an_answer_that_crosses_cancel() {
    let defect: Defect = |datagram, _| asks(datagram, "BYE") && datagram.to.to_string() == BOB;
    assert!(catches("rfc5407_c_cancel_before_the_answer", defect));
}
