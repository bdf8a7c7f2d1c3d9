//! Hold in all its forms (RFC 3264 §8.4).

use super::*;
use crate::Direction;
use sdp::Description;

fn direction(text: &Bytes) -> Direction {
    let description = Description::parse(text.clone(), &Limits::default()).unwrap();
    description.media().next().unwrap().direction()
}

#[test]
fn rfc3264_8_4_directions_cross_both_ways() {
    use Direction::*;
    for (offered, answered) in
        [(SendOnly, RecvOnly), (Inactive, Inactive), (RecvOnly, SendOnly), (SendRecv, SendRecv)]
    {
        let mut call = Call::established();
        let offer = call.offer(A, B, &AUDIO.replace("a=sendrecv", &format!("a={}", offered.name()))).unwrap();
        assert_eq!(direction(&offer), offered);
        let answer = call.answer(B, A, &format!("{ANSWER}a={}\n", answered.name())).unwrap();
        assert_eq!(direction(&answer), answered);
        assert_eq!(call.media.view(A).unwrap().streams[0].direction, answered);
        assert_eq!(call.media.view(B).unwrap().streams[0].direction, offered);
    }
}

#[test]
fn rfc3264_8_4_an_address_of_zeros_crosses_as_sendonly_and_nothing_is_sent_there() {
    let mut call = Call::established();
    let offer = call.offer(A, B, &AUDIO.replace("IP4 198.51.100.1\nb", "IP4 0.0.0.0\nb")).unwrap();
    assert_eq!(direction(&offer), Direction::SendOnly);
    assert!(!shown(&offer).contains("0.0.0.0"));
    call.answer(B, A, &format!("{ANSWER}a=recvonly\n")).unwrap();
    let to_a = call.commands.iter().rev().find_map(|command| match command {
        Command::Set { settings, .. } if settings.remote.to_string() == "198.51.100.1:49170" => {
            Some(settings.clone())
        }
        _ => None,
    });
    assert!(!to_a.unwrap().send);
}

#[test]
fn a_held_side_that_answers_with_zeros_is_told_as_sendonly() {
    let mut call = Call::established();
    call.offer(A, B, AUDIO).unwrap();
    let answer = call.answer(B, A, &ANSWER.replace("198.51.100.99\nt", "0.0.0.0\nt")).unwrap();
    assert_eq!(direction(&answer), Direction::SendOnly);
}

#[test]
fn rfc3264_6_1_an_answer_stays_within_the_directions_of_the_offer() {
    let mut call = Call::established();
    call.offer(A, B, &AUDIO.replace("a=sendrecv", "a=sendonly")).unwrap();
    // B's description from before says sendrecv.
    let answer = call.media.compose_answer(A, B, &mut call.ports).unwrap();
    assert_eq!(direction(&answer), Direction::RecvOnly);
}

#[test]
fn a_direction_of_the_session_crosses() {
    let mut call = Call::established();
    let held = AUDIO.replace("a=sendrecv\n", "").replace("a=X-Session", "a=inactive\na=X-Session");
    assert_eq!(direction(&call.offer(A, B, &held).unwrap()), Direction::Inactive);
}

#[test]
fn resume_after_hold_goes_back_to_the_addresses_of_before() {
    let mut call = Call::established();
    let before = call.media.view(B).unwrap().streams[0].local;
    call.offer(A, B, &AUDIO.replace("IP4 198.51.100.1\nb", "IP4 0.0.0.0\nb")).unwrap();
    call.answer(B, A, &format!("{ANSWER}a=recvonly\n")).unwrap();
    call.offer(A, B, AUDIO).unwrap();
    call.answer(B, A, ANSWER).unwrap();
    let view = call.media.view(A).unwrap();
    assert_eq!(view.streams[0].direction, Direction::SendRecv);
    assert_eq!(view.streams[0].remote, Some("198.51.100.1:49170".parse().unwrap()));
    assert_eq!(call.media.view(B).unwrap().streams[0].local, before);
    assert_eq!(call.ports.lent(), 2);
}
