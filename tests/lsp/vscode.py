#!/usr/bin/env python3
"""The folder for Visual Studio Code: its files are what they say, the grammar has the language's
reserved words, and every token of every example gets the scope that the scanner's kind asks for.
vscode.py NETC ROOT"""
import json
import pathlib
import re
import subprocess
import sys

netc, root = sys.argv[1], pathlib.Path(sys.argv[2])
folder = root / "editors/vscode"
problems = []


def check(name, actual, expected):
    if actual != expected:
        problems.append(f"{name}: {actual!r}, not {expected!r}")


def load(path):
    return json.loads((folder / path).read_text(encoding="utf-8"))


def run(*arguments):
    return subprocess.run([netc, *arguments], capture_output=True, encoding="utf-8", check=False)


# ---- the package -----------------------------------------------------------------------------

package = load("package.json")
parts = package["contributes"]
version = run("--version").stdout
check("version", package["version"], re.match(r"netc ([0-9.]+),", version)[1])
check("version in the lock file", load("package-lock.json")["version"], package["version"])
for path in [package["main"], parts["languages"][0]["configuration"], parts["grammars"][0]["path"]]:
    if not (folder / path).is_file():
        problems.append(f"package.json: there is no {path}")
configuration = load("language-configuration.json")
check("comment", configuration["comments"]["lineComment"], "#")
check("brackets", sorted("".join(pair) for pair in configuration["brackets"]), ["()", "[]", "{}"])
for rule in [configuration["wordPattern"], *configuration["indentationRules"].values()]:
    re.compile(rule)

matcher = parts["problemMatchers"][0]["pattern"]
places = 0
for path in sorted(root.glob("tests/errors/*.net")):
    for line in run("check", "--diagnostics=short", str(path)).stderr.splitlines():
        match = re.search(matcher["regexp"], line)
        if not match:
            check(f"{path}: {line}: a place", line.startswith("netc: "), True)
            continue
        places += 1
        check(line, pathlib.Path(match[matcher["file"]]).is_file(), True)
        check(line, match[matcher["severity"]][0].upper(), match[matcher["code"]][0])
check("messages with a place", places > 50, True)

# ---- the grammar -----------------------------------------------------------------------------

grammar = load("syntaxes/net.tmLanguage.json")
check("scope", grammar["scopeName"], parts["grammars"][0]["scopeName"])
scanner = (root / "grammar/net.l").read_text(encoding="utf-8")
reserved = re.findall(r'^"([a-z]+)" +\{ return TOKEN_', scanner, re.M)
words = [word for rule in grammar["repository"]["keywords"]["patterns"]
         for word in re.findall(r"[a-z]+", rule["match"].removeprefix(r"\b").removesuffix(r"\b"))]
check("reserved words", sorted(words), sorted(reserved))

# Only rules of one match each, which Python reads as Oniguruma does: the first of those that match
# first wins.
rules = [rule for include in grammar["patterns"]
         for rule in grammar["repository"][include["include"][1:]]["patterns"]]
used = set()


def scopes_of_line(line):
    """The scope of each character, "" for none."""
    scopes = [""] * len(line)
    at = 0
    while at < len(line):
        found = None
        for index, rule in enumerate(rules):
            match = re.compile(rule["match"]).search(line, at)
            if match and (not found or match.start() < found[1].start()):
                found = index, match
        if not found:
            break
        index, match = found
        used.add(index)
        captures = rules[index].get("captures", {"0": rules[index]})
        for group, capture in captures.items():
            for place in range(*match.span(int(group))):
                scopes[place] = capture["name"]
        if match.end() <= at:
            problems.append(f"{rules[index]['match']}: matches nothing")
            break
        at = match.end()
    return scopes


KEYWORDS = {word.upper(): "constant." if word in ("on", "off") else
            "keyword.operator.word." if word in ("and", "or", "not") else
            "storage." if word in ("network", "block", "let") else "keyword.control."
            for word in reserved}
SCOPES = {**KEYWORDS, "NUMBER": "constant.numeric.net", "SIZE": "constant.numeric.size.net",
          "TEXT": "string.quoted.double.", "ARROW": "keyword.operator.arrow.net",
          **dict.fromkeys(("PLUS", "MINUS", "STAR", "SLASH", "PERCENT", "EQUAL", "NOT_EQUAL", "LESS",
                           "LESS_EQUAL", "GREATER", "GREATER_EQUAL", "ASSIGN", "RANGE"),
                          "keyword.operator.net")}


def scope_of_name(before, after, then):
    """What a name is, by the tokens around it."""
    if before in ("NETWORK", "BLOCK"):
        return "entity.name.type.net"
    if after == "COLON":
        return "variable.parameter.net" if then == "bracket" else "entity.name.label.net"
    if after == "LEFT_PAREN" or (before == "ARROW" and after != "LEFT_BRACKET"):
        return "entity.name.function.net"
    return ("variable.", "support.type.net")


def check_file(path):
    lines = path.read_text(encoding="utf-8").split("\n")
    scopes = list(map(scopes_of_line, lines))
    tokens = [re.match(r"(\d+):(\d+)  ([A-Z_]+)", line).groups()
              for line in run("--emit=tokens", str(path)).stdout.splitlines()]
    tokens = [(int(line) - 1, int(column) - 1, kind) for line, column, kind in tokens]
    for index, (line, column, kind) in enumerate(tokens):
        if kind == "NAME":
            same = [token[2] if token[0] == line else "" for token in
                    (tokens + [(-1, 0, "")] * 3)[index - 1:index + 4]]
            types = same[3:4] == ["LEFT_BRACKET"] or same[3:5] == ["NAME", "LEFT_BRACKET"]
            expected = scope_of_name(same[0], same[2], "bracket" if types else "")
        else:
            expected = SCOPES.get(kind, "")
        actual = scopes[line][column] if column < len(lines[line]) else ""
        if not actual.startswith(expected) or (expected == "" and actual):
            problems.append(f"{path}:{line + 1}:{column + 1}: {kind} is {actual!r}, not {expected!r}")
    for line, scope in zip(lines, scopes):
        if line.lstrip().startswith("#"):
            check(f"{path}: {line}", set(scope[line.index("#"):]), {"comment.line.number-sign.net"})
    return len(tokens)


count = sum(map(check_file, sorted(root.glob("examples/**/*.net"))))
count += sum(map(check_file, sorted(root.glob("tests/run/**/*.net"))))
check("tokens", count > 5000, True)
check("rules that no example needs",
      [rule["match"] for index, rule in enumerate(rules) if index not in used], [])
for problem in problems:
    print(problem)
print(f"{count} tokens, {places} messages, {len(problems)} problems")
sys.exit(1 if problems else 0)
