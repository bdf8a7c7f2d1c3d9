//! Keys that are good for nothing any more are wiped.

use super::Guarded;
use super::party::{Keys, Lines, Party};
use crate::keying::Said;
use crate::relay::Srtp;

impl Party {
    /// No other dialog answers the first offer any more: what was told in it for others goes, and so do keys of ours that were not taken.
    pub(super) fn forget_untaken(&mut self) {
        (self.first_keyed, self.first_lines) = (Vec::new(), Lines::default());
        for stream in &mut self.streams {
            let srtp = stream.link.as_ref().and_then(|link| link.srtp.as_ref());
            if let Some(stands) = srtp.and_then(Srtp::keys) {
                stream.keys.retain(|key| *key == stands.send);
            }
        }
    }

    /// It talks with nobody any more: how it was protected is still told.
    pub(super) fn wipe(&mut self) {
        self.forget_untaken();
        (self.ours, self.mint, self.theirs.pending) = (Keys::default(), None, None);
        for keyed in &mut self.theirs.standing {
            keyed.said = Said::Nothing;
        }
        for section in 0..self.streams.len() {
            let counters = self.transport_counters(section).cloned();
            let Some(stream) = self.streams.get_mut(section) else { break };
            if stream.link.as_ref().is_some_and(|link| link.srtp.is_some()) {
                stream.was = Some(Guarded::of(stream, "", counters.as_ref()));
            }
            stream.begin_keys_anew();
            if let Some(link) = &mut stream.link {
                (link.srtp, link.association) = (None, None);
            }
        }
    }
}
