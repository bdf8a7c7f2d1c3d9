//! How much the sweeps of flows try, so that it does not become less unseen.

use super::{
    rfc3665, rfc3725, rfc5359, rfc5359_forwarding, rfc5407, rfc5407_appendices, rfc5589, rfc5589_carried,
    sessions,
};
use std::fmt::Write;

#[test]
fn as_many_runs_as_there_were() {
    let all = [
        rfc3665::all(),
        rfc3725::all(),
        rfc5359::all(),
        rfc5359_forwarding::all(),
        rfc5407::all(),
        rfc5407_appendices::all(),
        rfc5589::all(),
        rfc5589_carried::all(),
        sessions::all(),
    ];
    let (mut table, mut flows, mut sum) = (String::new(), 0, 0);
    for (name, flow) in all.into_iter().flatten() {
        let (messages, runs) = flow.size();
        let _ = writeln!(table, "{messages:4} messages {runs:5} runs  {name}");
        (flows, sum) = (flows + 1, sum + runs);
    }
    let _ = writeln!(table, "{sum} runs of {flows} flows");
    insta::assert_snapshot!(table);
}
