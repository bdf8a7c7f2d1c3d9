//! What the requests of a trunk must prove, made from the configuration once.

use crate::snapshot::{Secrets, hash};
use config::{Challenge, Profile, TrunkName};
use policy::Compiled;
use sip::auth::bearer::{self, Warden};
use sip::auth::server::{Settings, UserHashes};
use sip::auth::{Algorithm, Hash, Qop};
use std::collections::BTreeMap;

/// The challenge of one trunk.
pub(crate) struct Demand {
    /// For passwords; `None` where no user has one.
    pub(super) digest: Option<Settings>,
    /// Who goes by which hash.
    pub(super) hashes: UserHashes,
    /// For tokens.
    pub(super) bearer: Option<Warden>,
}

impl Demand {
    /// Those of all trunks that have one.
    pub(crate) fn all(policy: &Compiled, secrets: &Secrets) -> BTreeMap<TrunkName, Self> {
        let trunks = policy.config().trunks.iter();
        let demands = trunks.filter_map(|(name, trunk)| {
            let challenge = trunk.challenge.as_ref()?;
            let profile = policy.profile(&trunk.network, Some(name), None);
            Some((name.clone(), Self::of(name, challenge, &profile, secrets)))
        });
        demands.collect()
    }

    fn of(name: &TrunkName, challenge: &Challenge, profile: &Profile, secrets: &Secrets) -> Self {
        let digest = (!challenge.users.is_empty()).then(|| settings(challenge, profile));
        let functions: Vec<Hash> = digest.iter().flat_map(|d| &d.algorithms).map(|a| a.hash).collect();
        let users = challenge.users.iter().map(|user| &*user.username);
        let hashed = digest.as_ref().is_some_and(|digest| digest.userhash);
        let hashes = UserHashes::new(&challenge.realm, &functions, users.filter(|_| hashed));
        let keys = secrets.issuers.get(name);
        let bearer = challenge.bearer.as_ref().zip(keys).map(|(given, keys)| {
            let settings = bearer::Settings {
                realm: (&*challenge.realm).into(),
                authz_server: (&*given.authz_server).into(),
                issuer: (&*given.issuer).into(),
                audiences: given.audiences.iter().map(|text| (&**text).into()).collect(),
                scopes: given.scopes.iter().map(|text| (&**text).into()).collect(),
                user_claim: (&*given.user_claim).into(),
                leeway: given.leeway,
            };
            Warden::new(settings, keys.set.clone())
        });
        Self { digest, hashes, bearer }
    }
}

/// The realm of the trunk's challenge, and what its profile says of digest.
fn settings(challenge: &Challenge, profile: &Profile) -> Settings {
    let digest = &profile.digest;
    let algorithms =
        digest.algorithms.iter().map(|algorithm| Algorithm { hash: hash(*algorithm), ..Algorithm::MD5 });
    let qop = digest.qop.iter().map(|qop| match qop {
        config::Qop::Auth => Qop::Auth,
        config::Qop::AuthInt => Qop::AuthInt,
    });
    Settings {
        algorithms: algorithms.collect(),
        qop: qop.collect(),
        allow_without_qop: digest.allow_without_qop,
        userhash: digest.userhash,
        ..Settings::new(&*challenge.realm)
    }
}
