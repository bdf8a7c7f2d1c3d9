//! The user agent without sockets: `cargo bench -p liaison-benches --bench endpoint`; RESULTS.md has what came out.
#![forbid(unsafe_code)]

use std::time::Duration;

use criterion::{Criterion, Throughput};
use liaison_benches::{
    cpu_time::CpuTime,
    endpoint::{Job, Pair},
};

fn main() {
    let mut criterion = Criterion::default()
        .with_measurement(CpuTime)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(3))
        .sample_size(30)
        .configure_from_args();
    let mut group = criterion.benchmark_group("endpoint");
    group.throughput(Throughput::Elements(1));
    for job in Job::ALL {
        let mut pair = Pair::steady(job);
        group.bench_function(job.name(), |bencher| bencher.iter(|| pair.run()));
    }
    group.finish();
    criterion.final_summary();
}
