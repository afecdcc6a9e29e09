//! Evaluation must not touch the heap.
#![expect(unsafe_code, reason = "counting allocations needs an allocator of our own, in this test only")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use headroom_policy::{Constant, Currency, Expect, Params, Program, Schema, Scope, Slots, Symbol, Type, compile};

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

/// Counts what this thread allocates.
struct Counting;

// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the pointer came from `alloc` above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations(work: impl FnOnce()) -> usize {
    let before = COUNT.with(Cell::get);
    work();
    COUNT.with(Cell::get) - before
}

const TEXTS: [&str; 5] = [
    "x.on && x.amount > p.floor && pct(x.amount, x.limit) >= 80 || x.n in [1, 2, x.m]",
    "x.tier in [\"gold\"] ? default(x.n, 3) : -x.m % 7",
    "min(x.amount, x.limit * 2, p.floor) - x.limit / 3 > p.zero",
    "x.n / 0 == 1 || has(x.m) && !x.on",
    "x.n + (x.n + (x.n + (x.n + (x.n + (x.n + (x.n + (x.n + (x.n + (x.n + x.n)))))))))",
];

/// Needs two cells of the stack for each of its brackets.
fn deep() -> String {
    let levels = 30;
    format!("{}x.n{}", "x.n + x.n * (".repeat(levels), ")".repeat(levels))
}

fn programs(schema: &Schema) -> Vec<Program> {
    let cny = Currency(*b"CNY");
    let params = Params::from([("floor".to_owned(), Constant::Money(vec![(cny, 500)]))]);
    let scope = Scope { schema, params: &params };
    let deep = deep();
    let texts = TEXTS.into_iter().chain([deep.as_str()]);
    texts.map(|text| compile(text, 0, &scope, Expect::Any).expect("it compiles").program).collect()
}

fn schema() -> Schema {
    let tiers: Type = Type::Enum(["none".to_owned(), "gold".to_owned()].into());
    let list = [
        ("x.on", Type::Bool),
        ("x.amount", Type::Money),
        ("x.limit", Type::Money),
        ("x.n", Type::Int),
        ("x.m", Type::Int),
        ("x.tier", tiers),
    ];
    let symbols = list.map(|(name, ty)| Symbol { name: name.to_owned(), ty, min: 0, max: 0 });
    Schema::new(symbols.into())
}

#[test]
fn evaluate_allocates_nothing() {
    let schema = schema();
    let programs = programs(&schema);
    let mut slots = Slots::new(schema.len());
    let mut known = 0;
    let counted = allocations(|| {
        for pattern in 0..64_u32 {
            slots.clear();
            (0..6).filter(|slot| pattern >> slot & 1 == 1).for_each(|slot| slots.set(slot, 1));
            for program in &programs {
                for currency in [Currency(*b"CNY"), Currency(*b"GBP")] {
                    known += usize::from(program.evaluate(&slots, currency).known().is_some());
                }
            }
        }
    });
    assert_eq!(counted, 0);
    assert!(known > 100, "{known} of 768 evaluations had a value");
    assert!(allocations(|| drop(programs[0].trace(&slots, Currency(*b"CNY")))) > 0, "the counter counts");
}
