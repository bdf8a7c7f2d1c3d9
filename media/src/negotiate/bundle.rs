//! Bundling (RFC 9143): several media sections on one transport.
//!
//! Each of our streams has ports of its own. So of a group that is offered one section stays, and the others are moved out (RFC 9143
//! §7.3.3), which is as good as no bundling for who takes that, and who insists on it has it for that section.

use sdp::{Description, Media};

use super::Slot;

/// The one section of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bundle<'a> {
    pub(crate) section: usize,
    /// Its identification tag (RFC 5888 §4).
    pub(crate) mid: &'a str,
}

/// The tag of a section that has none yet.
const FIRST: &str = "0";

impl<'a> Bundle<'a> {
    /// Of what a peer has described: of those whose RTP and RTCP share a port (RFC 9143 §9.3) the first section of its group that is taken here, which is the one that the group's address is of
    /// (RFC 9143 §7.2.1). One without an address of its own (`bundle-only`) has port 0, and is not.
    pub(crate) fn of(described: &'a Description, slots: &[Slot]) -> Option<Self> {
        let group = described.session().groups().find(|group| group.semantics == "BUNDLE")?;
        let find = |mid: &'a str| {
            let mut sections = described.media().zip(slots).enumerate();
            let is_of = |media: &Media<'_>| media.mid() == Some(mid) && media.line().port != 0;
            let (section, _) = sections
                .find(|(_, (media, slot))| is_of(media) && matches!(slot, Slot::Relayed { mux: true, .. }))?;
            Some(Self { section, mid })
        };
        group.members().find_map(find)
    }

    /// For a peer that has described nothing yet and may insist on it: its first section.
    pub(crate) fn offered(source: &'a Description, slots: &[Slot]) -> Option<Self> {
        let mut sections = source.media().zip(slots).enumerate();
        let (section, (media, _)) =
            sections.find(|(_, (_, slot))| matches!(slot, Slot::Relayed { mux: true, .. }))?;
        let is_free = source.media().all(|media| media.mid() != Some(FIRST));
        Some(Self { section, mid: media.mid().or(is_free.then_some(FIRST))? })
    }
}
