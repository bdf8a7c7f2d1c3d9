use sip_types::header::Warning;
use sip_types::{Field, HeaderName, OwnedField};

/// The agent of our warnings (RFC 3261 §20.43): a pseudonym, which tells neither side where the other one is.
pub const WARN_AGENT: &str = "liaison";

/// A Warning as our user agent passes it on: it is ours now, so we are its agent. `None` where the agent that wrote it
/// cannot be told from the rest.
pub(super) fn passed_on(field: &Field<'_>) -> Option<OwnedField> {
    let warnings = field.to_owned().list::<Warning>().ok()?;
    let ours = warnings.iter().map(|warning| Warning::new(warning.code, WARN_AGENT, &warning.text()));
    let texts: Vec<String> =
        ours.map(|warning| warning.map(|of| of.to_string())).collect::<Result<_, _>>().ok()?;
    Some(OwnedField::new(HeaderName::Warning, texts.join(", ")))
}
