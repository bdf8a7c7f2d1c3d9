//! Bundles that change.

use super::bundle::*;
use super::dtls::browser_and_trunk;
use super::*;
use crate::relay::Srtp;

// conforms: RFC9143-7.5-2 RFC9143-7.5.3-1,2,3
#[test]
fn sections_come_and_go_in_a_bundle_and_its_transport_stays() {
    let mut call = browser_and_trunk();
    let one = |kind: &'static str, mid| browser(&[(kind, mid)], "actpass", |_| 45_000);
    call.offer(A, B, &one("audio", "a")).unwrap();
    call.answer(B, A, &trunk(&[("audio", 3_000)])).unwrap();
    let alone = told(&call);
    assert!(alone.iter().all(|(_, settings)| settings.share.is_none()), "one section is alone");
    let terms = |call: &Call| {
        let told = told(call);
        let dtls = told.iter().find_map(|(context, settings)| match &settings.srtp {
            Some(Srtp::Dtls(terms)) => Some((*context, terms.association)),
            _ => None,
        });
        dtls.unwrap()
    };
    let transport = terms(&call);
    // Video is added.
    let both = |ports: [u16; 2]| browser(&BOTH, "actpass", |at| ports[at]);
    call.offer(A, B, &both([45_000, 45_000])).unwrap();
    let answer = call.answer(B, A, &trunk(&[("audio", 3_000), ("video", 3_002)])).unwrap();
    assert!(travels(&answer).contains(&"a=group:BUNDLE a v".to_owned()), "{:?}", travels(&answer));
    assert_eq!(shares(&call, A), [("a".to_owned(), true), ("v".to_owned(), false)]);
    assert_eq!(terms(&call), transport);
    // Audio, which the transport began with, is removed: its slot stays (RFC 3264 §8.2).
    let only_video = both([45_000, 45_000])
        .replace("BUNDLE a v", "BUNDLE v")
        .replace("m=audio 45000", "m=audio 0")
        .replace("a=mid:v\n", &format!("a=mid:v\na=ice-ufrag:brow\na=ice-pwd:browserbrowserbrowserbrowser\n{FINGERPRINT}a=setup:actpass\n"));
    let offer = call.offer(A, B, &only_video).unwrap();
    assert!(travels(&offer).iter().any(|line| line.starts_with("m=audio 0 ")), "{:?}", travels(&offer));
    let answer = call.answer(B, A, &trunk(&[("audio", 0), ("video", 3_002)])).unwrap();
    let lines = travels(&answer);
    assert!(lines.contains(&"a=group:BUNDLE v".to_owned()), "{lines:?}");
    assert!(lines.iter().any(|line| line.starts_with("m=video 20000 ")), "{lines:?}");
    assert_eq!(terms(&call), transport, "the transport is what it was");
    assert_eq!(shares(&call, A), [("*".to_owned(), true), ("v".to_owned(), false)]);
    // Another one takes its place.
    let recycled = both([45_000, 45_000]).replace("mid:a", "mid:b").replace("BUNDLE a v", "BUNDLE b v");
    call.offer(A, B, &recycled).unwrap();
    let answer = call.answer(B, A, &trunk(&[("audio", 3_010), ("video", 3_002)])).unwrap();
    assert!(travels(&answer).contains(&"a=group:BUNDLE b v".to_owned()), "{:?}", travels(&answer));
    assert_eq!(shares(&call, A), [("*".to_owned(), true), ("v".to_owned(), false), ("b".to_owned(), false)]);
    assert_eq!(terms(&call), transport);
    // The trunk does it as well.
    let offer = call.offer(B, A, &trunk(&[("audio", 3_010), ("video", 0)])).unwrap();
    let lines = travels(&offer);
    assert!(lines.contains(&"a=group:BUNDLE b".to_owned()), "{lines:?}");
    assert!(lines.iter().any(|line| line.starts_with("m=audio 20000 ")), "{lines:?}");
    close(call);
}

#[test]
fn ice_begins_anew_for_all_of_a_bundle() {
    let mut call = browser_and_trunk();
    let both = browser(&BOTH, "actpass", |_| 45_000);
    call.offer(A, B, &both).unwrap();
    call.answer(B, A, &trunk(&[("audio", 3_000), ("video", 3_002)])).unwrap();
    let ufrag = |call: &Call| {
        told(call)
            .iter()
            .find_map(|(_, settings)| {
                settings.ice.as_ref().map(|ice| (ice.remote.clone(), ice.local.ufrag.clone()))
            })
            .unwrap()
    };
    let before = ufrag(&call);
    call.offer(A, B, &both.replace("brow\n", "anew\n")).unwrap();
    call.answer(B, A, &trunk(&[("audio", 3_000), ("video", 3_002)])).unwrap();
    let after = ufrag(&call);
    assert_eq!((&*before.0, &*after.0), ("brow", "anew"));
    assert_ne!(before.1, after.1);
    assert_eq!(shares(&call, A), [("a".to_owned(), true), ("v".to_owned(), false)]);
    close(call);
}
