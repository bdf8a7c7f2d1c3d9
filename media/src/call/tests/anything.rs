//! Whatever a peer writes.

use super::*;
use crate::{Bundling, Carriage, Connections};
use proptest::prelude::*;
use sdp::Description;

fn line() -> impl Strategy<Value = String> {
    let address = prop_oneof![
        6 => Just("IN IP4 198.51.100.1"),
        1 => Just("IN IP4 0.0.0.0"),
        1 => Just("PSTN E164 +441134960123"),
        1 => Just("IN IP4"),
    ];
    prop_oneof![
        4 => "(audio|video|image|x) (0|9|4000|65535)(/1|/2)? (RTP/AVP|RTP/AVP|RTP/SAVPF|udptl|TCP/MSRP|TCP/TLS/BFCP|PSTN|A/B)( [0-9]{1,3}){1,3}"
            .prop_map(|value| format!("m={value}")),
        2 => address.prop_map(|value| format!("c={value}")),
        3 => "a=(sendonly|inactive|recvonly|sendrecv|rtcp-mux|rtcp:[0-9]{1,5}|rtcp:x|group:BUNDLE 1|group:BUNDLE 1 2 3|mid:[1-3]|bundle-only|setup:(active|passive)|path:msrp://h:1/x;tcp)",
        2 => "a=rtpmap:[0-9]{1,3} [a-z]{1,4}/[0-9]{0,6}",
        2 => "[siuepbtrzkax]=[ -~]{0,30}",
    ]
}

proptest! {
    #[test]
    fn what_is_taken_is_composed_with_the_same_lines_and_can_be_read_again(
        anchored in any::<bool>(),
        connections in prop_oneof![Just(Connections::Refused), Just(Connections::Relayed), Just(Connections::Around)],
        bundling in prop_oneof![Just(Bundling::Accept), Just(Bundling::Offer), Just(Bundling::Off)],
        session in proptest::collection::vec("[siuepbtrzka]=[ -~]{0,30}", 0..6),
        lines in proptest::collection::vec(line(), 0..20),
        answer in proptest::collection::vec(line(), 0..20),
    ) {
        let describe = |lines: &[String]| {
            let session = session.join("\n");
            let session = if session.is_empty() { session } else { session + "\n" };
            format!("v=0\no=canary 1 1 IN IP4 198.51.100.1\n{session}c=IN IP4 198.51.100.1\n{}\n", lines.join("\n"))
        };
        let mut call = Call::new(if anchored { Mode::Anchored } else { Mode::Bypass });
        call.media = CallMedia::new(call.media.mode(), Limits::default(), 7).with_connections(connections);
        for (party, network) in [(A, 0), (B, 1)] {
            call.media.add_party(party, &call.networks[network]);
            call.media.bundle(party, bundling);
        }
        let sections = |text: &Bytes| Description::parse(text.clone(), &Limits::default()).unwrap().media().count();
        if let Ok(offer) = call.offer(A, B, &describe(&lines)) {
            let count = lines.iter().filter(|line| line.starts_with("m=")).count();
            prop_assert_eq!(sections(&offer), count);
            prop_assert!(!offer.starts_with(b"v=0\r\no=canary"));
            if let Ok(answer) = call.answer(B, A, &describe(&answer)) {
                prop_assert_eq!(sections(&answer), count);
                let streams = call.media.view(A).unwrap().streams;
                prop_assert_eq!(streams.len(), count);
                let tally = call.media.tally(A);
                prop_assert_eq!(tally.len(), count);
                for (stream, tally) in streams.iter().zip(&tally) {
                    prop_assert_eq!(&stream.media, &tally.media);
                    prop_assert!(stream.codecs.iter().map(|codec| codec.name()).eq(&tally.codecs));
                    prop_assert_eq!(stream.carriage == Carriage::Relayed, tally.relayed);
                }
            }
        }
        call.media.close();
        call.drain();
        prop_assert_eq!(call.ports.lent(), 0);
    }
}
