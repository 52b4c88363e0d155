//! The configuration made as small as the crash allows, at the start commit, before the search leaves it (`[build] minimize`).
//!
//! Owns the order of things and what is kept of it: the start commit is tested with the whole configuration, smaller ones are built and
//! tried there, and where one of them shows the crash the start commit is tested anew with it, since how often the crash shows may differ.
//! Which one is next decides [`kbisect_core::minimize`], what a configuration can do without is `build`'s. What was learnt on the way is no
//! evidence of the search. Where none will do, or nothing can be told, the whole configuration is used, and the report says why.

mod state;
mod trials;

use std::collections::BTreeSet;
use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;

use kbisect_core::bisector::Conclusion;
use kbisect_core::bisector::TrialNumber;
use kbisect_core::minimize::Answer;
use kbisect_core::minimize::End;
use kbisect_core::minimize::Left;
use kbisect_core::minimize::Minimizer;
use kbisect_core::minimize::Step;
use kbisect_core::minimize::Why;
use sha2::Digest as _;
use sha2::Sha256;

use self::trials::Tried;
use super::builder;
use super::builder::Builder;
use super::directory;
use super::directory::MINIMIZED;
use super::dispatcher::Dispatcher;
use super::dispatcher::Ending;
use super::executor::Executor;
use super::parts::Parts;
use super::signals::Signals;
use super::state::State;
use crate::build::linux::minimize;
use crate::build::linux::minimize::Survey;
use crate::build::signature::hex;
use crate::config::job::Build;
use crate::error::Error;
use crate::record::event::BuildResult;
use crate::record::event::Event;
use crate::record::minimized::ConfigTest;
use crate::record::minimized::Minimized;
use crate::record::recorder::Recorder;

pub(super) use self::state::Minimization;

/// Why a smaller configuration was given up after all.
const NOT_AGAIN: &str = "with a smaller one the start commit did not show the crash again";

/// Searches, with a smaller configuration where the job asks for one and the crash allows it.
pub(super) async fn search(
    parts: &Parts,
    state: &mut State,
    recorder: &mut Recorder,
    signals: &mut Signals,
) -> Result<Ending, Error> {
    place(parts, state)?;
    if asked(parts)
        && state.minimization.done().is_none()
        && let Some(ending) = minimize(parts, state, recorder, signals).await?
    {
        return Ok(ending);
    }
    let ending = Dispatcher::new(parts, state, recorder, Executor::new(parts)).run(signals).await?;
    if ending != Ending::Concluded(Conclusion::NotReproduced) || state.minimization.config().is_none() {
        return Ok(ending);
    }
    let before = state.minimization.done().cloned().unwrap_or_default();
    let whole = Minimized { config: None, left: before.of, off: Vec::new(), why: Some(NOT_AGAIN.to_owned()), ..before };
    settle(parts, state, recorder, whole)?;
    Dispatcher::new(parts, state, recorder, Executor::new(parts)).run(signals).await
}

fn asked(parts: &Parts) -> bool {
    parts.job.build.as_ref().and_then(Build::linux).is_some_and(|linux| linux.minimize.is_some())
}

/// Sees to it that the smaller configuration is there where one is settled, and only there: builders go by it.
pub(super) fn place(parts: &Parts, state: &State) -> Result<(), Error> {
    let path = parts.directory.minimized();
    match (state.minimization.config(), path.is_file()) {
        (Some(_), false) => {
            Err(Error::user(format!("`{}` is gone, and kernels were built with it", path.display())).hint("begin a new run"))
        }
        (None, true) => fs::remove_file(&path).map_err(|error| directory::failed("remove", &path, &error)),
        _ => Ok(()),
    }
}

/// Makes the configuration smaller. An ending where the run ends on the way.
async fn minimize(
    parts: &Parts,
    state: &mut State,
    recorder: &mut Recorder,
    signals: &mut Signals,
) -> Result<Option<Ending>, Error> {
    if let Some(ending) = Dispatcher::new(parts, state, recorder, Executor::new(parts)).at_start(signals).await? {
        return Ok(Some(ending));
    }
    let whole = |why: &str| Minimized { why: Some(why.to_owned()), ..Minimized::default() };
    let start = parts.ends.start;
    let shown = state
        .past_at(start)
        .any(|past| matches!(&past.outcome, kbisect_core::policy::Outcome::Crashed(seen) if seen.is_target()));
    if !shown {
        settle(parts, state, recorder, whole("the start commit has no trial of its own that shows the crash"))?;
        return Ok(None);
    }
    let Some(builder) = Builder::with(parts, parts.directory.baseline()) else { return Ok(None) };
    let src = builder.check_out(start, false).await.map_err(|result| builder::unready(&result))?;
    let Some((settings, recipe)) = builder.linux() else { return Ok(None) };
    let recipe = crate::build::linux::Recipe { merged: false, ..recipe.clone() };
    let types: BTreeSet<String> = state.faces.iter().map(|face| face.crash_type.clone()).collect();
    let surveyed = match signals.during(minimize::survey(settings, &recipe, &src, &types)).await {
        Ok(surveyed) => surveyed,
        Err(ending) => return Ok(Some(ending)),
    };
    let survey = match surveyed {
        Ok(survey) => survey,
        Err(BuildResult::Infra(why)) => return Ok(Some(Ending::Infrastructure(why))),
        Err(result) => {
            settle(parts, state, recorder, whole(&format!("what may go cannot be told: {}", last_line(&result))))?;
            return Ok(None);
        }
    };
    if survey.parts.is_empty() {
        let kept = survey.kept.clone();
        settle(parts, state, recorder, Minimized { kept, ..whole("it has nothing beyond the baseline") })?;
        return Ok(None);
    }
    match state.minimization.begun() {
        Some(digest) if *digest != survey.digest() => {
            settle(parts, state, recorder, whole("what may go is no longer what it was when the run began"))?;
            return Ok(None);
        }
        Some(_) => {}
        None => {
            let detectors = survey.parts[..survey.detectors].iter().map(|part| part.name.clone()).collect();
            let (kept, options, digest) = (survey.kept.clone(), survey.options(), survey.digest());
            super::record(recorder, state, Event::Minimizing { detectors, kept, options, digest })?;
        }
    }
    parts.tell_policies(state);
    Tests { parts, state, recorder, signals, survey, src, recipe, builder: &builder }.run().await
}

/// The tests of one minimization.
struct Tests<'a> {
    parts: &'a Parts,
    state: &'a mut State,
    recorder: &'a mut Recorder,
    signals: &'a mut Signals,
    survey: Survey,
    src: PathBuf,
    recipe: crate::build::linux::Recipe,
    builder: &'a Builder,
}

/// What came of a test, or of the run.
type Tested = Result<ConfigTest, Ending>;

impl Tests<'_> {
    async fn run(mut self) -> Result<Option<Ending>, Error> {
        let mut minimizer = Minimizer::new(self.survey.problem.clone());
        for past in self.state.minimization.tests() {
            minimizer.record(past.answer, past.paid);
        }
        let end = loop {
            let left = match minimizer.step() {
                Step::Done(end) => break end,
                Step::Baseline => Left::Baseline,
                Step::Keep(parts) => Left::Parts(parts),
            };
            match self.test(&left).await? {
                Err(ending) => return Ok(Some(ending)),
                Ok(tested) => {
                    minimizer.record(tested.answer, tested.paid);
                    super::record(self.recorder, self.state, Event::ConfigTested { tested })?;
                }
            }
        };
        self.conclude(&end).await
    }

    /// Tests one smaller configuration, as far as an earlier process has not.
    async fn test(&mut self, left: &Left) -> Result<Tested, Error> {
        let number = u32::try_from(self.state.minimization.tests().len()).unwrap_or(u32::MAX).saturating_add(1);
        let mut tested = ConfigTest {
            test: number,
            options: self.survey.options_left(left),
            off: self.survey.detectors_gone(left),
            answer: Answer::Untestable,
            paid: false,
            digest: String::new(),
            shown: (0, 0),
            why: String::new(),
        };
        let settings =
            self.builder.linux().map(|(settings, _)| settings).ok_or_else(|| Error::internal("no builder of Linux"))?;
        let wished = self.survey.text(left);
        let settled = match self.signals.during(minimize::settle(settings, &self.recipe, &self.src, &wished)).await {
            Ok(settled) => settled,
            Err(ending) => return Ok(Err(ending)),
        };
        let settled = match settled {
            Ok(settled) => settled,
            Err(BuildResult::Infra(why)) => return Ok(Err(Ending::Infrastructure(why))),
            Err(result) => return Ok(Ok(ConfigTest { why: last_line(&result), ..tested })),
        };
        tested.digest = hex(&Sha256::digest(&settled.text));
        if let Some(symbol) = settled.lacks.first() {
            return Ok(Ok(ConfigTest { why: format!("it lacks CONFIG_{symbol}, which the machine or the job needs"), ..tested }));
        }
        if let Some(answer) = self.known().get(&tested.digest) {
            return Ok(Ok(ConfigTest { answer: *answer, ..tested }));
        }
        tested.paid = true;
        let config = self.parts.directory.work().join("smaller.config");
        fs::write(&config, settled.text + &self.survey.beyond()).map_err(|error| directory::failed("write", &config, &error))?;
        let kernel = match self.build(number, config).await? {
            Ok(BuildResult::Built { kernel, .. }) => kernel,
            Ok(BuildResult::Infra(why)) => return Ok(Err(Ending::Infrastructure(why))),
            Ok(result) => return Ok(Ok(ConfigTest { why: format!("it does not build: {}", last_line(&result)), ..tested })),
            Err(ending) => return Ok(Err(ending)),
        };
        match self.try_it(number, kernel).await? {
            Err(ending) => Ok(Err(ending)),
            Ok(Tried { answer, why, shown }) => Ok(Ok(ConfigTest { answer, why, shown, ..tested })),
        }
    }

    /// Answers for configurations as the tree makes them: different wishes may come to the same.
    fn known(&self) -> HashMap<String, Answer> {
        let whole = (hex(&Sha256::digest(self.survey.whole())), Answer::Shows);
        let tests = self.state.minimization.tests().iter().filter(|test| test.paid);
        std::iter::once(whole).chain(tests.map(|test| (test.digest.clone(), test.answer))).collect()
    }

    /// Builds the start commit with a configuration, unless an earlier process has.
    async fn build(&mut self, test: u32, config: PathBuf) -> Result<Result<BuildResult, Ending>, Error> {
        if let Some(built) = self.state.minimization.built() {
            let there = match built {
                BuildResult::Built { kernel: Some(kernel), .. } => {
                    self.parts.directory.kernels().join(kernel).join("kernel").is_file()
                }
                _ => true,
            };
            if there {
                return Ok(Ok(built.clone()));
            }
        }
        let start = self.parts.ends.start;
        let builder = Builder::with(self.parts, config).ok_or_else(|| Error::internal("no builder of Linux"))?;
        self.recorder.progress(&crate::record::progress::Progress::Building { commit: start, build: 1 });
        let began = std::time::Instant::now();
        let (stop, stopped) = tokio::sync::watch::channel(false);
        let result = match self.signals.during(builder.build(&start, 1, stopped)).await {
            Ok(result) => result,
            Err(ending) => {
                let _ = stop.send(true);
                if ending == Ending::Signal {
                    // Best effort: a full disk does not keep anyone from stopping.
                    let _ = super::record(self.recorder, self.state, Event::Stopping);
                }
                return Ok(Err(ending));
            }
        };
        let Some(result) = result else { return Ok(Err(Ending::Signal)) };
        let seconds = began.elapsed().as_secs_f64();
        if !matches!(result, BuildResult::Infra(_)) {
            super::record(self.recorder, self.state, Event::ConfigBuilt { test, result: result.clone(), seconds })?;
        }
        Ok(Ok(result))
    }

    /// Settles on what is left.
    async fn conclude(self, end: &End) -> Result<Option<Ending>, Error> {
        let (left, gone) = (self.survey.options_left(&end.left), self.survey.detectors_gone(&end.left));
        let smaller = left < self.survey.options() || !gone.is_empty();
        let untestable = self.state.minimization.tests().iter().rev().find(|test| test.answer == Answer::Untestable);
        let needed: Vec<String> = self.survey.parts[..self.survey.detectors]
            .iter()
            .map(|part| part.name.clone())
            .filter(|name| !gone.contains(name))
            .collect();
        let why = match end.why {
            Why::Untestable => untestable.map(|test| format!("smaller ones cannot be tested: {}", test.why)),
            Why::Budget => Some("more tests were not to be made".to_owned()),
            Why::Minimal if !smaller => Some("nothing smaller shows the crash".to_owned()),
            Why::Minimal => None,
        };
        let minimized = Minimized {
            config: smaller.then(|| MINIMIZED.to_owned()),
            left,
            of: self.survey.options(),
            off: gone,
            needed: if end.why == Why::Minimal { needed } else { Vec::new() },
            kept: self.survey.kept.clone(),
            builds: self.state.minimization.builds(),
            trials: self.state.minimization.trials_made(),
            why,
        };
        let mut built = None;
        if smaller {
            let settings =
                self.builder.linux().map(|(settings, _)| settings).ok_or_else(|| Error::internal("no builder of Linux"))?;
            let settled = match minimize::settle(settings, &self.recipe, &self.src, &self.survey.text(&end.left)).await {
                Ok(settled) => settled,
                Err(result) => return Ok(Some(Ending::Infrastructure(last_line(&result)))),
            };
            built = self.state.minimization.kernel(&hex(&Sha256::digest(&settled.text))).cloned();
            self.parts.directory.write(MINIMIZED, &(settled.text + &self.survey.beyond()))?;
        }
        settle(self.parts, self.state, self.recorder, minimized)?;
        if let Some(result) = built {
            // It is there already.
            let event = Event::BuildEnded { commit: self.parts.ends.start, build: 1, result, seconds: 0.0 };
            super::record(self.recorder, self.state, event)?;
        }
        Ok(None)
    }
}

/// Records what came of it. Where the configuration is another from here on, the start commit's trials no longer count.
fn settle(parts: &Parts, state: &mut State, recorder: &mut Recorder, minimized: Minimized) -> Result<(), Error> {
    let start = parts.ends.start;
    let other = state.minimization.config() != minimized.config.as_ref();
    let retracted: Vec<TrialNumber> = match other {
        true => state.trials.iter().filter(|(_, past)| past.commit == start).map(|(number, _)| *number).collect(),
        false => Vec::new(),
    };
    super::record(recorder, state, Event::Minimized { minimized, retracted })?;
    place(parts, state)?;
    parts.tell_policies(state);
    Ok(())
}

/// What a build that failed said last.
fn last_line(result: &BuildResult) -> String {
    let (BuildResult::Failed(why) | BuildResult::Infra(why)) = result else { return String::new() };
    let error = why.lines().find(|line| line.contains("error:"));
    error.or_else(|| why.lines().rev().find(|line| !line.trim().is_empty())).unwrap_or("it failed").trim().to_owned()
}
