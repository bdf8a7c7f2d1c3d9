//! Targets, and how they are found, as the admin API shows them.

use crate::cdr::system_time;
use crate::shard::Core;
use admin_api::control as api;
use config::TrunkName;
use sip::Answer;
use sip::location::{Fate, Found, Holding, Source, TargetState, TargetView, Told, Tried, Trouble};
use sip::time::Now;
use sip_types::Uri;

/// Every target that a shard remembers.
pub(crate) fn targets(core: &Core, now: Now) -> Vec<api::Target> {
    core.endpoint.targets(now).iter().map(|view| target(core, view)).collect()
}

fn target(core: &Core, view: &TargetView) -> api::Target {
    let (state, told, held) = match view.state {
        TargetState::Up => (api::TargetState::Up, None, None),
        TargetState::Held(trouble, left) => (api::TargetState::Held, Some(trouble), Some(left)),
        TargetState::Due(trouble) => (api::TargetState::Due, Some(trouble), None),
    };
    let network = core.snapshot.network_name(view.place.network);
    api::Target {
        network: network.map(ToString::to_string).unwrap_or_default(),
        transport: view.place.transport.uri_param().to_owned(),
        address: view.place.address,
        state,
        trouble: told.map(trouble),
        since: system_time(view.since).into(),
        last_news_at: system_time(view.last).into(),
        held_seconds: held.map(Into::into),
        shard: core.shard,
    }
}

/// Where calls to a trunk would go, as a shard knows it.
pub(crate) fn trunk_targets(core: &Core, name: &TrunkName, now: Now) -> Vec<api::TrunkTarget> {
    let trunk = core.snapshot.config().trunks.get(name);
    let network = trunk.and_then(|trunk| core.snapshot.network_id(&trunk.network));
    let uris = trunk.into_iter().flat_map(|trunk| &trunk.targets);
    let target = |uri: &Uri| api::TrunkTarget {
        uri: uri.to_string(),
        shard: core.shard,
        location: network
            .and_then(|network| core.endpoint.expected(now, network, uri).ok())
            .map(|found| location(&found)),
    };
    uris.map(target).collect()
}

/// How a next hop was found.
pub(crate) fn location(found: &Found) -> api::Location {
    let open = found.open.iter().map(|question| api::NameQuestion {
        record: question.kind.name().to_owned(),
        name: question.name.to_string(),
        answer: api::NameAnswer::Unknown,
        records: Vec::new(),
        source: None,
        left_seconds: None,
    });
    api::Location {
        host: found.name.to_string(),
        questions: found.questions.iter().map(question).chain(open).collect(),
        targets: found.targets.iter().map(tried).collect(),
    }
}

fn question(told: &Told) -> api::NameQuestion {
    let Holding { answer, source, left } = &told.holds;
    let is_told = matches!(**answer, Answer::Found { .. } | Answer::Absent { .. });
    api::NameQuestion {
        record: told.question.kind.name().to_owned(),
        name: told.question.name.to_string(),
        answer: match **answer {
            Answer::Found { .. } => api::NameAnswer::Found,
            Answer::Absent { .. } => api::NameAnswer::Absent,
            Answer::Refused => api::NameAnswer::Refused,
            Answer::Silent => api::NameAnswer::Silent,
        },
        records: answer.records(),
        source: is_told.then_some(match source {
            Source::Told => api::AnswerSource::Told,
            Source::Remembered => api::AnswerSource::Remembered,
            Source::Outdated => api::AnswerSource::Outdated,
        }),
        left_seconds: is_told.then(|| (*left).into()),
    }
}

fn tried(tried: &Tried) -> api::LocatedTarget {
    let (outcome, told, status) = match tried.fate {
        Fate::Waiting => (api::TargetOutcome::Waiting, None, None),
        Fate::NoListener => (api::TargetOutcome::NoListener, None, None),
        Fate::Skipped(why) => (api::TargetOutcome::PassedOver, Some(why), None),
        Fate::Tried => (api::TargetOutcome::Tried, None, None),
        Fate::Slower => (api::TargetOutcome::Slower, None, None),
        Fate::Withheld => (api::TargetOutcome::Withheld, None, None),
        Fate::Failed(why) => (api::TargetOutcome::Failed, Some(why), None),
        Fate::Answered(status) => (api::TargetOutcome::Answered, None, Some(status.as_u16())),
    };
    api::LocatedTarget {
        transport: tried.transport.name().to_owned(),
        address: tried.address,
        outcome,
        trouble: told.map(trouble),
        status,
    }
}

fn trouble(trouble: Trouble) -> api::TargetTrouble {
    match trouble {
        Trouble::Silent => api::TargetTrouble::Silent,
        Trouble::OutOfReach => api::TargetTrouble::OutOfReach,
        Trouble::Unavailable => api::TargetTrouble::Unavailable,
    }
}
