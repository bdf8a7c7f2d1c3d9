//! Liaison among real peers: SIPp, Kamailio, baresip, linphonec, Chromium, SIPVicious, NSD, coturn and curl, each test on a private
//! network of its own (`lab/lo-run`). What the tests judge are the bytes that the peers saw. A missing peer is a failure.
#![forbid(unsafe_code)]

#[path = "peers/cards.rs"]
mod cards;
#[path = "peers/challenges.rs"]
mod challenges;
#[path = "peers/command_line.rs"]
mod command_line;
#[path = "peers/crossing.rs"]
mod crossing;
#[path = "peers/crowd.rs"]
mod crowd;
#[path = "peers/devices.rs"]
mod devices;
#[path = "peers/dtls.rs"]
mod dtls;
#[path = "peers/dtmf.rs"]
mod dtmf;
#[path = "peers/families.rs"]
mod families;
#[path = "peers/forking.rs"]
mod forking;
#[path = "peers/glare.rs"]
mod glare;
#[path = "peers/gruus.rs"]
mod gruus;
#[path = "peers/ice.rs"]
mod ice;
#[path = "peers/lab.rs"]
mod lab;
#[path = "peers/load.rs"]
mod load;
#[path = "peers/location.rs"]
mod location;
#[path = "peers/loops.rs"]
mod loops;
#[path = "peers/makers.rs"]
mod makers;
#[path = "peers/makers_transfer.rs"]
mod makers_transfer;
#[path = "peers/messages.rs"]
mod messages;
#[path = "peers/nat.rs"]
mod nat;
#[path = "peers/offers.rs"]
mod offers;
#[path = "peers/operation.rs"]
mod operation;
#[path = "peers/outbound.rs"]
mod outbound;
#[path = "peers/overload.rs"]
mod overload;
#[path = "peers/packages.rs"]
mod packages;
#[path = "peers/pairs.rs"]
mod pairs;
#[path = "peers/path.rs"]
mod path;
#[path = "peers/phones.rs"]
mod phones;
#[path = "peers/placed.rs"]
mod placed;
#[path = "peers/police.rs"]
mod police;
#[path = "peers/presence.rs"]
mod presence;
#[path = "peers/registrar.rs"]
mod registrar;
#[path = "peers/reliable.rs"]
mod reliable;
#[path = "peers/rtcp.rs"]
mod rtcp;
#[path = "peers/scanners.rs"]
mod scanners;
#[path = "peers/secure.rs"]
mod secure;
#[path = "peers/session_ids.rs"]
mod session_ids;
#[path = "peers/session_timer.rs"]
mod session_timer;
#[path = "peers/sips.rs"]
mod sips;
#[path = "peers/srtp.rs"]
mod srtp;
#[path = "peers/srtp_late.rs"]
mod srtp_late;
#[path = "peers/srtp_library.rs"]
mod srtp_library;
#[path = "peers/srtp_second.rs"]
mod srtp_second;
#[path = "peers/strays.rs"]
mod strays;
#[path = "peers/transcoding.rs"]
mod transcoding;
#[path = "peers/transfer.rs"]
mod transfer;
#[path = "peers/trunks.rs"]
mod trunks;
#[path = "peers/turn.rs"]
mod turn;
