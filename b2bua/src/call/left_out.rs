//! Sections of media that a peer does not get because of us.

use super::CallKey;
use crate::shard::Core;
use media::LeftOutBy;

impl Core {
    /// Has the trail say which sections were answered with port 0 here, and why.
    pub(crate) fn note_left_out(&mut self, key: CallKey) {
        let Some(call) = self.calls.get_mut(key) else { return };
        while let Some(left) = call.media.poll_left_out() {
            let why = match left.why {
                LeftOutBy::Bundle => "it is for its bundle only, and does not go with what else is in that",
                LeftOutBy::SealedPath => {
                    "its paths are sealed by TLS, and its peer does not do without them (RFC 6714)"
                }
                LeftOutBy::Connection => "it needs a connection that is not carried here",
            };
            call.trail.push(policy::Step::LeftOut { section: left.section, medium: left.media.into(), why });
        }
    }
}
