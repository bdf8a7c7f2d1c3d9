//! Keys that are pressed in one form and arrive in another one: baresip with events and tones, SIPp with INFO; baresip on the other
//! side, and the bytes on the wire.

use crate::lab::check;

const FORMS: [&str; 3] = ["rfc4733", "info", "inband"];

#[test]
fn keys_that_are_events_arrive_in_each_form() {
    for there in FORMS {
        check("dtmf.py", &["each", "rfc4733", there], 90);
    }
}

#[test]
fn keys_that_are_info_arrive_in_each_form() {
    for there in FORMS {
        check("dtmf.py", &["each", "info", there], 90);
    }
}

#[test]
fn keys_that_are_tones_arrive_in_each_form() {
    for there in FORMS {
        check("dtmf.py", &["each", "inband", there], 90);
    }
}

#[test]
fn keys_of_the_called_side_arrive_too() {
    check("dtmf.py", &["back"], 60);
}

#[test]
fn keys_are_translated_between_srtp_and_plain_rtp() {
    check("dtmf.py", &["secret"], 60);
    check("dtmf.py", &["secret_back"], 60);
}

#[test]
fn keys_between_two_that_are_secret_to_us_stay_as_they_are_and_the_call_says_so() {
    check("dtmf.py", &["sealed"], 60);
}
