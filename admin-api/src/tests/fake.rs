//! A process with calls that never change, that can be told to fail or to hang.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use serde_json::json;
use tokio::sync::Semaphore;

use crate::control::*;
use crate::metrics::MetricFamily;
use crate::{Answer, Control, ControlError};

pub(super) struct Fake {
    calls: BTreeMap<Cursor, CallDetail>,
    /// The commands that were carried out.
    pub(super) commands: Mutex<Vec<String>>,
    /// The queries for lists of calls.
    pub(super) queries: Mutex<Vec<CallQuery>>,
    /// As many permits as questions that hang or have hung.
    pub(super) hanging: Semaphore,
    pub(super) behaviour: Mutex<Behaviour>,
    pub(super) readiness: Mutex<Readiness>,
}

#[derive(Clone)]
pub(super) enum Behaviour {
    Answer,
    Fail(ControlError),
    Hang,
}

impl Default for Fake {
    /// Calls 0-1 to 0-3 and 1-1 to 1-2; those with odd numbers are on the trunk `east` and established.
    fn default() -> Self {
        let places = [(0, 1), (0, 2), (0, 3), (1, 1), (1, 2)];
        let calls = places.map(|(shard, sequence)| (Cursor { shard, sequence }, call(shard, sequence)));
        Self {
            calls: calls.into(),
            commands: Mutex::default(),
            queries: Mutex::default(),
            hanging: Semaphore::new(0),
            behaviour: Mutex::new(Behaviour::Answer),
            readiness: Mutex::new(Readiness {
                phase: Phase::Serving,
                components: vec![ComponentReadiness {
                    component: "listener udp 203.0.113.5:5060".into(),
                    reason: None,
                }],
                degraded: Vec::new(),
            }),
        }
    }
}

impl Fake {
    fn answer<'a, T: Send + 'a>(&'a self, answer: impl FnOnce() -> Result<T, ControlError>) -> Answer<'a, T> {
        let behaviour = self.behaviour.lock().unwrap().clone();
        match behaviour {
            Behaviour::Answer => Box::pin(std::future::ready(answer())),
            Behaviour::Fail(error) => Box::pin(std::future::ready(Err(error))),
            Behaviour::Hang => {
                self.hanging.add_permits(1);
                Box::pin(std::future::pending())
            }
        }
    }

    fn command(&self, command: String) {
        self.commands.lock().unwrap().push(command);
    }

    fn find(&self, id: &CallId) -> Result<&CallDetail, ControlError> {
        let found = self.calls.values().find(|call| call.summary.id == *id);
        found.ok_or_else(|| ControlError::CallNotFound(id.clone()))
    }
}

impl Control for Fake {
    fn calls(&self, query: CallQuery) -> Answer<'_, CallPage> {
        self.queries.lock().unwrap().push(query.clone());
        self.answer(move || {
            let known = |cursor: &Cursor| cursor.shard < 2;
            if let Some(cursor) = query.after.filter(|cursor| !known(cursor)) {
                return Err(ControlError::UnknownCursor(cursor));
            }
            let party = |call: &CallSummary| [Some(call.calling.clone()), call.called.clone()];
            let wanted = |call: &CallSummary| {
                let parties = || party(call).into_iter().flatten();
                let CallFilter { trunk, network, state, .. } = &query.filter;
                state.is_none_or(|state| state == call.state)
                    && trunk
                        .as_ref()
                        .is_none_or(|name| parties().any(|party| party.trunk.as_ref() == Some(name)))
                    && network.as_ref().is_none_or(|name| parties().any(|party| party.network == *name))
            };
            let mut following: Vec<_> = self
                .calls
                .iter()
                .filter(|(place, call)| {
                    let has = |id: &String| call.legs.iter().any(|leg| leg.session_id.as_ref() == Some(id));
                    query.after.is_none_or(|after| **place > after)
                        && wanted(&call.summary)
                        && query.filter.session_id.as_ref().is_none_or(has)
                })
                .collect();
            let more = following.len() > usize::from(query.limit);
            following.truncate(query.limit.into());
            let next_cursor = following.last().filter(|_| more).map(|(place, _)| **place);
            Ok(CallPage {
                calls: following.into_iter().map(|(_, call)| call.summary.clone()).collect(),
                next_cursor,
            })
        })
    }

    fn call(&self, id: CallId) -> Answer<'_, CallDetail> {
        self.answer(|| self.find(&id).cloned())
    }

    fn place_call(&self, order: CallOrder) -> Answer<'_, CallDetail> {
        self.answer(|| {
            self.command(format!("place {order:?}"));
            match &*order.first.uri {
                "sip:nobody@example.com" => Err(ControlError::OrderRefused("first: 404 Not Found".into())),
                "mailto:a@b" => Err(ControlError::InvalidOrder("first.uri: expected a SIP URI".into())),
                _ => Ok(CallDetail { placed: true, ..call(0, 2) }),
            }
        })
    }

    fn end_call(&self, id: CallId, reason: Option<ReasonText>) -> Answer<'_, ()> {
        self.answer(|| {
            self.find(&id)?;
            self.command(format!("end {id} {:?}", reason.as_ref().map(ReasonText::as_str)));
            Ok(())
        })
    }

    fn targets(&self) -> Answer<'_, TargetList> {
        self.answer(|| {
            Ok(TargetList {
                targets: vec![Target {
                    network: "carrier".into(),
                    transport: "udp".into(),
                    address: ([192, 0, 2, 10], 5060).into(),
                    state: TargetState::Held,
                    trouble: Some(TargetTrouble::Silent),
                    since: at(0),
                    last_news_at: at(1_000),
                    held_seconds: Some(Duration::from_millis(12_500).into()),
                    shard: 0,
                }],
            })
        })
    }

    fn overload(&self) -> Answer<'_, Overload> {
        self.answer(|| {
            Ok(Overload {
                shards: vec![ShardLoad {
                    shard: 0,
                    overloaded: true,
                    occupancy_percent: 98,
                    taken_percent: 80,
                }],
                servers: vec![ServerLoad {
                    network: "carrier".into(),
                    address: ([192, 0, 2, 10], 5060).into(),
                    restriction: Some(Restriction {
                        algorithm: RestrictionAlgorithm::Loss,
                        value: 20,
                        left_seconds: Duration::from_millis(350).into(),
                    }),
                    sequence: Some("1282321615.78200".into()),
                    requests_sent: 80,
                    requests_withheld: 20,
                }],
            })
        })
    }

    fn trunks(&self) -> Answer<'_, TrunkList> {
        self.answer(|| {
            let registration = TrunkRegistration {
                address: "+4930123456@sip.example.com".into(),
                contact_user: "carrier-east".into(),
                state: TrunkRegistrationState::Failed,
                registrar: "sip:registrar.example.com".into(),
                expires_at: Some(at(2_000)),
                next_register_at: Some(at(1_000)),
                failures: 1,
                failure: Some("503".into()),
                service_route: vec!["<sip:edge.example.com;lr>".into()],
                public_gruu: Some("sip:+4930123456@sip.example.com;gr=urn:uuid:1".into()),
                temporary_gruu: None,
                flows: vec![TrunkFlow {
                    reg_id: 1,
                    state: TrunkRegistrationState::Registered,
                    proxy: "sip:edge.example.com;transport=tcp".into(),
                    peer: Some("192.0.2.7:5060".parse().expect("an address")),
                    keepalives_answered: Some(true),
                    expires_at: Some(at(2_000)),
                    next_register_at: Some(at(1_000)),
                    failures: 0,
                    failure: None,
                }],
                shard: Some(0),
            };
            let trunk = |name: &str, registration| Trunk {
                name: name.into(),
                network: "carrier".into(),
                registration,
            };
            Ok(TrunkList { trunks: vec![trunk("carrier-east", Some(registration)), trunk("pbx", None)] })
        })
    }

    fn trunk_targets(&self, trunk: String) -> Answer<'_, TrunkTargets> {
        self.answer(|| match &*trunk {
            "carrier-east" => {
                let target = |uri: &str, location| TrunkTarget { uri: uri.into(), shard: 0, location };
                let targets = vec![
                    target("sip:sip.example.com", Some(location())),
                    target("sips:sip.example.com", None),
                ];
                Ok(TrunkTargets { trunk, targets })
            }
            _ => Err(ControlError::TrunkNotFound(trunk)),
        })
    }

    fn quarantine(&self) -> Answer<'_, Quarantine> {
        self.answer(|| {
            let source = |source: &str| QuarantinedSource {
                source: source.to_owned(),
                refusals: 50,
                left_seconds: Seconds(Duration::from_secs(590)),
            };
            Ok(Quarantine { sources: vec![source("192.0.2.66"), source("2001:db8:0:1::/64")] })
        })
    }

    fn lift_quarantine(&self, source: String) -> Answer<'_, ()> {
        self.answer(|| match &*source {
            "2001:db8:0:1::/64" => {
                self.command(format!("hear {source} again"));
                Ok(())
            }
            _ => Err(ControlError::SourceNotFound(source)),
        })
    }

    fn registrations(&self, query: RegistrationQuery) -> Answer<'_, RegistrationPage> {
        self.answer(|| {
            let after = query.after.unwrap_or_default();
            let following = ["alice@example.com", "bob@example.com"].into_iter().filter(|a| **a > *after);
            let mut registrations: Vec<_> = following.map(registration).collect();
            let more = registrations.len() > usize::from(query.limit);
            registrations.truncate(query.limit.into());
            let next_cursor = registrations.last().filter(|_| more).map(|last| last.address.clone());
            Ok(RegistrationPage { registrations, next_cursor })
        })
    }

    fn registration(&self, address: String) -> Answer<'_, Registration> {
        self.answer(|| match &*address {
            "alice@example.com" => Ok(registration(&address)),
            _ => Err(ControlError::RegistrationNotFound(address)),
        })
    }

    fn subscriptions(&self, address: String) -> Answer<'_, SubscriptionList> {
        let subscriptions = vec![Subscription {
            address,
            user: "alice".to_owned(),
            source: "192.0.2.7:5060".parse().unwrap(),
            began_at: at(0),
            expires_at: at(3761),
            notifications: 1,
        }];
        self.answer(|| Ok(SubscriptionList { subscriptions }))
    }

    fn carried_subscriptions(&self, query: CarriedQuery) -> Answer<'_, CarriedSubscriptionPage> {
        let usage = |network: &str| CarriedUsage {
            network: network.to_owned(),
            trunk: None,
            sip_call_id: format!("{network}-call"),
        };
        let one = CarriedSubscription {
            id: "0-7".to_owned(),
            event: "presence".to_owned(),
            from_uri: "sip:alice@example.com".to_owned(),
            request_uri: "sip:bob@example.com".to_owned(),
            state: CarriedState::Active,
            subscriber: usage("west"),
            notifier: usage("east"),
            began_at: at(0),
            expires_at: at(600),
            notifications: 2,
        };
        let subscriptions = if query.after.is_none() { vec![one] } else { Vec::new() };
        let next_cursor = query.after.is_none().then_some(Cursor { shard: 0, sequence: 7 });
        self.answer(|| Ok(CarriedSubscriptionPage { subscriptions, next_cursor }))
    }

    fn turn_allocations(&self, query: TurnQuery) -> Answer<'_, TurnAllocationPage> {
        let one = TurnAllocation {
            network: "access".to_owned(),
            user: "alice".to_owned(),
            transport: TurnTransport::Tls,
            client: "203.0.113.7:40000".to_owned(),
            relayed_address: "192.0.2.1:50000".to_owned(),
            age_seconds: Duration::from_secs(5).into(),
            left_seconds: Duration::from_secs(595).into(),
            permissions: vec!["192.0.2.1".to_owned()],
            channels: vec![TurnChannel { number: 0x4000, peer: "192.0.2.1:20000".to_owned() }],
            to_peers: TurnTraffic { packets: 2, bytes: 344 },
            to_client: TurnTraffic { packets: 1, bytes: 172 },
        };
        let wanted = |said: Option<&String>, its: &str| said.is_none_or(|said| said == its);
        let its = wanted(query.network.as_ref(), &one.network) && wanted(query.user.as_ref(), &one.user);
        let allocations = if its && query.after.is_none() { vec![one] } else { Vec::new() };
        self.answer(|| Ok(TurnAllocationPage { allocations, next_cursor: None }))
    }

    fn turn_credentials(&self, order: TurnCredentialsOrder) -> Answer<'_, TurnCredentials> {
        self.answer(|| match (order.network.as_deref(), &*order.user) {
            (Some("west"), _) => {
                Err(ControlError::TurnServerNotFound("network west has no TURN server".into()))
            }
            (_, "") => Err(ControlError::InvalidTurnCredentials("user is empty".into())),
            (_, user) => Ok(TurnCredentials {
                username: format!("1893456000:{user}"),
                password: "mGXkPtBcGqq0lwDGBCmKNE5Lzg8=".to_owned(),
                ttl: order.ttl.unwrap_or(43_200),
                uris: vec!["turn:192.0.2.1:3478?transport=udp".to_owned()],
            }),
        })
    }

    fn end_registration(&self, address: String) -> Answer<'_, ()> {
        self.answer(|| {
            self.command(format!("end the registration of {address}"));
            Ok(())
        })
    }

    fn configuration(&self) -> Answer<'_, ConfigurationInForce> {
        self.answer(|| {
            Ok(ConfigurationInForce {
                version: 3,
                source: Some("/etc/liaison/liaison.toml".into()),
                loaded_at: at(0),
                configuration: json!({ "admin": { "listen": "127.0.0.1:8080" } }),
                waiting_for_restart: vec!["limits.connections".into()],
            })
        })
    }

    fn reload(&self, mode: ReloadMode) -> Answer<'_, ReloadOutcome> {
        self.answer(|| {
            self.command(format!("reload {mode:?}"));
            let applied = mode == ReloadMode::Apply;
            Ok(ReloadOutcome {
                version: if applied { 4 } else { 3 },
                loaded_at: at(5_000),
                applied,
                changes: vec![Change { path: "log.level".into(), effect: Effect::Live }],
            })
        })
    }

    fn health(&self) -> Answer<'_, Health> {
        self.answer(|| {
            Ok(Health {
                version: "0.1.0".into(),
                started_at: at(0),
                uptime_seconds: Duration::from_millis(1500).into(),
            })
        })
    }

    fn readiness(&self) -> Answer<'_, Readiness> {
        self.answer(|| Ok(self.readiness.lock().unwrap().clone()))
    }

    fn metrics(&self) -> Answer<'_, Vec<MetricFamily>> {
        self.answer(|| Ok(vec![MetricFamily::gauge("liaison_calls", "Calls that exist.", 5.0)]))
    }
}

/// Milliseconds after noon of the first of March 2026.
fn at(millis: u64) -> Timestamp {
    (SystemTime::UNIX_EPOCH + Duration::from_millis(1_772_366_400_000 + millis)).into()
}

fn registration(address: &str) -> Registration {
    Registration {
        address: address.to_owned(),
        bindings: vec![Binding {
            contact: "sip:line@192.0.2.7:5060".into(),
            q: 1000,
            instance: None,
            reg_id: None,
            path: Vec::new(),
            source: ([192, 0, 2, 7], 5060).into(),
            behind_nat: true,
            user_agent: Some("Phone".into()),
            registered_at: at(0),
            refreshed_at: at(60_000),
            expires_at: at(3_660_000),
        }],
    }
}

fn call(shard: u16, sequence: u64) -> CallDetail {
    let established = sequence % 2 == 1;
    let east = if established { "east" } else { "west" };
    CallDetail {
        summary: CallSummary {
            id: format!("{shard}-{sequence}").parse().unwrap(),
            state: if established { CallState::Established } else { CallState::SettingUp },
            calling: Party { network: "carrier".into(), trunk: Some(east.into()) },
            called: established.then(|| Party { network: "enterprise".into(), trunk: None }),
            from_uri: "sip:alice@example.com".into(),
            to_uri: "sip:+15551234@example.net".into(),
            request_uri: "sip:+15551234@203.0.113.5".into(),
            started_at: at(0),
            established_at: established.then(|| at(2_250)),
            age_seconds: Duration::from_millis(62_500).into(),
        },
        legs: vec![calling_leg(east)],
        role: CallRole::MediaRelay,
        roles: vec![RoleSince { at: at(2_250), role: CallRole::MediaRelay, calling_leg: 0, called_leg: 1 }],
        placed: false,
        credentials_carried: false,
        policy_trail: vec![PolicyStep {
            at: at(1),
            subject: "route".into(),
            decision: "network enterprise".into(),
            reason: "routes[0]: prefix +1555 is the longest match".into(),
        }],
    }
}

/// Everything that a look-up can have.
fn location() -> Location {
    let question = |record: &str, name: &str, answer| NameQuestion {
        record: record.into(),
        name: name.into(),
        answer,
        records: Vec::new(),
        source: None,
        left_seconds: None,
    };
    let target = |last: u8, outcome| LocatedTarget {
        transport: "udp".into(),
        address: ([192, 0, 2, last], 5060).into(),
        outcome,
        trouble: None,
        status: None,
    };
    Location {
        host: "sip.example.com".into(),
        questions: vec![
            NameQuestion {
                records: vec!["10 60 5060 a.example.com.".into()],
                source: Some(AnswerSource::Remembered),
                left_seconds: Some(Duration::from_millis(59_500).into()),
                ..question("SRV", "_sip._udp.sip.example.com", NameAnswer::Found)
            },
            question("A", "a.example.com", NameAnswer::Unknown),
        ],
        targets: vec![
            LocatedTarget {
                trouble: Some(TargetTrouble::OutOfReach),
                ..target(9, TargetOutcome::PassedOver)
            },
            LocatedTarget { status: Some(200), ..target(10, TargetOutcome::Answered) },
        ],
    }
}

fn calling_leg(trunk: &str) -> Leg {
    Leg {
        role: LegRole::Calling,
        state: LegState::Confirmed,
        party: Party { network: "carrier".into(), trunk: Some(trunk.into()) },
        sip_call_id: "b7Jx0e1QmZ@192.0.2.9".into(),
        session_id: Some("ab30317f1a784dc48ff824d0d3715d86".into()),
        local_tag: Some("l1".into()),
        remote_tag: Some("r1".into()),
        local_uri: "sip:+15551234@example.net".into(),
        remote_uri: "sip:alice@example.com".into(),
        target: None,
        remote_target: Some("sip:alice@192.0.2.9:5060".into()),
        route_set: vec!["<sip:192.0.2.1;lr>".into()],
        transport: Some("udp".into()),
        local_address: Some(([203, 0, 113, 5], 5060).into()),
        remote_address: Some(([192, 0, 2, 9], 5060).into()),
        location: Some(location()),
        session_timer: Some(SessionTimer {
            interval_seconds: Duration::from_secs(1_800).into(),
            refresher: SessionRefresher::Peer,
            alone: false,
            due_at: at(1_770_250),
        }),
        dtmf: Some(Dtmf {
            form: Some(DtmfForm::Rfc4733),
            translated: true,
            sealed: false,
            heard: 2,
            said: 1,
        }),
        early_dialogs: vec![EarlyDialog { remote_tag: "r0".into(), remote_target: None, last_status: 183 }],
        started_at: at(0),
        confirmed_at: Some(at(2_250)),
        end: None,
        streams: vec![Stream {
            media: "audio".into(),
            protocol: "RTP/AVP".into(),
            direction: Direction::Sendrecv,
            srtp: Some("AES_CM_128_HMAC_SHA1_80".to_owned()),
            keying: Some("sdes".to_owned()),
            bundle: None,
            anchored: true,
            codecs: vec![Codec {
                format: "8".into(),
                name: Some("PCMA".into()),
                clock_rate_hz: Some(8000),
                channels: None,
                parameters: None,
            }],
            local_address: Some(([203, 0, 113, 5], 30000).into()),
            remote_address: Some(([192, 0, 2, 9], 40000).into()),
            ice: Some(Ice {
                state: IceState::Completed,
                remote_address: Some(([192, 0, 2, 9], 40000).into()),
                remote_rtcp_address: None,
                candidates: Some(IcePair { local: "srflx".into(), remote: "host".into() }),
                rtcp_candidates: None,
                checks: 14,
                last_check_at: Some(at(62_000)),
            }),
            transcoding: None,
            dtls: Some(Dtls {
                state: DtlsState::Failed,
                failure: Some("alert".into()),
                alert: Some(42),
                suite: None,
                version: None,
                cipher: None,
                rtcp_state: Some(DtlsState::Waiting),
                unkeyed_packets: 17,
            }),
            round_trip_seconds: Some(Duration::from_millis(40).into()),
            voip_metrics: Some(VoipMetrics {
                loss_percent: Hundredths(391),
                discard_percent: Hundredths(0),
                round_trip_seconds: Duration::from_millis(120).into(),
                r_factor: Some(93),
                mos_lq: Some(Hundredths(410)),
                mos_cq: None,
            }),
            poor: true,
            received: Some(MediaCounters {
                packets: 3000,
                bytes: 516_000,
                rtcp_packets: 12,
                dropped_packets: 1,
                unauthentic_packets: 2,
                replayed_packets: 1,
                unnegotiated_packets: 0,
                excess_packets: 0,
                foreign_packets: 0,
                lost_packets: Some(-1),
                jitter_seconds: Some(Duration::from_micros(1_250).into()),
                mos: Some(Hundredths(413)),
                last_packet_at: Some(at(62_480)),
            }),
            sent: None,
        }],
    }
}
