//! What is damaged, ambiguous or of no use: what was understood is said, and nothing is half done.

use std::fs;

use super::CONFIG;
use super::REPRO;
use super::console;
use super::mails::syzbot;
use super::start;
use super::world;
use super::write;
use crate::support::fingerprint;

#[test]
fn what_is_of_no_use_is_named_and_nothing_is_written() {
    let (world, _) = world();
    write(&world, "desk/letter.txt", "Dear all,\n\nmy machine is slow.\n");
    write(&world, "desk/dmesg.xz", b"\xfd7zXZ\0\0\0");
    write(&world, "desk/empty", "");
    write(&world, "desk/half.config", "CONFIG_A=y\nCONFIG_B=y\nCONFIG_C=y\nCONFIG_D");
    insta::assert_snapshot!(start(&world, &["desk"]), @r"
    --- stderr
    error: there is nothing to make a job of
    error: desk/dmesg.xz: packed with xz: unpack it (xz -dk desk/dmesg.xz) and name what is in it
    error: desk/empty: it is empty
    error: desk/half.config: a configuration whose line 4 is damaged: `CONFIG_D`
    error: desk/letter.txt: no crash, configuration, reproducer or report of a known kind is in it
    hint: a console with a crash, a configuration, a reproducer (C, script, program), a report of syzbot's or the kernel test robot's, or a selftest's name will do
    --- exit status 2
    --- job.toml
    none
    ");
}

#[test]
fn links_and_missing_files_and_repositories_are_refused() {
    let (world, _) = world();
    insta::assert_snapshot!(start(&world, &["https://syzkaller.appspot.com/bug?extid=0123456789abcdef0123", "nothing.txt", "linux"]), @r"
    --- stderr
    error: https://syzkaller.appspot.com/bug?extid=0123456789abcdef0123 is a link, and kbisect fetches nothing
    error: there is no file, folder or selftest `nothing.txt`
    error: linux is a git repository, not a folder of findings
    hint: save what syzbot knows of the bug, and start from that: curl -o bug.json 'https://syzkaller.appspot.com/bug?extid=0123456789abcdef0123&json=1'; kbisect start bug.json
    hint: or save the report's mail and start from it: it has the console, and links to the rest
    hint: selftests are named as COLLECTION or COLLECTION:TEST and looked for in --repo's work tree
    hint: name it with --repo, and what you have by file or folder
    --- exit status 2
    --- job.toml
    none
    ");
    insta::assert_snapshot!(start(&world, &["queue", "--repo", "nowhere"]), @r"
    --- stderr
    error: `nowhere` is not a git repository, nor inside one
    hint: give the path of a clone, or `git clone` one
    --- exit status 2
    --- job.toml
    none
    ");
}

#[test]
fn what_is_there_already_is_not_written_over() {
    let (world, ids) = world();
    write(&world, "mail.txt", syzbot(&ids[3][..12], "upstream"));
    write(&world, "console.txt", "mine\n");
    write(&world, "job.toml", "# mine\n");
    let before = fingerprint(&world.path("linux"));
    insta::assert_snapshot!(start(&world, &["mail.txt"]), @r"
    --- stderr
    error: `[DIR]/console.txt` is there already, and something else
    error: `[DIR]/job.toml` is there already, and something else
    hint: give another place with --out, or --force to write over it
    --- exit status 2
    --- job.toml
    # mine
    ");
    assert_eq!(fs::read_to_string(world.path("console.txt")).unwrap(), "mine\n");
    assert_eq!(fs::read_dir(world.path("linux").parent().unwrap()).unwrap().count(), 6, "no part of a file is left");
    let forced = start(&world, &["mail.txt", "--force"]);
    assert!(forced.contains("wrote console.txt, job.toml"), "{forced}");
    // The same again changes nothing, and so is no harm.
    let again = start(&world, &["mail.txt"]);
    assert_eq!(again, forced);
    assert_eq!(fingerprint(&world.path("linux")), before, "the clone is only read");
}

#[test]
fn of_two_bugs_in_one_mail_the_first_is_taken() {
    let (world, ids) = world();
    let other = syzbot("40f71e7cd3c6", "net")
        .replace("0123456789abcdef0123", "fedcba98765432100123")
        .replace("queue_release", "other_release");
    write(&world, "mail.txt", syzbot(&ids[3][..12], "upstream") + &other);
    let shown = start(&world, &["mail.txt"]);
    insta::assert_snapshot!(shown.split_once("--- job.toml").unwrap().0, @r#"
    --- stdout
    understood
      mail.txt  a report of syzbot's
      mail.txt  a report of syzbot's
      mail.txt  a console: KASAN: slab-use-after-free Read in queue_release, and 1 crash
    found
      bad           "15edfbc44749"  `HEAD commit:` in mail.txt ("Merge tag 'queue-6.2' of git://git.example.org/queue")
      crash         "console.txt"  in mail.txt; KASAN: slab-use-after-free Read in queue_release (5 frames)
      link          "https://syzkaller.appspot.com/bug?extid=0123456789abcdef0123"  in mail.txt; for `Closes:`
      [repro] arch  "386"  `userspace arch:` in mail.txt
    guessed
      repo          "linux"  a clone of Linux at linux
      title         "KASAN: slab-use-after-free Read in queue_release"  the console's first crash; it shows `KASAN: slab-use-after-free Read in other_release` too
      [build] kind  "linux"  its Makefile is Linux's
    missing
      [repro] file    "repro.c"  save https://syzkaller.appspot.com/x/repro.c?x=13fdabcd980000 as repro.c beside this file
      [build] config  "kernel.config"  save https://syzkaller.appspot.com/x/.config?x=a1b2c3d4e5f60718 as kernel.config beside this file
    note: mail.txt tells of another bug too (https://syzkaller.appspot.com/bug?extid=fedcba98765432100123): this job is about https://syzkaller.appspot.com/bug?extid=0123456789abcdef0123. For the other one, cut that out and hand over the rest.

    wrote console.txt, job.toml
    next  kbisect check job.toml
    --- exit status 0
    "#);
}

#[test]
fn a_mail_that_ends_early_gives_what_it_has() {
    let (world, ids) = world();
    let whole = syzbot(&ids[3][..12], "upstream");
    let cut = &whole[..whole.find("syz repro:").unwrap() + 30];
    write(&world, "mail.txt", cut);
    let shown = start(&world, &["mail.txt"]);
    insta::assert_snapshot!(shown.split_once("--- job.toml").unwrap().0, @r#"
    --- stdout
    understood
      mail.txt  a report of syzbot's
    found
      bad   "15edfbc44749"  `HEAD commit:` in mail.txt ("Merge tag 'queue-6.2' of git://git.example.org/queue")
      link  "https://syzkaller.appspot.com/bug?extid=0123456789abcdef0123"  in mail.txt; for `Closes:`
    guessed
      repo          "linux"  a clone of Linux at linux
      [build] kind  "linux"  its Makefile is Linux's
    missing
      [repro] file    a reproducer: C source, a program or a script. Where the crash shows while booting: [target] stage = "boot"
      [build] config  "kernel.config"  save https://syzkaller.appspot.com/x/.config?x=a1b2c3d4e5f60718 as kernel.config beside this file
    note: no crash is in mail.txt, though its kind has one: was it cut?

    wrote job.toml
    next  kbisect check job.toml
    --- exit status 0
    "#);
}

#[test]
fn a_configuration_for_other_machines_is_told() {
    let (world, ids) = world();
    write(&world, "console", console(&ids[3]));
    write(&world, "config", CONFIG.replace("X86_64", "ARM64"));
    write(&world, "check.c", REPRO.replace("main", "check"));
    let shown = start(&world, &["console", "config", "check.c"]);
    insta::assert_snapshot!(shown.split_once("--- job.toml").unwrap().0, @r#"
    --- stdout
    understood
      console  a console: KASAN: slab-use-after-free Read in queue_release
      config   a configuration, arm64, gcc (Debian 99.2.0-14) 99.2.0
      check.c  C source without a main()
    found
      bad             "15edfbc44749"  the kernel's own release, 6.1.0-syzkaller-00002-g15edfbc44749, in console ("Merge tag 'queue-6.2' of git://git.example.org/queue")
      crash           "console"  KASAN: slab-use-after-free Read in queue_release (5 frames)
      [build] config  "config"  6 lines, made for gcc (Debian 99.2.0-14) 99.2.0
    guessed
      repo             "linux"  a clone of Linux at linux
      [build] kind     "linux"  its Makefile is Linux's
      [build] require  ["KASAN"]  KASAN (the crash is its report)
    missing
      repro         check.c has no main(): it is no program by itself. Name one that is, or a script
      [build] arch  "arm64"  config; kbisect's machines are of this one's architecture: it builds such kernels and cannot boot them

    wrote job.toml
    next  kbisect check job.toml
    --- exit status 0
    "#);
}

#[test]
fn of_two_reproducers_and_two_configurations_one_is_taken_and_the_others_are_named() {
    let (world, ids) = world();
    write(&world, "bug/report", console(&ids[3]));
    write(&world, "bug/a.c", REPRO);
    write(&world, "bug/b.c", REPRO.replace("O_RDWR", "O_RDONLY"));
    write(&world, "bug/config-1", CONFIG);
    write(&world, "bug/config-2", CONFIG.to_owned() + "CONFIG_KCSAN=y\n");
    let shown = start(&world, &["bug"]);
    insta::assert_snapshot!(shown.split_once("--- job.toml").unwrap().0, @r#"
    --- stdout
    understood
      bug/a.c       a reproducer in C, made by syzkaller
      bug/b.c       a reproducer in C, made by syzkaller
      bug/config-1  a configuration, x86_64, gcc (Debian 99.2.0-14) 99.2.0
      bug/config-2  a configuration, x86_64, gcc (Debian 99.2.0-14) 99.2.0
      bug/report    a console: KASAN: slab-use-after-free Read in queue_release
    found
      bad    "15edfbc44749"  the kernel's own release, 6.1.0-syzkaller-00002-g15edfbc44749, in bug/report ("Merge tag 'queue-6.2' of git://git.example.org/queue")
      crash  "bug/report"  KASAN: slab-use-after-free Read in queue_release (5 frames)
    guessed
      repo             "linux"  a clone of Linux at linux
      repro            "bug/a.c"  made by syzkaller; the first by name: bug/b.c would do as well, take one
      [build] kind     "linux"  its Makefile is Linux's
      [build] config   "bug/config-1"  6 lines, made for gcc (Debian 99.2.0-14) 99.2.0; the first by name of several; others: bug/config-2
      [build] require  ["KASAN"]  KASAN (the crash is its report)

    wrote job.toml
    next  kbisect check job.toml
    --- exit status 0
    "#);
}

#[test]
fn what_is_no_file_is_not_opened() {
    let (world, ids) = world();
    let pipe = |name: &str| {
        fs::create_dir_all(world.path("bug")).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(world.path(name)).status().unwrap().success());
    };
    write(&world, "bug/console", console(&ids[3]));
    pipe("bug/pipe");
    pipe("pipe");
    std::os::unix::fs::symlink("loop", world.path("bug/loop")).unwrap();
    std::os::unix::fs::symlink("nothing", world.path("bug/gone")).unwrap();
    let shown = start(&world, &["bug"]);
    for line in
        ["bug/gone  a link that leads to nothing\n", "bug/loop  a link that leads to no file (", "bug/pipe  a pipe, not a file\n"]
    {
        assert!(shown.contains(line), "{line}: {shown}");
    }
    fs::create_dir(world.path("links")).unwrap();
    std::os::unix::fs::symlink("nothing", world.path("links/gone")).unwrap();
    let shown = start(&world, &["links", "--out", "other.toml"]);
    assert!(shown.contains("error: there is no file in links\nerror: links/gone is a link that leads to nothing\n"), "{shown}");
    insta::assert_snapshot!(start(&world, &["pipe", "--out", "other.toml"]).split_once("--- job.toml").unwrap().0, @r"
    --- stderr
    error: pipe is a pipe, not a file
    hint: what comes out of it can be handed over as standard input: kbisect start - < pipe
    --- exit status 2
    ");
}

#[test]
fn where_nothing_can_be_written_nothing_is() {
    let (world, ids) = world();
    write(&world, "mail.txt", syzbot(&ids[3][..12], "upstream"));
    fs::create_dir(world.path("there")).unwrap();
    insta::assert_snapshot!(start(&world, &["mail.txt", "--force", "--out", "there"]), @r"
    --- stderr
    error: `[DIR]/there` is a folder, not a place for a file
    hint: give another place with --out
    --- exit status 2
    --- job.toml
    none
    ");
    assert!(!world.path("console.txt").exists());
    insta::assert_snapshot!(start(&world, &["mail.txt", "--out", "nowhere/job.toml"]), @r"
    --- stderr
    error: cannot write `[DIR]/nowhere/console.txt`: there is no folder `[DIR]/nowhere`
    --- exit status 2
    --- job.toml
    none
    ");
}

#[test]
fn nothing_that_a_terminal_obeys_is_printed() {
    let (world, ids) = world();
    let mail = format!(
        "From: A <a@example.org>\nSubject: =?utf-8?B?V0FSTklORyBpbiAbWzJKZm9vBw==?=\nMIME-Version: 1.0\n\
         Content-Type: multipart/mixed; boundary=\"b\"\n\n--b\nContent-Type: text/plain\n\n{}\n\
         --b\nContent-Type: text/x-csrc\nContent-Disposition: attachment; filename*=utf-8''a%1b%5b2J%07.c\n\n{REPRO}--b--\n",
        syzbot(&ids[3][..12], "upstream")
    );
    write(&world, "mail.eml", mail);
    write(&world, "odd\u{1b}[31m.txt", "Dear all,\n\nhello.\n");
    for args in [&["mail.eml", "odd\u{1b}[31m.txt"][..], &["mail.eml", "--json", "--force"], &["odd\u{1b}[31m.txt"]] {
        let words: Vec<&str> = ["start"].into_iter().chain(args.iter().copied()).collect();
        let output = world.kbisect(&words).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        assert!(
            !said.is_empty() && said.iter().all(|byte| *byte == b'\n' || !byte.is_ascii_control()),
            "{}",
            String::from_utf8_lossy(&said)
        );
    }
    assert!(!fs::read_to_string(world.path("job.toml")).unwrap().contains('\u{1b}'));
}

#[test]
fn of_two_bugs_in_one_mail_the_other_ones_kernel_is_not_told() {
    let (world, ids) = world();
    let other = syzbot("40f71e7cd3c6", "net")
        .replace("0123456789abcdef0123", "fedcba98765432100123")
        .replace("queue_release", "other_release");
    let first =
        syzbot(&ids[3][..12], "upstream").replace(&format!("6.1.0-syzkaller-00002-g{}", &ids[3][..12]), "6.1.0-syzkaller");
    write(&world, "mail.txt", first + &other);
    let shown = start(&world, &["mail.txt"]);
    assert!(!shown.contains("is of another kernel"), "{shown}");
}

#[test]
fn of_a_mail_and_another_bugs_console_the_mail_counts() {
    let (world, ids) = world();
    write(&world, "desk/dmesg", console(&ids[2]).replace("queue_release", "other_release"));
    write(&world, "desk/mail", syzbot(&ids[3][..12], "upstream"));
    let shown = start(&world, &["desk"]);
    insta::assert_snapshot!(shown.split_once("--- job.toml").unwrap().0, @r#"
    --- stdout
    understood
      desk/dmesg  a console: KASAN: slab-use-after-free Read in other_release
      desk/mail   a report of syzbot's
      desk/mail   a console: KASAN: slab-use-after-free Read in queue_release
    found
      bad           "15edfbc44749"  `HEAD commit:` in desk/mail ("Merge tag 'queue-6.2' of git://git.example.org/queue")
      crash         "console.txt"  in desk/mail; KASAN: slab-use-after-free Read in queue_release (5 frames)
      link          "https://syzkaller.appspot.com/bug?extid=0123456789abcdef0123"  in desk/mail; for `Closes:`
      [repro] arch  "386"  `userspace arch:` in desk/mail
    guessed
      repo          "linux"  a clone of Linux at linux
      [build] kind  "linux"  its Makefile is Linux's
    missing
      [repro] file    "repro.c"  save https://syzkaller.appspot.com/x/repro.c?x=13fdabcd980000 as repro.c beside this file
      [build] config  "kernel.config"  save https://syzkaller.appspot.com/x/.config?x=a1b2c3d4e5f60718 as kernel.config beside this file
    note: of several consoles desk/mail counts; other crashes: desk/dmesg (KASAN: slab-use-after-free Read in other_release)

    wrote console.txt, job.toml
    next  kbisect check job.toml
    --- exit status 0
    "#);
}

#[test]
fn a_configuration_that_is_damaged_or_packed_is_missing() {
    let (world, ids) = world();
    write(&world, "desk/dmesg", console(&ids[3]));
    write(&world, "desk/config.gz", b"\x1f\x8b\x08\0\0\0");
    let shown = start(&world, &["desk"]);
    assert!(shown.contains("[build] config  \"desk/config\"  desk/config.gz is packed with gzip; unpack it:\n"), "{shown}");
    assert!(shown.contains("\n#   gzip -dk desk/config.gz\nconfig = \"desk/config\"\n"), "{shown}");
    fs::rename(world.path("desk/config.gz"), world.path("gone")).unwrap();
    write(&world, "desk/config", format!("{CONFIG}odd\n"));
    let shown = start(&world, &["desk", "--force"]);
    assert!(shown.contains("[build] config  \"desk/config\"  line 11 of desk/config is damaged: `odd`"), "{shown}");
    assert!(!shown.contains("defconfig"), "{shown}");
}
