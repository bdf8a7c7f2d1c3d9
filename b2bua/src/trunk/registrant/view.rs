//! Trunks and our registrations with them as the admin API shows them.

use super::{FlowStanding, Standing, Standings, State};
use admin_api::control as api;
use config::{Config, Register, TrunkName};
use sip::registration::client::Fault;

/// Every trunk.
pub(crate) fn trunks(config: &Config, standings: &Standings) -> Vec<api::Trunk> {
    let trunk = |(name, trunk): (&TrunkName, &config::Trunk)| api::Trunk {
        name: name.to_string(),
        network: trunk.network.to_string(),
        registration: trunk
            .register
            .as_ref()
            .map(|register| registration(name, register, standings.get(name).as_deref())),
    };
    config.trunks.iter().map(trunk).collect()
}

fn registration(
    name: &TrunkName,
    register: &Register,
    standing: Option<&Standing>,
) -> api::TrunkRegistration {
    let chief = standing.and_then(Standing::chief);
    let flows = standing.map(Standing::flows).unwrap_or_default().iter().filter(|of| of.number > 0);
    api::TrunkRegistration {
        address: register.address.to_string(),
        contact_user: register.contact_user(name).to_owned(),
        state: chief.map_or(api::TrunkRegistrationState::Waiting, |standing| state(standing.state)),
        registrar: chief.map(|standing| standing.towards.to_string()).unwrap_or_default(),
        expires_at: chief.and_then(|standing| standing.expires).map(Into::into),
        next_register_at: chief.and_then(|standing| standing.next).map(Into::into),
        failures: chief.map_or(0, |standing| standing.failures),
        failure: chief.and_then(|standing| standing.fault).map(failure),
        service_route: chief
            .map(|standing| standing.service_route.iter().map(ToString::to_string).collect())
            .unwrap_or_default(),
        public_gruu: chief.and_then(|standing| standing.gruus.public.as_ref()).map(ToString::to_string),
        temporary_gruu: chief.and_then(|standing| standing.gruus.temporary.as_ref()).map(ToString::to_string),
        flows: flows.map(flow).collect(),
        shard: chief.map(|standing| standing.shard),
    }
}

fn flow(standing: &FlowStanding) -> api::TrunkFlow {
    api::TrunkFlow {
        reg_id: standing.number,
        state: state(standing.state),
        proxy: standing.towards.to_string(),
        peer: standing.flow.map(|flow| flow.peer),
        keepalives_answered: standing.proven,
        expires_at: standing.expires.map(Into::into),
        next_register_at: standing.next.map(Into::into),
        failures: standing.failures,
        failure: standing.fault.map(failure),
    }
}

fn state(state: State) -> api::TrunkRegistrationState {
    match state {
        State::Waiting => api::TrunkRegistrationState::Waiting,
        State::Registering => api::TrunkRegistrationState::Registering,
        State::Registered => api::TrunkRegistrationState::Registered,
        State::Failed => api::TrunkRegistrationState::Failed,
        State::Unregistering => api::TrunkRegistrationState::Unregistering,
        State::Unregistered => api::TrunkRegistrationState::Unregistered,
    }
}

/// What an attempt failed with, in a word.
pub(super) fn failure(fault: Fault) -> String {
    match fault {
        Fault::Status(status) => return status.to_string(),
        Fault::Credentials => "credentials",
        Fault::Timeout => "timeout",
        Fault::Unreachable => "unreachable",
        Fault::Limit => "limit",
        Fault::NotBound => "not_bound",
    }
    .to_owned()
}
