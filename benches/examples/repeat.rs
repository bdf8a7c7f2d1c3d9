//! Does the parser benchmark's job over and over, for `valgrind --tool=callgrind` and `perf`: `repeat ROW PARSER TIMES`.
#![forbid(unsafe_code)]

use std::hint::black_box;

use liaison_benches::{
    messages,
    parser::{Ezk, Liaison, Parser, Rsip, Rsipstack, job},
};

fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [row, parser, times] = arguments.as_slice() else { panic!("usage: repeat ROW PARSER TIMES") };
    let times = times.parse().expect("a number of times");
    match parser.as_str() {
        Liaison::NAME => repeat::<Liaison>(row, times),
        Rsipstack::NAME => repeat::<Rsipstack>(row, times),
        Rsip::NAME => repeat::<Rsip>(row, times),
        Ezk::NAME => repeat::<Ezk>(row, times),
        other => panic!("no parser is called {other}"),
    }
}

fn repeat<P: Parser>(row: &str, times: usize) {
    let samples = std::iter::once(messages::invite()).chain(messages::ordinary());
    let sample = samples.into_iter().find(|sample| sample.name == row).expect("the name of a message");
    for _ in 0..times {
        black_box(job::<P>(&sample.bytes));
    }
}
