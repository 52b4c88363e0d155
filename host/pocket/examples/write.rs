//! Writes a history: `cargo run -p pocket --example write -- DIR [SEED]`.

use std::path::PathBuf;

use pocket::Options;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let dir = PathBuf::from(args.next().ok_or("the first argument is a folder")?);
    let seed = args.next().map_or(Ok(1), |seed| seed.parse())?;
    let planted = pocket::write(&dir, &Options { seed, ..Options::default() })?;
    println!("{planted:#?}");
    let good = planted.good.first().map(String::as_str);
    let job = pocket::Job { repo: &dir, bad: &planted.start, good, strategy: None, seed };
    println!("{}", pocket::job_toml(&job));
    Ok(())
}
