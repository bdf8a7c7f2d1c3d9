//! SIPp over TLS, and SIPS.

use crate::lab::check;

#[test]
fn sipp_over_tls_calls_and_is_called_on_one_connection_a_side() {
    check("sips.py", &["calls"], 90);
}

#[test]
fn rfc5630_5_3_a_sips_call_goes_on_over_tls_and_asks_for_the_connection_where_we_have_a_certificate() {
    check("sips.py", &["secure"], 60);
}

#[test]
fn rfc5630_5_3_a_sips_call_to_a_trunk_without_tls_is_refused() {
    check("sips.py", &["refused"], 60);
}

#[test]
fn rfc5923_8_2_a_connection_with_alias_takes_requests_for_the_domain_that_it_proves() {
    check("sips.py", &["domains", "a"], 60);
}

#[test]
fn rfc5923_8_2_a_connection_with_alias_takes_no_request_for_another_domain() {
    check("sips.py", &["domains", "b"], 60);
}
