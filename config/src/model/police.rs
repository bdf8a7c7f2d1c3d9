//! Media that is not what was negotiated.

use crate::declare::{choice, table};

table! {
    /// What becomes of RTP from the peer of a leg that is not what was negotiated with it, where media is anchored and not protected between
    /// the two sides.
    pub struct Police {
        /// RTP with payload types that neither the descriptions that stand have, nor those before, nor an offer of ours that has no answer yet.
        pinned payload_types: PayloadTypes = "drop";
        /// RTP of sources (SSRC) that are none of the stream's: beside those that its description states (`a=ssrc`, RFC 5576) two at a time, without such
        /// eight; one that has been silent for 5 s leaves its place to another.
        pinned sources: ForeignSources = "carry";
        /// RTP beyond half as much again as the `b=` (RFC 8866 §5.8) of the stream that we told the peer; without one, beyond twice what its
        /// codecs take, if all are known. All streams together are held to the `b=` of the session, if there is one. Nobody is held to less than 200 kbit/s, and what was held up for 5 s may come at once.
        pinned rate: Excess = "drop";
    }
}

choice! {
    /// What becomes of payload types that were not negotiated.
    pub enum PayloadTypes {
        /// It goes on.
        Carry = "carry",
        /// It is dropped and counted.
        Drop = "drop",
    }
}

choice! {
    /// What becomes of sources that are none of a stream's.
    pub enum ForeignSources {
        /// It goes on, and is counted.
        Carry = "carry",
        /// It is dropped and counted.
        Drop = "drop",
    }
}

choice! {
    /// What becomes of more than was negotiated.
    pub enum Excess {
        /// It goes on.
        Carry = "carry",
        /// It is dropped and counted.
        Drop = "drop",
        /// It is dropped and counted, and within two seconds ends the call.
        End = "end",
    }
}
