//! Whose packets a stream has: its sources, by their SSRC.
//!
//! What comes by an SSRC that was never heard of need not be wrong: whose SSRC collides with another one's takes another (RFC 3550 §8.2),
//! and who plays music or has been transferred goes on by another. What is no stream's is that many come at once.

use std::sync::Arc;

use sdp::Media;

/// What is known of the sources of a stream, and what is done about others.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ssrcs {
    /// Those that its description states (RFC 5576 §4.1).
    pub stated: Arc<[u32]>,
    /// Packets of others are dropped; else they are counted.
    pub drop: bool,
}

/// Most that are kept of a description; of one with more, all may come.
const MOST_STATED: usize = 64;
/// Sources that no description states, at a time: where there are none, and beside those that there are.
const MOST: usize = 8;
const MOST_BESIDE: usize = 2;
/// Whose last packet is so long ago in ms has left its place to another one.
const IDLE_MILLIS: u64 = 5_000;

impl Ssrcs {
    /// Those of a section; none of one that has more than are kept.
    pub(crate) fn of(media: &Media<'_>) -> Arc<[u32]> {
        let of_ssrc = media.section().attributes().filter(|attribute| attribute.name == "ssrc");
        let numbers = of_ssrc.filter_map(|attribute| attribute.text()?.split(' ').next()?.parse().ok());
        let mut stated: Vec<u32> = Vec::new();
        for number in numbers {
            if stated.len() > MOST_STATED {
                return Arc::default();
            }
            if !stated.contains(&number) {
                stated.push(number);
            }
        }
        stated.into()
    }
}

/// The sources that have come lately, of those that no description states.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Crowd {
    /// Each with when it came last, in ms.
    sources: [(u32, u64); MOST],
    used: usize,
    /// Where the one is that came last.
    last: usize,
}

impl Crowd {
    /// Whether a packet is of one of the sources that a stream may have.
    pub(crate) fn admits(&mut self, ssrc: u32, ssrcs: &Ssrcs, now_millis: u64) -> bool {
        if let Some((_, at)) = self.place(self.last).filter(|(known, _)| *known == ssrc) {
            *at = now_millis;
            return true;
        }
        if ssrcs.stated.contains(&ssrc) {
            return true;
        }
        let most = if ssrcs.stated.is_empty() { MOST } else { MOST_BESIDE };
        let used = self.sources.get(..self.used.min(most)).unwrap_or_default();
        let known = used.iter().position(|(known, _)| *known == ssrc);
        let free = (used.len() < most).then_some(used.len());
        let oldest = used.iter().enumerate().min_by_key(|(_, (_, at))| *at);
        let idle = oldest.filter(|(_, (_, at))| now_millis.saturating_sub(*at) >= IDLE_MILLIS);
        let Some(place) = known.or(free).or(idle.map(|(place, _)| place)) else { return false };
        self.used = self.used.max(place + 1);
        self.last = place;
        if let Some(entry) = self.place(place) {
            *entry = (ssrc, now_millis);
        }
        true
    }

    fn place(&mut self, place: usize) -> Option<&mut (u32, u64)> {
        self.sources.get_mut(..self.used)?.get_mut(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stated(stated: &[u32]) -> Ssrcs {
        Ssrcs { stated: stated.into(), drop: true }
    }

    #[test]
    fn rfc3550_8_2_a_source_may_take_another_name() {
        for of in [stated(&[]), stated(&[7])] {
            let mut crowd = Crowd::default();
            for (nth, ssrc) in [7, 8, 7, 8, 9, 9].into_iter().enumerate() {
                assert!(crowd.admits(ssrc, &of, 20 * nth as u64), "{ssrc}");
            }
        }
    }

    #[test]
    fn of_many_at_once_no_more_than_a_few_come_and_none_takes_the_place_of_one_that_speaks() {
        for (of, most) in [(stated(&[]), MOST), (stated(&[1_000, 1_001]), MOST_BESIDE)] {
            let mut crowd = Crowd::default();
            assert!(crowd.admits(1, &of, 0));
            let others = (2..500).filter(|ssrc| crowd.admits(*ssrc, &of, 1)).count();
            assert_eq!(others, most - 1);
            for now in (20..2 * IDLE_MILLIS).step_by(20) {
                assert!(crowd.admits(1, &of, now));
                assert!(of.stated.iter().all(|ssrc| crowd.admits(*ssrc, &of, now)));
                // The others are silent, and so their places are taken in the end.
                let wanted = now > IDLE_MILLIS;
                assert_eq!(crowd.admits(600, &of, now), wanted, "{now}");
            }
        }
    }

    #[test]
    fn of_a_description_with_too_many_nothing_is_known() {
        let of = |count: u32| {
            let lines: String =
                (0..count).map(|ssrc| format!("a=ssrc:{ssrc} cname:a\r\na=ssrc:{ssrc} msid:b\r\n")).collect();
            let text =
                format!("v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\nm=audio 4 RTP/AVP 0\r\n{lines}");
            let description = sdp::Description::reread(text.into());
            description.media().next().map(|media| Ssrcs::of(&media).len())
        };
        assert_eq!([of(0), of(2), of(64), of(200)], [Some(0), Some(2), Some(64), Some(0)]);
    }
}
