//! Calls as the admin API shows them.

use super::role::{Role, RoleSince};
use super::{Call, Leg, LegNo, Pair, State};
use crate::cdr::system_time;
use crate::trunk::view::location;
use admin_api::control as api;
use media::dtls::{Failure, Standing};
use media::dtmf::Form;
use media::{Carriage, Flow, PartyId, StreamView};
use sip::Endpoint;
use sip::dialog::DialogState;
use sip::session::{DialogView, Refresher, SessionView, TimerView};
use sip::time::{Mono, Now, Wall};
use std::time::{Duration, Instant};

/// A call as a list shows it.
pub(crate) fn summary(call: &Call, now: Now) -> Option<api::CallSummary> {
    Some(api::CallSummary {
        id: call.id.parse().ok()?,
        state: match call.state {
            State::SettingUp => api::CallState::SettingUp,
            State::Established => api::CallState::Established,
            State::Ending => api::CallState::Ending,
        },
        calling: party(call, call.calling().or(call.legs().next())?),
        called: call
            .joined()
            .and_then(|(no, ..)| call.leg(no))
            .or(call.called_legs().last())
            .map(|leg| party(call, leg)),
        from_uri: call.facts.from.clone(),
        to_uri: call.facts.to.clone(),
        request_uri: call.facts.request_uri.clone(),
        started_at: system_time(call.started.wall).into(),
        established_at: call.answered.map(|at| system_time(at.wall).into()),
        age_seconds: now.mono.since(call.started.mono).into(),
    })
}

/// A call with its legs; `instant` is `now` as media tells the time.
pub(crate) fn detail(
    call: &Call,
    endpoint: &Endpoint,
    now: Now,
    instant: Instant,
) -> Option<api::CallDetail> {
    let clock = Clock { mono: now.mono, wall: now.wall, instant };
    let started = system_time(call.started.wall).into();
    let trail = call.trail.iter().map(|step| api::PolicyStep {
        at: started,
        subject: step.subject().to_owned(),
        decision: step.decision(),
        reason: step.reason(),
    });
    let legs: Vec<api::Leg> = call.legs().map(|leg| leg_view(call, leg, endpoint, clock)).collect();
    Some(api::CallDetail {
        summary: summary(call, now)?,
        role: api_role(Role::of(legs.iter().flat_map(|leg| &leg.streams).map(|stream| stream.anchored))),
        roles: call.roles.iter().map(|since| role_since(call, since)).collect(),
        placed: call.placed.is_some(),
        legs,
        credentials_carried: call.carries_proofs(),
        policy_trail: trail.collect(),
    })
}

fn api_role(role: Role) -> api::CallRole {
    match role {
        Role::SignallingOnly => api::CallRole::SignallingOnly,
        Role::SdpModifying => api::CallRole::SdpModifying,
        Role::MediaRelay => api::CallRole::MediaRelay,
    }
}

fn role_since(call: &Call, since: &RoleSince) -> api::RoleSince {
    let place = |no: LegNo| call.legs().position(|leg| leg.no == no).and_then(|at| u8::try_from(at).ok());
    api::RoleSince {
        at: system_time(since.at.wall).into(),
        role: api_role(since.role),
        calling_leg: place(since.calling).unwrap_or_default(),
        called_leg: place(since.called).unwrap_or_default(),
    }
}

fn party(call: &Call, leg: &Leg) -> api::Party {
    api::Party {
        network: call.snapshot.network_name(leg.network).map(ToString::to_string).unwrap_or_default(),
        trunk: leg.trunk.as_ref().map(ToString::to_string),
    }
}

fn leg_view(call: &Call, leg: &Leg, endpoint: &Endpoint, clock: Clock) -> api::Leg {
    let session = endpoint.session(leg.session);
    let session = session.as_ref();
    let dialog = session.and_then(chosen);
    let way = session.and_then(|s| s.way.as_ref());
    let listener = way.and_then(|way| endpoint.settings().listener(way.listener()));
    api::Leg {
        role: if call.is_calling(leg.no) { api::LegRole::Calling } else { api::LegRole::Called },
        state: state(leg, session),
        party: party(call, leg),
        sip_call_id: leg.call_id.to_string(),
        session_id: leg.identifier.as_ref().map(ToString::to_string),
        local_tag: dialog
            .map(|d| d.local_tag.clone())
            .or(session.filter(|s| s.caller).map(|s| s.local_tag.clone())),
        remote_tag: dialog.and_then(|d| d.remote_tag.clone()),
        local_uri: session.map(|s| uri(&s.local)).unwrap_or_default(),
        remote_uri: session.map(|s| uri(&s.remote)).unwrap_or_default(),
        target: (leg.no != LegNo::CALLER).then(|| leg.target.clone()),
        remote_target: dialog.map(|d| d.remote_target.clone()),
        route_set: dialog.map(|d| d.route_set.clone()).unwrap_or_default(),
        transport: listener.map(|l| l.transport.name().to_owned()),
        local_address: listener.map(|l| l.address),
        remote_address: way.map(|way| way.peer()),
        location: leg.found.as_ref().or(session.and_then(|s| s.found.as_ref())).map(|found| location(found)),
        session_timer: session.and_then(|s| s.timer).map(|timer| session_timer(&timer, clock)),
        early_dialogs: early(call, leg, session),
        started_at: system_time(leg.started.wall).into(),
        confirmed_at: leg.confirmed.map(|at| system_time(at.wall).into()),
        end: leg.end.as_ref().map(|end| api::LegEnd {
            at: system_time(end.at.wall).into(),
            status: end.status.map(|s| s.as_u16()),
            cause: end.cause.to_owned(),
            reason: end.reason.clone(),
        }),
        dtmf: call.media.dtmf_view(call.party(leg.no).unwrap_or(leg.party)).map(dtmf),
        streams: streams(call, call.party(leg.no).unwrap_or(leg.party), clock),
    }
}

fn dtmf(view: media::DtmfView) -> api::Dtmf {
    api::Dtmf {
        form: view.form.map(|form| match form {
            Form::Events => api::DtmfForm::Rfc4733,
            Form::Info => api::DtmfForm::Info,
            Form::Tones => api::DtmfForm::Inband,
        }),
        translated: view.translated,
        sealed: view.sealed,
        heard: view.heard,
        said: view.said,
    }
}

fn session_timer(timer: &TimerView, clock: Clock) -> api::SessionTimer {
    let left = timer.due.since(clock.mono);
    api::SessionTimer {
        interval_seconds: Duration::from_secs(timer.interval.into()).into(),
        refresher: match timer.refresher {
            Refresher::Us => api::SessionRefresher::Us,
            Refresher::Peer => api::SessionRefresher::Peer,
        },
        alone: timer.alone,
        due_at: (system_time(clock.wall) + left).into(),
    }
}

/// The URI in a name-addr that a user agent wrote (RFC 3261 §25.1): its brackets are the last ones.
fn uri(address: &str) -> String {
    let inner = address.rsplit_once('<').and_then(|(_, rest)| rest.split_once('>'));
    inner.map_or(address, |(uri, _)| uri).to_owned()
}

/// The dialog that a leg goes by: the confirmed one, else the first.
fn chosen(session: &SessionView) -> Option<&DialogView> {
    session.dialogs.iter().find(|d| d.state == DialogState::Confirmed).or(session.dialogs.first())
}

fn state(leg: &Leg, session: Option<&SessionView>) -> api::LegState {
    match session.and_then(chosen) {
        _ if leg.end.is_some() => api::LegState::Terminated,
        Some(dialog) if dialog.state == DialogState::Confirmed => api::LegState::Confirmed,
        Some(_) => api::LegState::Early,
        None if leg.no == LegNo::CALLER => api::LegState::Proceeding,
        None => api::LegState::Trying,
    }
}

fn early(call: &Call, leg: &Leg, session: Option<&SessionView>) -> Vec<api::EarlyDialog> {
    let status = |pair: Option<&Pair>| pair.map_or(180, |p| p.last_status.as_u16());
    let open = session.into_iter().flat_map(|s| &s.dialogs).filter(|d| d.state == DialogState::Early);
    open.enumerate()
        .map(|(n, dialog)| api::EarlyDialog {
            remote_tag: dialog.remote_tag.clone().unwrap_or_default(),
            remote_target: Some(dialog.remote_target.clone()),
            last_status: status(
                call.pairs.iter().filter(|p| leg.no == LegNo::CALLER || p.callee == leg.no).nth(n),
            ),
        })
        .collect()
}

fn streams(call: &Call, party: PartyId, clock: Clock) -> Vec<api::Stream> {
    let view = call.media.view(party);
    view.map_or_else(Vec::new, |view| view.streams.iter().map(|of| stream(of, clock)).collect())
}

/// One moment by all clocks.
#[derive(Clone, Copy)]
struct Clock {
    mono: Mono,
    wall: Wall,
    instant: Instant,
}

impl Clock {
    /// An earlier moment by the wall clock as it stands now.
    fn timestamp(self, earlier: Instant) -> Option<api::Timestamp> {
        let ago = self.instant.saturating_duration_since(earlier);
        system_time(self.wall).checked_sub(ago).map(Into::into)
    }

    fn counters(self, flow: Flow) -> api::MediaCounters {
        api::MediaCounters {
            packets: flow.packets,
            bytes: flow.bytes,
            rtcp_packets: flow.rtcp_packets,
            last_packet_at: flow.last.and_then(|last| self.timestamp(last)),
            ..api::MediaCounters::default()
        }
    }
}

fn stream(stream: &StreamView, clock: Clock) -> api::Stream {
    let relayed = stream.carriage == Carriage::Relayed;
    let counted = &stream.counted;
    let received = api::MediaCounters {
        dropped_packets: counted.wrong_source
            + counted.no_destination
            + counted.unauthentic
            + counted.replayed
            + counted.malformed
            + counted.unnegotiated
            + counted.excess,
        unnegotiated_packets: counted.unnegotiated,
        excess_packets: counted.excess,
        foreign_packets: counted.foreign,
        unauthentic_packets: counted.unauthentic,
        replayed_packets: counted.replayed,
        lost_packets: i64::try_from(counted.lost).ok(),
        jitter_seconds: (!counted.jitter.is_zero()).then(|| counted.jitter.into()),
        mos: stream.quality.received_mos.map(score),
        ..clock.counters(counted.received)
    };
    let dropped = counted.not_sent + counted.unprotectable;
    let told = counted.told;
    let sent = api::MediaCounters {
        dropped_packets: dropped,
        lost_packets: told.filter(|told| told.blocks > 0).and_then(|told| i64::try_from(told.lost).ok()),
        jitter_seconds: told.filter(|told| !told.jitter.is_zero()).map(|told| told.jitter.into()),
        mos: stream.quality.sent_mos.map(score),
        ..clock.counters(counted.sent)
    };
    api::Stream {
        media: stream.media.clone(),
        protocol: stream.proto.clone(),
        direction: match stream.direction {
            media::Direction::SendRecv => api::Direction::Sendrecv,
            media::Direction::SendOnly => api::Direction::Sendonly,
            media::Direction::RecvOnly => api::Direction::Recvonly,
            media::Direction::Inactive => api::Direction::Inactive,
        },
        srtp: stream.guarded.name().map(str::to_owned),
        keying: stream.guarded.keying().map(str::to_owned),
        anchored: relayed,
        codecs: stream.codecs.iter().map(codec).collect(),
        bundle: stream.bundle.clone(),
        local_address: stream.local,
        remote_address: match &counted.ice {
            Some(ice) => ice.standing.rtp,
            None => counted.source.or(stream.remote),
        },
        ice: counted.ice.as_ref().map(|ice| ice_session(ice, counted.received.last, clock)),
        dtls: counted.dtls.map(|dtls| association(dtls, counted)),
        round_trip_seconds: told.and_then(|told| told.round_trip).map(Into::into),
        voip_metrics: told.and_then(|told| told.voice).map(voip_metrics),
        poor: stream.poor,
        transcoding: stream.coding.filter(|coding| coding.is_now).map(transcoding),
        received: relayed.then_some(received),
        sent: relayed.then_some(sent),
    }
}

fn score(hundredths: u16) -> api::Hundredths {
    api::Hundredths(hundredths.into())
}

fn voip_metrics(voice: media::Voice) -> api::VoipMetrics {
    // In 1/256 each.
    let percent = |share: u8| api::Hundredths(u32::from(share) * 10_000 / 256);
    let tenths = |score: u8| api::Hundredths(u32::from(score) * 10);
    api::VoipMetrics {
        loss_percent: percent(voice.loss),
        discard_percent: percent(voice.discard),
        round_trip_seconds: voice.round_trip.into(),
        r_factor: voice.r_factor,
        mos_lq: voice.mos_lq.map(tenths),
        mos_cq: voice.mos_cq.map(tenths),
    }
}

fn transcoding(coding: media::StreamCoding) -> api::Transcoding {
    let counted = coding.counted;
    api::Transcoding {
        from: coding.from.to_owned(),
        to: coding.to.to_owned(),
        packets: counted.coded,
        concealed_packets: counted.concealed,
        late_packets: counted.late,
        unknown_packets: counted.unknown,
        reorder_seconds: Duration::from_millis(counted.patience.into()).into(),
    }
}

fn association(standing: Standing, counted: &media::Snapshot) -> api::Dtls {
    let agreed = if let Standing::Keyed(agreed) = standing { Some(agreed) } else { None };
    let failure = if let Standing::Failed(failure) = standing { Some(failure) } else { None };
    api::Dtls {
        state: state_of(standing),
        failure: failure.map(|failure| failure.name().to_owned()),
        alert: if let Some(Failure::Alert(number)) = failure { Some(number) } else { None },
        suite: agreed.map(|agreed| agreed.suite.name().to_owned()),
        version: agreed.map(|agreed| agreed.version.name().to_owned()),
        cipher: agreed.and_then(|agreed| agreed.cipher.name()).map(str::to_owned),
        rtcp_state: counted.dtls_rtcp.map(state_of),
        unkeyed_packets: counted.unkeyed,
    }
}

fn state_of(standing: Standing) -> api::DtlsState {
    match standing {
        Standing::Waiting => api::DtlsState::Waiting,
        Standing::Handshaking => api::DtlsState::Handshaking,
        Standing::Keyed(_) => api::DtlsState::Keyed,
        Standing::Failed(_) => api::DtlsState::Failed,
        Standing::Closed => api::DtlsState::Closed,
    }
}

fn ice_session(ice: &media::IceSnapshot, received: Option<Instant>, clock: Clock) -> api::Ice {
    let state = match ice.standing.completed {
        _ if ice.progress == Some(media::Progress::Failed) => api::IceState::Failed,
        true if ice.progress.is_some() => api::IceState::Completed,
        false => api::IceState::Running,
        true if ice.has_consent(received, clock.instant) => api::IceState::Completed,
        true => api::IceState::Expired,
    };
    api::Ice {
        state,
        remote_address: ice.standing.rtp,
        remote_rtcp_address: ice.standing.rtcp,
        candidates: ice.kinds.first().copied().flatten().map(pair_of_kinds),
        rtcp_candidates: ice.kinds.get(1).copied().flatten().map(pair_of_kinds),
        checks: ice.checks,
        last_check_at: ice.checked.and_then(|checked| clock.timestamp(checked)),
    }
}

fn pair_of_kinds((local, remote): (media::CandidateKind, media::CandidateKind)) -> api::IcePair {
    api::IcePair { local: local.name().to_owned(), remote: remote.name().to_owned() }
}

fn codec(codec: &media::Codec) -> api::Codec {
    api::Codec {
        format: codec.format.clone(),
        name: codec.encoding.clone(),
        clock_rate_hz: codec.clock_rate,
        channels: codec.channels,
        parameters: codec.parameters.clone(),
    }
}
