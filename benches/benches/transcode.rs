//! What a packet of 20 ms costs to transcode, in each crossing.

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use media::transcode::{Clock, Coding, Crossing, Law};

const PCMU: Coding = Coding::G711(Law::Mu);
const PCMA: Coding = Coding::G711(Law::A);
const WIDE: Coding = Coding::L16(Clock::Wide);
const FULL: Coding = Coding::L16(Clock::Full);
const PACKETS: u16 = 200;

/// Something like speech: a voice that goes up and down in pitch and level, with pauses.
fn voice(rate: u32) -> Vec<i16> {
    let sample = |at: u32| {
        let time = f64::from(at) / f64::from(rate);
        let pitch = 120.0 + 40.0 * (time * 3.0).sin();
        let loud = (time * 9.0).sin().max(0.0) * 9_000.0;
        let tone = |of: f64| (std::f64::consts::TAU * pitch * of * time).sin() / of;
        let sum = loud * (1..20).map(|of| tone(f64::from(of))).sum::<f64>();
        #[expect(clippy::cast_possible_truncation, reason = "a cast of floats saturates")]
        let sample = sum as i16;
        sample
    };
    (0..u32::from(PACKETS) * rate / 50).map(sample).collect()
}

fn packet(number: u16, ticks: u32, body: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x80, 96];
    packet.extend(number.to_be_bytes());
    packet.extend((ticks * u32::from(number)).to_be_bytes());
    packet.extend([0, 0, 0, 9]);
    packet.extend(body);
    packet
}

/// A voice in packets of that codec.
fn packets(coding: Coding) -> Vec<Vec<u8>> {
    let rate = if coding == FULL { 48_000 } else { 16_000 };
    // 10 ms are what L16 of 48 kHz has in a packet.
    let parts = if coding == FULL { 100 } else { 50 };
    let size = usize::try_from(rate / parts).unwrap();
    let linear: Vec<_> = (0..)
        .zip(voice(rate).chunks_exact(size))
        .map(|(number, frame)| {
            let body: Vec<_> = frame.iter().flat_map(|sample| sample.to_be_bytes()).collect();
            packet(number, rate / parts, &body)
        })
        .collect();
    if coding == WIDE || coding == FULL {
        return linear;
    }
    let (mut crossing, mut made) = (Crossing::new(WIDE, coding, 20), Vec::new());
    for packet in &linear {
        crossing.packet(packet, 0, |packet| made.push(packet.to_vec()));
    }
    made.iter_mut().for_each(|packet| packet[1] = packet[1] & 0x80 | 96);
    made
}

fn crossings(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("transcode");
    for (name, from, to) in [
        ("pcmu-opus", PCMU, Coding::Opus),
        ("opus-pcmu", Coding::Opus, PCMU),
        ("pcma-g722", PCMA, Coding::G722),
        ("g722-pcma", Coding::G722, PCMA),
        ("g722-opus", Coding::G722, Coding::Opus),
        ("opus-g722", Coding::Opus, Coding::G722),
        ("l16-48000-opus", FULL, Coding::Opus),
    ] {
        let packets = packets(from);
        group.throughput(criterion::Throughput::Elements(PACKETS.into()));
        group.bench_function(name, |bencher| {
            bencher.iter_batched_ref(
                || Crossing::new(from, to, 20),
                |crossing| {
                    let mut made = 0usize;
                    packets
                        .iter()
                        .for_each(|packet| crossing.packet(packet, 0, |packet| made += packet.len()));
                    made
                },
                BatchSize::LargeInput,
            );
        });
    }
    group.finish();
}

criterion_group!(benches, crossings);
criterion_main!(benches);
