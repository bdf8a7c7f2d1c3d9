//! How many files the process may have open.

use config::Config;
use rustix::io::Errno;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What is open beside sockets for media and connections: listeners, wake-ups, records, the log, the admin API.
const OTHERS: u64 = 256;

/// Raises the limit to the most that the process may give itself, and warns when that is too little for what the
/// configuration permits.
pub(super) fn raise(config: &Config) {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    if limit.current != limit.maximum
        && let Err(error) = setrlimit(Resource::Nofile, raised)
    {
        tracing::warn!(%error, "cannot raise the limit of open files");
    }
    let Some(limit) = getrlimit(Resource::Nofile).current else { return };
    let needed = needed(config);
    if limit < needed {
        tracing::warn!(
            limit,
            needed,
            "the limit of open files (RLIMIT_NOFILE) is below what limits.sockets, limits.connections and TURN servers permit"
        );
    }
}

fn needed(config: &Config) -> u64 {
    let limits = &config.limits;
    let turns = config.networks.values().filter_map(|network| network.turn.as_ref());
    let of_turn = turns.map(|turn| turn.allocations.saturating_add(turn.connections));
    let of_media =
        limits.sockets.saturating_add(usize::try_from(limits.media_connections).unwrap_or(usize::MAX));
    let permitted = of_turn.fold(of_media.saturating_add(limits.connections), usize::saturating_add);
    u64::try_from(permitted).unwrap_or(u64::MAX).saturating_add(OTHERS)
}

/// What to say after an error that comes of that limit, else nothing.
pub(super) fn hint(error: &anyhow::Error) -> String {
    let lacking = |code| code == Errno::MFILE.raw_os_error();
    let system = error.chain().filter_map(|cause| cause.downcast_ref::<std::io::Error>());
    if !system.filter_map(std::io::Error::raw_os_error).any(lacking) {
        return String::new();
    }
    let limit = getrlimit(Resource::Nofile).current.map_or("none".to_owned(), |limit| limit.to_string());
    format!(" (the limit of open files, RLIMIT_NOFILE, is {limit})")
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context as _;

    #[test]
    fn an_error_of_the_limit_names_it() {
        let error = |errno: Errno| Err::<(), _>(std::io::Error::from(errno)).context("cannot").unwrap_err();
        assert!(hint(&error(Errno::MFILE)).contains("RLIMIT_NOFILE"));
        assert_eq!(hint(&error(Errno::NOENT)), "");
    }
}
