//! Credentials for the network's TURN server in the 200 to a REGISTER ("A REST API for access to TURN services",
//! draft-uberti-behave-turn-rest-00 §2.2).
//!
//! They are of the user who has proved itself and last as long as what it has just bound, or `credential_lifetime` where that is less.
//! Each refresh brings new ones. Who removes its bindings gets none, and those that it has end when the registration would have: they are
//! kept nowhere, and so there is nothing to revoke.

use crate::snapshot::Snapshot;
use crate::turn;
use admin_api::control::TurnCredentialsOrder;
use config::{CredentialsFor, Registrar};
use sip::registration::server::{Contacts, Demand, Plan};
use sip::session::{Body, RequestId};
use sip::time::Wall;
use sip::{Received, Transport};
use sip_types::HeaderName;
use sip_types::header::{Accept, Via};
use std::time::{Duration, SystemTime};

/// A REGISTER that waits for its answer.
pub(crate) struct Asker {
    pub(super) id: RequestId,
    /// The user whose credentials go with the answer.
    pub(super) relays_as: Option<Box<str>>,
}

/// Whether the answer to a REGISTER is to have credentials: its user agent says that it takes such a body (RFC 3261 §20.1), and they are
/// not to be read on the way, unless the configuration says that they may.
pub(super) fn are_due(registrar: &Registrar, transport: Transport, request: &Received) -> bool {
    let headers = request.headers();
    let is_permitted = match registrar.turn_credentials {
        CredentialsFor::Nobody => false,
        CredentialsFor::Protected => {
            transport.is_secure() && headers.list::<Via>().is_ok_and(|vias| vias.len() == 1)
        }
        CredentialsFor::Anybody => true,
    };
    // `*/*` comes from many who know nothing of this.
    let names = |accept: &Accept| accept.subtype() != "*" && accept.admits("application", "json");
    is_permitted && headers.list::<Accept>().is_ok_and(|accepted| accepted.iter().any(names))
}

/// The credentials of a user, for as long as what it has asked for is bound; `None` where it has bound nothing, or no username can name it.
pub(super) fn body(
    snapshot: &Snapshot,
    user: &str,
    now: Wall,
    (demand, plan): (&Demand, &Plan),
) -> Option<Body> {
    let Contacts::Update(wishes) = &demand.contacts else { return None };
    let lasting = || wishes.iter().filter(|wish| wish.expires != Some(0));
    let bound = plan.bindings.iter().filter(|binding| lasting().any(|wish| binding.is(wish)));
    let left = bound.map(|binding| binding.left(now)).max().filter(|left| *left > 0)?;
    let network = &snapshot.registrars.account(&plan.aor)?.network;
    let server = snapshot.config().networks.get(network)?.turn.as_ref()?;
    let ttl = u32::try_from(left.min(server.credential_lifetime.as_secs())).ok()?;
    let network = Some(network.to_string());
    let order = TurnCredentialsOrder { user: user.into(), ttl: Some(ttl), network };
    let now = SystemTime::UNIX_EPOCH + Duration::from_millis(now.0);
    let made = turn::credentials(snapshot, &order, now).inspect_err(|error| {
        tracing::warn!(user, %error, "no credentials for the TURN server go with a registration");
    });
    let mut body = Body { bytes: serde_json::to_vec(&made.ok()?).ok()?.into(), ..Body::default() };
    body.fields.push(HeaderName::ContentType, "application/json");
    Some(body)
}
