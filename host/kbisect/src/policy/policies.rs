//! The policies of one bisection: asks plugins, and falls back when one fails.

use std::fmt;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::RwLock;

use kbisect_core::caveat::Caveat;
use kbisect_core::commit::CommitId;
use kbisect_core::crash::CrashReport;
use kbisect_core::crash::Face;
use kbisect_core::credence::Credit;
use kbisect_core::policy::Ask;
use kbisect_core::policy::Decision;
use kbisect_core::policy::Failure;
use kbisect_core::policy::Judgement;
use kbisect_core::policy::Stage;

use super::Notice;
use super::Sink;
use super::Watch;
use super::console::Classified;
use super::console::Ignored;
use super::load;
use super::load::LoadErrors;
use super::load::Problem;
use super::member::Description;
use super::member::Member;
use super::routes::Conflict;
use super::routes::Routes;
use crate::config::job::Hook;
use crate::config::job::Plugin as Entry;
use crate::plugin::Answer;
use crate::plugin::Engine;
use crate::plugin::Plugin;
use crate::plugin::Surroundings;
use crate::plugin::answer::CommitFacts;
use crate::plugin::answer::Relation;
use crate::plugin::answer::ReportEdit;
use crate::plugin::answer::Suspect;
use crate::plugin::cache::Cache;
use crate::plugin::cache::default_directory;
use crate::plugin::facts::BisectionState;
use crate::plugin::facts::Facts;
use crate::plugin::load::hook_name;
use crate::record::event::Recipient;

/// Most commits that a suspicion plugin is asked about in one call.
const COMMITS_OF_A_CALL: usize = 1_000;
/// A call about several commits gets no more bytes than these.
const BYTES_OF_A_CALL: usize = 1 << 20;

/// Every judgement of one bisection. Cheap to clone; clones share state, routes and counts of failures.
#[derive(Clone)]
pub struct Policies {
    shared: Arc<Shared>,
}

struct Shared {
    members: Vec<Member>,
    facts: Arc<dyn Facts>,
    sink: Sink,
    state: RwLock<Arc<BisectionState>>,
    /// Until the target is known: plugins without `when`.
    early: Routes,
    frozen: OnceLock<Routes>,
}

impl fmt::Debug for Policies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Policies").field("members", &self.shared.members).finish_non_exhaustive()
    }
}

impl Policies {
    /// Loads the bundled plugins and the job's. All problems are reported at once, before any work.
    pub fn load(plugins: &[Entry], facts: Arc<dyn Facts>, sink: Sink) -> Result<Self, LoadErrors> {
        let cache = default_directory().and_then(|directory| match Cache::open(&directory) {
            Ok(cache) => Some(cache),
            Err(error) => {
                sink(Notice::Warned { message: format!("compiled plugins are not kept: {error}") });
                None
            }
        });
        let engine = Engine::new(cache).map_err(|error| LoadErrors(vec![error.into()]))?;
        Self::load_with(&engine, plugins, facts, sink)
    }

    /// As [`Self::load`], with an engine that may serve others too.
    pub fn load_with(engine: &Engine, plugins: &[Entry], facts: Arc<dyn Facts>, sink: Sink) -> Result<Self, LoadErrors> {
        let members = load::members(engine, plugins)?;
        let early = Routes::choose(&members, &[]).map_err(|conflict| LoadErrors(vec![Problem::Conflict(conflict)]))?;
        let shared = Shared { members, facts, sink, state: RwLock::default(), early, frozen: OnceLock::new() };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Decides once which plugins apply to the target, after the start commit was tested. Later calls change nothing.
    ///
    /// Returns hooks and plugin ids in order of asking.
    pub fn resolve_routes(&self, target: &[Face]) -> Result<Vec<(String, Vec<String>)>, Conflict> {
        let shared = &self.shared;
        let chosen = Routes::choose(&shared.members, target)?;
        Ok(shared.frozen.get_or_init(|| chosen).describe(&shared.members))
    }

    /// Says where the bisection stands: what plugins may ask about from here on.
    pub fn set_state(&self, state: BisectionState) {
        *self.shared.state.write().unwrap_or_else(std::sync::PoisonError::into_inner) = Arc::new(state);
    }

    /// Counts a failure that an earlier process recorded, so that a resumed bisection does not forget it.
    pub fn recall_failure(&self, plugin: &str) {
        if let Some(member) = self.shared.members.iter().find(|member| member.id == plugin) {
            member.count_failure();
        }
    }

    /// Asks the flake policy in charge; returns who answered, and what.
    pub fn judge(&self, ask: &Ask) -> (String, Judgement) {
        let members = &self.shared.members;
        let chosen = self.routes().flake_policy;
        let bundled = load::bundled_flake_policy(members);
        let in_turn = if chosen == bundled { vec![bundled] } else { vec![chosen, bundled] };
        let answer = in_turn.iter().find_map(|&at| {
            let member = &members[at];
            let judgement = self.ask(member, Hook::FlakePolicy, |plugin, around| plugin.judge(around, ask)).ok()?;
            Some((member.id.clone(), judgement))
        });
        answer.unwrap_or_else(|| {
            let why = format!("the bundled flake policy `{}` failed: this is a defect of kbisect", load::FLAKE_POLICY);
            let judgement = Judgement { decision: Decision::Abort(why.clone()), confidence: 1.0, reason: why };
            (load::FLAKE_POLICY.to_owned(), judgement)
        })
    }

    /// Who is to be told, in order. `when.paths` is matched against what the most probable suspect changed.
    pub fn recipients(&self, suspects: &[Suspect]) -> Vec<Recipient> {
        let culprit = suspects.iter().max_by(|a, b| a.probability.total_cmp(&b.probability));
        let changed = culprit.map_or(Ok(Vec::new()), |suspect| self.shared.facts.changed_files(&suspect.commit));
        let changed = changed.unwrap_or_else(|error| {
            let message = format!("plugins for certain files add no recipients: {error}");
            (self.shared.sink)(Notice::Warned { message });
            Vec::new()
        });
        let mut people = Vec::new();
        for &at in &self.routes().recipients {
            let member = &self.shared.members[at];
            if !member.scope.has_path(changed.iter().map(String::as_str)) {
                continue;
            }
            let edited = self.ask(member, Hook::Recipients, |plugin, around| plugin.recipients(around, suspects, &people));
            people = edited.unwrap_or(people);
        }
        people
    }

    /// Who says how guilty commits look before any is tested, if anybody does.
    pub fn suspicion(&self) -> Option<&str> {
        self.routes().suspicion.map(|at| self.shared.members[at].id.as_str())
    }

    /// How guilty commits look before any is tested, one weight each; none: nobody has an opinion, or the plugin failed.
    pub fn weigh(&self, commits: &[CommitFacts]) -> Option<Vec<f64>> {
        let member = &self.shared.members[self.routes().suspicion?];
        let mut weights = Vec::with_capacity(commits.len());
        while weights.len() < commits.len() {
            let rest = &commits[weights.len()..];
            let mut bytes = 0;
            let fits = |commit: &&CommitFacts| {
                bytes += commit.size();
                bytes <= BYTES_OF_A_CALL
            };
            let some = rest.iter().take(COMMITS_OF_A_CALL).take_while(fits).count().max(1);
            weights.extend(self.ask(member, Hook::Suspicion, |plugin, around| plugin.weigh(around, &rest[..some])).ok()?);
        }
        Some(weights)
    }

    /// What a commit that the search ended at looks like, `releases` having been walked back to the first clean one; none: nobody has
    /// an opinion, or the plugin failed.
    pub fn attribute(&self, commit: &CommitFacts, releases: u32) -> Option<Credit> {
        let member = &self.shared.members[self.routes().suspicion?];
        self.ask(member, Hook::Suspicion, |plugin, around| plugin.attribute(around, commit, releases)).ok()?
    }

    /// Why commits look as guilty as they do, a text for each that may be empty; none where nobody has an opinion, or the plugin failed.
    /// At most as many commits as are weighed in one call.
    pub fn because(&self, commits: &[CommitFacts]) -> Option<Vec<String>> {
        let member = &self.shared.members[self.routes().suspicion?];
        self.ask(member, Hook::Suspicion, |plugin, around| plugin.because(around, commits)).ok()
    }

    /// What must be said of a commit that the search ended at; `diff` is what it changes, as far as that is to be looked at. The bundled
    /// plugin answers where no other is asked, or it fails.
    pub fn qualify(&self, commit: &CommitFacts, diff: Option<&str>) -> Option<Caveat> {
        let members = &self.shared.members;
        let bundled = load::bundled_suspicion(members);
        let chosen = self.routes().suspicion.unwrap_or(bundled);
        let in_turn = if chosen == bundled { vec![bundled] } else { vec![chosen, bundled] };
        let ask = |at: usize| self.ask(&members[at], Hook::Suspicion, |plugin, around| plugin.qualify(around, commit, diff)).ok();
        in_turn.into_iter().find_map(ask)?
    }

    /// As [`Self::attribute`], with a bisection that is not under way; the bundled plugin answers where the job names no other.
    pub fn attribute_in(&self, state: BisectionState, commit: &CommitFacts, releases: u32) -> Option<Credit> {
        let members = &self.shared.members;
        let member = &members[self.routes().suspicion.unwrap_or_else(|| load::bundled_suspicion(members))];
        let call = |plugin: &Plugin, around: &Surroundings| plugin.attribute(around, commit, releases);
        self.ask_in(&Arc::new(state), member, Hook::Suspicion, call).ok()?
    }

    /// Every plugin that is loaded, bundled ones first.
    pub fn describe(&self) -> Vec<Description> {
        self.shared.members.iter().map(Member::describe).collect()
    }

    /// Copies every component into `directory`, named by its digest.
    pub fn copy_components(&self, directory: &Path) -> io::Result<()> {
        fs::create_dir_all(directory)?;
        for member in &self.shared.members {
            let name = format!("{}.wasm", member.plugin.digest());
            let path = directory.join(&name);
            if !path.exists() {
                let draft = directory.join(format!(".{name}"));
                fs::write(&draft, &member.component)?;
                fs::rename(&draft, &path)?;
            }
        }
        Ok(())
    }

    /// As [`Watch::classify`], with what each classifier did on the way.
    pub fn classify_in_steps(&self, console: &[u8]) -> Result<Classified, Failure> {
        let bundled = load::bundled_classifier(&self.shared.members);
        let mut classified = Classified::default();
        for &at in &self.routes().classifiers {
            let member = &self.shared.members[at];
            let so_far = &classified.reports;
            match self.ask(member, Hook::Classifier, |plugin, around| plugin.classify(around, console, so_far)) {
                Ok(edited) => {
                    let ignored = edited.edits.iter().filter_map(|edit| match edit {
                        ReportEdit::Ignore(index, why) => {
                            let title = so_far.get(*index as usize)?.title.clone();
                            Some(Ignored { plugin: member.id.clone(), title, why: why.clone() })
                        }
                        ReportEdit::Add(_) | ReportEdit::Replace(..) => None,
                    });
                    classified.ignored.extend(ignored.collect::<Vec<_>>());
                    classified.reports = edited.reports;
                    classified.steps.push((member.id.clone(), edited.edits));
                }
                Err(error) if at == bundled => return Err(cannot_judge(&member.id, &error)),
                Err(_) => {}
            }
        }
        Ok(classified)
    }

    fn routes(&self) -> &Routes {
        self.shared.frozen.get().unwrap_or(&self.shared.early)
    }

    fn state(&self) -> Arc<BisectionState> {
        self.shared.state.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    /// How likely `seen` shows the same bug as `faces`, whatever the target is.
    pub fn relate_to(&self, faces: Vec<Face>, seen: &CrashReport, at: &CommitId) -> Result<Relation, Failure> {
        let state = BisectionState { faces, ..(*self.state()).clone() };
        self.relate_in(&Arc::new(state), seen, at)
    }

    fn relate_in(&self, state: &Arc<BisectionState>, seen: &CrashReport, at: &CommitId) -> Result<Relation, Failure> {
        if state.faces.is_empty() {
            return Ok(Relation { same: 1.0, reason: "there is no target yet to compare with".to_owned() });
        }
        let bundled = load::bundled_classifier(&self.shared.members);
        // The bundled one stands first in the chain, and so comes last here.
        for &place in self.routes().classifiers.iter().rev() {
            let member = &self.shared.members[place];
            let answer = self.ask_in(state, member, Hook::Classifier, |plugin, around| plugin.relate(around, seen, at));
            match answer {
                Ok(Some(relation)) => return Ok(relation),
                Err(error) if place == bundled => return Err(cannot_judge(&member.id, &error)),
                Ok(None) | Err(_) => {}
            }
        }
        Err(cannot_judge(&self.shared.members[bundled].id, "it gives no relation"))
    }

    fn ask<T>(&self, member: &Member, hook: Hook, call: impl FnOnce(&Plugin, &Surroundings) -> Answer<T>) -> Result<T, String> {
        self.ask_in(&self.state(), member, hook, call)
    }

    /// Asks one plugin and tells the sink what it said and whether it failed; the error says why there is no answer.
    fn ask_in<T>(
        &self,
        state: &Arc<BisectionState>,
        member: &Member,
        hook: Hook,
        call: impl FnOnce(&Plugin, &Surroundings) -> Answer<T>,
    ) -> Result<T, String> {
        if member.is_disabled() {
            return Err("it failed too often".to_owned());
        }
        let surroundings = Surroundings { facts: self.shared.facts.clone(), state: Arc::clone(state) };
        let answer = call(&member.plugin, &surroundings);
        for message in answer.messages {
            let plugin = member.id.clone();
            (self.shared.sink)(Notice::Log { plugin, level: message.level.name(), message: message.text });
        }
        answer.result.map_err(|error| {
            let error = error.to_string();
            let disabled = member.count_failure();
            let plugin = member.id.clone();
            (self.shared.sink)(Notice::Failed { plugin, hook: hook_name(hook), error: error.clone(), disabled });
            error
        })
    }
}

impl Watch for Policies {
    fn markers(&self) -> Vec<Vec<u8>> {
        let members = self.routes().classifiers.iter().map(|&at| &self.shared.members[at]);
        let mut markers: Vec<Vec<u8>> =
            members.flat_map(|member| &member.markers).map(|marker| marker.as_bytes().to_vec()).collect();
        markers.sort_unstable();
        markers.dedup();
        markers
    }

    fn classify(&self, console: &[u8]) -> Result<Vec<CrashReport>, Failure> {
        let classified = self.classify_in_steps(console)?;
        // A report that was taken out is in no trial's event: say here what it was and why it does not count.
        for Ignored { plugin, title, why } in classified.ignored {
            let message = format!("ignores {title}: {why}");
            (self.shared.sink)(Notice::Log { plugin, level: "info", message });
        }
        Ok(classified.reports)
    }

    fn relate(&self, seen: &CrashReport, at: &CommitId) -> Result<Relation, Failure> {
        self.relate_in(&self.state(), seen, at)
    }
}

/// Nobody can say what a console shows: the trial says nothing.
fn cannot_judge(plugin: &str, error: &str) -> Failure {
    Failure { stage: Stage::Infra, reason: format!("the bundled classifier `{plugin}` failed: {error}") }
}
