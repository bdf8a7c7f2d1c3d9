//! What becomes of a peer's section, by what it says of its protection and what the leg wants.

use sdp::Media;

use super::handshake::Lacking;
use super::plain::Said;
use super::secure::Own;
use super::{CryptoLine, Handshake, Keyed, Keying, Profile, Security, Setup, SrtpUse};
use crate::negotiate::Refusal;

/// What becomes of a section.
pub(super) enum Verdict {
    /// It stays as it is.
    Kept,
    /// It is a plain stream from here on, by that protocol where it was another one.
    Plain(Keyed, Option<&'static str>),
    /// It is not taken.
    Refused(Refusal),
}

/// Of an offer.
pub(super) fn offer(section: usize, media: &Media<'_>, security: &Security) -> Verdict {
    let proto = media.line().proto;
    let profile = Profile::of(proto);
    let refused = || Verdict::Refused(Refusal::Protection { section });
    match (profile, security.srtp) {
        (Profile::Other, _) | (_, SrtpUse::EndToEnd | SrtpUse::Auto) => return Verdict::Kept,
        (Profile::Foreign, _) => return refused(),
        (Profile::Plain { .. }, SrtpUse::Off) => return Verdict::Plain(Keyed::default(), None),
        (Profile::Secure { .. } | Profile::Dtls { .. }, SrtpUse::Off) => return refused(),
        (
            Profile::Plain { .. } | Profile::Secure { .. } | Profile::Dtls { .. },
            SrtpUse::AsOffered | SrtpUse::Opportunistic | SrtpUse::Preferred | SrtpUse::Required,
        ) => {}
    }
    let of = |keying: &Keying| match keying {
        Keying::Sdes if matches!(profile, Profile::Dtls { .. }) => None,
        Keying::Sdes => {
            let lines: Vec<_> = crypto_lines(media).filter(|line| knows(security, line)).collect();
            (!lines.is_empty()).then_some(Said::Sdes(lines))
        }
        // With `RTP/SAVP`, too, as it was before RFC 5764.
        Keying::Dtls => Handshake::of(media, Setup::Active).ok().map(Said::Dtls),
    };
    let usable = security.keying.iter().filter(|keying| security.takes(**keying));
    let said = usable.clone().find_map(of);
    let must = security.srtp == SrtpUse::Required || !matches!(profile, Profile::Plain { .. });
    match said {
        Some(said) => {
            let proto = profile.plain().map(|_| proto.into());
            Verdict::Plain(Keyed { proto, said }, profile.plain())
        }
        None if !must => Verdict::Plain(Keyed::default(), None),
        None => {
            let dtls = usable.clone().any(|keying| *keying == Keying::Dtls);
            let unread = Handshake::of(media, Setup::Active) == Err(Lacking::Fingerprint);
            let no_fingerprint = dtls && unread && !matches!(profile, Profile::Plain { .. });
            if no_fingerprint { Verdict::Refused(Refusal::Fingerprint { section }) } else { refused() }
        }
    }
}

/// Of an answer to an offer of ours that had this protocol and that of keys.
///
/// # Errors
/// It does not answer our keys.
pub(super) fn answer(
    section: usize,
    media: &Media<'_>,
    offered: Option<&str>,
    ours: &Own,
) -> Result<Verdict, Refusal> {
    let proto = media.line().proto;
    let profile = Profile::of(proto);
    let unanswered = Refusal::Keys { section };
    if ours == &Own::default() {
        // Nobody was asked for keys: those of an answer are for somebody else.
        return match profile {
            Profile::Plain { .. } => Ok(Verdict::Plain(Keyed::default(), None)),
            Profile::Other => Ok(Verdict::Kept),
            Profile::Secure { .. } | Profile::Dtls { .. } | Profile::Foreign => Err(unanswered),
        };
    }
    if profile.feedback().is_none() {
        return Err(unanswered);
    }
    let by_handshake = matches!(profile, Profile::Dtls { .. });
    let sdes = !by_handshake && !ours.keys.is_empty() && media.section().attribute("crypto").is_some();
    let handshake = match &ours.handshake {
        Some(_) => Handshake::of(media, Setup::Passive),
        None => Err(Lacking::Nothing),
    };
    let is_plain = |profile| matches!(profile, Profile::Plain { .. });
    let said = match (sdes, handshake) {
        (false, Err(Lacking::Nothing))
            if is_plain(profile) && offered.map(Profile::of).is_some_and(is_plain) =>
        {
            return Ok(Verdict::Plain(Keyed::default(), None));
        }
        (true, Err(Lacking::Nothing)) => Said::Sdes(vec![chosen(media, ours).ok_or(unanswered)?]),
        (false, Ok(handshake)) => Said::Dtls(handshake),
        (false, Err(Lacking::Fingerprint)) => return Err(Refusal::Fingerprint { section }),
        // Nothing, or two at once (RFC 8643 §3.2).
        (false, Err(Lacking::Nothing | Lacking::Setup)) | (true, _) => return Err(unanswered),
    };
    Ok(Verdict::Plain(Keyed { proto: profile.plain().map(|_| proto.into()), said }, profile.plain()))
}

/// The line that answers one of ours: one and only one (RFC 4568 §7.1.2).
fn chosen(media: &Media<'_>, ours: &Own) -> Option<CryptoLine> {
    let mut lines = media.section().attributes().filter(|attribute| attribute.name == "crypto");
    let line = lines.next().and_then(|line| CryptoLine::parse(line.text()?))?;
    let is_ours = ours.keys.iter().any(|(tag, key)| line.tag == *tag && line.suite() == Some(key.suite()));
    let reflected =
        ours.keys.iter().any(|(_, key)| line.keys.iter().any(|theirs| theirs.octets() == key.octets()));
    (lines.next().is_none() && is_ours && !reflected).then_some(line)
}

fn knows(security: &Security, line: &CryptoLine) -> bool {
    line.suite().is_some_and(|suite| security.suites.contains(&suite))
}

fn crypto_lines<'a>(media: &Media<'a>) -> impl Iterator<Item = CryptoLine> + use<'a> {
    let lines = media.section().attributes().filter(|attribute| attribute.name == "crypto");
    lines.filter_map(|attribute| CryptoLine::parse(attribute.text()?))
}
