//! Names of the things that media is made of.

/// One dialog of one leg, as the call numbers them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartyId(pub u32);

/// A network, by its place in the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NetworkId(pub u16);

/// A relay thread, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ThreadId(pub u16);

/// A pair of bound ports of one relay thread. The generation tells one borrower from the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PairId {
    /// The thread that owns the sockets.
    pub thread: ThreadId,
    /// The slot in that thread.
    pub slot: u32,
    /// How often the slot was lent.
    pub generation: u32,
}

/// One remote context on a pair: several early dialogs that answer one offer share the pair, each with its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContextId {
    /// The pair of local ports.
    pub pair: PairId,
    /// Which of the remotes on it, below [`MAX_CONTEXTS`].
    pub remote: u8,
}

/// Most remote contexts on one pair, that is, early dialogs that can share one offer's media ports.
pub const MAX_CONTEXTS: u8 = 16;
