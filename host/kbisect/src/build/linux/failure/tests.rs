//! What makes print, one case for each kind of failure: written for these tests after how gcc, binutils, LLVM and kbuild put it.

use super::*;

const SRC: &str = "/run/kb/builder-1/src";
const TREE: &str = "/run/kb/builder-1/tree";

/// Output, the lines that tell why, the file, and the kind.
type Case = (&'static str, &'static [&'static str], Option<&'static str>, Kind);

const CASES: &[Case] = &[
    // gcc, with its context.
    (
        "  CC      mm/widget.o\n/run/kb/builder-1/src/mm/widget.c: In function 'widget_put':\n/run/kb/builder-1/src/mm/widget.c:31:9: error: implicit declaration of function 'widgte_free' [-Werror=implicit-function-declaration]\n   31 |         widgte_free(w);\n      |         ^~~~~~~~~~~\ncc1: some warnings being treated as errors\nmake[3]: *** [/run/kb/builder-1/src/scripts/Makefile.build:250: mm/widget.o] Error 1\nmake[2]: *** [/run/kb/builder-1/src/scripts/Makefile.build:500: mm] Error 2\n",
        &["mm/widget.c:31:9: error: implicit declaration of function 'widgte_free' [-Werror=implicit-function-declaration]"],
        Some("mm/widget.c"),
        Kind::Source,
    ),
    // An error in a header: the header, not the file that was compiled.
    (
        "In file included from ../include/linux/widget.h:4,\n                 from ../mm/widget.c:3:\n../include/linux/gadget.h:17:1: error: unknown type name 'gadgte'\nmake[2]: *** [scripts/Makefile.build:250: mm/widget.o] Error 1\n",
        &["include/linux/gadget.h:17:1: error: unknown type name 'gadgte'"],
        Some("include/linux/gadget.h"),
        Kind::Source,
    ),
    // The same error for many files is told once.
    (
        "include/linux/gadget.h:17:1: error: unknown type name 'gadgte'\ninclude/linux/gadget.h:17:1: error: unknown type name 'gadgte'\nfs/gadgetfs/dir.c:8:2: error: 'x' undeclared\n",
        &["include/linux/gadget.h:17:1: error: unknown type name 'gadgte'", "fs/gadgetfs/dir.c:8:2: error: 'x' undeclared"],
        Some("include/linux/gadget.h"),
        Kind::Source,
    ),
    // A missing header may be one that an old tree lacks.
    (
        "fs/gadgetfs/super.c:12:10: fatal error: generated/gadget-tables.h: No such file or directory\n   12 | #include <generated/gadget-tables.h>\ncompilation terminated.\n",
        &["fs/gadgetfs/super.c:12:10: fatal error: generated/gadget-tables.h: No such file or directory"],
        Some("fs/gadgetfs/super.c"),
        Kind::Odd,
    ),
    // clang.
    (
        "kernel/sched/widget.c:77:2: error: call to undeclared function 'wdgt'; ISO C99 and later do not support implicit function declarations [-Wimplicit-function-declaration]\n        wdgt();\n        ^\n1 error generated.\n",
        &[
            "kernel/sched/widget.c:77:2: error: call to undeclared function 'wdgt'; ISO C99 and later do not support implicit function declarations [-Wimplicit-function-declaration]",
        ],
        Some("kernel/sched/widget.c"),
        Kind::Source,
    ),
    // What the sources say is not what the host says.
    (
        "mm/widget.c:31:9: error: implicit declaration of function 'pr_eror' [-Werror=implicit-function-declaration]\n   31 |         pr_eror(\"No space left on device\");\n      |         ^~~~~~~\nmm/widget.c:40:2: warning: #warning \"Cannot allocate memory\" [-Wcpp]\n",
        &["mm/widget.c:31:9: error: implicit declaration of function 'pr_eror' [-Werror=implicit-function-declaration]"],
        Some("mm/widget.c"),
        Kind::Source,
    ),
    (
        "mm/widget.c:7:2: error: #error \"Cannot allocate memory: Killed\"\nmake[2]: *** [scripts/Makefile.build:250: mm/widget.o] Error 1\n",
        &["mm/widget.c:7:2: error: #error \"Cannot allocate memory: Killed\""],
        Some("mm/widget.c"),
        Kind::Source,
    ),
    // What it says about a place of the sources is.
    (
        "mm/widget.c:210:1: fatal error: error writing to /tmp/ccT3.s: No space left on device\ncompilation terminated.\n",
        &["mm/widget.c:210:1: fatal error: error writing to /tmp/ccT3.s: No space left on device"],
        Some("mm/widget.c"),
        Kind::DiskFull,
    ),
    // Warnings are no causes, even where the failure is another's.
    (
        "mm/widget.c:5:7: warning: unused variable 'error' [-Wunused-variable]\nfs/dir.c:9:1: error: expected ';' before '}' token\n",
        &["fs/dir.c:9:1: error: expected ';' before '}' token"],
        Some("fs/dir.c"),
        Kind::Source,
    ),
    // The assembler, in a file and in what a compiler wrote.
    (
        "arch/x86/lib/gadget_64.S: Assembler messages:\narch/x86/lib/gadget_64.S:14: Error: no such instruction: `movw4 %eax,%ebx'\nmake[2]: *** [scripts/Makefile.build:414: arch/x86/lib/gadget_64.o] Error 1\n",
        &["arch/x86/lib/gadget_64.S:14: Error: no such instruction: `movw4 %eax,%ebx'"],
        Some("arch/x86/lib/gadget_64.S"),
        Kind::Source,
    ),
    (
        "{standard input}: Assembler messages:\n{standard input}:1129: Error: symbol `widget_end' is already defined\nmake[2]: *** [scripts/Makefile.build:250: lib/widget.o] Error 1\n",
        &["{standard input}:1129: Error: symbol `widget_end' is already defined"],
        Some("lib/widget.c"),
        Kind::Odd,
    ),
    // The linker, new and old.
    (
        "  LD      .tmp_vmlinux.kallsyms1\nld: mm/widget.o: in function `widget_put':\nwidget.c:(.text+0x42): undefined reference to `gadget_release'\nmake[1]: *** [/run/kb/builder-1/src/Makefile:1170: vmlinux] Error 1\n",
        &["widget.c:(.text+0x42): undefined reference to `gadget_release'"],
        Some("mm/widget.c"),
        Kind::Odd,
    ),
    (
        "mm/built-in.o: In function `widget_put':\nwidget.c:(.text+0x42): undefined reference to `gadget_release'\nMakefile:1030: recipe for target 'vmlinux' failed\nmake[1]: *** [vmlinux] Error 1\n",
        &["widget.c:(.text+0x42): undefined reference to `gadget_release'"],
        None,
        Kind::Odd,
    ),
    (
        "ld: fs/gadgetfs/inode.o: in function `gadget_init':\ninode.c:(.init.text+0x0): multiple definition of `gadget_init'; fs/gadgetfs/super.o:super.c:(.init.text+0x0): first defined here\n",
        &[
            "inode.c:(.init.text+0x0): multiple definition of `gadget_init'; fs/gadgetfs/super.o:super.c:(.init.text+0x0): first defined here",
        ],
        Some("fs/gadgetfs/inode.c"),
        Kind::Odd,
    ),
    (
        "ld: kernel/exit.o:(.data+0x0): multiple definition of `gadget'; kernel/fork.o:(.data+0x0): first defined here\nmake[2]: *** [scripts/Makefile.vmlinux_o:61: vmlinux.o] Error 1\n",
        &["ld: kernel/exit.o:(.data+0x0): multiple definition of `gadget'; kernel/fork.o:(.data+0x0): first defined here"],
        Some("kernel/exit.c"),
        Kind::Odd,
    ),
    (
        "ld.lld: error: undefined symbol: gadget_release\n>>> referenced by widget.c:31 (/run/kb/builder-1/src/mm/widget.c:31)\n>>>               vmlinux.o:(widget_put)\n",
        &["ld.lld: error: undefined symbol: gadget_release"],
        None,
        Kind::Odd,
    ),
    (
        "ld: drivers/gadget/core.o: relocation truncated to fit: R_X86_64_32S against `.bss'\n",
        &["ld: drivers/gadget/core.o: relocation truncated to fit: R_X86_64_32S against `.bss'"],
        Some("drivers/gadget/core.c"),
        Kind::Odd,
    ),
    (
        "ld: section .init.data LMA [0000000003a00000,0000000003b00000] overlaps section .data LMA [0000000003900000,0000000003a11111]\n",
        &[
            "ld: section .init.data LMA [0000000003a00000,0000000003b00000] overlaps section .data LMA [0000000003900000,0000000003a11111]",
        ],
        None,
        Kind::Odd,
    ),
    // modpost, new and old.
    (
        "ERROR: modpost: \"gadget_release\" [drivers/net/widgetnet.ko] undefined!\nmake[1]: *** [/run/kb/builder-1/src/scripts/Makefile.modpost:126: Module.symvers] Error 1\n",
        &["ERROR: modpost: \"gadget_release\" [drivers/net/widgetnet.ko] undefined!"],
        Some("drivers/net/widgetnet.c"),
        Kind::Odd,
    ),
    (
        "ERROR: \"gadget_release\" [drivers/net/widgetnet.ko] undefined!\nscripts/Makefile.modpost:91: recipe for target '__modpost' failed\n",
        &["ERROR: \"gadget_release\" [drivers/net/widgetnet.ko] undefined!"],
        Some("drivers/net/widgetnet.c"),
        Kind::Odd,
    ),
    // make itself.
    (
        "make[3]: *** No rule to make target 'mm/gadget.o', needed by 'mm/built-in.a'.  Stop.\nmake[2]: *** [scripts/Makefile.build:500: mm] Error 2\n",
        &["make[3]: *** No rule to make target 'mm/gadget.o', needed by 'mm/built-in.a'.  Stop."],
        None,
        Kind::Odd,
    ),
    (
        "/run/kb/builder-1/src/mm/Makefile:12: *** missing separator.  Stop.\nmake[2]: *** [scripts/Makefile.build:500: mm] Error 2\n",
        &["mm/Makefile:12: *** missing separator.  Stop."],
        None,
        Kind::Odd,
    ),
    (
        "arch/x86/Makefile:148: *** CONFIG_RETPOLINE=y, but not supported by the compiler. Compiler update recommended..  Stop.\n",
        &[
            "arch/x86/Makefile:148: *** CONFIG_RETPOLINE=y, but not supported by the compiler. Compiler update recommended..  Stop.",
        ],
        None,
        Kind::Odd,
    ),
    // Kconfig.
    (
        "mm/Kconfig:33: syntax error\nmm/Kconfig:32: unknown option \"defbool\"\nmake[2]: *** [scripts/kconfig/Makefile:77: olddefconfig] Error 1\n",
        &["mm/Kconfig:33: syntax error"],
        None,
        Kind::Odd,
    ),
    (
        "fs/gadgetfs/Kconfig:2:error: recursive dependency detected!\nfs/gadgetfs/Kconfig:2:\tsymbol GADGET_FS depends on WIDGET\n",
        &["fs/gadgetfs/Kconfig:2:error: recursive dependency detected!"],
        None,
        Kind::Odd,
    ),
    // objtool and BTF.
    (
        "mm/widget.o: error: objtool: widget_put+0x11: unsupported instruction in callable function\nmake[3]: *** [scripts/Makefile.build:250: mm/widget.o] Error 255\n",
        &["mm/widget.o: error: objtool: widget_put+0x11: unsupported instruction in callable function"],
        Some("mm/widget.c"),
        Kind::Odd,
    ),
    (
        "  BTFIDS  vmlinux\nFAILED: load BTF from vmlinux: Invalid argument\nmake[1]: *** [Makefile:1170: vmlinux] Error 255\n",
        &["FAILED: load BTF from vmlinux: Invalid argument"],
        None,
        Kind::Odd,
    ),
    // Options that this compiler does not know.
    (
        "gcc: error: unrecognized command-line option '-mwidget-cookie'\nmake[2]: *** [scripts/Makefile.build:117: kernel/bounds.s] Error 1\n",
        &["gcc: error: unrecognized command-line option '-mwidget-cookie'"],
        Some("kernel/bounds.c"),
        Kind::Odd,
    ),
    // The compiler crashed.
    (
        "during RTL pass: reload\nnet/core/widget.c: In function 'widget_rx':\nnet/core/widget.c:900:1: internal compiler error: in lra_constraints, at lra-constraints.cc:5211\n  900 | }\nPlease submit a full bug report, with preprocessed source (by using -freport-bug).\nmake[3]: *** [scripts/Makefile.build:250: net/core/widget.o] Error 1\n",
        &["net/core/widget.c:900:1: internal compiler error: in lra_constraints, at lra-constraints.cc:5211"],
        Some("net/core/widget.c"),
        Kind::CompilerCrash,
    ),
    (
        "PLEASE submit a bug report to https://example.org/ and include the crash backtrace, preprocessed source, and associated run script.\nStack dump:\n0.\tProgram arguments: clang -c -o mm/widget.o mm/widget.c\nmake[3]: *** [scripts/Makefile.build:250: mm/widget.o] Error 139\n",
        &[
            "PLEASE submit a bug report to https://example.org/ and include the crash backtrace, preprocessed source, and associated run script.",
        ],
        Some("mm/widget.c"),
        Kind::CompilerCrash,
    ),
    // Memory ran out: the compiler was killed, the shell says so, the linker could not map.
    (
        "gcc: fatal error: Killed signal terminated program cc1\ncompilation terminated.\nmake[4]: *** [scripts/Makefile.build:250: drivers/gpu/gadget/big.o] Error 1\n",
        &["gcc: fatal error: Killed signal terminated program cc1"],
        Some("drivers/gpu/gadget/big.c"),
        Kind::Killed,
    ),
    (
        "/bin/sh: line 1: 23211 Killed                  ld -m elf_x86_64 -o vmlinux.o --whole-archive vmlinux.a\nmake[2]: *** [scripts/Makefile.vmlinux_o:61: vmlinux.o] Error 137\n",
        &[
            "/bin/sh: line 1: 23211 Killed                  ld -m elf_x86_64 -o vmlinux.o --whole-archive vmlinux.a",
            "make[2]: *** [scripts/Makefile.vmlinux_o:61: vmlinux.o] Error 137",
        ],
        None,
        Kind::Killed,
    ),
    (
        "cc1: out of memory allocating 65536 bytes after a total of 1073741824 bytes\nmake[3]: *** [scripts/Makefile.build:250: mm/widget.o] Error 1\n",
        &["cc1: out of memory allocating 65536 bytes after a total of 1073741824 bytes"],
        Some("mm/widget.c"),
        Kind::Killed,
    ),
    // The disk.
    (
        "/usr/bin/ld: final link failed: No space left on device\nmm/widget.c:31:9: error: expected ';'\n",
        &["/usr/bin/ld: final link failed: No space left on device"],
        None,
        Kind::DiskFull,
    ),
    // Tools.
    (
        "  LEX     scripts/kconfig/lexer.lex.c\n/bin/sh: 1: flex: not found\nmake[2]: *** [scripts/Makefile.host:9: scripts/kconfig/lexer.lex.c] Error 127\n",
        &["/bin/sh: 1: flex: not found"],
        None,
        Kind::ToolMissing,
    ),
    // A script of the tree that is not there is the tree's fault.
    (
        "ccache: error: Could not find compiler \"gcc-mine\" in PATH\nmake[2]: *** [scripts/Makefile.build:250: init/main.o] Error 1\n",
        &["ccache: error: Could not find compiler \"gcc-mine\" in PATH"],
        Some("init/main.c"),
        Kind::ToolMissing,
    ),
    (
        "/bin/sh: 1: ./scripts/gadget-tables.sh: not found\nmake[1]: *** [Makefile:1252: prepare0] Error 127\n",
        &["/bin/sh: 1: ./scripts/gadget-tables.sh: not found"],
        None,
        Kind::Odd,
    ),
    // Nothing that is known.
    ("  CC      mm/widget.o\nsomething else went wrong\n", &["something else went wrong"], None, Kind::Odd),
    (
        "make: *** [Makefile:7: all] Error 3\nmake: Leaving directory '/x'\n",
        &["make: *** [Makefile:7: all] Error 3"],
        None,
        Kind::Odd,
    ),
    ("", &[], None, Kind::Odd),
];

#[test]
fn every_kind_of_failure_is_told() {
    for (output, lines, file, kind) in CASES {
        let cause = cause(output, SRC, TREE);
        assert_eq!(cause.lines, *lines, "{output}");
        assert_eq!(cause.kind, *kind, "{output}");
        assert_eq!(cause.file.as_deref(), *file, "{output}");
    }
}

#[test]
fn long_outputs_stay_short() {
    let output: String = (0..1000).map(|line| format!("mm/widget.c:{line}:1: error: {}\n", "x".repeat(1000))).collect();
    let cause = cause(&output, SRC, TREE);
    assert_eq!(cause.lines.len(), MOST);
    assert!(cause.lines.iter().all(|line| line.len() <= LONGEST + '…'.len_utf8()));
}
