//! The functions that plugins import, version 0. Each counts as one host call.

use kbisect_core::commit::CommitId;

use super::bindings::kbisect::plugin::bisection;
use super::bindings::kbisect::plugin::git;
use super::bindings::kbisect::plugin::git::GitError;
use super::bindings::kbisect::plugin::log;
use super::bindings::kbisect::plugin::settings;
use super::bindings::kbisect::plugin::types;
use crate::plugin::call::Call;
use crate::plugin::facts::FactError;

/// Files larger than this are not handed to plugins, whatever the repository's room does.
const FILE_LIMIT: usize = 4 << 20;

impl types::Host for Call {}

impl log::Host for Call {
    fn log(&mut self, level: log::Level, message: String) -> wasmtime::Result<()> {
        self.count_host_call()?;
        self.keep_message(level.into(), message);
        Ok(())
    }
}

impl settings::Host for Call {
    fn json(&mut self) -> wasmtime::Result<String> {
        self.count_host_call()?;
        Ok(self.settings.to_string())
    }
}

impl bisection::Host for Call {
    fn faces(&mut self) -> wasmtime::Result<Vec<bisection::Face>> {
        self.count_host_call()?;
        Ok(self.surroundings.state.faces.iter().map(Into::into).collect())
    }

    fn estimate(&mut self) -> wasmtime::Result<Option<bisection::Rates>> {
        self.count_host_call()?;
        Ok(self.surroundings.state.rates.map(Into::into))
    }

    fn history(&mut self) -> wasmtime::Result<Vec<bisection::Past>> {
        self.count_host_call()?;
        Ok(self.surroundings.state.history.iter().map(Into::into).collect())
    }

    fn property(&mut self, key: String) -> wasmtime::Result<Option<String>> {
        self.count_host_call()?;
        Ok(self.surroundings.state.properties.get(&key).cloned())
    }
}

/// The commit, or the answer that there is none of this name.
fn commit(id: &str) -> Result<CommitId, FactError> {
    id.parse().map_err(|_| FactError::NotFound(id.to_owned()))
}

impl git::Host for Call {
    fn changed_files(&mut self, id: String) -> wasmtime::Result<Result<Vec<String>, GitError>> {
        self.count_host_call()?;
        Ok(commit(&id).and_then(|id| self.surroundings.facts.changed_files(&id)).map_err(Into::into))
    }

    fn message(&mut self, id: String) -> wasmtime::Result<Result<String, GitError>> {
        self.count_host_call()?;
        Ok(commit(&id).and_then(|id| self.surroundings.facts.message(&id)).map_err(Into::into))
    }

    fn author(&mut self, id: String) -> wasmtime::Result<Result<git::Signature, GitError>> {
        self.count_host_call()?;
        Ok(commit(&id).and_then(|id| self.surroundings.facts.author(&id)).map(Into::into).map_err(Into::into))
    }

    fn parents(&mut self, id: String) -> wasmtime::Result<Result<Vec<String>, GitError>> {
        self.count_host_call()?;
        let parents = commit(&id).and_then(|id| self.surroundings.facts.parents(&id));
        Ok(parents.map(|ids| ids.iter().map(CommitId::to_string).collect()).map_err(Into::into))
    }

    fn read_file(&mut self, id: String, path: String) -> wasmtime::Result<Result<String, GitError>> {
        self.count_host_call()?;
        let text = commit(&id).and_then(|id| self.surroundings.facts.read_file(&id, &path)).and_then(|text| match text.len() {
            0..=FILE_LIMIT => Ok(text),
            more => Err(FactError::TooLarge(more as u64)),
        });
        Ok(text.map_err(Into::into))
    }

    fn is_ancestor(&mut self, ancestor: String, descendant: String) -> wasmtime::Result<Result<bool, GitError>> {
        self.count_host_call()?;
        let ends = commit(&ancestor).and_then(|ancestor| Ok((ancestor, commit(&descendant)?)));
        Ok(ends
            .and_then(|(ancestor, descendant)| self.surroundings.facts.is_ancestor(&ancestor, &descendant))
            .map_err(Into::into))
    }

    fn signers(&mut self, id: String, paths: Vec<String>, days: u32) -> wasmtime::Result<Result<Vec<git::Signer>, GitError>> {
        self.count_host_call()?;
        let signers = commit(&id).and_then(|id| self.surroundings.facts.signers(&id, &paths, days));
        Ok(signers.map(|signers| signers.into_iter().map(Into::into).collect()).map_err(Into::into))
    }
}
