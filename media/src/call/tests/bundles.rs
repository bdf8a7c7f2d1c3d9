//! Of bundles: what a profile says, early dialogs, limits.

use super::bundle::{BOTH, FINGERPRINT, browser, close, taking, travels, trunk};
use super::dtls::browser_and_trunk;
use super::*;
use crate::Bundling;

#[test]
fn a_profile_may_have_none_or_offer_one_to_everybody() {
    let mut call = browser_and_trunk();
    call.media.bundle(A, Bundling::Off);
    call.offer(A, B, &browser(&BOTH, "actpass", |at| [45_000, 45_002][at])).unwrap();
    let answer = call.answer(B, A, &trunk(&[("audio", 3_000), ("video", 3_002)])).unwrap();
    assert!(!shown(&answer).contains("BUNDLE"), "{:?}", travels(&answer));
    close(call);
    let mut call = browser_and_trunk();
    call.media.bundle(B, Bundling::Offer);
    let offer = call.offer(A, B, &browser(&BOTH, "actpass", |at| [45_000, 45_002][at])).unwrap();
    assert!(travels(&offer).contains(&"a=group:BUNDLE a v".to_owned()), "{:?}", travels(&offer));
    // A trunk that knows of it has plain RTP on one port.
    let answer = trunk(&[("audio", 3_000), ("video", 3_000)])
        .replace("t=0 0\n", "t=0 0\na=group:BUNDLE a v\n")
        .replace("m=video", "a=mid:a\na=rtcp-mux\nm=video")
        + "a=mid:v\na=rtcp-mux\n";
    call.answer(B, A, &answer).unwrap();
    let ports: Vec<_> =
        call.media.view(B).unwrap().streams.iter().map(|stream| stream.local.unwrap().port()).collect();
    assert_eq!(ports, [30_000, 30_000]);
    close(call);
}

#[test]
fn each_early_dialog_has_what_it_has_answered() {
    let mut call = browser_and_trunk();
    let offer = call.offer(B, A, &trunk(&[("audio", 3_000), ("video", 3_002)])).unwrap();
    let answer = taking(&offer, &[("audio", "0"), ("video", "1")]);
    call.media.receive_answer(A, wire(&answer).as_bytes()).unwrap();
    call.media.fork_party(A, A2).unwrap();
    // The other one does not bundle.
    let alone = answer.replace("a=group:BUNDLE 0 1\n", "").replacen("m=video 45000", "m=video 45002", 1);
    let alone = alone
        .replace("a=mid:1\n", &format!("a=mid:1\n{FINGERPRINT}a=setup:active\n"))
        .replace("198.51.100.1\n", "198.51.100.2\n");
    call.media.receive_answer(A2, wire(&alone).as_bytes()).unwrap();
    let ports = |call: &Call, party| -> Vec<_> {
        call.media.view(party).unwrap().streams.iter().map(|stream| stream.local.unwrap().port()).collect()
    };
    assert_eq!(ports(&call, A), [20_000, 20_000]);
    assert_eq!(ports(&call, A2), [20_000, 20_002]);
    // The first one is the one in the end, and the ports that it does not need are given back.
    call.media.remove_party(A2);
    call.media.confirm(A);
    call.drain();
    assert_eq!(ports(&call, A), [20_000, 20_000]);
    assert_eq!(call.ports.lent(), 1);
    close(call);
}

#[test]
fn a_bundle_has_so_many_sections_and_the_others_are_moved_out() {
    let mut call = browser_and_trunk();
    let mids: Vec<_> = (0..20).map(|mid| format!("m{mid}")).collect();
    let sections: Vec<_> = mids.iter().map(|mid| ("video", mid.as_str())).collect();
    call.offer(A, B, &browser(&sections, "actpass", |at| 45_000 + 2 * u16::try_from(at).unwrap())).unwrap();
    let ports: Vec<_> = (0..20).map(|at| ("video", 3_000 + 2 * at)).collect();
    let answer = call.answer(B, A, &trunk(&ports)).unwrap();
    let told = travels(&answer);
    let group = told.iter().find(|line| line.starts_with("a=group")).unwrap();
    assert_eq!(group.split(' ').count(), 13, "{group}");
    let ports: std::collections::BTreeSet<_> =
        told.iter().filter_map(|line| line.strip_prefix("m=video ")?.split(' ').next()).collect();
    assert_eq!(ports.len(), 9);
    close(call);
}
