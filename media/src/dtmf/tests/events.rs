//! Events, heard and said (RFC 4733 §2.5).

use super::super::receiver::{Heard, PATIENCE_MILLIS, Receiver};
use super::super::speaker::{MOST_WAITING, Speaker, Unsaid};
use super::super::{Digit, Event, Law, Voice};
use super::{KEYS, digit, keys};

const EVENTS: Voice = Voice::Events { payload: 101, clock: 8_000, events: 0x1_ffff };

fn body(code: u8, duration: u16, end: bool) -> [u8; 4] {
    Event { code, end, volume: 10, duration }.write()
}

fn hear(receiver: &mut Receiver, packets: &[(u32, bool, [u8; 4])]) -> Vec<Heard> {
    let mut heard = Vec::new();
    for (now, (timestamp, marker, body)) in packets.iter().enumerate() {
        receiver.packet((7, *timestamp, *marker), body, 20 * now as u64, &mut |of| heard.push(of));
    }
    heard
}

/// Lets a speaker say all that it has to; each packet with its time in ms.
fn all(speaker: &mut Speaker, from: u64) -> Vec<(u64, bool, u32, Vec<u8>)> {
    let mut packets = Vec::new();
    let mut now = from;
    while let Some(due) = speaker.deadline() {
        now = now.max(due);
        let timestamp = u32::try_from(now * 8).unwrap();
        speaker.tick(now, timestamp, &mut |said| {
            packets.push((now, said.marker, said.timestamp, said.body.to_vec()));
        });
    }
    packets
}

// conforms: RFC4733-2.5.2.2-3
#[test]
fn rfc4733_2_5_an_event_is_heard_once_with_its_whole_duration() {
    let mut receiver = Receiver::new(8_000, PATIENCE_MILLIS);
    let packets = [
        (1_000, true, body(5, 160, false)),
        (1_000, false, body(5, 320, false)),
        (1_000, false, body(5, 800, true)),
        (1_000, false, body(5, 800, true)),
        (1_000, false, body(5, 800, true)),
        (2_000, true, body(5, 400, true)),
    ];
    let heard = hear(&mut receiver, &packets);
    assert_eq!(keys(&heard), [('5', 100), ('5', 50)]);
    let began = heard.iter().filter(|heard| matches!(heard, Heard::Began { .. })).count();
    assert_eq!(began, 2);
    assert_eq!(receiver.deadline(), None);
}

// conforms: RFC4733-2.5.2.2-2
#[test]
fn rfc4733_2_5_2_2_the_next_event_or_time_ends_one_whose_end_is_lost() {
    let mut receiver = Receiver::new(8_000, PATIENCE_MILLIS);
    let heard = hear(&mut receiver, &[(0, true, body(1, 480, false)), (1_600, true, body(2, 160, false))]);
    assert_eq!(keys(&heard), [('1', 60)]);
    let mut late = Vec::new();
    receiver.pass_time(20 + PATIENCE_MILLIS - 1, &mut |of| late.push(of));
    assert_eq!(late, []);
    receiver.pass_time(20 + PATIENCE_MILLIS, &mut |of| late.push(of));
    assert_eq!(keys(&late), [('2', 20)]);
    // What comes of it after that is nothing new.
    receiver.packet((7, 1_600, false), &body(2, 800, true), 300, &mut |of| late.push(of));
    receiver.packet((7, 0, false), &body(1, 480, true), 300, &mut |of| late.push(of));
    assert_eq!(late.len(), 1);
}

#[test]
fn an_event_of_which_only_the_last_packet_comes_is_heard() {
    let mut receiver = Receiver::new(48_000, PATIENCE_MILLIS);
    assert_eq!(keys(&hear(&mut receiver, &[(9, false, body(11, 4_800, true))])), [('#', 100)]);
}

#[test]
fn another_source_begins_anew() {
    let mut receiver = Receiver::new(8_000, PATIENCE_MILLIS);
    let mut heard = Vec::new();
    receiver.packet((1, 500, true), &body(3, 160, false), 0, &mut |of| heard.push(of));
    receiver.packet((2, 400, true), &body(4, 160, true), 0, &mut |of| heard.push(of));
    assert_eq!(keys(&heard), [('3', 20), ('4', 20)]);
}

#[test]
fn rfc4733_2_5_1_5_several_events_in_one_packet() {
    let mut receiver = Receiver::new(8_000, PATIENCE_MILLIS);
    let mut heard = Vec::new();
    let packed = [body(1, 800, true), body(2, 640, true)].concat();
    receiver.packet((7, 0, true), &packed, 0, &mut |of| heard.push(of));
    receiver.packet((7, 0, true), &packed, 0, &mut |of| heard.push(of));
    assert_eq!(keys(&heard), [('1', 100), ('2', 80)]);
}

#[test]
fn what_is_no_key_or_no_event_is_not_heard() {
    let mut receiver = Receiver::new(8_000, PATIENCE_MILLIS);
    let mut heard = Vec::new();
    for octets in [&[][..], &[1], &[1, 2, 3], &body(32, 160, true), &body(255, 0, true)] {
        receiver.packet((7, 0, true), octets, 0, &mut |of| heard.push(of));
    }
    assert_eq!(heard, []);
}

// conforms: RFC4733-2.5.1.3-1,2,3,4,5 RFC4733-2.5.2.3-1
#[test]
fn rfc4733_2_5_1_3_a_long_event_goes_in_segments_and_comes_back_whole() {
    for clock in [8_000, 48_000] {
        let mut speaker = Speaker::new(Voice::Events { payload: 101, clock, events: 0xffff });
        speaker.say(digit('9'), 0, 0, Some(20_000), 0).unwrap();
        let packets = all(&mut speaker, 0);
        assert_eq!(packets.iter().filter(|(_, marker, ..)| *marker).count(), 1);
        let read = |body: &[u8]| Event::all(body).next().unwrap();
        let ends: Vec<_> = packets.iter().filter(|(.., body)| read(body).end).collect();
        assert_eq!(ends.len(), 3);
        let whole = packets.iter().filter(|(.., body)| read(body).duration == 0xffff).count();
        let segments = usize::try_from(20_000 * clock / 1_000 / 0xffff).unwrap();
        assert!(whole >= 3 * segments, "{whole} of {segments}");
        let mut receiver = Receiver::new(clock, PATIENCE_MILLIS);
        let mut heard = Vec::new();
        for (now, marker, timestamp, body) in &packets {
            receiver.packet((1, *timestamp, *marker), body, *now, &mut |of| heard.push(of));
        }
        assert_eq!(keys(&heard), [('9', 20_000)], "at {clock} Hz");
    }
}

// conforms: RFC4733-2.1-1 RFC4733-2.5.1.2-1,2,3,4,5 RFC4733-2.5.1.4-1 RFC4733-2.5.2.2-1 RFC4733-2.3.5-1
#[test]
fn rfc4733_2_5_1_events_are_said_with_marker_growing_duration_and_three_ends() {
    let mut speaker = Speaker::new(EVENTS);
    speaker.say(digit('1'), 12, 0, Some(70), 1_000).unwrap();
    let packets = all(&mut speaker, 1_000);
    let seen: Vec<_> = packets
        .iter()
        .map(|(now, marker, timestamp, body)| {
            let event = Event::all(body).next().unwrap();
            (*now, *marker, *timestamp, event.duration, event.end)
        })
        .collect();
    let expected = [
        (1_000, true, 8_000, 160, false),
        (1_020, false, 8_000, 320, false),
        (1_040, false, 8_000, 480, false),
        (1_060, false, 8_000, 560, true),
        (1_080, false, 8_000, 560, true),
        (1_100, false, 8_000, 560, true),
    ];
    assert_eq!(seen, expected);
    assert!(packets.iter().all(|(.., body)| Event::all(body).next().unwrap().volume == 12));
}

#[test]
fn no_clock_makes_more_than_three_packets_of_a_key_at_a_time() {
    for (clock, length) in [(8_000, 60_000), (192_000, 10_000), (u32::MAX, 160)] {
        let mut speaker = Speaker::new(Voice::Events { payload: 101, clock, events: 0xffff });
        speaker.say(digit('9'), 0, 0, None, 0).unwrap();
        let (mut now, mut segment, mut ends) = (0, 0, 0);
        while speaker.is_busy() {
            let mut count = 0;
            speaker.tick(now, 0, &mut |said| {
                let event = Event::all(said.body).next().unwrap();
                count += 1;
                segment = segment.max(said.timestamp);
                ends += u32::from(event.end);
            });
            assert!(count <= 3, "{count} at once at {clock} Hz");
            speaker.let_go(length);
            now += 20;
        }
        let ticks = u64::from(clock) * u64::from(length) / 1_000;
        assert_eq!((u64::from(segment), ends), ((ticks - 1) / 0xffff * 0xffff, 3), "at {clock} Hz");
    }
}

#[test]
fn keys_are_said_in_order_with_pauses_and_come_back_so() {
    for length in [40, 100, 160, 333] {
        let mut speaker = Speaker::new(EVENTS);
        for key in KEYS.chars() {
            speaker.say(digit(key), 0, 0, Some(length), 0).unwrap();
        }
        let mut receiver = Receiver::new(8_000, PATIENCE_MILLIS);
        let mut heard = Vec::new();
        let packets = all(&mut speaker, 0);
        for (now, marker, timestamp, body) in &packets {
            receiver.packet((1, *timestamp, *marker), body, *now, &mut |of| heard.push(of));
        }
        let expected: Vec<_> = KEYS.chars().map(|key| (key, length)).collect();
        assert_eq!(keys(&heard), expected);
        let starts: Vec<_> =
            packets.iter().filter(|(_, marker, ..)| *marker).map(|(.., at, _)| *at).collect();
        let pauses = starts.windows(2).map(|pair| (pair[1] - pair[0]) / 8 - length);
        assert!(pauses.into_iter().all(|pause| (40..=100).contains(&pause)));
    }
}

#[test]
fn a_key_that_is_still_pressed_lasts_until_it_is_let_go() {
    let mut speaker = Speaker::new(EVENTS);
    speaker.say(digit('4'), 0, 45, None, 0).unwrap();
    let mut last = None;
    for now in (0..200).step_by(20) {
        speaker.lasts(45 + u32::try_from(now).unwrap());
        speaker.tick(now, 1_000 + u32::try_from(now).unwrap() * 8, &mut |said| {
            last = Some((said.timestamp, Event::all(said.body).next().unwrap()));
        });
    }
    let (timestamp, event) = last.unwrap();
    assert_eq!((timestamp, event.duration, event.end), (1_000 - 360, (45 + 180) * 8, false));
    speaker.let_go(210);
    let rest = all(&mut speaker, 200);
    let ends: Vec<_> = rest.iter().map(|(.., body)| Event::all(body).next().unwrap()).collect();
    assert!(ends.iter().all(|end| end.end && end.duration == 225 * 8), "what was said is not taken back");
    assert_eq!(ends.len(), 3);
}

#[test]
fn so_many_keys_wait_and_no_more() {
    let mut speaker = Speaker::new(EVENTS);
    for _ in 0..MOST_WAITING {
        speaker.say(digit('1'), 0, 0, Some(50), 0).unwrap();
    }
    assert_eq!(speaker.say(digit('1'), 0, 0, Some(50), 0), Err(Unsaid::Full));
}

// conforms: RFC4733-2.3.3-1 RFC4733-2.3.4-1
#[test]
fn rfc4733_2_3_4_the_hook_flash_is_an_event_without_power_and_no_tone() {
    let mut speaker = Speaker::new(EVENTS);
    assert_eq!(speaker.say(Digit::FLASH, 9, 0, Some(50), 0), Ok(()));
    let packets = all(&mut speaker, 0);
    assert!(packets.iter().all(|(.., body)| body[0] == 16 && body[1] & 0x7f == 0));
    // The reserved bit says nothing.
    assert_eq!(Event::all(&[5, 0x4a, 0, 80]).next(), Event::all(&[5, 0x0a, 0, 80]).next());
    let others = [
        Voice::Events { payload: 1, clock: 8_000, events: 0xffff },
        Voice::Tones { payload: 0, law: Law::Mu },
    ];
    for voice in others {
        assert_eq!(Speaker::new(voice).say(Digit::FLASH, 0, 0, Some(50), 0), Err(Unsaid::Unsayable));
    }
}

#[test]
fn after_a_stall_packets_go_on_at_their_pace() {
    let mut speaker = Speaker::new(EVENTS);
    speaker.say(digit('1'), 0, 0, Some(1_000), 0).unwrap();
    let mut count = 0;
    speaker.tick(0, 0, &mut |_| count += 1);
    for now in [500, 501, 502, 503] {
        speaker.tick(now, 0, &mut |_| count += 1);
    }
    assert_eq!(count, 3, "one that is due, and one that was missed");
}
