//! Writes a history on top of a real tree: `cargo run -p linux-demo --example linux_history -- TREE REPOSITORY [COMMITS [SEED [wide]]]`.

use std::path::PathBuf;
use std::time::Instant;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [tree, repository, numbers @ ..] = args.as_slice() else { return Err("give a tree and a new repository".into()) };
    let number = |at: usize, usual| numbers.get(at).map_or(Ok(usual), |text| text.parse());
    let cache = std::env::var_os("KBISECT_CACHE_DIR").ok_or("KBISECT_CACHE_DIR is not set")?;
    let wide = numbers.get(2).is_some_and(|word| word == "wide");
    let options =
        linux_demo::Options { commits: number(0, 60)? as usize, seed: number(1, 1)?, wide, cache: PathBuf::from(cache) };
    let began = Instant::now();
    let planted = linux_demo::write(tree.as_ref(), repository.as_ref(), &options)?;
    println!("{planted:#?}\n{:.1} s", began.elapsed().as_secs_f64());
    Ok(())
}
