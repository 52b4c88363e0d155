//! Bisections of made-up bugs in made-up or real histories, to learn how often a strategy is right and what it costs.
//!
//! Owns the worlds ([`World`]: the hidden truth, and chance), the clock ([`Lab`]), and how runs are counted ([`Cell`]). The search
//! under test is the real [`crate::bisector`]; a flake policy comes from outside ([`FlakePolicy`]). Pure: chance comes from seeds.

mod believed;
mod calibration;
mod cell;
mod dice;
mod fault;
mod flips;
mod history;
mod hunch;
mod lab;
mod policy;
mod search;
mod serial;
mod world;

#[cfg(test)]
mod tests;

pub use believed::Told;
pub use believed::told;
pub use calibration::Bin;
pub use calibration::Said;
pub use calibration::auc;
pub use calibration::bins;
pub use cell::Cell;
pub use cell::Counted;
pub use cell::Searcher;
pub use cell::Total;
pub use cell::Worth;
pub use cell::wilson;
pub use dice::Dice;
pub use fault::BadFault;
pub use fault::Fault;
pub use fault::Place;
pub use flips::Flips;
pub use flips::Rates;
pub use flips::Stop;
pub use history::BadHistory;
pub use history::History;
pub use history::MOST;
pub use history::Shape;
pub use hunch::Hunch;
pub use lab::Lab;
pub use policy::AnyCrash;
pub use policy::FlakePolicy;
pub use policy::Situation;
pub use search::Stuck;
pub use serial::Choices;
pub use world::Chances;
pub use world::Shown;
pub use world::Truth;
pub use world::World;
