//! `decide` with all built-in rules on hot accounts, beside the decoding of the same events: one core, no store.

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use headroom_benches::{Season, Shard};
use headroom_engine::Record;

/// Events per batch, as `headroom run` has them.
const BATCH: usize = 5_000;

/// As the binary allocates.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn run(shard: &mut Shard, records: &[Record]) {
    records.chunks(BATCH).for_each(|batch| shard.batch(batch));
}

fn decide(criterion: &mut Criterion) {
    let season = Season::new(2_000, 60);
    let records = season.records();
    let mut group = criterion.benchmark_group("season of 2,000 accounts");
    group.throughput(Throughput::Elements(records.len() as u64)).sample_size(10);
    group.bench_function("decode", |bencher| bencher.iter(|| season.records().len()));
    group.bench_function("step and decide", |bencher| {
        bencher.iter_batched(
            || Shard::new(&season.ruleset),
            |mut shard| {
                run(&mut shard, &records);
                shard
            },
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

criterion_group!(benches, decide);
criterion_main!(benches);
