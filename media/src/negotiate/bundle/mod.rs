//! Bundling (RFC 9143): several media sections on one transport.
//!
//! What a peer says once for all of a group is put where each section would say it ([`apart`]), so that all further on sections
//! are alone; what is ours is said once again when a description of ours is composed.

mod apart;
mod mid;
mod payloads;

use sdp::{Description, Media};

pub(crate) use apart::apart;
pub(crate) use mid::{extension, free_extension, is_extension};
pub(crate) use payloads::fits;

/// What is done about bundling on a leg.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Bundling {
    /// Nothing: every section has a transport of its own.
    Off,
    /// A group that the peer offers is taken, and a browser is offered one. The default.
    #[default]
    Accept,
    /// One is offered to every peer.
    Offer,
}

/// The sections of a group in a description of ours, the tagged one first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Bundle {
    members: Vec<Member>,
    /// All of them have the address of the tagged one, which alone says what it is.
    pub(crate) joined: bool,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) section: usize,
    /// Its identification tag (RFC 5888 §4).
    pub(crate) mid: Box<str>,
}

/// The longest tag that is ours to take over: longer ones do not fit into a header extension of one byte (RFC 9143 §15.2).
const LONGEST: usize = 16;

impl Bundle {
    pub(crate) fn new(members: Vec<Member>, joined: bool) -> Option<Self> {
        (!members.is_empty()).then_some(Self { members, joined })
    }

    /// The group of a description, in its order: the sections that are in use or would be in it only. Of several groups the first.
    pub(crate) fn of(description: &Description) -> Vec<Member> {
        let mut groups = description.session().groups();
        let Some(group) = groups.find(|group| group.semantics == "BUNDLE") else { return Vec::new() };
        let mut members: Vec<Member> = Vec::new();
        for mid in group.members() {
            let mut sections = description.media().enumerate();
            let found = sections.find(|(_, media)| media.mid() == Some(mid) && is_in_use(media));
            if let Some((section, _)) = found
                && members.iter().all(|member| member.section != section)
            {
                members.push(Member { section, mid: mid.into() });
            }
        }
        members
    }

    /// The sections that two descriptions have agreed on, in the order of the answer (RFC 9143 §7.3.1, §7.4).
    pub(crate) fn agreed(offer: &Description, answer: &Description) -> Vec<Member> {
        let offered = Self::of(offer);
        let in_both = |member: &Member| offered.iter().any(|offered| offered == member);
        Self::of(answer).into_iter().filter(in_both).collect()
    }

    /// Of a description of ours the sections that have the address of the tagged one, each with that one.
    pub(crate) fn besides(description: &Description) -> Vec<(usize, usize)> {
        let port = |section: usize| description.media().nth(section).map(|media| media.line().port);
        let members = Self::of(description);
        let Some(tagged) = members.first().map(|member| member.section) else { return Vec::new() };
        let others = members.iter().map(|member| member.section).filter(|section| *section != tagged);
        others.filter(|section| port(*section) == port(tagged)).map(|section| (section, tagged)).collect()
    }

    /// The section whose address counts.
    pub(crate) fn tagged(&self) -> Option<usize> {
        self.members.first().map(|member| member.section)
    }

    pub(crate) fn members(&self) -> impl Iterator<Item = &Member> {
        self.members.iter()
    }

    pub(crate) fn mid(&self, section: usize) -> Option<&str> {
        self.members.iter().find(|member| member.section == section).map(|member| &*member.mid)
    }

    /// Whether another section says what the transport of this one is.
    pub(crate) fn is_beside(&self, section: usize) -> bool {
        self.joined && self.tagged() != Some(section) && self.mid(section).is_some()
    }

    /// Whether there is more than one section in it.
    pub(crate) fn is_shared(&self) -> bool {
        self.members.len() > 1
    }
}

/// Whether a section is in use, or would be within its group (RFC 9143 §6).
fn is_in_use(media: &Media<'_>) -> bool {
    media.line().port != 0 || is_only(media)
}

/// Whether a section may be answered outside of its group (RFC 9143 §7.3.2).
pub(crate) fn can_move(media: &Media<'_>) -> bool {
    !is_only(media)
}

/// Whether a section is for its group or not at all.
fn is_only(media: &Media<'_>) -> bool {
    media.section().attribute("bundle-only").is_some()
}

/// The tags of sections that are to be bundled: those which `standing` has for them, else those of the source, else made up; none is twice.
pub(crate) fn tags(
    source: &Description,
    sections: &[usize],
    standing: impl Fn(usize) -> Option<Box<str>>,
) -> Vec<Member> {
    let mut taken: Vec<Box<str>> = Vec::new();
    let all: Vec<_> = source.media().map(|media| media.mid().map(Box::<str>::from)).collect();
    let mut members = Vec::with_capacity(sections.len());
    let of_source = |section: usize, taken: &[Box<str>]| {
        let mid = all.get(section).cloned().flatten()?;
        let once = all.iter().filter(|other| other.as_ref() == Some(&mid)).count() == 1;
        let good = mid.len() <= LONGEST && !mid.contains(|letter: char| !letter.is_ascii_graphic());
        (once && good && !taken.contains(&mid)).then_some(mid)
    };
    for section in sections {
        let known = standing(*section).filter(|mid| !taken.contains(mid));
        let mid = known.or_else(|| of_source(*section, &taken));
        let mid = mid.or_else(|| {
            let mut numbers = (0u32..).map(|number| Box::<str>::from(number.to_string()));
            numbers.find(|number| !taken.contains(number) && !all.contains(&Some(number.clone())))
        });
        let Some(mid) = mid else { continue };
        taken.push(mid.clone());
        members.push(Member { section: *section, mid });
    }
    members
}
