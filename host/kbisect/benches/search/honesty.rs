//! Is what the search states as often so, in worlds drawn from what it believes?

use kbisect::config::job::Plugin;
use kbisect::simulate::Simulator;
use kbisect_core::bisector::Settings;
use kbisect_core::simulate::Bin;
use kbisect_core::simulate::History;
use kbisect_core::simulate::Lab;
use kbisect_core::simulate::Said;
use kbisect_core::simulate::auc;
use kbisect_core::simulate::bins;
use kbisect_core::simulate::told;
use serde_json::Value;
use serde_json::json;

/// The name that `--only` selects it by.
pub(crate) const NAME: &str = "calibration";
const COMMITS: usize = 300;
const BINS: usize = 10;
/// So many runs for one of a cell's.
pub(crate) const RUNS: f64 = 2.5;

/// Makes the runs, prints the bins, and gives the figures and what does not hold.
pub(crate) fn run(simulator: &Simulator, settings: Settings, runs: u64, seed: u64) -> Result<(Value, Vec<String>), String> {
    let history = History::linear(COMMITS).map_err(|error| error.to_string())?;
    let all = simulator.each(&Plugin::bundled("sequential"), runs, &|run, policy, _| {
        told(&history, settings, &Lab::default(), (seed, run), policy)
    });
    let all = all.map_err(|error| error.to_string())?;
    let stuck = all.iter().filter(|told| told.is_err()).count();
    let told = || all.iter().flatten();
    let kinds: [(&str, Vec<Said>); 3] = [
        ("leader", told().filter_map(|told| told.leader).collect()),
        ("name", told().filter_map(|told| told.name).collect()),
        ("introduced here", told().filter_map(|told| told.introduced).collect()),
    ];
    println!("\n{runs} bisections of {COMMITS} commits in worlds drawn from what the search believes");
    println!("{:<18}{:>7}{:>9}{:>8}{:>8}{:>9}", "statement", "count", "stated", "seen", "apart", "leeway");
    let (mut figures, mut missed) = (Vec::new(), Vec::new());
    if stuck > 0 {
        missed.push(format!("{NAME}: {stuck} runs did not come to an end"));
    }
    for (what, said) in kinds {
        let bins = bins(&said, BINS);
        for bin in &bins {
            print_bin(what, bin);
        }
        missed.extend(bins.iter().filter_map(|bin| apart(bin).map(|apart| format!("{NAME}, {what}: {apart}"))));
        let auc = auc(&said);
        figures.push(json!({ "statement": what, "auc": auc, "bins": bins.iter().map(to_json).collect::<Vec<Value>>() }));
    }
    Ok((Value::Array(figures), missed))
}

fn print_bin(what: &str, bin: &Bin) {
    let apart = bin.stated - bin.seen;
    println!("{what:<18}{:>7}{:>9.4}{:>8.4}{apart:>8.4}{:>9.4}", bin.count, bin.stated, bin.seen, bin.leeway());
}

/// How a bin does not hold, if it does not.
pub(crate) fn apart(bin: &Bin) -> Option<String> {
    let Bin { count, stated, seen } = *bin;
    (!bin.holds()).then(|| format!("stated {stated:.3}, seen {seen:.3} of {count}, may be {:.3} apart", bin.leeway()))
}

pub(crate) fn to_json(bin: &Bin) -> Value {
    json!({ "count": bin.count, "stated": bin.stated, "seen": bin.seen, "leeway": bin.leeway() })
}
