//! UPDATE (RFC 3311): what concerns one leg alone is answered there.

use super::{CallKey, LegNo};
use crate::shard::Core;
use sip::Received;
use sip::dialog::DialogNo;
use sip::session::{Reply, RequestId};
use sip::time::Now;
use sip_types::StatusCode;

impl Core {
    /// An UPDATE came.
    pub(crate) fn on_updated(
        &mut self,
        now: Now,
        key: CallKey,
        (leg, _): (LegNo, DialogNo),
        id: RequestId,
        request: &Received,
    ) {
        let Some(session) = self.calls.get(key).and_then(|call| call.leg(leg)).map(|leg| leg.session) else {
            return;
        };
        // RFC 3311 §5.2: what cannot be changed without asking somebody.
        let status = match request.request.body().is_empty() {
            true => StatusCode::OK,
            false => StatusCode::SERVER_TIMEOUT,
        };
        let _ = self.endpoint.respond(now, session, id, &Reply::new(status));
    }
}
