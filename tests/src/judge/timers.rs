//! Session timers that may be asked for, and answers to those that are (RFC 4028 §4, §5, §9).

use super::said::Said;
use super::{Faults, Rule, wrong};
use std::collections::BTreeMap;

/// The least that a Session-Expires may say (§4).
const LEAST: u32 = 90;

/// What peers have asked for, by transaction.
#[derive(Default)]
pub(super) struct Timers {
    asked: BTreeMap<(String, String), Asked>,
}

struct Asked {
    expires: Option<(u32, String)>,
    least: u32,
    supports: bool,
}

/// The seconds and the refresher.
fn expires(said: &Said) -> Option<(u32, String)> {
    let value = said.find("Session-Expires").or_else(|| said.find("x"))?;
    let (seconds, params) = value.split_once(';').unwrap_or((value, ""));
    let refresher = params.split(';').find_map(|param| param.trim().strip_prefix("refresher="));
    Some((seconds.trim().parse().ok()?, refresher.unwrap_or_default().to_owned()))
}

fn least(said: &Said) -> u32 {
    let said = said.find("Min-SE").and_then(|value| value.split(';').next()?.trim().parse().ok());
    said.unwrap_or(LEAST).max(LEAST)
}

impl Rule for Timers {
    fn sent(&mut self, said: &Said, faults: &mut Faults) {
        if said.status == Some(422) && said.find("Min-SE").is_none() {
            wrong(faults, "a 422 without Min-SE (RFC 4028 §6)", said);
        }
        let Some((seconds, refresher)) = expires(said) else { return };
        if said.status.is_none() {
            if seconds < least(said) {
                wrong(faults, "a Session-Expires below Min-SE (RFC 4028 §4, §5)", said);
            }
            if !said.lists("Supported", "timer") {
                wrong(faults, "a Session-Expires without the support of it (RFC 4028 §7.1)", said);
            }
            return;
        }
        let Some(asked) = self.asked.get(&said.transaction()).filter(|_| said.is_success()) else {
            return wrong(faults, "a Session-Expires that responds to nothing (RFC 4028 §9)", said);
        };
        let (wanted, by) = asked.expires.clone().unwrap_or((u32::MAX, String::new()));
        let fault = match refresher.as_str() {
            _ if seconds > wanted => Some("a Session-Expires above the one asked for (RFC 4028 §9)"),
            _ if seconds < asked.least => Some("a Session-Expires below Min-SE (RFC 4028 §9)"),
            "uac" if !asked.supports => Some("a refresher that does not know how (RFC 4028 §9)"),
            "uac" if !said.lists("Require", "timer") => {
                Some("a refresher that is not told that it is one (RFC 4028 §9)")
            }
            "uac" | "uas" if !by.is_empty() && asked.supports && by != refresher => {
                Some("another refresher than the one asked for (RFC 4028 §9)")
            }
            "uac" | "uas" => None,
            _ => Some("a Session-Expires without a refresher (RFC 4028 §9)"),
        };
        if let Some(fault) = fault {
            wrong(faults, fault, said);
        }
    }

    fn came(&mut self, said: &Said, _: &mut Faults) {
        if said.status.is_none() {
            let supports = said.lists("Supported", "timer") || said.lists("Require", "timer");
            let asked = Asked { expires: expires(said), least: least(said), supports };
            self.asked.insert(said.transaction(), asked);
        }
    }

    fn end(&mut self, _: &mut Faults) {}
}
