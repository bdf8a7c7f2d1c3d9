//! Every timer of RFC 3261 Table 4, to the millisecond.

use super::message::{Msg, field};
use super::ua::{PEER, T64, Ua, flow};
use crate::{End, Event, Failure};

// conforms: RFC3261-17.1.1.2-3,4,5,6,7,8,18
#[test]
fn rfc3261_17_1_1_2_timer_a_doubles_and_timer_b_gives_up() {
    let mut ua = Ua::udp();
    ua.call();
    ua.wait(T64 - 1);
    assert_eq!(ua.times("INVITE"), [500, 1_500, 3_500, 7_500, 15_500, 31_500]);
    assert!(ua.events.is_empty());
    ua.wait(1);
    assert!(matches!(ua.event(), Event::Ended { why: End::Rejected(Failure::Timeout), .. }));
    assert_eq!(ua.gauges().client_transactions, 0);
    ua.must_forget();
}

#[test]
fn rfc3261_17_1_1_2_a_provisional_response_ends_timers_a_and_b() {
    let mut ua = Ua::udp();
    let (sid, invite) = ua.call();
    ua.wait(600);
    ua.hear(&Msg::response(&invite, 100, ""));
    ua.take();
    ua.wait(300_000);
    assert!(ua.take().is_empty() && ua.events.is_empty());
    ua.end(sid);
    assert_eq!(ua.one().what(), "CANCEL");
}

// conforms: RFC3261-17.1.1.2-4
#[test]
fn rfc3261_17_1_1_2_no_timer_a_over_tcp_but_timer_b() {
    let mut ua = Ua::tcp();
    ua.invite(&format!("sip:bob@{PEER};transport=tcp"), crate::session::Parts::default());
    ua.take();
    ua.wait(T64);
    assert!(ua.take().is_empty());
    assert!(matches!(ua.event(), Event::Ended { why: End::Rejected(Failure::Timeout), .. }));
}

// conforms: RFC3261-17.1.1.2-15,16,18 RFC6026-8.4-4,5,6,13
#[test]
fn rfc3261_17_1_1_2_timer_d_absorbs_repeated_failures_for_32_s() {
    let mut ua = Ua::udp();
    let (_, invite) = ua.call();
    let busy = Msg::response(&invite, 486, "b1");
    ua.hear(&busy);
    ua.wait(T64 - 1);
    ua.hear(&busy);
    assert_eq!(ua.times("ACK"), [0, T64 - 1]);
    ua.wait(1);
    assert_eq!(ua.gauges().client_transactions, 0);
    ua.hear(&busy);
    assert!(ua.take().is_empty());
    assert_eq!(ua.events.len(), 1);
}

// conforms: RFC6026-8.4-4
#[test]
fn rfc3261_17_1_1_2_timer_d_is_zero_over_tcp() {
    let mut ua = Ua::tcp();
    ua.invite(&format!("sip:bob@{PEER};transport=tcp"), crate::session::Parts::default());
    let invite = ua.one().text;
    ua.hear(&Msg::response(&invite, 486, "b1"));
    assert_eq!(ua.one().what(), "ACK");
    ua.wait(0);
    assert_eq!(ua.gauges().client_transactions, 0);
}

// conforms: RFC3261-17.1.2.2-2,10
#[test]
fn rfc3261_17_1_2_2_timer_e_doubles_up_to_t2_and_timer_f_gives_up() {
    let mut ua = Ua::udp();
    let (sid, _) = ua.called();
    let at = ua.ms;
    ua.info(sid);
    ua.wait(T64 - 1);
    let times: Vec<u64> = ua.times("INFO").into_iter().map(|t| t - at).collect();
    assert_eq!(times, [500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500]);
    assert!(ua.events.is_empty());
    ua.wait(1);
    assert!(matches!(
        &ua.events[..],
        [
            Event::Responded { outcome: Err(Failure::Timeout), .. },
            Event::Ended { why: End::Lost(Failure::Timeout), .. }
        ]
    ));
    assert_eq!(ua.one().what(), "BYE");
    ua.must_forget();
}

// conforms: RFC3261-17.1.2.2-5,6
#[test]
fn rfc3261_17_1_2_2_timer_e_runs_at_t2_after_a_provisional_response() {
    let mut ua = Ua::udp();
    let (sid, _) = ua.called();
    let (_, info) = ua.info(sid);
    ua.hear(&Msg::response(&info, 100, ""));
    ua.wait(T64 - 1);
    assert_eq!(ua.times("INFO"), [500, 4_500, 8_500, 12_500, 16_500, 20_500, 24_500, 28_500]);
    ua.wait(1);
    assert_eq!(ua.events.len(), 2);
}

// conforms: RFC3261-17.1.2.2-8,9,10
#[test]
fn rfc3261_17_1_2_2_timer_k_absorbs_repeats_for_t4_over_udp_only() {
    for (mut ua, wait) in [(Ua::udp(), 5_000), (Ua::tcp(), 0)] {
        let (sid, _) = if wait > 0 { ua.called() } else { ua.answered() };
        let before = ua.gauges().client_transactions;
        if wait == 0 {
            // Towards TCP a Contact has to name it.
            ua.endpoint.sessions[sid].dialogs[0].remote_target =
                format!("sip:bob@{PEER};transport=tcp").parse().unwrap();
        }
        let (_, info) = ua.info(sid);
        ua.hear(&Msg::response(&info, 200, ""));
        assert!(matches!(ua.event(), Event::Responded { outcome: Ok(_), .. }));
        if wait > 0 {
            ua.wait(wait - 1);
            assert_eq!(ua.gauges().client_transactions, before + 1);
            ua.hear(&Msg::response(&info, 200, ""));
            ua.wait(1);
        } else {
            ua.wait(0);
        }
        assert_eq!(ua.gauges().client_transactions, before);
        assert!(ua.events.is_empty());
    }
}

// conforms: RFC3261-17.2.1-8,10,12
#[test]
fn rfc3261_17_2_1_timer_g_repeats_a_failure_until_timer_h() {
    let mut ua = Ua::udp();
    let sid = ua.invited();
    ua.act(|e, now| e.reject(now, sid, &Ua::reply(486))).unwrap();
    ua.take();
    ua.wait(T64 - 1);
    assert_eq!(ua.times("486 Busy Here"), [500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500]);
    assert_eq!((ua.gauges().server_transactions, ua.endpoint.counters().failures_unacknowledged), (1, 0));
    ua.wait(1);
    assert_eq!((ua.gauges().server_transactions, ua.endpoint.counters().failures_unacknowledged), (0, 1));
    ua.must_forget();
}

// conforms: RFC3261-17.2.1-8
#[test]
fn rfc3261_17_2_1_no_timer_g_over_tcp_but_timer_h() {
    let mut ua = Ua::tcp();
    ua.hear_on(flow(Some(1)), &Msg::request("INVITE", 1).text());
    let Event::Invited { session, .. } = ua.event() else { panic!() };
    ua.act(|e, now| e.reject(now, session, &Ua::reply(486))).unwrap();
    ua.take();
    ua.wait(T64 - 1);
    assert!(ua.take().is_empty());
    assert_eq!(ua.gauges().server_transactions, 1);
    ua.wait(1);
    assert_eq!(ua.gauges().server_transactions, 0);
}

// conforms: RFC3261-17.2.1-11,12
#[test]
fn rfc3261_17_2_1_timer_i_absorbs_acks_for_t4_over_udp_only() {
    for (mut ua, wait) in [(Ua::udp(), 5_000), (Ua::tcp(), 0)] {
        let sid = ua.invited();
        ua.act(|e, now| e.reject(now, sid, &Ua::reply(486))).unwrap();
        let busy = ua.one().text;
        let ack = Msg::inside("ACK", 1, &busy).set("Via", &field(&Msg::request("INVITE", 1).text(), "Via"));
        ua.hear(&ack);
        if wait > 0 {
            ua.wait(wait - 1);
            ua.hear(&ack);
            assert_eq!(ua.gauges().server_transactions, 1);
            ua.wait(1);
        } else {
            ua.wait(0);
        }
        assert_eq!(ua.gauges().server_transactions, 0);
        assert_eq!(
            (ua.endpoint.counters().stray_acks, ua.endpoint.counters().failures_unacknowledged),
            (0, 0)
        );
        assert!(ua.take().is_empty());
    }
}

// conforms: RFC3261-17.2.2-6,7,9,10
#[test]
fn rfc3261_17_2_2_timer_j_repeats_the_answer_for_64_t1_over_udp_only() {
    let options = Msg::request("OPTIONS", 1);
    let mut ua = Ua::udp();
    ua.hear(&options);
    ua.wait(T64 - 1);
    ua.hear(&options);
    let sent = ua.take();
    assert_eq!(sent[0].text, sent[1].text);
    assert_eq!((sent.len(), ua.gauges().server_transactions), (2, 1));
    ua.wait(1);
    assert_eq!(ua.gauges().server_transactions, 0);
    let mut ua = Ua::tcp();
    ua.hear_on(flow(Some(1)), &options.text());
    ua.wait(0);
    assert_eq!(ua.gauges().server_transactions, 0);
}

// conforms: RFC6026-6-1 RFC6026-7.1-1,2,5,6 RFC6026-8.7-2,3,4
#[test]
fn rfc6026_8_7_timer_l_absorbs_repeated_invites_after_a_2xx() {
    let mut ua = Ua::udp();
    ua.answered();
    ua.wait(T64 - 1);
    ua.hear(&Msg::request("INVITE", 1).sdp());
    assert!(ua.take().is_empty() && ua.events.is_empty());
    assert_eq!(ua.gauges().server_transactions, 1);
    ua.wait(1);
    assert_eq!(ua.gauges().server_transactions, 0);
}

// conforms: RFC6026-6-1 RFC6026-7.2-1,4,5 RFC6026-8.4-7,12,13
#[test]
fn rfc6026_8_4_timer_m_keeps_an_answered_invite_for_64_t1() {
    for mut ua in [Ua::udp(), Ua::tcp()] {
        let to =
            if ua.endpoint.settings().listeners[0].transport.is_reliable() { ";transport=tcp" } else { "" };
        ua.invite(&format!("sip:bob@{PEER}{to}"), crate::session::Parts::default());
        let invite = ua.one().text;
        ua.wait(100);
        ua.hear(&Msg::response(&invite, 200, "b1").contact(PEER));
        ua.wait(T64 - 1);
        assert_eq!(ua.gauges().client_transactions, 1);
        ua.wait(1);
        assert_eq!(ua.gauges().client_transactions, 0);
    }
}

// conforms: RFC3261-17.2.1-4
#[test]
fn rfc3261_17_2_1_a_repeated_invite_gets_the_last_provisional_response() {
    let mut ua = Ua::udp();
    let sid = ua.invited();
    let no = ua.endpoint.open_dialog(sid).unwrap();
    ua.act(|e, now| e.progress(now, sid, no, &Ua::reply(180))).unwrap();
    let ringing = ua.one().text;
    ua.hear(&Msg::request("INVITE", 1).sdp());
    assert_eq!(ua.one().text, ringing);
    assert_eq!(ua.endpoint.counters().repeated_requests, 1);
}

#[test]
fn a_round_trip_time_above_a_second_keeps_every_retransmission() {
    let mut listener = super::ua::listener(crate::Transport::Udp);
    listener.timers.t1 = std::time::Duration::from_secs(4);
    let mut ua = Ua::with(crate::Settings { listeners: vec![listener], ..Default::default() });
    ua.call();
    ua.wait(256_000);
    assert_eq!(ua.times("INVITE"), [4_000, 12_000, 28_000, 60_000, 124_000, 252_000]);
    assert_eq!(ua.events.len(), 1);
}
