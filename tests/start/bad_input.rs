//! What is damaged, ambiguous or of no use: what was understood is said, and nothing is half done.

use std::fs;

use super::CONFIG;
use super::REPRO;
use super::console;
use super::mails::syzbot;
use super::start;
use super::support::fingerprint;
use super::world;
use super::write;

#[test]
fn what_is_of_no_use_is_named_and_nothing_is_written() {
    let (world, _) = world();
    write(&world, "desk/letter.txt", "Dear all,\n\nmy machine is slow.\n");
    write(&world, "desk/dmesg.xz", b"\xfd7zXZ\0\0\0");
    write(&world, "desk/empty", "");
    write(&world, "desk/half.config", "CONFIG_A=y\nCONFIG_B=y\nCONFIG_C=y\nCONFIG_D");
    insta::assert_snapshot!(start(&world, &["desk"]), @"");
}

#[test]
fn links_and_missing_files_and_repositories_are_refused() {
    let (world, _) = world();
    insta::assert_snapshot!(start(&world, &["https://syzkaller.appspot.com/bug?extid=0123456789abcdef0123", "nothing.txt", "linux"]), @"");
    insta::assert_snapshot!(start(&world, &["queue", "--repo", "nowhere"]), @"");
}

#[test]
fn what_is_there_already_is_not_written_over() {
    let (world, ids) = world();
    write(&world, "mail.txt", syzbot(&ids[3][..12], "upstream"));
    write(&world, "console.txt", "mine\n");
    write(&world, "job.toml", "# mine\n");
    let before = fingerprint(&world.path("linux"));
    insta::assert_snapshot!(start(&world, &["mail.txt"]), @"");
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
    insta::assert_snapshot!(shown.split_once("--- job.toml").unwrap().0, @"");
}

#[test]
fn a_mail_that_ends_early_gives_what_it_has() {
    let (world, ids) = world();
    let whole = syzbot(&ids[3][..12], "upstream");
    let cut = &whole[..whole.find("syz repro:").unwrap() + 30];
    write(&world, "mail.txt", cut);
    let shown = start(&world, &["mail.txt"]);
    insta::assert_snapshot!(shown.split_once("--- job.toml").unwrap().0, @"");
}

#[test]
fn a_configuration_for_other_machines_is_told() {
    let (world, ids) = world();
    write(&world, "console", console(&ids[3]));
    write(&world, "config", CONFIG.replace("X86_64", "ARM64"));
    write(&world, "check.c", REPRO.replace("main", "check"));
    let shown = start(&world, &["console", "config", "check.c"]);
    insta::assert_snapshot!(shown.split_once("--- job.toml").unwrap().0, @"");
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
    insta::assert_snapshot!(shown.split_once("--- job.toml").unwrap().0, @"");
}
