//! SRTP beside others: `cargo bench -p liaison-benches --bench srtp`; RESULTS.md has what came out.
#![forbid(unsafe_code)]

use std::hint::black_box;
use std::time::Duration;

use criterion::measurement::Measurement;
use criterion::{BenchmarkGroup, Criterion};
use liaison_benches::cpu_time::CpuTime;
use liaison_benches::srtp::{Liaison, Maker, Packet, Rtc, Suite, Webrtc, octets};

/// Packets that are made ready before some are timed: what a cache of the second level holds.
const AT_ONCE: u64 = 512;

fn main() {
    let mut criterion = Criterion::default()
        .with_measurement(CpuTime)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(600))
        .sample_size(30)
        .configure_from_args();
    for suite in Suite::ALL {
        let mut group = criterion.benchmark_group(format!("{}-protect", suite.name()));
        protect::<Liaison>(&mut group, suite);
        protect::<Webrtc>(&mut group, suite);
        protect::<Rtc>(&mut group, suite);
        group.finish();
        let mut group = criterion.benchmark_group(format!("{}-unprotect", suite.name()));
        unprotect::<Liaison>(&mut group, suite);
        unprotect::<Webrtc>(&mut group, suite);
        unprotect::<Rtc>(&mut group, suite);
        group.finish();
    }
    criterion.final_summary();
}

fn protect<M: Maker>(group: &mut BenchmarkGroup<'_, CpuTime>, suite: Suite) {
    let Some(mut maker) = M::new(suite, &octets(suite)) else { return };
    let mut next = 0;
    group.bench_function(M::NAME, |bencher| {
        bencher.iter_custom(|times| {
            timed(
                times,
                |count| {
                    let packets = (next..next + count).map(Packet::new).collect();
                    next += count;
                    packets
                },
                |packet| maker.protect(packet),
            )
        });
    });
}

fn unprotect<M: Maker>(group: &mut BenchmarkGroup<'_, CpuTime>, suite: Suite) {
    let Some(mut maker) = M::new(suite, &octets(suite)) else { return };
    let mut sender = Liaison::new(suite, &octets(suite)).expect("it has every suite");
    let mut next = 0;
    group.bench_function(M::NAME, |bencher| {
        bencher.iter_custom(|times| {
            timed(
                times,
                |count| {
                    let mut packets: Vec<_> = (next..next + count).map(Packet::new).collect();
                    next += count;
                    packets.iter_mut().for_each(|packet| sender.protect(packet));
                    packets
                },
                |packet| assert!(maker.unprotect(packet), "{} does not follow the stream", M::NAME),
            )
        });
    });
}

/// The time of so many jobs, without that of making packets ready.
fn timed(
    times: u64,
    mut ready: impl FnMut(u64) -> Vec<Packet>,
    mut job: impl FnMut(&mut Packet),
) -> Duration {
    let mut spent = Duration::ZERO;
    let mut left = times;
    while left > 0 {
        let mut packets = ready(left.min(AT_ONCE));
        left -= left.min(AT_ONCE);
        let start = CpuTime.start();
        for packet in &mut packets {
            job(black_box(packet));
        }
        spent += CpuTime.end(start);
        black_box(packets);
    }
    spent
}
