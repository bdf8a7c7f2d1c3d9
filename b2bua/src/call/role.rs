//! What part we have between two legs of a call (RFC 7092 §3), and when that changes.

use super::{Call, CallKey, LegNo, State};
use crate::shard::Core;
use sip::time::Now;

/// What we do for two legs besides signalling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// No media is described.
    SignallingOnly,
    /// Media flows around us.
    SdpModifying,
    /// We relay some of it.
    MediaRelay,
}

impl Role {
    /// As records and the API say it; `relayed` tells of each stream.
    pub(crate) fn of(mut relayed: impl Iterator<Item = bool>) -> Self {
        match relayed.next() {
            None => Self::SignallingOnly,
            Some(first) if first || relayed.any(|relayed| relayed) => Self::MediaRelay,
            Some(_) => Self::SdpModifying,
        }
    }

    /// As records say it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::SignallingOnly => "signalling-only",
            Self::SdpModifying => "sdp-modifying",
            Self::MediaRelay => "media-relay",
        }
    }
}

/// A part that we have had from that moment on, between those legs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RoleSince {
    pub(crate) at: Now,
    pub(crate) role: Role,
    pub(crate) calling: LegNo,
    pub(crate) called: LegNo,
}

/// So many are kept: who changes a call more often keeps the last ones.
const MOST: usize = 64;

impl Call {
    /// What part we have now between the two legs that talk; `None` where none do, or something is being negotiated.
    fn role_now(&self, at: Now) -> Option<RoleSince> {
        let (called, party, _) = self.joined().filter(|_| self.state == State::Established)?;
        if self.is_negotiating() {
            return None;
        }
        let role = Role::of(self.media.relayed(party));
        Some(RoleSince { at, role, calling: self.talk.calling(), called })
    }
}

impl Core {
    /// Notes the part that we have in a call, where it is another one than before, or between others.
    pub(crate) fn note_role(&mut self, now: Now, key: CallKey) {
        let Some(call) = self.calls.get_mut(key) else { return };
        let Some(next) = call.role_now(now) else { return };
        let is_same = |last: &RoleSince| {
            (last.role, last.calling, last.called) == (next.role, next.calling, next.called)
        };
        let last = call.roles.last().copied();
        if last.as_ref().is_some_and(is_same) {
            return;
        }
        if call.roles.len() >= MOST {
            call.roles.remove(0);
        }
        call.roles.reserve_exact(1);
        call.roles.push(next);
        if let Some(last) = last {
            self.counters.roles_changed += 1;
            tracing::info!(
                call = %call.id,
                sip_call_id = call.sip_call_id(),
                session_id = call.session_id().map(tracing::field::display),
                from = last.role.as_str(),
                role = next.role.as_str(),
                calling = next.calling.0,
                called = next.called.0,
                "our part in a call changes"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Role;

    #[test]
    fn rfc7092_3_it_follows_from_the_streams() {
        let rows: [(&[bool], Role); 5] = [
            (&[], Role::SignallingOnly),
            (&[false], Role::SdpModifying),
            (&[true], Role::MediaRelay),
            (&[false, true], Role::MediaRelay),
            (&[true, false], Role::MediaRelay),
        ];
        for (streams, role) in rows {
            assert_eq!(Role::of(streams.iter().copied()), role, "{streams:?}");
        }
    }
}
