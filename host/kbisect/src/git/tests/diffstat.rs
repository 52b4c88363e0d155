use super::*;
use crate::git::DiffStat;
use crate::git::FileStat;

#[test]
fn changes_are_what_git_says() {
    for seed in 20..24 {
        let sandbox = Sandbox::import(random_history(seed, 40).as_bytes());
        let repository = sandbox.open();
        for id in sandbox.ids(&["rev-list", "--all"]) {
            let old = sandbox.git(&["log", "-1", "--format=%P", &id.to_string()]);
            let old = old
                .split_whitespace()
                .next()
                .map_or_else(|| sandbox.git(&["hash-object", "-t", "tree", "/dev/null"]).trim().to_owned(), ToOwned::to_owned);
            let diff = |how: &str| {
                let text = sandbox.git(&["diff-tree", "-r", "-z", "--no-renames", how, &old, &id.to_string()]);
                text.split_terminator('\0').map(ToOwned::to_owned).collect::<Vec<_>>()
            };
            let changed = diff("--name-only");
            assert_eq!(repository.changed_files(&id).unwrap(), changed, "{id}");
            // Of a merge, what differs from all parents; `-c` says so to git.
            let text = sandbox.git(&[
                "diff-tree",
                "-r",
                "-z",
                "-c",
                "--root",
                "--no-commit-id",
                "--no-renames",
                "--name-only",
                &id.to_string(),
            ]);
            let own: Vec<String> = text.split_terminator('\0').map(ToOwned::to_owned).collect();
            assert_eq!(repository.own_changes(&id, usize::MAX).unwrap(), own, "{id}");
            assert_eq!(repository.own_changes(&id, 2).unwrap(), own[..own.len().min(2)], "{id}");
            let stat = repository.diffstat(&id).unwrap();
            let ours: Vec<String> = stat
                .files
                .iter()
                .map(|file| match file.binary {
                    Some(_) => format!("-\t-\t{}", file.path),
                    None => format!("{}\t{}\t{}", file.added, file.deleted, file.path),
                })
                .collect();
            assert_eq!(ours, diff("--numstat"), "{id}");
            let drawn = git_in(
                &sandbox.path(),
                &["-c", "core.quotepath=off", "diff-tree", "-r", "--no-renames", "--stat=80", &old, &id.to_string()],
            );
            assert_eq!(stat.to_string(), drawn, "{id}");
            let told = repository.diff(&id, usize::MAX).unwrap();
            assert_eq!(told.is_some(), repository.parents(&id).unwrap().len() == 1, "{id}");
            // Of binary files no lines are told, nor of one that becomes a link or a submodule.
            let in_lines = |text: &String| {
                let kinds = ["\nold mode ", "160000"];
                stat.files.iter().all(|file| file.binary.is_none()) && !kinds.iter().any(|kind| text.contains(kind))
            };
            if let Some(text) = told.filter(in_lines) {
                let counted = |count: fn(&FileStat) -> usize| stat.files.iter().map(count).sum::<usize>();
                assert_eq!(lines_of(&text), [counted(|file| file.added), counted(|file| file.deleted)], "{id}\n{text}");
                assert_eq!(repository.diff(&id, text.len()).unwrap(), Some(text.clone()), "{id}");
                assert!(text.is_empty() || repository.diff(&id, text.len() - 1).unwrap().is_none(), "{id}");
            }
        }
    }
}

/// Lines that a difference adds, and such that it removes.
fn lines_of(diff: &str) -> [usize; 2] {
    let mut counts = [0; 2];
    let mut in_hunk = false;
    for line in diff.split('\n') {
        in_hunk = (in_hunk || line.starts_with("@@ ")) && !line.starts_with("diff --git ");
        counts[0] += usize::from(in_hunk && line.starts_with('+'));
        counts[1] += usize::from(in_hunk && line.starts_with('-'));
    }
    counts
}

#[test]
fn drawing_is_gits_for_all_sizes() {
    let sandbox = Sandbox::new();
    let mut dice = Dice(5);
    for round in 0..40 {
        let lines = |dice: &mut Dice, most: u64| {
            let most = *dice.pick(&[1, 10, 100, most]);
            let count = dice.roll(most + 1);
            (0..count).map(|_| format!("{}\n", dice.roll(3))).collect::<String>()
        };
        for _ in 0..=dice.roll(3) {
            let depth = dice.roll(9) as usize;
            let file = format!("{}{}", "folder-name/".repeat(depth), dice.pick(&["x.c", "a-rather-long-file-name.h", "y"]));
            let path = sandbox.path().join(&file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, lines(&mut dice, 3000)).unwrap();
        }
        let id = sandbox.commit("always", &round.to_string(), "change", round);
        let drawn = sandbox.git(&["show", "--format=", "--no-renames", "--stat=80", "--root", &id.to_string()]);
        assert_eq!(sandbox.open().diffstat(&id).unwrap().to_string(), drawn, "round {round}");
    }
}

#[test]
fn drawing_never_panics_and_marks_every_kind_of_change() {
    let mut dice = Dice(9);
    for _ in 0..2_000 {
        let files: Vec<FileStat> = (0..=dice.roll(4))
            .map(|_| {
                let size = *dice.pick(&[1, 3, 90, 100_000, usize::MAX as u64 / 1_000_000]);
                FileStat {
                    path: dice.pick(&["x", "é/ü", "nl\nand \"quote\"", ""]).repeat(1 + dice.roll(40) as usize),
                    added: dice.roll(size) as usize,
                    deleted: dice.roll(size) as usize,
                    binary: (dice.roll(5) == 0).then(|| (dice.roll(size), dice.roll(size))),
                }
            })
            .collect();
        let drawn = DiffStat { files: files.clone() }.to_string();
        assert_eq!(drawn.lines().count(), files.len() + 1);
        for (line, file) in drawn.lines().zip(&files) {
            let bar = line.rsplit_once(" | ").unwrap().1;
            if file.binary.is_none() {
                assert_eq!((bar.contains('+'), bar.contains('-')), (file.added > 0, file.deleted > 0), "{line}");
            }
        }
    }
}

#[test]
fn unusual_paths_are_drawn_on_one_line() {
    let file = FileStat { path: "a\nb \"c\"".to_owned(), added: 1, deleted: 0, binary: None };
    let drawn = DiffStat { files: vec![file] }.to_string();
    assert_eq!(drawn, " \"a\\nb \\\"c\\\"\" | 1 +\n 1 file changed, 1 insertion(+)\n");
}
