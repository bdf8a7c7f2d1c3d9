//! Which section a synchronization source is of.

/// Sources that are known at a time; beyond that the one that was learned first is forgotten, and learned again by its next packet.
const ROOM: usize = 64;

/// The sources of a transport.
#[derive(Debug, Default)]
pub(in crate::relay) struct Tables {
    /// Those that its peer sends.
    pub(in crate::relay) incoming: Table,
    /// Those that it is sent.
    pub(in crate::relay) outgoing: Table,
}

/// Sources and the numbers of their sections.
#[derive(Debug)]
pub(in crate::relay) struct Table {
    entries: [(u32, u8); ROOM],
    length: usize,
    next: usize,
}

impl Default for Table {
    fn default() -> Self {
        Self { entries: [(0, 0); ROOM], length: 0, next: 0 }
    }
}

impl Table {
    /// The section of a source.
    pub(in crate::relay) fn get(&self, ssrc: u32) -> Option<u8> {
        let known = self.entries.get(..self.length).unwrap_or_default();
        known.iter().find(|(of, _)| *of == ssrc).map(|(_, section)| *section)
    }

    /// A source is of that section from now on.
    pub(in crate::relay) fn learn(&mut self, ssrc: u32, section: u8) {
        let known = self.entries.get_mut(..self.length).unwrap_or_default();
        if let Some(entry) = known.iter_mut().find(|(of, _)| *of == ssrc) {
            entry.1 = section;
            return;
        }
        if let Some(entry) = self.entries.get_mut(self.next) {
            *entry = (ssrc, section);
        }
        self.next = (self.next + 1) % ROOM;
        self.length = ROOM.min(self.length + 1);
    }
}
