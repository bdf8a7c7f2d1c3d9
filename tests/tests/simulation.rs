//! The whole core of Liaison between other user agents, under virtual time: what holds for every call.

mod simulation {
    mod admin;
    mod bodies;
    mod calls;
    mod capabilities;
    mod challenges;
    mod common;
    mod device_flows;
    mod devices;
    mod devices_loss;
    mod devices_media;
    mod failures;
    mod forks;
    mod gate;
    mod hiding;
    mod limits;
    mod loss;
    mod offers;
    mod preferences;
    mod profiles;
    mod reg_event;
    mod registrar;
    mod requests;
    mod secure;
    mod shards;
    mod strangers;
    mod targets;
    mod trunk_calls;
    mod trunk_flows;
    mod trunk_registration;
    mod wire;
}
