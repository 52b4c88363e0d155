//! `[[plugin]]`: plugins beside the bundled ones, or settings for those.

use std::time::Duration;

use serde_json::Value;
use toml::Spanned;
use toml::de::DeValue;

use super::document::Section;
use super::document::nearest;
use super::duration;
use super::job::Hook;
use super::job::Plugin;
use super::job::PluginLimits;
use super::job::When;
use super::json;
use super::origin::Origin;
use super::path;
use super::size;
use super::value;
use super::value::Read;
use crate::embedded::PLUGINS;

/// Hooks by name.
pub(super) const HOOKS: [(&str, Hook); 4] = [
    ("classifier", Hook::Classifier),
    ("flake-policy", Hook::FlakePolicy),
    ("recipients", Hook::Recipients),
    ("suspicion", Hook::Suspicion),
];

/// All sections.
pub(super) fn read(sections: Vec<Section<'_, '_>>) -> Vec<Plugin> {
    let mut plugins: Vec<Plugin> = Vec::new();
    for section in sections {
        let plugin = read_one(&section);
        if plugins.iter().any(|other| other.id == plugin.id && !plugin.id.is_empty()) {
            let text = format!("[plugin] `id`: \"{}\" is there twice", plugin.id);
            section.complain(Some("id"), text);
        }
        section.close();
        plugins.push(plugin);
    }
    plugins
}

fn read_one(section: &Section<'_, '_>) -> Plugin {
    let base = &section.document().base;
    let plugin = Plugin {
        id: section.required("id", "its name in messages, or that of a bundled plugin", value::line).unwrap_or_default(),
        path: section.get("path", |value| path::file(value, base)),
        sha256: section.get("sha256", digest),
        hooks: section.get_or("hooks", hooks, Vec::new(), Origin::guess("all that it has")),
        when: when(section.inner("when")),
        priority: section.get_or("priority", priority, 0, Origin::guess("as the others")),
        settings: section.get_or("settings", settings, Value::Object(serde_json::Map::new()), Origin::guess("its own defaults")),
        limits: limits(section.inner("limits")),
    };
    let bundled = || PLUGINS.iter().map(|bundled| bundled.id);
    let is_bundled = bundled().any(|id| id == plugin.id);
    if !section.has("path") && !plugin.id.is_empty() && !is_bundled {
        let hint = nearest(&plugin.id, bundled()).map_or_else(
            || format!("the bundled ones are {}", bundled().collect::<Vec<_>>().join(", ")),
            |nearest| format!("did you mean \"{nearest}\"?"),
        );
        let text = format!("[plugin] `id`: no bundled plugin is called \"{}\" and there is no `path`; {hint}", plugin.id);
        section.complain(Some("id"), text);
    }
    if section.has("path") && is_bundled {
        section.complain(Some("id"), format!("[plugin] `id`: \"{}\" is a bundled plugin; give yours another name", plugin.id));
    }
    if section.has("sha256") && !section.has("path") {
        section.complain(Some("sha256"), "[plugin] `sha256` is for a plugin with `path`");
    }
    plugin
}

fn digest(value: &Spanned<DeValue<'_>>) -> Read<String> {
    let text = value::text(value)?.to_ascii_lowercase();
    if text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        Ok(text)
    } else {
        value::complain(value, "must be 64 hexadecimal digits, as sha256sum prints them")
    }
}

fn hooks(value: &Spanned<DeValue<'_>>) -> Read<Vec<Hook>> {
    let mut hooks = value::list(value, |item| value::word(item, &HOOKS))?;
    hooks.sort_unstable();
    hooks.dedup();
    Ok(hooks)
}

fn priority(value: &Spanned<DeValue<'_>>) -> Read<i64> {
    let range = i128::from(i64::MIN)..=i128::from(i64::MAX);
    value::integer(value, range).map(|number| i64::try_from(number).expect("checked by the range"))
}

fn settings(value: &Spanned<DeValue<'_>>) -> Read<Value> {
    if value.get_ref().is_table() { json::read(value) } else { value::mistyped(value, "a table such as { key = 1 }") }
}

fn when(section: Section<'_, '_>) -> When {
    let globs = |value: &Spanned<DeValue<'_>>| value::list(value, glob);
    let when =
        When { paths: section.get("paths", globs).unwrap_or_default(), titles: section.get("titles", globs).unwrap_or_default() };
    section.close();
    when
}

fn glob(value: &Spanned<DeValue<'_>>) -> Read<String> {
    let text = value::line(value)?;
    match glob::Pattern::new(&text) {
        Ok(_) => Ok(text),
        Err(error) => value::complain(value, format!("not a pattern: {}", error.msg)),
    }
}

fn limits(section: Section<'_, '_>) -> PluginLimits {
    let usual = PluginLimits::default();
    let limits = PluginLimits {
        fuel: section.get("fuel", value::number).unwrap_or(usual.fuel),
        fuel_per_byte: section.get("fuel_per_byte", value::number).unwrap_or(usual.fuel_per_byte),
        wall: section.get("wall", duration::read).unwrap_or(usual.wall),
        memory: section.get("memory", size::read).unwrap_or(usual.memory),
        output: section.get("output", size::read).unwrap_or(usual.output),
        log: section.get("log", log).unwrap_or(usual.log),
        host_calls: section.get("host_calls", value::count).unwrap_or(usual.host_calls),
    };
    if limits.wall > Duration::from_secs(600) {
        section.complain(Some("wall"), "[plugin.limits] `wall`: at most 10m");
    }
    section.close();
    limits
}

fn log(value: &Spanned<DeValue<'_>>) -> Read<usize> {
    let size = size::read(value)?;
    usize::try_from(size).or_else(|_| value::complain(value, "is too large"))
}
