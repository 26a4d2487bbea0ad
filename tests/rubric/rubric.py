#!/usr/bin/env python3
"""Scores netc's messages by a rubric of 20 points, each from runs over the faulty networks beside
this file, and prints the table.

    rubric.py build/netc WORK-FOLDER [--least=19]

A network has one fault. Its first line says what is expected, `# E0211 5x5`: the code, and the text
that the message points at; that text is on the line that ends in `# <--`. A point counts 1 where at
least 95 % of what is looked at is as it should be, 0.5 from half on. Exits with 1 below --least."""
import json
import os
import pathlib
import pty
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
SHAPE_CODE = re.compile(r"E02(?!13)[1-6]\d")  # not E0213, a number of inputs
SHAPE = re.compile(r"\[\d[^\]]*\]|\b\d+(?:x\d+)+\b")
NETC, WORK = os.path.abspath(sys.argv[1]), pathlib.Path(sys.argv[2]).resolve()
WORK.mkdir(parents=True, exist_ok=True)


def run(*words, text=None, env=None):
    """Exit status, standard output, standard error."""
    done = subprocess.run([NETC, *map(str, words)], input=text, capture_output=True, cwd=WORK, timeout=60,
                          env={**os.environ, **(env or {})})
    return done.returncode, done.stdout, done.stderr


def messages(path, *options):
    status, _, errors = run("check", "--diagnostics=json", path, *options)
    return status, [json.loads(line) for line in errors.splitlines()]


def errors_of(found):
    return [message for message in found if message["severity"] == "error"]


def apply(source, fix):
    return source[:fix["begin"]["byte"]] + fix["replacement"].encode() + source[fix["end"]["byte"]:]


def edits(message):
    return [fix for fix in message.get("fixes", []) if "replacement" in fix]


class Fault:
    """A faulty network and what netc says of it."""

    def __init__(self, path):
        self.path, self.source = path, path.read_bytes()
        first = self.source.decode().splitlines()[0]
        self.code, self.text = re.fullmatch(r"# (E\d{4}) (.+)", first).groups()
        self.status, self.found = messages(path)
        self.errors = errors_of(self.found)
        self.error = self.errors[0] if self.errors else {}
        self.is_shape = bool(SHAPE_CODE.match(self.code))

    def pointed_at(self):
        begin, end = self.error["begin"]["byte"], self.error["end"]["byte"]
        line = self.source[begin:].split(b"\n")[0]
        return self.source[begin:end].decode() == self.text and line.rstrip().endswith(b"# <--")

    def is_chained(self):
        """Where the shape was made: another place with a shape."""
        return any(SHAPE.search(label["text"]) and label["begin"] != self.error["begin"]
                   for label in self.error.get("labels", []))

    def said(self):
        labels = [label["text"] for label in self.error.get("labels", [])]
        return " ".join([self.error["message"], self.error.get("label", ""), *labels, *self.error.get("notes", [])])

    def compiles(self, fix):
        fixed = WORK / "fixed.net"
        fixed.write_bytes(apply(self.source, fix))
        return messages(fixed)[0] == 0


FAULTS = [Fault(path) for path in sorted(HERE.glob("*.net"))]
SHAPES = [fault for fault in FAULTS if fault.is_shape]
MISMATCHES = [fault for fault in SHAPES if fault.code in ("E0210", "E0214", "E0216", "E0217", "E0219", "E0260")]


def share(faults, test):
    """How many pass, of how many, and which do not."""
    failed = [fault.path.stem for fault in faults if not test(fault)]
    return len(faults) - len(failed), len(faults), failed


def checks(*results):
    """The same of single checks, (name, passed)."""
    failed = [name for name, passed in results if not passed]
    return len(results) - len(failed), len(results), failed


def exact_span():
    return share(FAULTS, lambda fault: fault.error.get("code") == fault.code and fault.pointed_at())


def secondary_span():
    return share(SHAPES, Fault.is_chained)


def both_shapes():
    return share(MISMATCHES, lambda fault: len(set(SHAPE.findall(fault.said()))) >= 2 and fault.error.get("label"))


def derivation():
    budgets = [fault for fault in FAULTS if fault.code == "E0501"]
    return share(SHAPES + budgets, lambda fault: re.search(r"\] -> \[|starts as|= \d|\d = ", fault.said()))


def fixes_compile():
    """A help for each; of those that are edits, the first compiles."""
    def helped(fault):
        offered = edits(fault.error)
        return fault.compiles(offered[0]) if offered else bool(fault.error.get("fixes"))
    return share(FAULTS, helped)


def fixes_graded():
    def mended(fault):
        copy = WORK / "mended.net"
        copy.write_bytes(fault.source)
        run("check", "--fix", copy)
        return messages(copy)[0] == 0
    graded = [fault for fault in FAULTS if any(fix["applicable"] for fix in edits(fault.error))]
    return share(graded, mended)


def stable_code():
    return share(FAULTS, lambda fault: all(re.fullmatch(r"[EW]\d{4}", message["code"]) for message in fault.found))


def explained():
    def explains(fault):
        status, text, _ = run("explain", fault.code)
        return status == 0 and fault.code.encode() in text and len(text.splitlines()) > 5
    return share(FAULTS, explains)


def many_at_once():
    """All that stand in one file are reported by one run: five faulty networks a file."""
    alone = [fault for fault in FAULTS if fault.code[:3] in ("E02", "E03") and b"\nblock" not in fault.source and
             b"\nlet" not in fault.source]
    results = []
    for at in range(0, len(alone), 5):
        group, text = alone[at:at + 5], b""
        for index, fault in enumerate(group):
            text += re.sub(rb"network (\w+)", rb"network \1_%d" % index, fault.source)
        together = WORK / "together.net"
        together.write_bytes(text)
        codes = sorted(error["code"] for error in errors_of(messages(together, "--error-limit=0")[1]))
        results.append(("+".join(fault.path.stem for fault in group), codes == sorted(fault.code for fault in group)))
    return checks(*results)


def no_cascades():
    return share(FAULTS, lambda fault: len(fault.errors) == 1)


def did_you_mean():
    """Every layer and every option with two letters swapped."""
    results = []
    layers = re.findall(r"^  (\w+) ", run("layers")[1].decode(), re.M)
    options = re.findall(r"--([a-z-]+)", run("--help")[1].decode())
    for name in [layer for layer in layers if len(layer) > 4]:
        wrong = name[0] + name[2] + name[1] + name[3:]
        if wrong == name or wrong in layers:
            continue
        said = run("check", "-", text=f"network n(x: [4, 8, 8]) {{ return x -> {wrong} }}\n".encode())[2].decode()
        results.append((name, f"`{name}`" in said))
    for name in sorted({option for option in options if len(option) > 4}):
        wrong = name[0] + name[2] + name[1] + name[3:]
        if wrong != name:
            results.append((name, f"--{name}" in run("check", f"--{wrong}")[2].decode()))
    return checks(*results)


def on_terminal(*words, env=None):
    """What is written to standard error where that is a terminal."""
    master, slave = pty.openpty()
    process = subprocess.Popen([NETC, *map(str, words)], stdin=slave, stdout=slave, stderr=slave, cwd=WORK,
                               env={**os.environ, "TERM": "xterm", **(env or {})})
    os.close(slave)
    text = b""
    while True:
        try:
            part = os.read(master, 65536)
        except OSError:
            break
        if not part:
            break
        text += part
    process.wait()
    os.close(master)
    return text


def colour():
    path = FAULTS[0].path
    escape = b"\x1b["
    return checks(
        ("pipe", escape not in run("check", path)[2]), ("terminal", escape in on_terminal("check", path)),
        ("never", escape not in on_terminal("check", "--color=never", path)),
        ("always", escape in run("check", "--color=always", path)[2]),
        ("NO_COLOR", escape not in on_terminal("check", path, env={"NO_COLOR": "1"})),
        ("TERM=dumb", escape not in on_terminal("check", path, env={"TERM": "dumb"})),
        ("CLICOLOR_FORCE", escape in run("check", path, env={"CLICOLOR_FORCE": "1"})[2]))


def caret_column(before):
    """The cell, from 0, of the caret under a mistake that stands behind `before` in its line."""
    text = run("check", "-", text=f"network n(x: [4]) {{\n{before}return x -> rleu\n}}\n".encode())[2].decode()
    lines = text.splitlines()
    at = max(i for i, line in enumerate(lines) if "rleu" in line and "|" in line)
    return lines[at + 1].index("^") - lines[at + 1].index("|") - 2


def unicode_text():
    tail = len("return x -> ")
    crlf = b"network n(x: [4]) {\r\n    return x -> rleu\r\n}\r\n"
    marked = b"\xef\xbb\xbf" + crlf
    hidden = 'network n(x: [4]) {\n    return x -> "a\u202eb": rleu\n}\n'.encode()
    return checks(
        ("blanks", caret_column("    ") == 4 + tail), ("wide", caret_column('y = x -> "漢字": relu; ') == 23 + tail),
        ("combining", caret_column('y = x -> "e\u0301": relu; ') == 20 + tail),
        ("emoji", caret_column('y = x -> "🙂": relu; ') == 21 + tail),
        ("tab", caret_column("\t") in (4 + tail, 8 + tail)),
        ("CRLF", b"\r" not in run("check", "-", text=crlf)[2] and run("check", "-", text=crlf)[0] == 1),
        ("BOM", run("check", "-", text=marked)[2] == run("check", "-", text=crlf)[2]),
        ("bidi", "\u202e".encode() not in run("check", "-", text=hidden)[2]))


def machine_formats():
    def well_formed(fault):
        sarif = json.loads(run("check", "--diagnostics=sarif", fault.path)[2])
        results = sarif["runs"][0]["results"]
        return sarif["version"] == "2.1.0" and len(results) == len(fault.found) and \
            results[0]["ruleId"] == fault.found[0]["code"]
    return share(FAULTS, well_formed) # Fault() has read each line of the JSON


def exit_codes():
    good = WORK / "good.net"
    good.write_text("network n(x: [4]) {\n    return x -> relu\n}\n")
    text = run("--help")[1].decode()
    return checks(("0", run("check", good)[0] == 0), ("1", run("check", FAULTS[0].path)[0] == 1),
                  ("2", run("check", "--nonsense")[0] == 2), ("3", run("check", WORK / "missing.net")[0] == 3),
                  ("documented", all(re.search(rf"\b{status} ", text) for status in (0, 1, 2, 3, 70))))


def standard_input():
    source = FAULTS[0].source
    return checks(("<stdin>", b"--> <stdin>:" in run("check", "-", text=source)[2]),
                  ("named", b"--> a/b.net:" in run("check", "-", "--stdin-name=a/b.net", text=source)[2]))


def long_line():
    source = 'network n(x: [4]) {\n    y = x -> "' + "a" * 10_000 + '": relu; return y -> rleu\n}\n'
    lines = run("check", "-", text=source.encode())[2].decode().splitlines()
    carets = [line for line in lines if "^^^^" in line]
    return checks(("clipped", max(map(len, lines)) < 250), ("caret", len(carets) == 1),
                  ("shown", any("rleu" in line for line in lines)))


def caps():
    many = "network n(x: [4]) {\n" + "".join(f"    a{i} = x -> rleu\n" for i in range(30)) + "    return x\n}\n"
    text = run("check", "-", text=many.encode())[2].decode()
    odd = b"network n(x: [3, 13, 13]) {\n    return x -> maxpool(2x2)\n}\n"
    return checks(("20 shown", text.count("error[E0301]") == 20), ("the rest counted", "10 more" in text),
                  ("all", run("check", "-", "--error-limit=0", text=many.encode())[2].count(b"error[E0301]") == 30),
                  ("warning", run("check", "-", text=odd)[0] == 0),
                  ("as error", run("check", "-", "-Werror", text=odd)[0] == 1),
                  ("off", run("check", "-", "-Wno-W0221", text=odd)[2] == b""))


def plain_log():
    """All that colour shows stands in the text, and annotations of GitHub have a form of their own."""
    def plain(fault):
        text = run("check", fault.path)[2].decode()
        stripped = re.sub(r"\x1b\[[0-9;]*m", "", run("check", "--color=always", fault.path)[2].decode())
        github = run("check", "--diagnostics=github", fault.path)[2].decode()
        return text == stripped and re.match(r"::(error|warning) file=[^,]+,line=\d+", github)
    return share(FAULTS, plain)


def translatable():
    """Bytes do not depend on the locale; messages cannot be translated, which is half of the point."""
    def stable(fault):
        return run("check", fault.path, env={"LC_ALL": "C"})[2] == run("check", fault.path, env={"LC_ALL": "C.UTF-8"})[2]
    passed, count, failed = share(FAULTS, stable)
    return passed, 2 * count, failed + ["messages are no ids with arguments"]


POINTS = [
    ("exact primary span, right token", exact_span),
    ("secondary span: where the other shape came from", secondary_span),
    ("both shapes shown, what differs marked", both_shapes),
    ("derivation: chain of shapes, formula with numbers", derivation),
    ("a fix is offered, and compiles when applied", fixes_compile),
    ("fixes are graded; --fix applies the sure ones", fixes_graded),
    ("stable codes", stable_code),
    ("netc explain CODE", explained),
    ("many independent errors in one run", many_at_once),
    ("one fault, one error", no_cascades),
    ("did you mean: layers and options", did_you_mean),
    ("colour on terminals only; --color, NO_COLOR, TERM, CLICOLOR_FORCE", colour),
    ("tabs, wide, combining, emoji, CRLF, BOM; bidi escaped", unicode_text),
    ("JSON lines and SARIF, nothing else on the stream", machine_formats),
    ("exit codes", exit_codes),
    ("standard input and its name", standard_input),
    ("long lines are clipped", long_line),
    ("error limit, counts, -Werror, -Wno-CODE", caps),
    ("readable without colour; GitHub annotations", plain_log),
    ("the same bytes in every locale; translatable", translatable),
]


def main():
    least = next((float(word[8:]) for word in sys.argv if word.startswith("--least=")), 19)
    total = 0
    print(f"{len(FAULTS)} faulty networks\n")
    for number, (name, measure) in enumerate(POINTS, 1):
        passed, count, failed = measure()
        score = 1 if passed >= 0.95 * count else 0.5 if passed >= 0.5 * count else 0
        total += score
        print(f"{number:2}  {score:3}  {passed:3} of {count:3}  {name}")
        if failed:
            print(f"{'':20}{', '.join(failed)}")
    print(f"\n{total:g} of {len(POINTS)}")
    sys.exit(total < least)


main()
