//! What a side asks of messages (RFC 3428).

use super::super::{OrRefuse, decide};
use config::Profile;
use sip::session::Reply;
use sip::{Flow, Settings};
use sip_types::header::ContentType;
use sip_types::{Method, Request, StatusCode, Uri};

/// Refuses a MESSAGE that a side does not take, or not in the way that it comes or goes.
///
/// # Errors
/// 403 with the reason as a warning.
pub(crate) fn permit(profile: &Profile, secure: bool, request: &Request) -> OrRefuse<()> {
    if *request.method() != Method::Message {
        return Ok(());
    }
    let kind = request.headers().get::<ContentType>().ok().flatten();
    policy::message_crosses(&profile.message, secure, kind.as_ref()).map_err(|why| {
        let mut reply = Reply::new(StatusCode::FORBIDDEN);
        reply.parts.fields.push(sip_types::HeaderName::Warning, decide::our_warning(399, &why.to_string()));
        Box::new(reply)
    })
}

/// Whether what comes or goes on a flow is over TLS.
pub(crate) fn is_secure(settings: &Settings, flow: &Flow) -> bool {
    settings.listener(flow.listener).is_some_and(|listener| listener.transport.is_secure())
}

/// The same of what goes to a next hop, on that flow where there is one.
pub(crate) fn goes_securely(settings: &Settings, next_hop: &Uri, flow: Option<&Flow>) -> bool {
    flow.map_or_else(|| sip::is_secure_hop(next_hop), |flow| is_secure(settings, flow))
}
