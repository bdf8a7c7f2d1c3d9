//! Every message that Liaison sends in a basic call, as a person reads it. Identifiers come from the seed.

use super::common::{ALICE, BOB, Call, TWO_SIDES, World, by_hand, invite};

/// What was sent to a phone, one after another.
fn seen(world: &World, at: &str) -> String {
    let texts: Vec<_> = world.sent_to(at).iter().map(|text| text.replace("\r\n", "\n")).collect();
    texts.join("--------\n")
}

fn basic_call() -> World {
    let mut world = by_hand(TWO_SIDES, 1);
    let called = invite().set("From", "\"Alice\" <sip:alice@a.example>;tag=a1").with("X-Keep", "π");
    let call = Call::establish_with(&mut world, called, super::common::answer);
    call.hang_up(&mut world, 2);
    world
}

// conforms: RFC3261-13.2.1-2 RFC3261-13.2.1-7 RFC3261-13.3.1.4-1
#[test]
fn what_the_caller_sees_of_a_basic_call() {
    insta::assert_snapshot!(seen(&basic_call(), ALICE), @r#"
    SIP/2.0 100 Trying
    Via: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bK-1-invite
    From: "Alice" <sip:alice@a.example>;tag=a1
    To: <sip:+4930@10.0.0.1>
    Call-ID: call-1@10.0.0.2:5060
    CSeq: 1 INVITE
    Content-Length: 0

    --------
    SIP/2.0 180 Whatever
    Via: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bK-1-invite
    From: "Alice" <sip:alice@a.example>;tag=a1
    To: <sip:+4930@10.0.0.1>;tag=16q4g4jxdh229
    Call-ID: call-1@10.0.0.2:5060
    CSeq: 1 INVITE
    Contact: <sip:10.0.0.1:5060>
    Server: Liaison
    Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, UPDATE, REFER, NOTIFY, INFO, MESSAGE, PUBLISH, SUBSCRIBE
    Supported: replaces, tdialog, from-change
    Content-Length: 0

    --------
    SIP/2.0 200 OK
    Via: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bK-1-invite
    From: "Alice" <sip:alice@a.example>;tag=a1
    To: <sip:+4930@10.0.0.1>;tag=16q4g4jxdh229
    Call-ID: call-1@10.0.0.2:5060
    CSeq: 1 INVITE
    Contact: <sip:10.0.0.1:5060>
    Server: Liaison
    Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, UPDATE, REFER, NOTIFY, INFO, MESSAGE, PUBLISH, SUBSCRIBE
    Supported: replaces, tdialog, from-change, timer
    Content-Type: application/sdp
    Content-Length: 164

    v=0
    o=- 625495210165705962 1 IN IP4 10.0.0.1
    s=-
    c=IN IP4 10.0.0.1
    t=0 0
    m=audio 20000 RTP/AVP 8 101
    a=rtpmap:8 PCMA/8000
    a=rtpmap:101 telephone-event/8000
    --------
    SIP/2.0 200 OK
    Via: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bK-2-bye
    From: "Alice" <sip:alice@a.example>;tag=a1
    To: <sip:+4930@10.0.0.1>;tag=16q4g4jxdh229
    Call-ID: call-1@10.0.0.2:5060
    CSeq: 2 BYE
    Server: Liaison
    Content-Length: 0
    "#);
}

#[test]
fn what_the_called_side_sees_of_a_basic_call() {
    insta::assert_snapshot!(seen(&basic_call(), BOB), @r#"
    INVITE sip:+4930@10.1.0.2:5060 SIP/2.0
    Via: SIP/2.0/UDP 10.1.0.1:5060;branch=z9hG4bKsdd3g83vmte37;rport;oc;oc-algo="loss"
    Max-Forwards: 69
    From: "Alice" <sip:alice@a.example>;tag=73vxrj5mdwtxb
    To: <sip:+4930@10.0.0.1>
    Call-ID: yan4kxvx2x4hfb8j54q3j6cg37
    CSeq: 1 INVITE
    Contact: <sip:10.1.0.1:5060>
    User-Agent: Liaison
    Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, UPDATE, REFER, NOTIFY, INFO, MESSAGE, PUBLISH, SUBSCRIBE
    X-Keep: π
    Max-Breadth: 60
    Supported: 100rel, 199, replaces, tdialog, from-change, timer
    Session-Expires: 1800
    Content-Type: application/sdp
    Content-Length: 164

    v=0
    o=- 306101378004962806 1 IN IP4 10.1.0.1
    s=-
    c=IN IP4 10.1.0.1
    t=0 0
    m=audio 20000 RTP/AVP 8 101
    a=rtpmap:8 PCMA/8000
    a=rtpmap:101 telephone-event/8000
    --------
    ACK sip:phone@10.1.0.2:5060 SIP/2.0
    Via: SIP/2.0/UDP 10.1.0.1:5060;branch=z9hG4bK0m0a18yzb8k6c;rport;oc;oc-algo="loss"
    Max-Forwards: 70
    From: "Alice" <sip:alice@a.example>;tag=73vxrj5mdwtxb
    To: <sip:+4930@10.0.0.1>;tag=bob
    Call-ID: yan4kxvx2x4hfb8j54q3j6cg37
    CSeq: 1 ACK
    User-Agent: Liaison
    Content-Length: 0

    --------
    BYE sip:phone@10.1.0.2:5060 SIP/2.0
    Via: SIP/2.0/UDP 10.1.0.1:5060;branch=z9hG4bK55fckbkdcf61e;rport;oc;oc-algo="loss"
    Max-Forwards: 70
    From: "Alice" <sip:alice@a.example>;tag=73vxrj5mdwtxb
    To: <sip:+4930@10.0.0.1>;tag=bob
    Call-ID: yan4kxvx2x4hfb8j54q3j6cg37
    CSeq: 2 BYE
    User-Agent: Liaison
    Supported: timer
    Content-Length: 0
    "#);
}
