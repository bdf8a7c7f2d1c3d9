use bytestring::ByteString;
use sip_types::header::Contact;
use sip_types::{HeaderName, Headers};

/// Feature parameters without a `+` (RFC 3840 §9, `base-tags`).
const BASE_TAGS: [&str; 20] = [
    "actor",
    "application",
    "audio",
    "automata",
    "class",
    "control",
    "data",
    "description",
    "duplex",
    "events",
    "extensions",
    "isfocus",
    "language",
    "methods",
    "mobility",
    "priority",
    "schemes",
    "text",
    "type",
    "video",
];

/// What a feature parameter must not tell the other side: they identify the instance and its flow (RFC 5626 §4.1).
const OF_THE_FLOW: [&str; 2] = ["+sip.instance", "reg-id"];

/// Whether a Contact parameter is a feature parameter that crosses (RFC 3840 §9).
fn crosses(name: &str) -> bool {
    let is = |word: &&str| name.eq_ignore_ascii_case(word);
    if OF_THE_FLOW.iter().any(is) {
        return false;
    }
    match name.strip_prefix('+') {
        Some(tag) => tag.starts_with(|c: char| c.is_ascii_alphabetic()),
        None => BASE_TAGS.iter().any(is),
    }
}

/// The feature parameters of a message's first Contact, each with its leading `;`, for the Contact of the other leg:
/// all that crosses of a Contact.
#[must_use]
pub fn contact_params(headers: &Headers) -> ByteString {
    let field = headers.first(HeaderName::Contact);
    // The last bracket of one address: nothing is behind it.
    if field.is_none_or(|field| field.value().ends_with(b">") && !field.value().contains(&b',')) {
        return ByteString::new();
    }
    let mut text = String::new();
    if let Ok(Some(Contact::Addr(address))) = headers.first_of::<Contact>() {
        for (name, value) in address.params().filter(|(name, _)| crosses(name)) {
            text.push(';');
            text.push_str(name);
            if let Some(value) = value {
                text.push('=');
                text.push_str(value);
            }
        }
    }
    text.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::invite;

    #[test]
    fn rfc3840_9_only_feature_parameters_cross_without_the_instance() {
        let contact = "m: <sip:a@192.0.2.1;ob>;expires=60;q=0.5;audio;Video;+sip.instance=\"<urn:x>\";reg-id=1;\
             methods=\"INVITE,BYE\";+g.3gpp.icsi-ref=\"urn%3A\";+1x;isfocus";
        let message = invite(&[contact]);
        let params = contact_params(message.headers());
        assert_eq!(params, ";audio;Video;methods=\"INVITE,BYE\";+g.3gpp.icsi-ref=\"urn%3A\";isfocus");
        assert_eq!(contact_params(invite(&["Contact: *"]).headers()), "");
        assert_eq!(contact_params(invite(&[]).headers()), "");
    }
}
