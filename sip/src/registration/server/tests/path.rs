//! RFC 3327 §5.3: a Path that the user agent has not said that it supports.

use super::*;

#[test]
fn rfc3327_5_3_a_binding_with_a_path_wants_its_support() {
    let asks = |lines: &str| {
        let request = received("sip:bob@biloxi.example", "a", 1, lines);
        Demand::read(&request, false).unwrap().require_path_support().map_err(|refusal| {
            let reply = refusal.reply();
            let lacks = reply.parts.fields.first(HeaderName::Unsupported);
            (reply.status.as_u16(), lacks.map(|field| String::from_utf8_lossy(field.value()).into_owned()))
        })
    };
    let refused = Err((420, Some("path".to_owned())));
    let path = "Path: <sip:edge.example;lr>";
    let contact = "Contact: <sip:1@h.example>";
    assert_eq!(asks(&format!("{path}\n{contact}")), refused);
    assert_eq!(asks(&format!("{path}\nSupported: outbound\n{contact}")), refused);
    assert_eq!(asks(&format!("{path}\n{contact};expires=0, <sip:2@h.example>")), refused);
    for fine in [
        &format!("{path}\nSupported: outbound, Path\n{contact}"),
        contact,
        path,
        &format!("{path}\n{contact};expires=0"),
        &format!("{path}\nContact: *\nExpires: 0"),
    ] {
        assert_eq!(asks(fine), Ok(()), "{fine}");
    }
}
