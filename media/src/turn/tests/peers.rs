//! Permissions and channels.

use super::lab::*;
use crate::turn::*;

// conforms: RFC8656-10.2-1 RFC8656-10.2-2
#[test]
fn rfc8656_10_2_a_permission_names_peers_all_of_which_may_be_reached() {
    let mut lab = Lab::new();
    let (ua, _) = lab.allocated("alice", 1_000);
    assert_eq!(lab.ask(&ua, CREATE_PERMISSION, &[]).code(), 400);
    assert_eq!(lab.ask(&ua, CREATE_PERMISSION, &[(XOR_PEER_ADDRESS, b"nobody")]).code(), 400);
    assert_eq!(lab.permit(&ua, "[2001:db8::1]:20000"), 443);
    assert_eq!(lab.permit(&ua, "203.0.113.1:20000"), 403);
    let id = lab.id();
    let [good, bad] = [MEDIA, "203.0.113.1:1"].map(|peer| ua.masked(peer, id[0]));
    let both = [(XOR_PEER_ADDRESS, &*good), (XOR_PEER_ADDRESS, &*bad)];
    assert_eq!(lab.ask_as(&ua, CREATE_PERMISSION, &both, id).code(), 403);
    assert!(lab.server.views(lab.now)[0].permissions.is_empty());
    assert_eq!(lab.permit(&ua, MEDIA), 0);
    assert_eq!(lab.server.views(lab.now)[0].permissions, [at(MEDIA).ip()]);
}

// conforms: RFC8656-9-1
#[test]
fn rfc8656_9_a_permission_lasts_five_minutes_and_data_does_not_prolong_it() {
    let mut lab = Lab::new();
    let (ua, port) = lab.allocated("alice", 1_000);
    assert_eq!(lab.arrives(port, MEDIA, b"early"), None);
    assert_eq!(lab.permit(&ua, MEDIA), 0);
    lab.pass(299);
    assert!(lab.arrives(port, MEDIA, b"in time").is_some());
    lab.send(&ua, MEDIA, b"in time");
    lab.pass(1);
    assert_eq!(lab.arrives(port, MEDIA, b"late"), None);
    lab.send(&ua, MEDIA, b"late");
    assert_eq!((lab.wires.to_peers.len(), lab.dropped("forbidden")), (1, 3));
    assert_eq!(lab.permit(&ua, MEDIA), 0);
    assert!(lab.arrives(port, MEDIA, b"again").is_some());
}

// conforms: RFC8656-12.2-1
#[test]
fn rfc8656_12_2_a_channel_has_one_peer_and_a_peer_one_channel() {
    let mut lab = Lab::new();
    let (ua, _) = lab.allocated("alice", 1_000);
    for number in [0, 0x3fff, 0x5000, 0xffff] {
        assert_eq!(lab.bind(&ua, number, MEDIA), 400, "{number:x}");
    }
    assert_eq!(lab.ask(&ua, CHANNEL_BIND, &[(CHANNEL_NUMBER, &[0x40, 0, 0, 0])]).code(), 400);
    assert_eq!(lab.bind(&ua, 0x4000, MEDIA), 0);
    assert_eq!(lab.bind(&ua, 0x4fff, "192.0.2.1:20002"), 0);
    assert_eq!(lab.bind(&ua, 0x4000, MEDIA), 0);
    assert_eq!(lab.bind(&ua, 0x4000, "192.0.2.1:20004"), 400);
    assert_eq!(lab.bind(&ua, 0x4001, MEDIA), 400);
    assert_eq!(lab.bind(&ua, 0x4002, "[2001:db8::1]:20000"), 443);
    assert_eq!(lab.bind(&ua, 0x4002, "203.0.113.1:20000"), 403);
    // A port of ours that is none of media.
    assert_eq!(lab.bind(&ua, 0x4002, "192.0.2.1:5060"), 403);
    assert_eq!(lab.bind(&ua, 0x4002, "192.0.2.1:50000"), 403);
    let view = &lab.server.views(lab.now)[0];
    assert_eq!(view.channels, [(0x4000, at(MEDIA)), (0x4fff, at("192.0.2.1:20002"))]);
    assert_eq!(view.permissions, [at(MEDIA).ip()]);
}

// conforms: RFC8656-12.6-1
#[test]
fn rfc8656_12_a_channel_lasts_ten_minutes_and_its_permission_five() {
    let mut lab = Lab::with(|settings| (settings.lifetime, settings.nonce_lifetime) = (3_600, 3_600));
    let (ua, port) = lab.allocated("alice", 1_000);
    assert_eq!(lab.bind(&ua, 0x4000, MEDIA), 0);
    lab.pass(300);
    assert_eq!(lab.arrives(port, MEDIA, b"no permission"), None);
    assert_eq!(lab.permit(&ua, MEDIA), 0);
    assert_eq!(lab.arrives(port, MEDIA, b"data").unwrap(), b"\x40\0\0\x04data");
    lab.pass(299);
    assert!(lab.arrives(port, MEDIA, b"data").unwrap().starts_with(&[0x40]));
    assert_eq!(lab.give(ua.client, b"\x40\0\0\x04data"), None);
    assert_eq!(lab.wires.to_peers.len(), 1);
    lab.pass(1);
    assert_eq!(lab.permit(&ua, MEDIA), 0);
    assert!(lab.arrives(port, MEDIA, b"data").unwrap().starts_with(&[0, 0x17]));
    assert_eq!(lab.bind(&ua, 0x4001, MEDIA), 0);
}

#[test]
fn channels_of_rfc_5766_are_for_whoever_is_let() {
    let mut lab = Lab::with(|settings| settings.old_channels = true);
    let (ua, port) = lab.allocated("alice", 1_000);
    assert_eq!((lab.bind(&ua, 0x7fff, MEDIA), lab.bind(&ua, 0x8000, MEDIA)), (0, 400));
    assert_eq!(lab.arrives(port, MEDIA, b"data").unwrap(), b"\x7f\xff\0\x04data");
    assert_eq!(lab.give(ua.client, b"\x7f\xff\0\x04data"), None);
    assert_eq!(lab.wires.to_peers.len(), 1);
}

#[test]
fn whom_a_reload_takes_away_is_not_reached_any_more() {
    let mut lab = Lab::new();
    let (ua, port) = lab.allocated("alice", 1_000);
    let (lost, kept) = ("198.51.100.7:9", MEDIA);
    assert_eq!((lab.bind(&ua, 0x4000, lost), lab.bind(&ua, 0x4001, kept)), (0, 0));
    assert!(lab.arrives(port, lost, b"x").is_some());
    lab.adopt(|settings| settings.reach.extra.clear());
    assert_eq!(lab.arrives(port, lost, b"x"), None);
    lab.give(ua.client, b"\x40\0\0\x01x\0\0\0");
    lab.send(&ua, lost, b"x");
    assert!(lab.wires.to_peers.is_empty());
    assert!(lab.arrives(port, kept, b"x").is_some());
    assert_eq!(lab.permit(&ua, lost), 403);
}
