//! The parser beside others: `cargo bench -p liaison-benches --bench parser`; RESULTS.md has what came out.
#![forbid(unsafe_code)]

use std::{hint::black_box, time::Duration};

use criterion::{BenchmarkGroup, Criterion};
use liaison_benches::{
    cpu_time::CpuTime,
    messages::{self, Sample},
    parser::{Ezk, Liaison, Parser, Rsip, Rsipstack, job, round_trip},
};

fn main() {
    let mut criterion = Criterion::default()
        .with_measurement(CpuTime)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .sample_size(50)
        .configure_from_args();
    one(&mut criterion, &messages::invite());
    for sample in messages::ordinary() {
        one(&mut criterion, &sample);
    }
    let torture = messages::torture();
    all(&mut criterion, "torture", &torture);
    let common: Vec<_> = torture.into_iter().filter(accepted_by_all).collect();
    all(&mut criterion, "torture-accepted-by-all", &common);
    criterion.final_summary();
}

/// Times one message, which all parsers accept.
fn one(criterion: &mut Criterion<CpuTime>, sample: &Sample) {
    assert!(accepted_by_all(sample), "{} is refused", sample.name);
    all(criterion, &sample.name, std::slice::from_ref(sample));
    let mut group = criterion.benchmark_group(format!("{}-written", sample.name));
    time_written::<Liaison>(&mut group, sample);
    time_written::<Rsipstack>(&mut group, sample);
    time_written::<Rsip>(&mut group, sample);
    time_written::<Ezk>(&mut group, sample);
    group.finish();
}

/// Times every parser on the messages one after the other.
fn all(criterion: &mut Criterion<CpuTime>, name: &str, samples: &[Sample]) {
    let mut group = criterion.benchmark_group(name);
    time::<Liaison>(&mut group, samples);
    time::<Rsipstack>(&mut group, samples);
    time::<Rsip>(&mut group, samples);
    time::<Ezk>(&mut group, samples);
    group.finish();
}

fn time<P: Parser>(group: &mut BenchmarkGroup<'_, CpuTime>, samples: &[Sample]) {
    group.bench_function(P::NAME, |bencher| {
        bencher.iter(|| {
            for sample in samples {
                black_box(job::<P>(&sample.bytes));
            }
        });
    });
}

/// The message is parsed and written again.
fn time_written<P: Parser>(group: &mut BenchmarkGroup<'_, CpuTime>, sample: &Sample) {
    group.bench_function(P::NAME, |bencher| bencher.iter(|| black_box(round_trip::<P>(&sample.bytes))));
}

fn accepted_by_all(sample: &Sample) -> bool {
    let bytes = &sample.bytes;
    Liaison::parse(bytes).is_some()
        && Rsip::parse(bytes).is_some()
        && Rsipstack::parse(bytes).is_some()
        && Ezk::parse(bytes).is_some()
}
