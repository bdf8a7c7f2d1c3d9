//! Telephones that have no codec in common: baresip, with the G.722 of libspandsp and the Opus of libopus.

use crate::lab::check;

// conforms: RFC3551-4.5.14-1,2,3
#[test]
fn tones_keep_frequency_and_level_from_codec_to_codec() {
    for (near, far) in
        [("pcmu", "opus"), ("pcma", "g722"), ("opus", "pcma"), ("g722", "opus"), ("pcmu", "pcma")]
    {
        check("transcoding.py", &["tones", near, far], 60);
    }
}

#[test]
fn hold_and_resume_by_either_side() {
    for (near, far) in [("pcmu", "opus"), ("opus", "pcma")] {
        check("transcoding.py", &["held", near, far], 90);
    }
}

#[test]
fn each_side_has_its_packet_time() {
    check("transcoding.py", &["packet_time"], 60);
}

#[test]
fn what_the_network_loses_is_concealed() {
    for (near, far) in [("pcma", "g722"), ("pcmu", "opus")] {
        check("transcoding.py", &["lost", near, far], 60);
    }
}

#[test]
fn keys_cross_with_the_clock_of_each_side() {
    check("transcoding.py", &["keys"], 60);
}

#[test]
fn linphonec_and_a_browser_have_opus_and_the_other_telephone_has_not() {
    check("transcoding.py", &["linphone"], 60);
    check("transcoding.py", &["browser"], 120);
}

#[test]
fn one_side_may_have_srtp() {
    check("transcoding.py", &["secret"], 60);
}

#[test]
fn beyond_the_limit_nothing_is_added() {
    check("transcoding.py", &["limit"], 60);
}
