use config::Profile;

/// The way from one leg to another, as far as it decides what crosses.
#[derive(Clone, Copy, Debug)]
pub struct Crossing<'p> {
    /// Whether the network that it comes from is in our trust domain (RFC 3325 §2.3).
    pub from_trusted: bool,
    /// Whether the network that it goes to is.
    pub to_trusted: bool,
    /// The profile of the leg that it comes from.
    pub from_profile: &'p Profile,
    /// The profile of the leg that it goes to. What either profile forbids does not cross.
    pub to_profile: &'p Profile,
    /// The realms of our own challenges and credentials: what has to do with them is for us.
    pub realms: &'p [Box<str>],
}

impl<'p> Crossing<'p> {
    pub(crate) const fn profiles(&self) -> [&'p Profile; 2] {
        [self.from_profile, self.to_profile]
    }

    /// Whether a profile keeps any body back.
    #[must_use]
    pub fn stops_bodies(&self) -> bool {
        let stops = |carry: &config::Carry| !carry.unknown_bodies || !carry.forbid_bodies.is_empty();
        self.profiles().iter().any(|profile| stops(&profile.carry))
    }

    /// Whether an option tag crosses: both profiles list it as transparent. Tags ignore case (RFC 3261 §7.3.1).
    #[must_use]
    pub fn is_transparent(&self, tag: &str) -> bool {
        self.profiles().iter().all(|profile| {
            profile.transparent.iter().any(|transparent| transparent.as_str().eq_ignore_ascii_case(tag))
        })
    }
}
