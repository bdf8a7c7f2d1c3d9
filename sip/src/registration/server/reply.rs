//! The 200 of a REGISTER (RFC 3261 §10.3 step 8).

use super::demand::Demand;
use super::gruu::{GruuKeys, gruus};
use super::plan::Plan;
use crate::ids::Ids;
use crate::time::Now;
use sip_types::header::Date;
use sip_types::{Fields, HeaderName, quote};
use std::fmt::Write;
use std::time::Duration;

/// The fields of the 200 that tell what is bound now. GRUUs are for user agents that know them, the Path for those
/// that know it (RFC 3327 §5.3, RFC 5627 §5.2), `Require: outbound` for those that numbered a flow (RFC 5626 §6), and how
/// often to keep it open for those whose flow is with us.
#[must_use]
pub fn fields(
    now: Now,
    demand: &Demand,
    plan: &Plan,
    keys: Option<&GruuKeys>,
    flow_timer: Duration,
    ids: &mut dyn Ids,
) -> Fields {
    let mut fields = Fields::default();
    for binding in &plan.bindings {
        let (uri, left) = (binding.uri.as_str(), binding.left(now.wall));
        let mut contact = String::with_capacity(uri.len() + binding.params.len() + 24);
        for part in ["<", uri, ">", &binding.params, ";expires=", itoa::Buffer::new().format(left)] {
            contact.push_str(part);
        }
        let keys = keys.filter(|_| demand.knows_gruu);
        if let Some(gruus) = keys.and_then(|keys| gruus(&plan.aor, binding, &plan.instances, keys, ids)) {
            let (public, temporary) = (quote(&gruus.public), quote(&gruus.temporary));
            let _ = write!(contact, ";pub-gruu={public};temp-gruu={temporary}");
        }
        fields.push(HeaderName::Contact, contact);
    }
    if demand.knows_path {
        for path in &demand.path {
            fields.push(HeaderName::Path, String::from(&**path));
        }
    }
    if demand.uses_outbound() {
        fields.push(HeaderName::Require, "outbound");
        if demand.path.is_empty() {
            fields.push(HeaderName::FlowTimer, flow_timer.as_secs().to_string());
        }
    }
    fields.push(HeaderName::Date, Date::from_unix(now.wall.0 / 1000).to_string());
    fields
}
