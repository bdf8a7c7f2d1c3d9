//! TURN as the admin API has it.

use super::uris;
use crate::snapshot::Snapshot;
use admin_api::control::{
    ControlError, Cursor, TurnAllocation, TurnAllocationPage, TurnChannel, TurnCredentials,
    TurnCredentialsOrder, TurnQuery, TurnTraffic, TurnTransport,
};
use config::{Config, NetworkName, NetworkTurn};
use media::turn::{Client, Tally, View, mint};
use std::time::{Duration, SystemTime};

/// One page of all allocations: those after the cursor, which names a network by its place and a port.
pub(crate) fn page(
    config: &Config,
    views: Vec<(NetworkName, View)>,
    query: &TurnQuery,
) -> TurnAllocationPage {
    let place = |name: &NetworkName| config.networks.keys().position(|known| known == name);
    let wanted = |name: &NetworkName, view: &View| {
        query.network.as_ref().is_none_or(|network| network == name.as_str())
            && query.user.as_ref().is_none_or(|user| *user == view.user)
    };
    let mut found: Vec<_> = views
        .into_iter()
        .filter(|(name, view)| wanted(name, view))
        .filter_map(|(name, view)| {
            let shard = u16::try_from(place(&name)?).ok()?;
            Some(((shard, u64::from(view.relayed.port())), name, view))
        })
        .filter(|(at, ..)| query.after.is_none_or(|after| *at > (after.shard, after.sequence)))
        .collect();
    found.sort_by_key(|(at, ..)| *at);
    let more = found.len() > usize::from(query.limit);
    found.truncate(query.limit.into());
    let last = found.last().map(|((shard, sequence), ..)| Cursor { shard: *shard, sequence: *sequence });
    let shown = found.into_iter().map(|(_, name, view)| allocation(config, &name, view));
    TurnAllocationPage { allocations: shown.collect(), next_cursor: last.filter(|_| more) }
}

fn allocation(config: &Config, network: &NetworkName, view: View) -> TurnAllocation {
    let turn = config.networks.get(network).and_then(|network| network.turn.as_ref());
    let traffic = |Tally { packets, bytes }| TurnTraffic { packets, bytes };
    let channel =
        |(number, peer): (u16, std::net::SocketAddr)| TurnChannel { number, peer: peer.to_string() };
    TurnAllocation {
        network: network.to_string(),
        transport: transport(turn, view.client),
        client: view.client.address.to_string(),
        relayed_address: view.relayed.to_string(),
        age_seconds: Duration::from_millis(view.age_millis).into(),
        left_seconds: Duration::from_millis(view.left_millis).into(),
        permissions: view.permissions.iter().map(ToString::to_string).collect(),
        channels: view.channels.into_iter().map(channel).collect(),
        to_peers: traffic(view.to_peers),
        to_client: traffic(view.to_client),
        user: view.user,
    }
}

fn transport(turn: Option<&NetworkTurn>, client: Client) -> TurnTransport {
    let listener = turn.and_then(|turn| turn.listeners.get(usize::from(client.listener)));
    match listener.map(|listener| listener.transport) {
        Some(config::TurnTransport::Tls) => TurnTransport::Tls,
        Some(config::TurnTransport::Tcp) => TurnTransport::Tcp,
        Some(config::TurnTransport::Udp) => TurnTransport::Udp,
        None if client.connection.is_some() => TurnTransport::Tcp,
        None => TurnTransport::Udp,
    }
}

/// Credentials for the server that is meant, as of now.
///
/// # Errors
/// There is no such server; nobody can have such credentials.
pub(crate) fn credentials(
    snapshot: &Snapshot,
    order: &TurnCredentialsOrder,
    now: SystemTime,
) -> Result<TurnCredentials, ControlError> {
    let (network, turn) = server(snapshot.config(), order.network.as_deref())?;
    let longest = u32::try_from(turn.credential_lifetime.as_secs()).unwrap_or(u32::MAX);
    let ttl = order.ttl.unwrap_or(longest);
    if ttl == 0 || ttl > longest {
        let why = format!("ttl is {ttl}; expected 1 to {longest}");
        return Err(ControlError::InvalidTurnCredentials(why));
    }
    let secret = snapshot.secrets.turn.get(network).and_then(|secrets| secrets.first());
    let now = now.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let minted = secret.and_then(|secret| mint(secret, &order.user, now.saturating_add(ttl.into())));
    let minted = minted.ok_or_else(|| {
        let why =
            "user is none that a username can name: expected printable ASCII without quotes and backslashes";
        ControlError::InvalidTurnCredentials(why.to_owned())
    })?;
    let password = minted.password.as_str().to_owned();
    Ok(TurnCredentials { username: minted.username, password, ttl, uris: uris(turn) })
}

fn server<'c>(
    config: &'c Config,
    network: Option<&str>,
) -> Result<(&'c NetworkName, &'c NetworkTurn), ControlError> {
    let mut servers = config.networks.iter().filter_map(|(name, its)| Some((name, its.turn.as_ref()?)));
    let none = |why: String| ControlError::TurnServerNotFound(why);
    match network {
        Some(network) => servers
            .find(|(name, _)| name.as_str() == network)
            .ok_or_else(|| none(format!("network {network} has no TURN server"))),
        None => match (servers.next(), servers.next()) {
            (Some(server), None) => Ok(server),
            (None, _) => Err(none("no network has a TURN server".to_owned())),
            (Some(_), Some(_)) => Err(none("several networks have a TURN server: name one".to_owned())),
        },
    }
}
