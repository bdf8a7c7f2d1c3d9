//! Keys of a party's streams: what it says of its own, and what it is told of ours.

use std::sync::Arc;

use bytes::Bytes;
use sdp::{Description, Media};

use super::answer::Outcome;
use super::party::{Exchange, Lines, Party, Side};
use super::{CallMedia, Mode, sections};
use crate::PartyId;
use crate::keying::{
    self, Keyed, Keying, Mint, Own, OwnHandshake, Plain, Profile, Said, Secured, Security, Setup, SrtpUse,
    secure, secure_profile,
};
use crate::negotiate::{Bundle, Member, Refusal, Text};
use crate::relay::Srtp;
use crate::srtp::{MasterKey, Protection, Suite};

impl CallMedia {
    /// How a party's streams are protected; to be told before the first description. Our keys are made of these 256 bits, which
    /// nobody can guess. Where media goes around us it is the peers' own affair, whatever this says.
    pub fn protect(&mut self, party: PartyId, security: Security, secret: [u8; 32]) {
        if self.mode == Mode::Bypass || !security.ends() {
            return;
        }
        if let Ok(party) = self.party_mut(party) {
            (party.security, party.mint) = (security, Some(Mint::new(secret)));
        }
    }

    /// As [`Self::protect`] for a party that does as the one that it talks with ([`SrtpUse::Auto`]), and whose keys, if any of ours are
    /// due, are made of that one's secret.
    pub fn protect_alike(&mut self, party: PartyId, security: Security) {
        if self.mode == Mode::Bypass {
            return;
        }
        if let Ok(party) = self.party_mut(party) {
            party.security = Security { srtp: SrtpUse::Auto, ..security };
        }
    }

    /// An offer of a party without its keys.
    pub(super) fn plain_offer(&self, text: &Bytes, party: &Party) -> Result<(Description, Plain), Refusal> {
        let (text, description) = self.taken_apart(text, sections::parse(text, &self.limits)?);
        let plain = keying::offered(&text, &description, &party.security)?;
        Ok((reread(description, &text, &plain), plain))
    }

    /// An answer of a party to that offer of ours, without its keys.
    pub(super) fn plain_answer(
        &self,
        text: &Bytes,
        party: &Party,
        offer: &Description,
    ) -> Result<(Description, Plain), Refusal> {
        let (text, description) = self.taken_apart(text, sections::parse(text, &self.limits)?);
        let plain = keying::answered(&text, &description, &party.security, (offer, party.ours.last()))?;
        Ok((reread(description, &text, &plain), plain))
    }

    /// Sends an offer of ours: with our keys, its version and all.
    pub(super) fn publish_offer(
        &mut self,
        to: PartyId,
        text: Text,
        (standing, made): (usize, bool),
    ) -> Result<Bytes, Refusal> {
        let text = self.veiled(to, text);
        let secured = match self.secured_offer(to, &text) {
            Ok(secured) => secured,
            Err(refusal) => {
                self.roll_back(to, standing);
                return Err(refusal);
            }
        };
        let party = self.party_mut(to)?;
        let text = party.publish_secured(text, &secured);
        if party.remote.is_none() && party.local.is_none() {
            party.first_offer = Some((Side::Us, text.clone()));
            party.first_lines = party.ours.last().clone();
        }
        (party.standing, party.made) = (standing, made);
        party.exchange = Exchange::Sent(text.clone());
        self.expect_checks(to, &text);
        self.listen(to, &text);
        self.allow_offered(to, &sections::reread(&text));
        Ok(text)
    }

    /// Sends an answer of ours to that offer, which settles the exchange.
    pub(super) fn publish_answer(
        &mut self,
        to: PartyId,
        text: Text,
        offer_text: Bytes,
    ) -> Result<Bytes, Refusal> {
        let text = self.veiled(to, text);
        let plain = Description::reread(Bytes::copy_from_slice(&text.bytes));
        let mut outcomes = self.outcomes(to, &plain, &sections::reread(&offer_text), Side::Us)?;
        let secured = self.secured_answer(to, &plain, &mut outcomes)?;
        let text = self.party_mut(to)?.publish_secured(text, &secured);
        self.settle(to, Side::Us, text.clone(), offer_text, outcomes)?;
        Ok(text)
    }

    /// Puts what an answer of theirs has settled of keys to the streams that it is for.
    ///
    /// # Errors
    /// It does not say who begins a handshake (RFC 5763 §5), and there is none whose roles could stay: baresip leaves that out of answers
    /// to later offers.
    pub(super) fn secure_outcomes(
        &self,
        of: &Party,
        keyed: &[Keyed],
        (outcomes, bundled): (&mut [Outcome], &[Member]),
    ) -> Result<(), Refusal> {
        let ours = of.ours.last();
        let besides = bundled.get(1..).unwrap_or_default();
        for (section, (outcome, keyed)) in outcomes.iter_mut().zip(keyed).enumerate() {
            if besides.iter().any(|member| member.section == section) {
                continue;
            }
            let (Outcome::Relayed(link, _), Some(ours)) = (outcome, ours.get(section)) else { continue };
            match &keyed.said {
                Said::Nothing => continue,
                Said::Sdes(lines) => {
                    let send = |tag| ours.keys.iter().find(|(own, _)| *own == tag).map(|(_, key)| key);
                    let keys = lines.first().and_then(|line| Some((line, send(line.tag)?)));
                    link.srtp = keys.map(|(line, send)| keys_of(&line.keys, send));
                }
                Said::Dtls(handshake) => {
                    let tls_id = ours.handshake.as_ref().and_then(|ours| ours.tls_id.clone());
                    let stated = handshake.setup.leaves();
                    let stands = of.stands(section, link, (handshake, stated)).map(|(terms, _)| terms.role);
                    let role = stated.or(stands).ok_or(Refusal::Keys { section })?;
                    of.associate(section, link, (handshake, role), tls_id);
                }
            }
            link.dtls = false;
        }
        if let Some(tagged) = bundled.first() {
            besides.iter().for_each(|member| share_keys(outcomes, (member.section, tagged.section)));
        }
        Ok(())
    }

    /// Our description that stands, as it is without keys of ours.
    pub(super) fn told_plainly(&self, party: &Party, told: &Bytes) -> Description {
        if !party.security.ends() {
            return sections::reread(told);
        }
        let ours = party.ours.last();
        keying::without_keys(told, |section| ours.get(section).is_some_and(|own| *own != Own::default()))
    }

    /// The keys of each section of an offer of ours.
    fn secured_offer(&mut self, to: PartyId, text: &Text) -> Result<Vec<Secured>, Refusal> {
        let security = &self.party(to)?.security;
        if !security.ends() || security.srtp == SrtpUse::Off {
            return Ok(Vec::new());
        }
        let description = Description::reread(Bytes::copy_from_slice(&text.bytes));
        let mut secured = Vec::new();
        let besides = Bundle::besides(&description);
        for (section, media) in description.media().enumerate() {
            secured.push(match tagged(&besides, section) {
                Some(_) => Secured::default(),
                None => self.secured_section(to, section, &media)?,
            });
        }
        share_lines(&mut secured, &besides);
        Ok(secured)
    }

    fn secured_section(
        &mut self,
        to: PartyId,
        section: usize,
        media: &Media<'_>,
    ) -> Result<Secured, Refusal> {
        let (Profile::Plain { feedback }, true) = (Profile::of(media.line().proto), media.line().port != 0)
        else {
            return Ok(Secured::default());
        };
        let party = self.party(to)?;
        let suite = party.link(section).and_then(|link| link.srtp.as_ref()).and_then(Srtp::keys);
        let suites = suite.map_or_else(|| Arc::clone(&party.security.suites), |keys| [keys.suite()].into());
        let Some(keyings) = party.offers(section) else { return Err(Refusal::Clear) };
        let keyings = keyings.to_vec();
        let first = keyings.first().filter(|_| party.offers_secure(section));
        let proto = first.map(|keying| secure_profile(*keying, feedback).into());
        let mut own = Own::default();
        for keying in keyings {
            match keying {
                Keying::Sdes => {
                    let mut keys = Vec::with_capacity(suites.len());
                    for (tag, suite) in (1..).zip(suites.iter()) {
                        keys.push((tag, self.own_key(to, section, *suite, None)?));
                    }
                    own.keys = keys.into();
                }
                Keying::Dtls => {
                    let tls_id = Some(self.own_tls_id(to, section)?);
                    own.handshake = Some(OwnHandshake { setup: Setup::ActPass, tls_id });
                }
            }
        }
        Ok(Secured { proto, own, beside: false })
    }

    /// The keys of each section of an answer of ours, and what they settle: of what was offered, the first that we take (RFC 4568
    /// §5.1.2).
    fn secured_answer(
        &mut self,
        to: PartyId,
        plain: &Description,
        outcomes: &mut [Outcome],
    ) -> Result<Vec<Secured>, Refusal> {
        let theirs = self.party(to)?.theirs.last().clone();
        if theirs.iter().all(|keyed| keyed == &Keyed::default()) {
            return Ok(Vec::new());
        }
        let mut secured = Vec::new();
        let besides = Bundle::besides(plain);
        let sections = plain.media().zip(outcomes.iter_mut()).zip(theirs).enumerate();
        for (section, ((media, outcome), Keyed { proto, said })) in sections {
            let open = media.line().port != 0 && tagged(&besides, section).is_none();
            let own = match (outcome, said) {
                (Outcome::Relayed(link, _), Said::Sdes(lines)) if open => {
                    let line = lines.into_iter().next().ok_or(Refusal::Protection { section })?;
                    let suite = line.suite().ok_or(Refusal::Protection { section })?;
                    let stands = self.party(to)?.link(section).and_then(|link| link.srtp.as_ref());
                    let stands =
                        stands.and_then(Srtp::keys).filter(|stands| stands.is_of_another(&line.keys));
                    let stale = stands.map(|stands| stands.send.clone());
                    let send = self.own_key(to, section, suite, stale)?;
                    link.srtp = Some(keys_of(&line.keys, &send));
                    Own { keys: [(line.tag, send)].into(), handshake: None }
                }
                (Outcome::Relayed(link, _), Said::Dtls(theirs)) if open => {
                    let party = self.party(to)?;
                    let stands = party.stands(section, link, (&theirs, theirs.setup.leaves()));
                    let role = stands.map(|(terms, _)| terms.role).or(theirs.setup.leaves());
                    let role = role.unwrap_or_else(|| party.role(link));
                    let named = stands.and_then(|(_, association)| association.ours.clone());
                    let tls_id = match (&theirs.tls_id, named) {
                        (None, _) => None,
                        (Some(_), Some(ours)) => Some(ours),
                        (Some(_), None) => Some(self.new_tls_id(to)?),
                    };
                    self.party(to)?.associate(section, link, (&theirs, role), tls_id.clone());
                    let handshake = Some(OwnHandshake { setup: Setup::ours(role), tls_id });
                    Own { handshake, ..Own::default() }
                }
                (Outcome::Relayed(..) | Outcome::Around(_) | Outcome::Dead, _) => Own::default(),
            };
            secured.push(Secured { proto, own, beside: false });
        }
        besides.iter().for_each(|beside| share_keys(outcomes, *beside));
        share_lines(&mut secured, &besides);
        Ok(secured)
    }

    /// Our key for a stream: that which it has had since it has its port, if it is not stale, else a new one.
    fn own_key(
        &mut self,
        party: PartyId,
        section: usize,
        suite: Suite,
        stale: Option<MasterKey>,
    ) -> Result<MasterKey, Refusal> {
        let stream = self.stream_at(party, section)?;
        let stands = || stream.link.as_ref()?.srtp.as_ref()?.keys().map(|keys| keys.send.clone());
        let stale = stale.or_else(|| stands().filter(|_| stream.stale));
        let is_good = |key: &&MasterKey| key.suite() == suite && stale.as_ref() != Some(*key);
        if let Some(key) = stream.keys.iter().find(is_good) {
            return Ok(key.clone());
        }
        let mint = self.party_mut(party)?.mint.as_mut();
        let key = mint.and_then(|mint| mint.key(suite)).ok_or(Refusal::Clear)?;
        let stream = self.stream_at(party, section)?;
        stream.keys.push(key.clone());
        stream.made = stream.made.wrapping_add(1);
        Ok(key)
    }

    /// What we call the association of a stream in offers (RFC 8842 §5.2, §5.5): as it is called, or anew.
    fn own_tls_id(&mut self, party: PartyId, section: usize) -> Result<Box<str>, Refusal> {
        if let Some(name) = &self.stream_at(party, section)?.tls_id {
            return Ok(name.clone());
        }
        let name = self.new_tls_id(party)?;
        self.stream_at(party, section)?.tls_id = Some(name.clone());
        Ok(name)
    }

    fn new_tls_id(&mut self, party: PartyId) -> Result<Box<str>, Refusal> {
        self.party_mut(party)?.mint.as_mut().and_then(Mint::tls_id).ok_or(Refusal::Clear)
    }
}

impl Party {
    /// Gives a text our keys, and its version.
    fn publish_secured(&mut self, text: Text, secured: &[Secured]) -> Bytes {
        let lines: Lines = secured.iter().map(|section| section.own.clone()).collect();
        self.ours.pending = Some(lines);
        let identity = self.security.identity.clone();
        self.publish(secure(text, secured, identity.as_deref().map(crate::dtls::Identity::fingerprint)))
    }
}

/// SRTP with these keys of theirs and that one of ours.
fn keys_of(theirs: &[MasterKey], ours: &MasterKey) -> Srtp {
    Srtp::Keys(Arc::new(Protection { receive: theirs.into(), send: ours.clone() }))
}

/// The tagged section whose transport a section has.
fn tagged(besides: &[(usize, usize)], section: usize) -> Option<usize> {
    besides.iter().find(|(beside, _)| *beside == section).map(|(_, tagged)| *tagged)
}

/// Has a section protected as the tagged one is.
fn share_keys(outcomes: &mut [Outcome], (beside, tagged): (usize, usize)) {
    let Some(Outcome::Relayed(of_tagged, _)) = outcomes.get(tagged) else { return };
    let (srtp, association, dtls) = (of_tagged.srtp.clone(), of_tagged.association.clone(), of_tagged.dtls);
    if let Some(Outcome::Relayed(link, _)) = outcomes.get_mut(beside) {
        (link.srtp, link.association, link.dtls) = (srtp, association, dtls);
    }
}

/// Has sections go by what the tagged one says of its keys, without saying it again (RFC 9143 §7.1.3).
fn share_lines(secured: &mut [Secured], besides: &[(usize, usize)]) {
    for (beside, tagged) in besides {
        let Some(of_tagged) = secured.get(*tagged).cloned() else { continue };
        if let Some(section) = secured.get_mut(*beside) {
            let proto = section.proto.take().or(of_tagged.proto);
            *section = Secured { proto, own: of_tagged.own, beside: true };
        }
    }
}

fn reread(description: Description, text: &Bytes, plain: &Plain) -> Description {
    if plain.text == *text { description } else { sections::reread(&plain.text) }
}
