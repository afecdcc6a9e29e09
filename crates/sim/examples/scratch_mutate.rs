use headroom_sim::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
fn walk(d: &std::path::Path, base: &std::path::Path, out: &mut Vec<(String, String)>) {
    for e in std::fs::read_dir(d).unwrap() {
        let p = e.unwrap().path();
        if p.is_dir() {
            walk(&p, base, out)
        } else if let Ok(t) = std::fs::read_to_string(&p) {
            out.push((p.strip_prefix(base).unwrap().display().to_string(), t))
        }
    }
}
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let base = std::path::Path::new(&args[1]);
    let mut files = Vec::new();
    walk(base, base, &mut files);
    files.sort();
    let t0 = std::time::Instant::now();
    let rs = Arc::new(headroom_engine::Ruleset::load(&files).unwrap_or_else(|r| {
        for e in r {
            println!("{}", e.render(false))
        }
        panic!()
    }));
    let mut tot = [0usize; 5];
    for rule in &rs.rules {
        if args.len() > 2 && !args[2..].iter().any(|a| **a == *rule.id) {
            continue;
        }
        let t1 = std::time::Instant::now();
        let c = match MutationCheck::new(&rs, rule, &files) {
            Ok(c) => c,
            Err(e) => {
                println!("{}", e.render(false));
                continue;
            }
        };
        if !c.failing.is_empty() {
            println!("{} FAILING {:?}", rule.id, c.failing);
            continue;
        }
        let next = AtomicUsize::new(0);
        let mut fates: Vec<(usize, Fate)> = std::thread::scope(|s| {
            let hs: Vec<_> = (0..2)
                .map(|_| {
                    s.spawn(|| {
                        let mut f = vec![];
                        let mut first = 0;
                        loop {
                            let i = next.fetch_add(1, Ordering::Relaxed);
                            if i >= c.mutants.len() {
                                return f;
                            }
                            let x = c.try_mutant(i, first);
                            if let Fate::Killed(k) = x {
                                first = k
                            }
                            f.push((i, x));
                        }
                    })
                })
                .collect();
            hs.into_iter().flat_map(|h| h.join().unwrap()).collect()
        });
        fates.sort_by_key(|f| f.0);
        let n = |p: fn(&Fate) -> bool| fates.iter().filter(|f| p(&f.1)).count();
        let (k, s, r, q) = (
            n(|f| matches!(f, Fate::Killed(_))),
            n(|f| *f == Fate::Survived),
            n(|f| *f == Fate::Refused),
            n(|f| *f == Fate::Same),
        );
        tot[0] += fates.len();
        tot[1] += k;
        tot[2] += s;
        tot[3] += r;
        tot[4] += q;
        println!(
            "# {} mutants {} killed {k} survived {s} refused {r} same {q} {:?}",
            rule.id,
            fates.len(),
            t1.elapsed()
        );
        for (i, f) in &fates {
            if *f == Fate::Survived {
                println!(
                    "  {}:{} {}{}",
                    c.mutants[*i].path,
                    c.mutants[*i].line,
                    c.mutants[*i].text,
                    if c.note(*i).is_some() { " (accepted)" } else { "" }
                )
            }
        }
        let fs: Vec<Fate> = fates.iter().map(|f| f.1).collect();
        for s in c.stale_notes(&fs) {
            println!("  STALE {}", s.mutation)
        }
    }
    println!("total {tot:?} {:?}", t0.elapsed());
}
