use super::*;

/// A history with release tags of all shapes strewn over it.
fn tagged(seed: u64) -> Sandbox {
    let sandbox = Sandbox::import(random_history(seed, 60).as_bytes());
    let mut dice = Dice(seed);
    let ids = sandbox.ids(&["rev-list", "--all"]);
    let mut names = Vec::new();
    for minor in 0..12 {
        names.extend([
            format!("v5.{minor}"),
            format!("v5.{minor}-rc1"),
            format!("v5.{minor}-rc10"),
            format!("v5.{minor}.{}", minor + 1),
        ]);
    }
    names.extend(
        ["v4.9", "v10.0", "v6", "v5.1.2.3", "v5.x", "next-20240101", "v5.2-dontuse", "v5.3-rc", "release-1"]
            .map(ToOwned::to_owned),
    );
    for name in &names {
        let id = dice.pick(&ids).to_string();
        if dice.roll(2) == 0 {
            sandbox.git(&["tag", name, &id]);
        } else {
            sandbox.git(&["tag", "-m", "a release", name, &id]);
        }
    }
    sandbox.git(&["tag", "v5.99", &format!("{}^{{tree}}", ids[0])]);
    sandbox
}

/// Tags that a `git tag` command lists and that have the shape of a final release, newest version first.
fn listed(sandbox: &Sandbox, args: &[&str]) -> Vec<String> {
    let listed = sandbox.git(&[&["tag", "--sort=-version:refname"], args, &["v*.*"]].concat());
    let whole = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let shape = |name: &&str| {
        let parts: Vec<&str> = name[1..].split('.').collect();
        (2..=3).contains(&parts.len()) && parts.iter().all(|part| whole(part))
    };
    listed.lines().filter(shape).map(ToOwned::to_owned).collect()
}

#[test]
fn releases_are_what_git_tag_lists() {
    for seed in 40..43 {
        let sandbox = tagged(seed);
        let repository = sandbox.open();
        for id in sandbox.ids(&["rev-list", "--all"]).iter().step_by(5) {
            let ours: Vec<String> = repository.releases(id).unwrap().into_iter().map(|release| release.name).collect();
            let id = id.to_string();
            assert_eq!(ours, listed(&sandbox, &["--merged", &id, "--no-contains", &id]), "seed {seed}, {id}");
        }
        for release in repository.releases(&sandbox.id("b0")).unwrap() {
            assert_eq!(release.commit, sandbox.id(&release.name));
        }
    }
}

#[test]
fn first_release_is_the_lowest_that_git_tag_lists() {
    for seed in 44..46 {
        let sandbox = tagged(seed);
        let repository = sandbox.open();
        for id in sandbox.ids(&["rev-list", "--all"]).iter().step_by(4) {
            let containing = sandbox.git(&[
                "-c",
                "versionsort.suffix=-rc",
                "tag",
                "--sort=version:refname",
                "--contains",
                &id.to_string(),
                "v*.*",
            ]);
            let whole = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            let first = containing.lines().find(|name| {
                let name = name[1..].replacen("-rc", ".", 1);
                let parts: Vec<&str> = name.split('.').collect();
                (2..=3).contains(&parts.len()) && parts.iter().all(|part| whole(part))
            });
            let ours = repository.first_release_with(id).unwrap().map(|release| release.name);
            assert_eq!(ours.as_deref(), first, "seed {seed}, {id}");
        }
    }
}

#[test]
fn without_tags_there_is_no_release() {
    let sandbox = Sandbox::import(random_history(1, 4).as_bytes());
    let tip = sandbox.id("b0");
    assert_eq!(sandbox.open().releases(&tip).unwrap(), []);
    assert_eq!(sandbox.open().first_release_with(&tip).unwrap(), None);
}

#[test]
fn a_walk_goes_by_the_sparse_picks() {
    let sandbox = Sandbox::new();
    for minor in 0..20 {
        let id = sandbox.commit("version", &minor.to_string(), "a release", 1_600_000_000 + minor * 60);
        sandbox.git(&["tag", &format!("v5.{minor}"), &id.to_string()]);
    }
    let start = sandbox.commit("version", "start", "after the last release", 1_600_009_000);
    let walk = sandbox.open().releases_to_walk(&start).unwrap();
    let names: Vec<&str> = walk.iter().map(|release| release.name.as_str()).collect();
    assert_eq!(names, ["v5.19", "v5.18", "v5.17", "v5.15", "v5.13", "v5.11", "v5.9", "v5.7", "v5.4", "v5.1", "v5.0"]);
    assert!(walk.iter().all(|release| release.commit == sandbox.id(&release.name)));
}

#[test]
fn a_day_of_linux_next_begins_at_what_it_was_made_from() {
    let sandbox = Sandbox::new();
    sandbox.commit("a", "1", "release", 0);
    sandbox.git(&["tag", "v1.0"]);
    let base = sandbox.commit("a", "2", "mainline of that day", 1);
    sandbox.git(&["checkout", "-q", "-b", "day"]);
    let next = sandbox.commit("b", "1", "linux-next of that day", 2);
    sandbox.git(&["tag", "next-20241118"]);
    let later = sandbox.commit("b", "2", "somebody's own", 3);
    sandbox.git(&["checkout", "-q", "main"]);
    sandbox.commit("a", "3", "mainline goes on", 4);
    let walk = |start: &CommitId| {
        let releases = Repository::open(&sandbox.path()).unwrap().releases_to_walk(start).unwrap();
        releases.into_iter().map(|release| (release.name, release.commit)).collect::<Vec<_>>()
    };
    let release = ("v1.0".to_owned(), sandbox.id("v1.0"));
    assert_eq!(walk(&next), std::slice::from_ref(&release));
    sandbox.git(&["update-ref", "refs/remotes/next/stable", "main"]);
    assert_eq!(walk(&next), [("next/stable".to_owned(), base), release.clone()]);
    assert_eq!(walk(&later), [release]);
}
