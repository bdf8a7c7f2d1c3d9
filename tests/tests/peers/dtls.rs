//! Telephones and a browser with DTLS-SRTP, and others that have SDES or plain RTP.

use crate::lab::check;

#[test]
fn rfc5763_a_telephone_with_dtls_calls_a_plain_one_and_each_hears_the_other() {
    check("dtls.py", &["to_plain", "dtls"], 90);
}

#[test]
fn rfc5763_a_telephone_with_dtls_is_called_by_a_plain_one_and_each_hears_the_other() {
    check("dtls.py", &["to_plain", "plain"], 90);
}

#[test]
fn rfc5763_a_telephone_with_dtls_calls_one_with_sdes_and_each_hears_the_other() {
    check("dtls.py", &["to_sdes", "dtls"], 90);
}

#[test]
fn rfc5763_a_telephone_with_dtls_is_called_by_one_with_sdes_and_each_hears_the_other() {
    check("dtls.py", &["to_sdes", "sdes"], 90);
}

#[test]
fn rfc8827_a_browser_calls_a_plain_telephone_and_is_called_by_it() {
    check("dtls.py", &["browser"], 150);
}

#[test]
fn rfc5763_a_browser_whose_fingerprint_is_forged_is_heard_by_nobody() {
    check("dtls.py", &["forged"], 120);
}

#[test]
fn a_browser_is_transferred_makes_its_ice_anew_and_hears_another_plain_telephone() {
    check("dtls.py", &["web_transferred"], 90);
}

#[test]
fn rfc9147_a_browser_has_dtls_1_3_in_either_role() {
    check("dtls.py", &["newest"], 90);
}

#[test]
fn rfc9147_a_telephone_without_1_3_has_1_2_in_either_role() {
    check("dtls.py", &["older", "dtls"], 90);
    check("dtls.py", &["older", "plain"], 90);
}

#[test]
fn rfc9143_a_browser_with_audio_and_video_on_one_port_calls_a_telephone_and_is_called_by_it() {
    check("bundles.py", &["apart"], 150);
}

#[test]
fn rfc9143_a_telephone_takes_the_audio_of_a_browser_s_bundle_only() {
    check("bundles.py", &["less"], 100);
}

#[test]
fn rfc8831_two_browsers_have_audio_video_and_a_data_channel() {
    check("bundles.py", &["together"], 150);
}

#[test]
fn rfc3264_8_two_browsers_add_video_and_take_it_away() {
    check("bundles.py", &["later"], 150);
}

#[test]
fn rfc3264_6_media_of_every_kind_has_its_way_through_and_the_answer_lines_up() {
    check("sections.py", &["everything", "outside"], 60);
    check("sections.py", &["everything", "inside"], 60);
}
