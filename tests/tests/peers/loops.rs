//! Nodes that are routed at each other.

use crate::lab::check;

// conforms: RFC7332-5-1,2,3 RFC7332-6-1 RFC5393-5.3.3-1,4,7
#[test]
fn rfc7332_5_what_two_nodes_send_each_other_ends_with_its_hops() {
    check("loops.py", &["two"], 120);
}

#[test]
fn rfc7332_5_what_a_node_sends_to_itself_ends_with_its_hops() {
    check("loops.py", &["one"], 120);
}
