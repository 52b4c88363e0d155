//! Who is asked: which plugins apply to a target, in what order. Pure.

use glob::MatchOptions;
use glob::Pattern;
use glob::PatternError;
use kbisect_core::crash::Face;

use super::load::bundled_flake_policy;
use super::load::bundled_suspicion;
use super::member::Member;
use crate::config::job::Hook;
use crate::config::job::When;
use crate::plugin::load::hook_name;

/// Where a plugin applies: the compiled form of [`When`].
#[derive(Debug, Clone, Default)]
pub(super) struct Scope {
    paths: Vec<Pattern>,
    titles: Vec<Pattern>,
}

/// `*` stays within a folder, `**` does not.
const IN_PATHS: MatchOptions =
    MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: false };

impl Scope {
    /// Compiles the globs; all bad ones are returned, each with its key.
    pub(super) fn new(when: &When) -> Result<Self, Vec<(&'static str, String, PatternError)>> {
        let mut bad = Vec::new();
        let mut compile = |key, globs: &[String]| {
            let mut patterns = Vec::new();
            for glob in globs {
                match Pattern::new(glob) {
                    Ok(pattern) => patterns.push(pattern),
                    Err(error) => bad.push((key, glob.clone(), error)),
                }
            }
            patterns
        };
        let scope = Self { paths: compile("paths", &when.paths), titles: compile("titles", &when.titles) };
        if bad.is_empty() { Ok(scope) } else { Err(bad) }
    }

    /// Whether one of the paths is in scope; no globs: all are.
    pub(super) fn has_path<'a>(&self, paths: impl IntoIterator<Item = &'a str>) -> bool {
        self.paths.is_empty() || paths.into_iter().any(|path| self.paths.iter().any(|glob| glob.matches_with(path, IN_PATHS)))
    }

    /// Whether one of the target's titles is in scope. Without a target yet, only "everywhere" is.
    fn has_title(&self, target: &[Face]) -> bool {
        let mut titles = target.iter().flat_map(|face| face.report.alt_titles.iter().chain([&face.report.title]));
        self.titles.is_empty() || titles.any(|title| self.titles.iter().any(|glob| glob.matches(title)))
    }

    /// Whether the target is in scope: by the guilty file of its most frequent face, and by its titles.
    fn has_target(&self, target: &[Face]) -> bool {
        // Of equally frequent ones, the first.
        let main = target.iter().rev().max_by_key(|face| face.trials);
        self.has_path(main.and_then(|face| face.report.guilty_file.as_deref())) && self.has_title(target)
    }

    /// The globs on paths.
    pub(super) fn paths_text(&self) -> Vec<String> {
        self.paths.iter().map(|glob| glob.as_str().to_owned()).collect()
    }

    /// The globs on titles.
    pub(super) fn titles_text(&self) -> Vec<String> {
        self.titles.iter().map(|glob| glob.as_str().to_owned()).collect()
    }
}

/// Two plugins claim what only one can have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "plugins `{first}` and `{second}` both claim `{hook}` here, with the same priority {priority}: give one a higher `priority`"
)]
pub struct Conflict {
    /// The hook.
    pub hook: &'static str,
    /// One of them.
    pub first: String,
    /// The other.
    pub second: String,
    /// Theirs.
    pub priority: i64,
}

/// Who is asked, as indices of members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Routes {
    /// In order of editing: the bundled one first.
    pub(super) classifiers: Vec<usize>,
    /// The one that judges.
    pub(super) flake_policy: usize,
    /// In order of editing. Whether paths match is decided when the culprit is known.
    pub(super) recipients: Vec<usize>,
    /// The one that weighs, if any: the bundled one where the job names no other and the target shows code.
    pub(super) suspicion: Option<usize>,
}

impl Routes {
    /// Chooses for a target; none yet: an empty list, for which only plugins without `when` apply.
    pub(super) fn choose(members: &[Member], target: &[Face]) -> Result<Self, Conflict> {
        let chain = |hook: Hook, applies: &dyn Fn(&Member) -> bool| {
            let mut chain: Vec<usize> =
                (0..members.len()).filter(|&at| members[at].serves(hook) && applies(&members[at])).collect();
            // Stable: of equal priority, the job's order.
            chain.sort_by_key(|&at| (!members[at].bundled, members[at].priority));
            chain
        };
        let in_scope = |member: &Member| member.scope.has_target(target);
        let stated = |member: &Member| member.stated && in_scope(member);
        Ok(Self {
            classifiers: chain(Hook::Classifier, &in_scope),
            flake_policy: highest(members, &chain(Hook::FlakePolicy, &stated), Hook::FlakePolicy)?
                .unwrap_or_else(|| bundled_flake_policy(members)),
            recipients: chain(Hook::Recipients, &|member| member.scope.has_title(target)),
            suspicion: highest(members, &chain(Hook::Suspicion, &stated), Hook::Suspicion)?
                .or_else(|| Some(bundled_suspicion(members)).filter(|&at| !members[at].stated && shows_code(target))),
        })
    }

    /// Hooks with plugin ids in order of asking, for the record.
    pub(super) fn describe(&self, members: &[Member]) -> Vec<(String, Vec<String>)> {
        let ids = |chain: &[usize]| chain.iter().map(|&at| members[at].id.clone()).collect::<Vec<_>>();
        let mut routes = vec![
            (Hook::Classifier, ids(&self.classifiers)),
            (Hook::FlakePolicy, ids(&[self.flake_policy])),
            (Hook::Recipients, ids(&self.recipients)),
        ];
        routes.extend(self.suspicion.map(|at| (Hook::Suspicion, ids(&[at]))));
        routes.into_iter().map(|(hook, ids)| (hook_name(hook).to_owned(), ids)).collect()
    }
}

/// Whether the target shows anything that commits could touch. An exit status, for example, does not.
fn shows_code(target: &[Face]) -> bool {
    target.iter().any(|face| face.report.guilty_file.is_some() || face.report.frame.is_some() || !face.report.trace.is_empty())
}

/// The one with the highest priority; two with the same are a conflict.
fn highest(members: &[Member], chain: &[usize], hook: Hook) -> Result<Option<usize>, Conflict> {
    let mut chain = chain.to_vec();
    chain.sort_by_key(|&at| members[at].priority);
    if let [.., second, first] = chain[..]
        && members[first].priority == members[second].priority
    {
        let id = |at: usize| members[at].id.clone();
        let priority = members[first].priority;
        return Err(Conflict { hook: hook_name(hook), first: id(second), second: id(first), priority });
    }
    Ok(chain.last().copied())
}
