//! What a parser must have read of a well-formed message.

use crate::table::Case;
use bytes::Bytes;
use sip_types::header::{CSeq, CallId, Contact, From, MaxForwards, To, Via};
use sip_types::{Limits, Message};
use toml::Value;

/// Holds the message against the facts of its row.
pub fn check(case: &Case) -> Result<(), String> {
    if !case.well_formed {
        return Ok(());
    }
    let bytes = Bytes::copy_from_slice(&case.bytes);
    let message = Message::parse(bytes, &Limits::default()).map_err(|e| e.to_string())?;
    for (fact, wanted) in &case.facts {
        let found = found(&message, fact).map_err(|e| format!("{fact}: {e}"))?;
        if found != *wanted {
            return Err(format!("{fact}: read {found:?}, not {wanted:?}"));
        }
    }
    Ok(())
}

fn found(message: &Message, fact: &str) -> Result<Value, String> {
    let headers = message.headers();
    let why = |e: sip_types::HeaderError| e.to_string();
    let text = |text: &str| Value::from(text.to_owned());
    let number = |number: usize| Value::from(i64::try_from(number).unwrap());
    let (request, response) = (message.as_request(), message.as_response());
    Ok(match fact {
        "method" => text(request.ok_or("no request")?.method().as_str()),
        "uri" => text(request.ok_or("no request")?.uri_text()),
        "status" => i64::from(response.ok_or("no response")?.status().as_u16()).into(),
        "reason" => text(response.ok_or("no response")?.reason()),
        "call_id" => text(headers.require::<CallId>().map_err(why)?.as_str()),
        "cseq" => i64::from(headers.require::<CSeq>().map_err(why)?.seq).into(),
        "from_tag" => text(headers.require::<From>().map_err(why)?.tag().ok_or("no tag")?),
        "to_tag" => text(headers.require::<To>().map_err(why)?.tag().ok_or("no tag")?),
        "vias" => number(headers.list::<Via>().map_err(why)?.len()),
        "branch" => {
            let via = headers.first_of::<Via>().map_err(why)?.ok_or("no Via")?;
            text(via.branch().ok_or("no branch")?)
        }
        "max_forwards" => i64::from(headers.require::<MaxForwards>().map_err(why)?.0).into(),
        "contacts" => number(headers.list::<Contact>().map_err(why)?.len()),
        "body" => number(message.body().len()),
        other => return Err(format!("{other} is no fact that is known")),
    })
}
