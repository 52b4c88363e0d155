//! Reports.

#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;

const SYZBOT: &str = "\
syzbot found the following issue on:

HEAD commit:    40f71e7cd3c6 Merge tag 'net-6.10-rc6' of git://git.kernel.or..
git tree:       net
console+strace: https://syzkaller.appspot.com/x/log.txt?x=1234567890
kernel config:  https://syzkaller.appspot.com/x/.config?x=a1b2
dashboard link: https://syzkaller.appspot.com/bug?extid=0123456789abcdef0123
compiler:       clang version 15.0.6, GNU ld (GNU Binutils for Debian) 2.40
userspace arch: i386
syz repro:
https://syzkaller.appspot.com/x/repro.syz?x=10ab
C reproducer:   https://syzkaller.appspot.com/x/repro.c?x=13fd
";

fn one(text: &str) -> Mail {
    let mut mails = read(text, None, None);
    assert_eq!(mails.len(), 1);
    mails.remove(0)
}

#[test]
fn syzbots_lines_are_read() {
    let mail = one(SYZBOT);
    assert_eq!(mail.sender, Sender::Syzbot);
    assert_eq!(mail.start, Some(Cited { hash: "40f71e7cd3c6".to_owned(), title: None }));
    assert_eq!((mail.tree.as_deref(), mail.userspace.as_deref()), (Some("net"), Some("i386")));
    assert_eq!(mail.syz.as_deref(), Some("https://syzkaller.appspot.com/x/repro.syz?x=10ab"));
    assert_eq!(mail.c.as_deref(), Some("https://syzkaller.appspot.com/x/repro.c?x=13fd"));
    assert_eq!(mail.link.as_deref(), Some("https://syzkaller.appspot.com/bug?extid=0123456789abcdef0123"));
}

#[test]
fn two_bugs_are_two_reports_and_an_answer_is_none() {
    let other = SYZBOT.replace("40f71e7cd3c6", "0123456789ab").replace("c?x=13fd", "c?x=99");
    let mails = read(&format!("{SYZBOT}\n{other}"), Some("Re: [syzbot] [net?] KASAN: use-after-free Read in a (3)"), None);
    assert_eq!(mails.len(), 2);
    assert_eq!(mails[0].title.as_deref(), Some("KASAN: use-after-free Read in a"));
    assert_eq!(mails[1].c.as_deref(), Some("https://syzkaller.appspot.com/x/repro.c?x=99"));
    assert_eq!(read(&format!("{SYZBOT}\n{SYZBOT}"), None, None).len(), 1);
    assert_eq!(read("Hello,\n\nthis: is a letter\n", Some("hello"), Some("1@x")), []);
}

#[test]
fn the_robots_commit_is_the_answer_of_a_bisection() {
    let hash = "0123456789abcdef0123456789abcdef01234567";
    let mail = one(&format!(
        "kernel test robot noticed \"BUG:KASAN:use-after-free_in_a\" on:\n\ncommit: {hash} (\"mm: do less\")\n\
         https://git.kernel.org/cgit/linux/kernel/git/next/linux-next.git master\n\nin testcase: boot\n\n\
         config: x86_64-randconfig-001\ncompiler: gcc-14\n\
         test machine: qemu-system-x86_64 -enable-kvm -cpu SandyBridge -smp 2 -m 16G\n\n\
         | Reported-by: kernel test robot <a@example.org>\n| Closes: https://lore.kernel.org/oe-lkp/1-lkp@example.org\n\n\
         The kernel config and materials to reproduce are available at:\nhttps://example.org/archive/1\n"
    ));
    let cited = Cited { hash: hash.to_owned(), title: Some("mm: do less".to_owned()) };
    assert_eq!((mail.start, mail.named), (Some(cited.clone()), Some((cited, false))));
    assert_eq!(mail.tree.as_deref(), Some("https://git.kernel.org/cgit/linux/kernel/git/next/linux-next.git master"));
    assert_eq!(mail.link.as_deref(), Some("https://lore.kernel.org/oe-lkp/1-lkp@example.org"));
    assert_eq!(mail.config.as_deref(), Some("https://example.org/archive/1"));
    assert_eq!(mail.testcase.as_deref(), Some("boot"));
}

#[test]
fn finished_bisections_and_regressions_are_read() {
    let mail = one(
        "syzbot has bisected this issue to:\n\ncommit 76313c70c52f930af4afd21684509ca52297ea71\nAuthor: A <a@example.org>\nDate:   Mon\n\n    \
         uml: take less\n\nbisection log:  https://example.org/b\nstart commit:   2961c3a1 Merge tag 'x'\ngit tree:       upstream\n",
    );
    let (cited, is_fix) = mail.named.unwrap();
    assert_eq!((cited.title.as_deref(), is_fix), (Some("uml: take less"), false));
    assert_eq!(mail.start.unwrap().title.as_deref(), Some("Merge tag 'x'"));
    let mail = one("it broke\n\n#regzbot introduced: v5.13..v5.14-rc1\n#regzbot title: x\n");
    assert_eq!(mail.range, Some(("v5.13".to_owned(), "v5.14-rc1".to_owned())));
    assert_eq!(read("#regzbot introduced: v5.13..--upload-pack=x\n", None, None), []);
}

#[test]
fn subjects_become_titles() {
    for (subject, told) in [
        ("[syzbot] [net?] KASAN: use-after-free Read in a (2)", Some("KASAN: use-after-free Read in a")),
        ("Re: Fwd: [REGRESSION] [x] WARNING in b", Some("WARNING in b")),
        ("INFO: task hung in c (abc)", Some("INFO: task hung in c (abc)")),
        ("[PATCH]", None),
        ("", None),
    ] {
        assert_eq!(title(subject).as_deref(), told, "{subject}");
    }
}
