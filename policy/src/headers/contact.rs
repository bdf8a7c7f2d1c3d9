use bytestring::ByteString;
use sip_types::feature::{is_feature, is_said_by_a_field, is_same};
use sip_types::header::Contact;
use sip_types::{HeaderName, Headers};

/// What identifies the instance, which the other side must not learn (RFC 5626 §4.1).
const INSTANCE: &str = "+sip.instance";

/// What says that a Contact is the URI of a conference.
const FOCUS: &str = "isfocus";

/// Whether a Contact parameter is a feature parameter that crosses (RFC 3840 §9). What a header field says as well does not:
/// there each leg makes its own statement, and that counts (RFC 3840 §7).
fn crosses(name: &str) -> bool {
    is_feature(name) && !is_said_by_a_field(name) && !name.eq_ignore_ascii_case(INSTANCE)
}

/// The feature parameters of a message's first Contact, each with its leading `;`, for the Contact of the other leg:
/// all that crosses of a Contact. Of each feature the first parameter counts (RFC 3840 §9).
#[must_use]
pub fn contact_params(headers: &Headers) -> ByteString {
    let field = headers.first(HeaderName::Contact);
    // The last bracket of one address: nothing is behind it.
    if field.is_none_or(|field| field.value().ends_with(b">") && !field.value().contains(&b',')) {
        return ByteString::new();
    }
    let mut text = String::new();
    if let Ok(Some(Contact::Addr(address))) = headers.first_of::<Contact>() {
        let params = address.params();
        for (at, (name, value)) in params.enumerate().filter(|(_, (name, _))| crosses(name)) {
            if address.params().take(at).any(|(before, _)| is_same(before, name)) {
                continue;
            }
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

/// The user part of a message's first Contact, where that is the URI of a conference (`isfocus`, RFC 4579 §4.2): who takes part
/// calls it, subscribes to it and refers others to it by that, so the Contact of the other leg has it too. Empty: it is none.
#[must_use]
pub fn conference_user(headers: &Headers) -> ByteString {
    let Ok(Some(Contact::Addr(address))) = headers.first_of::<Contact>() else { return ByteString::new() };
    let is_focus = address.params().any(|(name, value)| {
        name.eq_ignore_ascii_case(FOCUS) && value.is_none_or(|value| !value.eq_ignore_ascii_case("\"FALSE\""))
    });
    address.uri().user().filter(|_| is_focus).unwrap_or_default().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::invite;

    // conforms: RFC3840-7-1 RFC3840-9-1
    #[test]
    fn rfc3840_9_only_feature_parameters_cross_each_once_without_the_instance_and_what_fields_say() {
        let contact = "m: <sip:a@192.0.2.1;ob>;expires=60;q=0.5;audio;Video;+sip.instance=\"<urn:x>\";reg-id=1;\
             methods=\"INVITE,BYE\";events=\"reg\";Extensions=\"path\";type=\"text/plain\";language=\"en\";\
             +g.3gpp.icsi-ref=\"urn%3A\";+1x;isfocus;AUDIO=\"FALSE\";+sip.video";
        let message = invite(&[contact]);
        let params = contact_params(message.headers());
        assert_eq!(params, ";audio;Video;+g.3gpp.icsi-ref=\"urn%3A\";isfocus");
        assert_eq!(contact_params(invite(&["Contact: *"]).headers()), "");
        assert_eq!(contact_params(invite(&[]).headers()), "");
    }

    #[test]
    fn rfc4579_4_2_the_name_of_a_conference_is_that_of_its_focus_and_of_nobody_else() {
        let user = |contact: &str| conference_user(invite(&[&format!("Contact: {contact}")]).headers());
        assert_eq!(user("<sip:conf%2D1;x=1@192.0.2.1;transport=tcp>;IsFocus;audio"), "conf%2D1;x=1");
        for nobody in [
            "<sip:bob@192.0.2.1>",
            "<sip:bob@192.0.2.1;isfocus>",
            "<sip:bob@192.0.2.1>;isfocus=\"FALSE\"",
            "<sip:192.0.2.1>;isfocus",
            "*",
        ] {
            assert_eq!(user(nobody), "", "{nobody}");
        }
        assert_eq!(conference_user(invite(&[]).headers()), "");
    }
}
