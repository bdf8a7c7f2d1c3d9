//! An INVITE with Join (RFC 3911): it goes on to who talks in the dialog that it names, on the other side of us, and names it there as
//! that one knows it. Whether anybody is joined is that user agent's affair; the call that is named does not change here.

use crate::call::place::Place;
use crate::call::{CallKey, LegNo, OrRefuse};
use crate::shard::Core;
use config::TrunkName;
use sip::dialog::DialogState;
use sip::session::Reply;
use sip::{NetworkId, Received};
use sip_types::header::{Join, Require};
use sip_types::{Fields, HeaderName, StatusCode, Uri};

/// The option tag (RFC 3911 §7.2).
const OPTION: &str = "join";

impl Core {
    /// Where an INVITE with Join goes, and what it has there besides what crosses; `None` for one without.
    ///
    /// # Errors
    /// 400 for several of them or with Replaces, 481 where there is no such dialog, 403 for who may not, 488 where nobody talks on
    /// the other side (RFC 3911 §4).
    pub(in crate::call) fn joined(
        &self,
        network: NetworkId,
        trunk: Option<&TrunkName>,
        request: &Received,
    ) -> OrRefuse<Option<(Place, Fields)>> {
        let refuse = |status| Box::new(Reply::new(status));
        let headers = request.headers();
        if !headers.contains(HeaderName::Join) {
            return Ok(None);
        }
        let join = headers.sole::<Join>().ok().flatten().filter(|_| !headers.contains(HeaderName::Replaces));
        let join = join.ok_or_else(|| refuse(StatusCode::BAD_REQUEST))?;
        let none = || refuse(StatusCode::CALL_OR_TRANSACTION_DOES_NOT_EXIST);
        let (key, no, _) =
            self.dialog_of(join.call_id(), (join.local_tag(), join.remote_tag())).ok_or_else(none)?;
        if !self.is_leg_of(key, no, &self.who_sends(network, trunk, request)) {
            return Err(refuse(StatusCode::FORBIDDEN));
        }
        let (place, far) = self.other_end(key, no).ok_or_else(|| refuse(StatusCode::NOT_ACCEPTABLE_HERE))?;
        let mut fields = Fields::default();
        let join = Join::new(&far.0, &far.1, &far.2).map_err(|_| refuse(StatusCode::NOT_ACCEPTABLE_HERE))?;
        fields.push(HeaderName::Join, join.to_string());
        if headers.list::<Require>().unwrap_or_default().iter().any(|tag| tag.is(OPTION)) {
            fields.push(HeaderName::Require, OPTION);
        }
        Ok(Some((place, fields)))
    }

    /// Who a leg talks with, as a place to call, and the identifiers of that dialog as its peer has to be told them: Call-ID, its
    /// own tag, ours.
    pub(super) fn other_end(&self, key: CallKey, no: LegNo) -> Option<(Place, (String, String, String))> {
        let call = self.calls.get(key)?;
        let other = call.other(no)?;
        let leg = call.leg(other)?;
        let session = self.endpoint.session(leg.session)?;
        let dialog = session.dialogs.iter().find(|dialog| dialog.state == DialogState::Confirmed)?;
        let uri: Uri = dialog.remote_target.parse().ok()?;
        let flow = match session.way.as_ref().filter(|_| self.endpoint.is_on_flow(leg.session)) {
            Some(sip::Destination::Flow(flow)) => Some(*flow),
            _ => None,
        };
        let target = policy::Target {
            trunk: leg.trunk.clone(),
            network: call.snapshot.network_name(leg.network)?.clone(),
            profile: leg.profile.clone(),
            request_uri: uri.clone(),
            next_hop: uri,
            // What is reached on its flow only is a device.
            registered: flow.is_some(),
        };
        let routes = dialog.route_set.iter().map(|route| route.as_str().into()).collect();
        // In another call its number does not say any more that it is whom this one's From names.
        let user = self.user_of(&self.snapshot, key, other);
        let place = Place { flow, routes, user, ..Place::plain(target, 1) };
        let far = (
            session.call_id,
            dialog.remote_tag.clone().unwrap_or_else(|| "0".into()),
            dialog.local_tag.clone(),
        );
        Some((place, far))
    }
}
