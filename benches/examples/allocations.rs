//! How often both sides of a call together allocate: `cargo run --release -p liaison-benches --example allocations`.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "it is what it is for")]

use liaison_benches::endpoint::{Job, Pair};

const JOBS: u64 = 1_000;

fn main() {
    println!("{:<20} {:>12} {:>12} {:>10}", "job", "allocations", "bytes", "messages");
    for job in Job::ALL {
        let mut pair = Pair::steady(job);
        let (before, _) = pair.counted();
        let counted = allocation_counter::measure(|| (0..JOBS).for_each(|_| pair.run()));
        let (after, _) = pair.counted();
        println!(
            "{:<20} {:>12} {:>12} {:>10}",
            job.name(),
            counted.count_total / JOBS,
            counted.bytes_total / JOBS,
            (after - before) / JOBS
        );
    }
}
