//! Trials by hand: more evidence at a commit of one's choice, in a run that exists.

use std::path::Path;

use kbisect_core::bisector::Plan;
use kbisect_core::commit::CommitId;
use kbisect_core::policy::Role;

use super::Display;
use super::Finished;
use super::again::Again;
use super::assumed;
use super::builder;
use super::dispatcher::Dispatcher;
use super::dispatcher::Ending;
use super::dispatcher::Errand;
use super::executor::Executor;
use super::minimizing;
use super::parts::Parts;
use super::reverting;
use super::signals::Signals;
use super::state::State;
use crate::error::Error;
use crate::exit::Exit;
use crate::record::event::Event;
use crate::record::progress::Progress;

/// Why a run is not at work when trials by hand are done.
const DONE: &str = "the trials that were asked for are made";

/// Makes so many more trials at a commit. Where they leave nothing to search, the run concludes (anew); else it waits for `resume`.
pub fn by_hand(directory: &Path, name: &str, trials: u32, display: Display) -> Result<Finished, Error> {
    super::on_threads(|runtime| {
        let again = Again::open(directory, None, &[])?;
        let commit = again.parts.repository.resolve(name)?;
        check(&again.parts, &again.state, commit)?;
        let role = role(&again.parts, &again.state, commit);
        let subject = again.parts.subject(&commit);
        let (parts, mut state, recorder) = again.go_on(display);
        let done = recorder.and_then(|mut recorder| {
            let total = state.done(commit) + trials;
            super::record(&mut recorder, &mut state, Event::ByHand { commit, subject: subject.clone(), trials })?;
            runtime.block_on(async {
                let mut signals = Signals::of_a_run(parts.job.limits.deadline)?;
                let prepared = match signals.during(builder::prepare(&parts)).await {
                    Ok(prepared) => prepared?,
                    Err(ending) => return super::end(&parts, &mut state, &mut recorder, display, ending),
                };
                for message in prepared {
                    super::record(&mut recorder, &mut state, Event::Warned { message })?;
                }
                minimizing::place(&parts, &state)?;
                reverting::prepare(&parts)?;
                let executor = Executor::new(&parts);
                let errand = Errand { commit, role, subject, total, until_hit: false };
                let ending = Dispatcher::new(&parts, &mut state, &mut recorder, executor).exactly(&mut signals, errand).await?;
                recorder.progress(&Progress::Standing(state.bisector.summary()));
                let ending = match (ending, state.bisector.plan(&[])) {
                    (Some(ending), _) => ending,
                    (None, Plan::Done(conclusion)) => Ending::Concluded(conclusion),
                    (None, Plan::Do(_)) => {
                        super::record(&mut recorder, &mut state, Event::Stopped { why: DONE.to_owned() })?;
                        super::write_results(&parts)?;
                        return Ok(Finished { exit: Exit::Success, directory: parts.directory.path().to_owned(), report: None });
                    }
                };
                super::end(&parts, &mut state, &mut recorder, display, ending)
            })
        });
        done.map_err(|error| super::with_way_on(error, &parts))
    })
}

/// Says where a trial would tell nothing.
fn check(parts: &Parts, state: &State, commit: CommitId) -> Result<(), Error> {
    if state.bisector.graph().node(&commit).is_none() {
        return Err(Error::user(format!("commit {} is not in the history at hand", commit.short()))
            .hint("a trial tells something at commits that the start commit or a good end contains"));
    }
    if commit != parts.ends.start && !assumed::knows_target(&parts.job, state) {
        return Err(Error::user("nothing says yet which crash is looked for: the start commit has not been tested")
            .hint(format!("test it first: kbisect resume, or kbisect trial at {}", parts.ends.start.short())));
    }
    Ok(())
}

/// Why the commit is tested: as before, or by its place in the history.
fn role(parts: &Parts, state: &State, commit: CommitId) -> Role {
    let ends = &parts.ends;
    match state.past_at(commit).next() {
        Some(past) => past.role,
        None if commit == ends.start => Role::Start,
        None if ends.good.contains(&commit) => Role::GoodEnd,
        None if ends.releases.iter().any(|release| release.commit == commit) => Role::Release,
        None => Role::Candidate,
    }
}
