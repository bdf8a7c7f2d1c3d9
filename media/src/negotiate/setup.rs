//! Who makes the connection of a stream (RFC 4145 §4).

use sdp::Media;

use crate::relay::Opening;

/// What a section says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Setup {
    Active,
    Passive,
    ActPass,
    HoldConn,
}

impl Setup {
    /// What holds for a section; `None` where it does not say, or what cannot be read.
    pub(crate) fn of(media: &Media<'_>) -> Option<Self> {
        let text = media.inherited("setup")?.text()?.trim_ascii();
        let all = [Self::Active, Self::Passive, Self::ActPass, Self::HoldConn];
        all.into_iter().find(|one| one.name().eq_ignore_ascii_case(text))
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Passive => "passive",
            Self::ActPass => "actpass",
            Self::HoldConn => "holdconn",
        }
    }

    /// What answers that, and is `wanted` as far as it may be (RFC 4145 §4.1).
    pub(crate) fn answer(self, wanted: Self) -> Self {
        match (self, wanted) {
            (_, Self::HoldConn) | (Self::HoldConn, _) => Self::HoldConn,
            (Self::Active, _) => Self::Passive,
            (Self::Passive, _) | (Self::ActPass, Self::ActPass) => Self::Active,
            (Self::ActPass, wanted) => wanted,
        }
    }
}

/// Who makes the connection of a stream with these two sections; where neither says, the one who has made the offer, which is `we_offered`.
pub(crate) fn opening(ours: Option<Setup>, theirs: Option<Setup>, we_offered: bool) -> Opening {
    use Setup::{ActPass, Active, HoldConn, Passive};
    match (ours, theirs) {
        (Some(HoldConn), _) | (_, Some(HoldConn)) => Opening::Nobodys,
        (Some(Passive), _) | (None | Some(ActPass), Some(Active)) | (None, Some(ActPass)) => Opening::Theirs,
        (Some(Active), _) | (None | Some(ActPass), Some(Passive)) | (Some(ActPass), None | Some(ActPass)) => {
            Opening::Ours
        }
        (None, None) => {
            if we_offered {
                Opening::Ours
            } else {
                Opening::Theirs
            }
        }
    }
}
