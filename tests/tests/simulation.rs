//! The whole core of Liaison between other user agents, under virtual time: what holds for every call.

mod simulation {
    mod admin;
    mod bodies;
    mod calls;
    mod capabilities;
    mod challenges;
    mod common;
    mod connections;
    mod credentials;
    mod device_flows;
    mod devices;
    mod devices_loss;
    mod devices_media;
    mod failures;
    mod forks;
    mod gate;
    mod guessers;
    mod hiding;
    mod limits;
    mod loops;
    mod loss;
    mod offers;
    mod preferences;
    mod profiles;
    mod proofs;
    mod reg_event;
    mod registrar;
    mod registrar_gruus;
    mod registrar_kept;
    mod registrar_nat;
    mod registrar_storm;
    mod requests;
    mod scanners;
    mod secure;
    mod shards;
    mod storm_phones;
    mod strangers;
    mod targets;
    mod trunk_calls;
    mod trunk_flows;
    mod trunk_registration;
    mod users;
    mod wire;
}
