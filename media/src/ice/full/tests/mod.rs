//! Two full agents, and one with a lite one, through NATs and relays of the test's own, under a time of the test's own.

mod anything;
mod checks;
mod net;
mod roles;
mod through;

use super::{Candidate, CandidateKind, Terms};
use crate::ice::{Component, Credentials};

pub(super) fn credentials(name: &str) -> Credentials {
    Credentials {
        ufrag: format!("{name}fragment").into(),
        password: format!("{name}-password-of-enough").into(),
    }
}

pub(super) fn terms(local: &str, remote: &str, controlling: bool, candidates: Vec<Candidate>) -> Terms {
    let (local, remote) = (credentials(local), credentials(remote));
    Terms { local, remote, controlling, lite: false, two: false, candidates }
}

pub(super) fn candidate(kind: CandidateKind, component: Component, address: &str) -> Candidate {
    let (priority, foundation) = (super::priority(kind, component), super::foundation(kind).into());
    Candidate { component, kind, address: address.parse().unwrap(), priority, foundation }
}
