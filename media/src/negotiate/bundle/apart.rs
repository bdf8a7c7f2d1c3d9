//! What a group says once, said by each of its sections.

use bytes::Bytes;
use sdp::{Attribute, Description, Line, Media};

use super::{Bundle, is_only};

/// The port that goes with the address of nowhere.
const DISCARD: u16 = 9;

/// A peer's description in which every section of its group says what its transport is, as if it were alone; `None` where it says so
/// already. The group stays named, and so does what is for its group only (`bundle-only`).
pub(crate) fn apart(description: &Description) -> Option<Bytes> {
    let members = Bundle::of(description);
    let tagged = members.iter().find_map(|member| {
        let media = description.media().nth(member.section)?;
        (media.line().port != 0).then_some(media)
    })?;
    let shares = |media: &Media<'_>| {
        let (line, of_tagged) = (media.line(), tagged.line());
        let same = line.port == of_tagged.port && media.connection() == tagged.connection();
        // A browser has none for a section that it adds (RFC 8829 §5.2.2).
        let nowhere =
            media.connection().and_then(|connection| connection.ip()).is_some_and(|ip| ip.is_unspecified());
        same || line.port == DISCARD && nowhere || line.port == 0 && is_only(media)
    };
    let is_beside = |section: usize, media: &Media<'_>| {
        let beside = media.section().start() != tagged.section().start();
        beside && members.iter().any(|member| member.section == section) && shares(media)
    };
    let mut out = Vec::with_capacity(2_048);
    description.session().lines().for_each(|line| out.extend_from_slice(line.bytes()));
    let mut changed = false;
    for (section, media) in description.media().enumerate() {
        let beside = is_beside(section, &media);
        let mut lines = media.section().lines();
        let first = lines.next();
        if beside && media.line().port != tagged.line().port {
            let (line, port) = (media.line(), tagged.line().port);
            let text =
                format!("m={} {port} {} {}{}", line.media, line.proto, line.formats, description.line_end());
            out.extend_from_slice(text.as_bytes());
            changed = true;
        } else {
            first.into_iter().for_each(|line| out.extend_from_slice(line.bytes()));
        }
        let moves = beside && media.connection() != tagged.connection();
        lines.clone().filter(|line| !(moves && line.kind() == b'c')).for_each(|line| {
            out.extend_from_slice(line.bytes());
        });
        if !beside {
            continue;
        }
        let taken_over = |line: &Line<'_>| match line.kind() {
            b'c' => moves,
            b'a' => {
                let name = Attribute::parse(line.value()).map(|attribute| attribute.name);
                name.is_some_and(|name| is_of_transport(name) && media.section().attribute(name).is_none())
            }
            _ => false,
        };
        for line in tagged.section().lines().skip(1).filter(taken_over) {
            end_line(&mut out, description);
            out.extend_from_slice(line.bytes());
            changed = true;
        }
        end_line(&mut out, description);
    }
    changed.then(|| out.into())
}

/// The last line of a description may be without an end, and another one come behind it now.
fn end_line(out: &mut Vec<u8>, description: &Description) {
    if !out.ends_with(b"\n") {
        out.extend_from_slice(description.line_end().as_bytes());
    }
}

/// Whether an attribute is said by the tagged section for all (RFC 9143 §7.1.3: those of the categories TRANSPORT and IDENTICAL of RFC 8859).
fn is_of_transport(name: &str) -> bool {
    let names = [
        "candidate",
        "end-of-candidates",
        "rtcp",
        "rtcp-mux",
        "rtcp-mux-only",
        "fingerprint",
        "setup",
        "tls-id",
    ];
    names.contains(&name) || name.starts_with("ice-")
}

#[cfg(test)]
mod tests {
    use super::*;
    use sdp::Limits;

    #[test]
    fn what_is_taken_over_from_a_last_line_without_end_stays_a_line() {
        let text = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\na=group:BUNDLE 0 1\r\n\
                    m=video 9 RTP/AVP 96\r\na=mid:1\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\na=rtcp-mux";
        let description = Description::parse(text.into(), &Limits::default()).unwrap();
        let apart = Description::reread(apart(&description).unwrap());
        let muxed: Vec<_> =
            apart.media().map(|media| media.section().attribute("rtcp-mux").is_some()).collect();
        assert_eq!(muxed, [true, true]);
    }
}
