//! What the requests of a trunk or user must prove, made from the configuration once.

use crate::snapshot::{IssuerKeys, Protected, Secrets, hash};
use config::{Challenge, Profile};
use policy::Compiled;
use sip::auth::bearer::{self, Warden};
use sip::auth::server::{Challenger, Settings, SettingsError, UserHashes};
use sip::auth::{Algorithm, Hash, Qop};
use sip::time::Now;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

/// One challenge.
pub(crate) struct Demand {
    /// For passwords; `None` where no user has one.
    digest: Option<Digest>,
    /// Who goes by which hash.
    pub(super) hashes: UserHashes,
    /// For tokens.
    pub(super) bearer: Option<Warden>,
}

/// What passwords are asked for with.
struct Digest {
    settings: Settings,
    /// Made by the first request, with the key of the process.
    challenger: OnceLock<Result<Challenger, SettingsError>>,
}

impl Demand {
    /// Those of all trunks that have one, and of all registrars.
    pub(crate) fn all(policy: &Compiled, secrets: &Secrets) -> BTreeMap<Protected, Self> {
        let config = policy.config();
        let trunks = config.trunks.iter().filter_map(|(name, trunk)| {
            let profile = policy.profile(&trunk.network, Some(name), None);
            Some((Protected::Trunk(name.clone()), trunk.challenge.as_ref()?, profile))
        });
        let registrars = config.networks.iter().filter_map(|(name, network)| {
            let challenge = &network.registrar.as_ref()?.challenge;
            Some((Protected::Registrar(name.clone()), challenge, policy.profile(name, None, None)))
        });
        let all = trunks.chain(registrars).map(|(of, challenge, profile)| {
            let demand = Self::of(secrets.issuers.get(&of), challenge, &profile);
            (of, demand)
        });
        all.collect()
    }

    fn of(keys: Option<&Arc<IssuerKeys>>, challenge: &Challenge, profile: &Profile) -> Self {
        let settings = (!challenge.users.is_empty()).then(|| settings(challenge, profile));
        let functions: Vec<Hash> = settings.iter().flat_map(|s| &s.algorithms).map(|a| a.hash).collect();
        let users = challenge.users.iter().map(|user| &*user.username);
        let hashed = settings.as_ref().is_some_and(|settings| settings.userhash);
        let hashes = UserHashes::new(&challenge.realm, &functions, users.filter(|_| hashed));
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
        let digest = settings.map(|settings| Digest { settings, challenger: OnceLock::new() });
        Self { digest, hashes, bearer }
    }

    /// Who asks for passwords; `None` where no user has one. `key` and `started` are the same for all of a process.
    pub(super) fn challenger(
        &self,
        key: &[u8; 32],
        started: Now,
    ) -> Option<Result<&Challenger, &SettingsError>> {
        let Digest { settings, challenger } = self.digest.as_ref()?;
        Some(challenger.get_or_init(|| Challenger::new(key, started, settings.clone())).as_ref())
    }
}

/// The realm of the challenge, and what the profile says of digest.
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
