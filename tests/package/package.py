#!/usr/bin/env python3
"""What others get of netc: installed, moved to a path with a blank, and used from there by CMake,
Meson, make and pkg-config. The build files of docs/building.md are taken from that page.
package.py ROOT BUILD WORK CHECK; `install` is the CHECK that comes first."""
import itertools
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

import yaml

ROOT, BUILD, WORK = (pathlib.Path(name).resolve() for name in sys.argv[1:4])
PREFIX = WORK / "the prefix"
PROJECTS = WORK / "some projects"
INPUTS = ROOT / "tests/package"
DIGITS = ROOT / "examples/digits"
NETC_IN_PATH = {"PATH": f"{PREFIX / 'bin'}:{os.environ['PATH']}"}


def run(*command, cwd=None, fails=False, **environment):
    result = subprocess.run([str(word) for word in command], cwd=cwd, text=True, check=False,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                            env=os.environ | environment)
    if (result.returncode != 0) != fails:
        sys.exit(f"{' '.join(map(str, command))}\n{result.stdout}\nstatus {result.returncode}")
    return result.stdout


def expect(what, seen, wanted):
    print(f"{what}: {seen}")
    if seen != wanted:
        sys.exit(f"{what}: not {wanted}")


def of_page(kind):
    """The block of docs/building.md that is marked so."""
    page = (ROOT / "docs/building.md").read_text(encoding="utf-8")
    return re.search(rf"^```{kind}\n(.*?)^```", page, re.M | re.S)[1]


def project(name, *sources, **texts):
    """A new folder with copies of files, and with `texts`, named without their dots."""
    folder = PROJECTS / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for source in sources:
        shutil.copy(source, folder)
    for file, text in texts.items():
        (folder / file.replace("_", ".", 1)).write_text(text, encoding="utf-8")
    return folder


def cmake(folder, generator="Ninja", *options):
    run("cmake", "-S", folder, "-B", folder / "build", "-G", generator, f"-DCMAKE_PREFIX_PATH={PREFIX}",
        "-DCMAKE_C_STANDARD=11", "-Wdev", "-Werror=dev", *options)
    build(folder)


def build(folder, *options, fails=False):
    return run("cmake", "--build", folder / "build", "-j2", *options, fails=fails)


def expect_settled(folder, *options):
    said = build(folder, *options)
    if re.search("Compiling|Building|Linking|Writing", said):
        sys.exit(f"built again without a change:\n{said}")


def digits_project(name, **texts):
    return project(name, DIGITS / "digits.net", DIGITS / "weights.safetensors", DIGITS / "accuracy.c",
                   **texts)


def expect_right(program, *runner):
    expect(program.name, run(*runner, program, DIGITS),
           "1964 of 2000 right, 20000 of 20000 logits as PyTorch's\n")


# ---- checks --------------------------------------------------------------------------------------


def install():
    shutil.rmtree(WORK, ignore_errors=True)
    run("cmake", "--install", BUILD, "--prefix", WORK / "first place")
    (WORK / "first place").rename(PREFIX)
    for name in ("bin/netc", "include/netc_runtime.h", "lib/libnetc_runtime.a",
                 "include/netc/netc.h", "lib/libnetc.so",
                 "share/netc/runtime/netc_runtime.c", "share/doc/netc/LICENSE",
                 "share/doc/netc/docs/language.md", "share/doc/netc/examples/digits/digits.net",
                 "share/man/man1/netc.1", "share/man/man5/net.5",
                 "share/bash-completion/completions/netc", "share/zsh/vendor-completions/_netc",
                 "share/fish/vendor_completions.d/netc.fish"):
        expect(name, (PREFIX / name).is_file(), True)
    for page, title in ("man1/netc.1", "netc - compile"), ("man5/net.5", "net - language"):
        expect(title, title in run("man", "-l", PREFIX / "share/man" / page), True)
    expect("version", run(PREFIX / "bin/netc", "--version"), run(BUILD / "netc", "--version"))
    for path in sorted(PREFIX.rglob("*")):
        if path.suffix in (".cmake", ".pc"):
            text = path.read_text(encoding="utf-8")
            # as a path of its own, not as the end of ${PREFIX}/share/netc
            named = [folder for folder in (ROOT, BUILD, WORK)
                     if re.search(rf"(?<![\w}}]){re.escape(str(folder))}\b", text)]
            expect(f"folders of this machine in {path.name}", named, [])


def cmake_page():
    for generator in ("Ninja", "Unix Makefiles"):
        folder = digits_project("page", CMakeLists_txt=of_page("cmake"))
        cmake(folder, generator)
        expect_right(folder / "build/accuracy")


def rebuild():
    """What a change makes again, of the files whose names say it all."""
    for generator, kind in itertools.product(("Ninja", "Unix Makefiles"), ("STATIC", "OBJECT")):
        folder = project("rebuild", DIGITS / "digits.net", DIGITS / "weights.safetensors",
                         *(INPUTS / "rebuild").iterdir())
        cmake(folder, generator, f"-DKIND={kind}")

        def remade(change):
            files = [path for path in (folder / "build").rglob("*") if path.name in (
                "digits.o", "digits.h", "other.o", "other.h", "first.c.o", "second.c.o", "program")]
            assert len(files) == 7
            before = {path: path.stat().st_mtime_ns for path in files}
            change()
            build(folder)
            after = {path: path.stat().st_mtime_ns for path in files}
            expect_settled(folder)
            return sorted(path.name for path in files if after[path] != before[path])

        def replace(name, old, new):
            text = (folder / name).read_bytes()
            assert old in text
            (folder / name).write_bytes(text.replace(old, new, 1))

        def change_weight():
            data = bytearray((folder / "weights.safetensors").read_bytes())
            data[-2] ^= 1
            (folder / "weights.safetensors").write_bytes(data)

        say = f"{generator}, {kind}: remade "
        expect(say + "without a change", remade(lambda: None), [])
        expect(say + "for a comment", remade(lambda: replace("digits.net", b"#", b"##")),
               ["digits.o", "program"])
        expect(say + "for other weights", remade(change_weight), ["digits.o", "program"])
        expect(say + "for a comment in a used file",
               remade(lambda: replace("parts.net", b"#", b"##")), ["other.o", "program"])
        expect(say + "for another layer in a used file",
               remade(lambda: replace("parts.net", b"relu", b"tanh")),
               ["other.h", "other.o", "program", "second.c.o"])
        expect(say + "for the newest netc", remade((PREFIX / "bin/netc").touch),
               [] if generator == "Ninja" else ["digits.o", "other.o", "program"])


def arguments():
    """Everything that netc_add_library takes, once; and what is installed of its library."""
    for generator, configs in ("Ninja Multi-Config", ("Debug", "Release")), ("Unix Makefiles", ("Debug",)):
        folder = project("arguments", *(INPUTS / "arguments").iterdir())
        cmake(folder, generator, "-DCMAKE_BUILD_TYPE=Debug")
        for config in configs:
            build(folder, "--config", config)
            expect_settled(folder, "--config", config)
            part = config if len(configs) > 1 else ""
            made = folder / "build/networks.netc" / part
            named = (folder / f"build/{config}.txt").read_text(encoding="utf-8").split(";")
            expect("files in variables", (len(named), all(map(os.path.exists, named))), (12, True))
            with open(made / "wide.json", encoding="utf-8") as file:
                expect("width in the report", json.load(file)["inputs"][0]["shape"], [24])
            expect("IR", "define void @wide(" in (made / "wide.ll").read_text(), True)
            expect("assembly", "wide:" in (made / "wide.s").read_text(), True)
            expect("line tables", b"debug_line" in (made / "wide.o").read_bytes(), config == "Debug")
            for program in "static", "objects":
                expect(program, run(folder / "build" / part / program, made / "wide.weights"),
                       "wide 24 and narrow 8 are as they should be\n")
            expect("versions", run(folder / "build" / part / "versions"), "right\n")
            expect("assembly with a prefix", "one_second:" in (
                folder / "build/tanh.netc" / part / "one_second.s").read_text(), True)
        (folder / "budgets.txt").write_text("params == 0\nmacs > 1k\n", encoding="utf-8")
        said = build(folder, "--config", configs[-1], fails=True)
        expect("budgets", "budgets.txt:2:1" in said, True)
        run("cmake", "--install", folder / "build", "--config", configs[-1], "--prefix", folder / "out")
        expect("installed", sorted(path.name for path in (folder / "out").rglob("*.*")),
               ["libnetworks.a", "narrow.h", "wide.h"])


def embed():
    """A program with the compiler in it."""
    folder = project("embed", ROOT / "examples/embed/embed.c", CMakeLists_txt="""
        cmake_minimum_required(VERSION 3.23)
        project(embed LANGUAGES C)
        find_package(netc REQUIRED)
        add_executable(embed embed.c)
        target_link_libraries(embed PRIVATE netc::library)
        """)
    cmake(folder)
    expect("embed", run(folder / "build/embed"), run(BUILD / "examples/embed/embed"))


def python():
    """The package finds the library that is installed with it."""
    folder = project("python", DIGITS / "digits.net", DIGITS / "weights.safetensors")
    report = run(sys.executable, "-c", "import netc; print(netc.report('digits.net'), end='')", cwd=folder,
                 PYTHONPATH=str(PREFIX / "lib/python3/dist-packages"), PYTHONDONTWRITEBYTECODE="1")
    expect("report", report, run(PREFIX / "bin/netc", "report", "digits.net", cwd=folder))


def mistakes():
    for arguments, message in {
            "": "which SOURCES?",
            "SOURCES": "SOURCES without a value",
            "STATIC OBJECT SOURCES a.net": "STATIC or OBJECT, not both",
            "all SOURCES a.net": "what is `all`?",
            "SOURCES a.net b.net NETWORK a": "NETWORK is of one source, not of 2",
            "SOURCES a.net b.net c.net WEIGHTS a b": "2 WEIGHTS for 3 SOURCES",
            "SOURCES a.net PACKED_VAR v": "PACKED_VAR is for WEIGHTS_MODE extern",
            "SOURCES a.net OPTIONS -g --threads=2": "`--threads=2` cannot be one of the OPTIONS",
            "SOURCES a.net OPTIONS --symbol-prefix=a": "`--symbol-prefix=a` cannot be one of the OPTIONS",
            "SOURCES a.net OPTIONS -oa.o": "`-oa.o` cannot be one of the OPTIONS",
    }.items():
        folder = project("mistakes", a_cmake='include("${DIR}/netc_add_library.cmake")\n'
                                             f"netc_add_library(a {arguments})\n")
        said = run("cmake", f"-DDIR={PREFIX / 'lib/cmake/netc'}", "-P", folder / "a.cmake", fails=True)
        expect(f"({arguments})", f"netc_add_library: {message}" in " ".join(said.split()), True)


def cross():
    """For a 64-bit ARM, run by qemu."""
    folder = project("cross", *(INPUTS / "cross").iterdir())
    cmake(folder, "Ninja", f"-DCMAKE_TOOLCHAIN_FILE={folder / 'aarch64.cmake'}",
          f"-Dnetc_DIR={PREFIX / 'lib/cmake/netc'}")
    expect("on aarch64", run("qemu-aarch64", "-L", "/usr/aarch64-linux-gnu", folder / "build/program",
                             folder / "build/net.netc/net.weights"), "sum 1.000 for aarch64-unknown-linux-gnu\n")


def meson():
    folder = digits_project("meson", meson_build=of_page("meson"))
    run("meson", "setup", "build", cwd=folder, **NETC_IN_PATH)
    run("ninja", "-C", "build", cwd=folder, **NETC_IN_PATH)
    expect_right(folder / "build/accuracy")
    with open(folder / "digits.net", "a", encoding="utf-8") as file:
        file.write("# changed\n")
    said = run("ninja", "-C", "build", "-v", cwd=folder, **NETC_IN_PATH)
    expect("a comment compiles accuracy.c", " -c ../accuracy.c" in said, False)
    (folder / "weights.safetensors").touch()
    expect("weights are known", "depfile" in run("ninja", "-C", "build", "-v", cwd=folder,
                                                 **NETC_IN_PATH), True)
    expect("then", "no work to do" in run("ninja", "-C", "build", cwd=folder, **NETC_IN_PATH), True)


def make():
    folder = digits_project("make", Makefile=of_page("make"))
    run("make", "-j2", cwd=folder, **NETC_IN_PATH)
    expect_right(folder / "accuracy")
    run("make", "-q", cwd=folder, **NETC_IN_PATH)
    (folder / "weights.safetensors").touch()
    run("make", "-q", cwd=folder, fails=True, **NETC_IN_PATH)


def pkg_config():
    environment = {"PKG_CONFIG_PATH": str(PREFIX / "lib/pkgconfig")}
    netc = run("pkg-config", "--variable=netc", "netc", **environment).strip()
    expect("pkg-config", pathlib.Path(netc.replace("\\ ", " ")).resolve(), PREFIX / "bin/netc")
    folder = project("pkg-config", *(INPUTS / "cross").iterdir())
    run("sh", "-c", '"$NETC" init net.net -o net.safetensors && "$NETC" net.net'
        ' --weights=net.safetensors --weights-mode=extern -o net.o &&'
        ' eval gcc main.c net.o $(pkg-config --cflags --libs netc) -o program',
        cwd=folder, NETC=str(PREFIX / "bin/netc"), **environment)
    expect("linked", "sum 1.000" in run(folder / "program", folder / "net.weights"), True)


def workflow():
    """The page's workflow is YAML; its commands, but for the one that installs netc, go through."""
    steps = yaml.safe_load(of_page("yaml"))["jobs"]["check"]["steps"]
    expect("a step does one thing", all(("run" in step) != ("uses" in step) for step in steps), True)
    folder = project("workflow", *(ROOT / "examples/networks").glob("*.net"))
    commands = [step["run"] for step in steps if "run" in step and "apt-get" not in step["run"]]
    expect("commands", len(commands), 2)
    for command in commands:
        run("bash", "-ec", command, cwd=folder, **NETC_IN_PATH)
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    for hook in hooks: # are given files as pre-commit does
        run(*hook["entry"].split(), *sorted(path.name for path in folder.glob("*.net"))[:3], cwd=folder,
            **NETC_IN_PATH)
    (folder / "wrong.net").write_text("network wrong(x: [4]) -> [2] {\n    return x -> relu\n}\n")
    said = run("bash", "-ec", commands[-1], cwd=folder, fails=True, **NETC_IN_PATH)
    run(*hooks[0]["entry"].split(), "alexnet.net", "wrong.net", cwd=folder, fails=True, **NETC_IN_PATH)
    expect("a mistake is shown", "::error file=wrong.net,line=1" in said, True)


def debian():
    """The package that cpack makes, unpacked."""
    folder = WORK / "debian"
    shutil.rmtree(folder, ignore_errors=True)
    run("cpack", "--config", BUILD / "CPackConfig.cmake", "-B", folder, cwd=BUILD)
    package, = folder.glob("*.deb")
    depends = run("dpkg-deb", "--field", package, "Depends")
    expect("depends on its libraries", all(name in depends for name in ("libc6", "libjansson4", "libzip4")),
           True)
    run("dpkg-deb", "--extract", package, folder / "root")
    usr = folder / "root/usr"
    listed = {path.relative_to(usr) for path in usr.rglob("*") if path.is_file()}
    expect("other files than installed ones",
           listed ^ {path.relative_to(PREFIX) for path in PREFIX.rglob("*") if path.is_file()}, set())
    expect("version", run(usr / "bin/netc", "--version"), run(BUILD / "netc", "--version"))


checks = {check.__name__: check for check in (install, cmake_page, rebuild, arguments, embed,
                                              python, mistakes, cross, meson, make, pkg_config, workflow, debian)}
checks[sys.argv[4]]()
