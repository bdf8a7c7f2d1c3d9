//! At the limit of transactions calls can still be ended.

use super::message::{Msg, field};
use super::ua::{Ua, listener};
use crate::settings::Settings;
use crate::{End, Event, Transport};

fn crowded() -> Ua {
    let mut settings = Settings { listeners: vec![listener(Transport::Udp)], ..Settings::default() };
    settings.limits.transactions = 4;
    Ua::with(settings)
}

/// Strangers ask until they get 503.
fn fill(ua: &mut Ua) {
    for n in 100.. {
        let id = format!("stranger-{n}");
        ua.hear(&Msg::request("OPTIONS", n).set("Call-ID", &id));
        let text = ua.one().text;
        if text.starts_with("SIP/2.0 503") {
            assert_eq!(field(&text, "Call-ID"), id);
            return;
        }
    }
}

#[test]
fn a_call_is_hung_up_though_strangers_hold_every_transaction() {
    let mut ua = crowded();
    let (_, ok) = ua.answered();
    fill(&mut ua);
    ua.hear(&Msg::inside("BYE", 2, &ok));
    assert!(ua.one().text.starts_with("SIP/2.0 200"));
    assert!(matches!(ua.event(), Event::Ended { why: End::Bye(_), .. }));
    // The reserve has an end too.
    ua.hear(&Msg::inside("BYE", 3, &ok));
    assert!(ua.one().text.starts_with("SIP/2.0 503"), "that dialog is over: a stranger's request");
}

#[test]
fn a_call_is_cancelled_though_strangers_hold_every_transaction() {
    let mut ua = crowded();
    let invite = Msg::request("INVITE", 1);
    ua.invited_by(&invite);
    ua.take();
    fill(&mut ua);
    ua.hear(&Msg::request("CANCEL", 1).set("Via", "SIP/2.0/UDP 198.51.100.9:5060;branch=z9hG4bKpeer1invite"));
    let answers: Vec<_> = ua.take().iter().map(|s| s.what().to_owned()).collect();
    assert_eq!(answers, ["200 OK", "487 Request Terminated"]);
}
