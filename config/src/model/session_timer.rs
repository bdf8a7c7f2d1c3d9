use std::time::Duration;

use crate::declare::{Reader, choice, table};
use crate::error::Found;

table! {
    /// Session timers (RFC 4028). Each leg has its own with its peer, by its own profile; what one refreshes does not
    /// cross. A peer that answers 422 is asked again with the interval that it wants.
    pub struct SessionTimer {
        /// Our part in them.
        pinned mode: TimerMode = "ask";
        /// The interval that we ask for, in whole seconds, and that a longer one of the peer's is made. RFC 4028 §4 recommends
        /// half an hour. At least `min`.
        pinned expires: Duration = "30m", in "90s"..="24h";
        /// The shortest interval that we take, in whole seconds; who asks for less is told so with 422. There is none below
        /// `"90s"`. For callers that are not known yet the network's profile counts.
        pinned min: Duration = "90s", in "90s"..="24h";
        /// Who refreshes, where that is for us to say.
        pinned refresher: Refresher = "auto";
        /// Whether we refresh, by re-INVITE, sessions with peers that know nothing of timers, to see that they are still there: a
        /// peer that answers at all is. Some such peers don't take re-INVITEs well.
        pinned alone: bool = false;
    }
    check check_session_timer;
}

choice! {
    /// Our part in session timers.
    pub enum TimerMode {
        /// None: we know nothing of them.
        Off = "off",
        /// A session has a timer where the peer asks for one.
        Accept = "accept",
        /// We ask for one, and the session has one where the peer knows of them.
        Ask = "ask",
    }
}

choice! {
    /// Who refreshes a session.
    pub enum Refresher {
        /// Whom the peer chooses; where it leaves that to us, we do.
        Auto = "auto",
        /// We do, unless the peer wants to.
        Us = "us",
        /// The peer does, if it can, unless it wants us to.
        Peer = "peer",
    }
}

fn check_session_timer(timer: &SessionTimer, reader: &mut Reader<'_>) {
    if timer.expires < timer.min {
        let found = Found::Text(format!("{:?}", timer.expires));
        reader.conflict("expires", found, format!("at least min, which is {:?}", timer.min));
    }
}
