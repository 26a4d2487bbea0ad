#!/usr/bin/env python3
"""Sessions of an editor with `netc lsp`, a feature each.  features.py NETC ROOT WORK"""
import os
import shutil
import sys
import traceback

from client import Client, Refused

netc, root, work = map(os.path.abspath, sys.argv[1:])
tests = []
URI = "file:///nets/a.net"
TINY = """\
let width = 16

network tiny(image: [3, 8, 8]) -> [10] {
    y = image -> stem: conv(width, 3x3) -> relu
    return y -> flatten -> fc: dense(10)
}
"""
BLOCKS = """\
block unit(x: [C, H, W], filters, stride=1) {
    y = x -> conv(filters, 3x3, stride=stride, pad=1) -> relu
    return y
}
"""


def test(function):
    tests.append(function)
    return function


def place(text, mark, ahead=0):
    """The position of the first `mark`, in UTF-16 units."""
    before = text[:text.index(mark) + ahead]
    line = before.rsplit("\n", 1)[-1]
    return {"line": before.count("\n"), "character": len(line.encode("utf-16-le")) // 2}


def at(text, mark, ahead=0, uri=URI):
    return {"textDocument": {"uri": uri}, "position": place(text, mark, ahead)}


def offset(text, position):
    lines = text.splitlines(keepends=True)
    if position["line"] >= len(lines):
        return len(text)
    units = lines[position["line"]].encode("utf-16-le")[:2 * position["character"]]
    return sum(map(len, lines[:position["line"]])) + len(units.decode("utf-16-le"))


def marked(text, span):
    """What is between the two ends of a range."""
    return text[offset(text, span["start"]):offset(text, span["end"])]


def edited(text, edits):
    for edit in sorted(edits, key=lambda edit: -offset(text, edit["range"]["start"])):
        begin, end = (offset(text, edit["range"][name]) for name in ("start", "end"))
        text = text[:begin] + edit["newText"] + text[end:]
    return text


def equal(actual, expected):
    assert actual == expected, f"{actual!r}, not {expected!r}"


def refused(code, ask, *arguments, **parameters):
    try:
        result = ask(*arguments, **parameters)
    except Refused as error:
        equal(error.code, code)
        return str(error)
    raise AssertionError(f"not refused, but {result!r}")


def labels(client, text, mark, ahead=0):
    """What is offered where `mark` stands, by label."""
    items = client.ask("textDocument/completion", **at(text, mark, ahead))["items"]
    return {item["label"]: item for item in items}


# ---- life ------------------------------------------------------------------------------------


@test
def lifecycle():
    client = Client(netc, initialize=False)
    refused(-32002, client.ask, "textDocument/hover")
    client.tell("textDocument/didOpen", textDocument={"uri": URI, "text": "x"})
    client.ask("initialize", capabilities={})
    refused(-32600, client.ask, "initialize", capabilities={})
    refused(-32601, client.ask, "textDocument/moniker")
    refused(-32602, client.ask, "textDocument/hover", **at(TINY, "conv"))
    client.tell("$/setTrace", value="off")
    client.tell("workspace/didChangeConfiguration")
    client.ask("shutdown")
    refused(-32600, client.ask, "textDocument/hover", **at(TINY, "conv"))
    client.tell("exit")
    equal(client.wait(), (0, ""))
    equal(Client(netc).wait(), (1, ""))  # the editor has gone
    client = Client(netc)
    client.tell("exit")  # without `shutdown`
    equal(client.wait(), (1, ""))


@test
def capabilities(client):
    known = client.capabilities
    equal(known["positionEncoding"], "utf-16")
    equal(known["textDocumentSync"], {"openClose": True, "change": 1, "save": True})
    for name in ("hover", "inlayHint", "definition", "documentFormatting"):
        equal(known[name + "Provider"], True)
    equal(known["renameProvider"], {"prepareProvider": True})
    equal(known["codeActionProvider"], {"codeActionKinds": ["quickfix"]})


@test
def encodings():
    text = "network n(a: [2]) -> [2] {\n    return a -> \"😀é\": relux\n}\n"
    for offered, chosen, column in ((None, "utf-16", 23), (["utf-8", "utf-16"], "utf-8", 26),
                                    (["utf-7", "utf-32"], "utf-32", 22)):
        client = Client(netc, offered)
        equal(client.capabilities["positionEncoding"], chosen)
        found = [item for item in client.open(URI, text) if item["code"] == "E0301"]
        equal(found[0]["range"]["start"], {"line": 1, "character": column})
        equal(client.end(), (0, ""))


# ---- diagnostics -----------------------------------------------------------------------------


@test
def diagnostics_as_one_types(client):
    equal(client.open(URI, TINY), [])
    wrong = TINY.replace("3x3", "9x9")
    [found] = client.change(URI, wrong)
    equal((found["code"], found["severity"], found["source"]), ("E0211", 1, "netc"))
    equal(marked(wrong, found["range"]), "9x9")
    assert "a 9x9 kernel does not fit" in found["message"], found
    assert "\nnote: output size = " in found["message"], found
    related = found["relatedInformation"][-1]
    equal(related["location"]["uri"], URI)
    equal(marked(wrong, related["location"]["range"]), "[3, 8, 8]")
    [found] = client.change(URI, TINY.replace("    return", "    z = y\n    return"))
    equal((found["code"], found["severity"]), ("W0305", 2))
    [found] = client.change(URI, "network n(a: [2]) -> [2] {\n    return a -> dense(\n}\n")
    assert found["code"].startswith("E01"), found
    equal(client.change(URI, TINY), [])
    client.change(URI, wrong)
    equal(client.close(URI), [])
    refused(-32602, client.ask, "textDocument/hover", **at(TINY, "conv"))


@test
def the_last_text_counts(client):
    client.open(URI, TINY)
    for size in range(2, 50):
        client.type(URI, TINY.replace("3x3", f"{size}x{size}"))
    hover = client.ask("textDocument/hover", **at(TINY, "[3, 8"))
    equal(hover, None)
    [found] = client.change(URI, TINY.replace("3x3", "9x9"))
    assert "a 9x9 kernel" in found["message"], found


@test
def lines_and_marks(client):
    for text in (TINY.replace("\n", "\r\n"), TINY.replace("\n", "\r"), "\ufeff" + TINY):
        [found] = client.open(URI, text.replace("3x3", "9x9"))
        equal(found["range"]["start"], {"line": 3, "character": 35})
    [found] = client.open(URI, "\ufeffnetwork n(a: [2]) -> [2] { return a -> relux }")
    equal(found["range"]["start"], {"line": 0, "character": 40})


@test
def files_that_are_used(client):
    blocks, sub = "file:///nets/blocks.net", "file:///nets/sub/b.net"
    text = 'use "blocks.net"\nnetwork n(a: [3, 8, 8]) -> [16, 8, 8] { return a -> unit(16) }\n'
    equal(client.open(blocks, BLOCKS), [])  # no network, and no complaint
    equal(client.open(URI, text), [])
    equal(client.open(sub, text.replace("blocks", "../blocks")), [])
    client.type(blocks, BLOCKS.replace("3x3", "4x4"))
    for uri in (sub, URI):
        [found] = client.published(uri, code="E0210")
    equal(marked(text, found["range"]), "8, 8")
    client.type(blocks, BLOCKS.replace("3x3", "19x19"))
    [found] = client.published(URI, code="E0211")
    equal(marked(text, found["range"]), "unit(16)")
    equal(found["relatedInformation"][0]["location"]["uri"], blocks)
    client.type(blocks, BLOCKS.replace("(x", "((x"))
    [found] = client.published(URI, code="E0104")
    equal(marked(text, found["range"]), '"blocks.net"')


@test
def weights_on_disk(client):
    folder = os.path.join(work, "weights of lsp")
    os.makedirs(folder, exist_ok=True)
    for name in ("digits.net", "weights.safetensors"):
        shutil.copy(os.path.join(root, "examples/digits", name), folder)
    with open(os.path.join(folder, "digits.net"), encoding="utf-8") as file:
        text = file.read()
    uri = "file://" + folder.replace(" ", "%20") + "/digits.net"
    equal(client.open(uri, text), [])
    found = client.change(uri, text.replace("conv1", "conv3"))
    equal({item["code"] for item in found}, {"E0402", "E0403"})
    os.rename(os.path.join(folder, "weights.safetensors"), os.path.join(folder, "moved"))
    equal([item["code"] for item in client.change(uri, text)], ["E0701"])
    os.rename(os.path.join(folder, "moved"), os.path.join(folder, "weights.safetensors"))
    client.tell("textDocument/didSave", textDocument={"uri": uri})
    equal(client.published(uri), [])


# ---- hover -----------------------------------------------------------------------------------


def hover(client, text, mark, ahead=0):
    result = client.ask("textDocument/hover", **at(text, mark, ahead))
    return result and result["contents"]["value"], result and marked(text, result["range"])


@test
def hover_on_steps(client):
    client.open(URI, TINY)
    shown, span = hover(client, TINY, "conv")
    equal(span, "conv(width, 3x3)")
    for part in ("stem: conv(16, 3x3)", "`[3, 8, 8] -> [16, 6, 6]`",
                 "parameters: `16 * (3 * 3 * 3) + 16 = 448`",
                 "multiply-accumulates: `(6 * 6) * 16 * (3 * 3 * 3) = 15_552`",
                 "convolution over the spatial axes"):
        assert part in shown, (part, shown)
    equal(hover(client, TINY, "stem")[1], "stem: conv(width, 3x3)")
    shown, span = hover(client, TINY, "tiny")
    assert "tiny(image: [3, 8, 8]) -> [10]" in shown and "parameters: 6,218" in shown, shown
    equal(hover(client, TINY, "3x3)", 5), (None, None))
    named = TINY.replace("3x3)", "3x3, pad=1)")
    client.change(URI, named)
    assert hover(client, named, "pad")[0].startswith("`pad`: "), hover(client, named, "pad")


@test
def hover_on_names(client):
    client.open(URI, TINY)
    equal(hover(client, TINY, "width"), ("```net\nwidth = 16\n```\n", "width"))
    equal(hover(client, TINY, "(width", 1), ("```net\nwidth = 16\n```\n", "width"))
    equal(hover(client, TINY, "image"), ("```net\nimage: [3, 8, 8]\n```\n", "image"))
    equal(hover(client, TINY, "y ->"), ("```net\ny: [16, 6, 6]\n```\n", "y"))


@test
def hover_on_blocks(client):
    text = BLOCKS + "network n(a: [3, 8, 8]) { return a -> unit(16) -> unit(32, stride=2) }\n"
    client.open(URI, text)
    shown, span = hover(client, text, "unit(16)")
    equal(span, "unit(16)")
    assert "`[3, 8, 8] -> [16, 8, 8]`" in shown and "parameters: 448\n" in shown, shown
    assert "in the first of 2 expansions" in hover(client, text, "conv(f")[0]
    equal(hover(client, text, "H,")[0], "```net\nH = 8\n```\n in the first of 2 expansions")


@test
def hover_behind_mistakes(client):
    client.open(URI, TINY.replace("flatten", "flat"))
    assert "[16, 6, 6]" in hover(client, TINY, "conv")[0]
    client.change(URI, TINY.replace("width = 16", "width = = 16"))
    shown = hover(client, TINY.replace("width = 16", "width = = 16"), "conv")[0]
    assert shown.startswith("### conv\n"), shown  # nothing is elaborated, but it is a layer


# ---- inlay hints -----------------------------------------------------------------------------


def hints(client, text, first=0, last=99):
    span = {"start": {"line": first, "character": 0}, "end": {"line": last, "character": 0}}
    shown = client.ask("textDocument/inlayHint", textDocument={"uri": URI}, range=span)
    return [(text[:offset(text, hint["position"])].splitlines()[-1].split("-> ")[-1],
             hint["label"]) for hint in shown]


@test
def inlay_hints(client):
    client.open(URI, TINY)
    all_hints = [("stem: conv(width, 3x3)", "[16, 6, 6]"), ("flatten", "[576]"),
                 ("fc: dense(10)", "[10]")]
    equal(hints(client, TINY), all_hints)
    equal(hints(client, TINY, 4), all_hints[1:])
    equal(hints(client, TINY, 0, 4), all_hints[:1])
    text = BLOCKS + "network n(a: [3, 8, 8]) { return a -> unit(16) -> unit(32, stride=2) }\n"
    client.change(URI, text)
    equal(hints(client, text), [
        ("conv(filters, 3x3, stride=stride, pad=1)", "[16, 8, 8], ..."),
        ("unit(16)", "[16, 8, 8]"), ("unit(32, stride=2)", "[32, 4, 4]")])


# ---- completion ------------------------------------------------------------------------------


@test
def completion_of_steps(client):
    text = BLOCKS + "network n(a: [3, 8, 8]) {\n    return a -> con\n}\n"
    client.open(URI, text)
    found = labels(client, text, "con\n", 3)
    equal(found["conv"]["detail"], "convolution over the spatial axes")
    equal(found["unit"]["detail"], "block (x: [C, H, W], filters, stride=1)")
    assert "repeat" in found and "a" not in found and "return" not in found
    text = text.replace("con\n", "{ relu\n        -> g: \n    }\n")
    client.change(URI, text)
    assert "conv" in labels(client, text, "g: ", 3)
    assert "conv" in labels(client, text, "{ relu", 2)


@test
def completion_of_arguments(client):
    text = BLOCKS + "network n(a: [3, 8, 8]) {\n    return a -> conv(6, \n}\n"
    client.open(URI, text)
    found = labels(client, text, "6, ", 3)
    equal(found["pad="]["detail"], "zeros around the input, or `same`")
    equal(found["pad="]["documentation"], "default: 0")
    equal(found["kernel="]["documentation"], "required")
    assert "relu" not in found and "a" in found
    text = text.replace("conv(6, ", "conv(6, 3x3, pad=")
    client.change(URI, text)
    assert {"same", "a"} <= labels(client, text, "3x3, pad=", 9).keys()
    text = text.replace("conv(6, 3x3, pad=", "unit(")
    client.change(URI, text)
    found = labels(client, text, "-> unit(", 8)
    equal(found["stride="]["documentation"], "default: 1")
    assert "x=" not in found and "filters=" in found


@test
def completion_of_values(client):
    text = TINY.replace("return y", "return ")
    client.open(URI, text)
    found = labels(client, text, "return ", 7)
    equal(found["y"].get("detail"), None)  # with a mistake in the syntax no shape is known
    assert {"image", "width", "y", "conv"} <= found.keys()
    text = TINY.replace("y ->", "yy ->")
    client.change(URI, text)
    found = labels(client, text, "yy ->", 2)
    equal(found["y"]["detail"], "[16, 6, 6]")
    equal(found["width"]["detail"], "16")
    text = TINY.replace("return", "   ")
    client.change(URI, text)
    assert "y" not in labels(client, text, "= image", 2), "seen before it is there"


@test
def completion_elsewhere(client):
    text = "# a comment\n\nnetwork n(a: [3]) {\n    weights \"w\"\n    \n    return a\n}\n"
    client.open(URI, text)
    equal(labels(client, text, "comment"), {})
    equal(labels(client, text, "w\""), {})
    equal(labels(client, text, "\nnetwork").keys(), {"network", "block", "let", "use"})
    equal(labels(client, text, "\n    return").keys(), {"return", "let", "assert", "weights"})


# ---- definition, rename ----------------------------------------------------------------------


def defined(client, text, mark, ahead=0):
    found = client.ask("textDocument/definition", **at(text, mark, ahead))
    return found and (found["uri"], found["range"]["start"])


@test
def definition(client):
    blocks = "file:///nets/blocks.net"
    text = ('use "blocks.net"\nlet n = 2\nblock own(x: [C], k) { return x -> dense(C * k) }\n'
            "network m(a: [3, 8, 8]) {\n    y = a -> unit(filters=n) -> repeat i in 0..n "
            "{ \"u{i}\": unit(3 + i) }\n    return y -> flatten -> own(k=1)\n}\n")
    client.open(blocks, BLOCKS)
    client.open(URI, text)
    equal(defined(client, text, '"blocks'), (blocks, {"line": 0, "character": 0}))
    equal(defined(client, text, "unit("), (blocks, place(BLOCKS, "unit")))
    equal(defined(client, text, "filters="), (blocks, place(BLOCKS, "filters")))
    equal(defined(client, text, "own(k"), (URI, place(text, "own")))
    equal(defined(client, text, "k=1"), (URI, place(text, "k) {")))
    equal(defined(client, text, "0..n", 3), (URI, place(text, "n = 2")))
    equal(defined(client, text, "+ i", 2), (URI, place(text, "i in")))
    equal(defined(client, text, "u{i", 2), (URI, place(text, "i in")))
    equal(defined(client, text, "C * k"), (URI, place(text, "C]")))
    equal(defined(client, text, "y ->"), (URI, place(text, "y =")))
    equal(defined(client, text, "dense"), None)


@test
def rename(client):
    text = ("block own(x: [C], k) { return x -> dense(C * k) }\nnetwork m(a: [3, 8, 8]) {\n"
            "    y = a -> relu -> repeat i in 0..2 { \"u{i}\": conv(3 + i, 3x3, pad=same) }\n"
            "    return y -> flatten -> fc: own(k=1) -> two: own(k=3, share=\"fc\")\n"
            "    assert params >= 4\n}\n")
    text = text.replace(' -> two: own(k=3, share="fc")', "")
    equal(client.open(URI, text), [])
    for mark, ahead, old, new, count in (
            ("k) {", 0, "k", "factor", 3), ("own(k=", 0, "own", "mine", 2),
            ("y =", 0, "y", "value", 2), ("+ i", 2, "i", "index", 3), ("fc:", 0, "fc", "head", 1),
            ("C *", 0, "C", "features", 2), ("a:", 0, "a", "picture", 2)):
        prepared = client.ask("textDocument/prepareRename", **at(text, mark, ahead))
        equal(prepared["placeholder"], old)
        edits = client.ask("textDocument/rename", **at(text, mark, ahead), newName=new)["changes"]
        equal(list(edits), [URI])
        equal(len(edits[URI]), count)
        renamed = edited(text, edits[URI])
        equal(client.change(URI, renamed), [])
        equal(client.ask("textDocument/rename", **at(renamed, new), newName=old)["changes"]
              .keys(), {URI})
        client.change(URI, text)
    assert edited(text, client.ask("textDocument/rename", **at(text, "fc:"), newName="0")
                  ["changes"][URI]).count('"0": own') == 1
    for mark, new in (("y =", "a"), ("y =", "let"), ("y =", "a b"), ("y =", ""), ("y =", "same"),
                      ("y =", "é"), ("y =", "params"), ("own(k=", "dense"), ("fc:", "a.b")):
        refused(-32602, client.ask, "textDocument/rename", **at(text, mark), newName=new)
    for mark in ("dense", "relu", '"u{', "assert", "3x3", "same"):
        refused(-32803, client.ask, "textDocument/prepareRename", **at(text, mark))
        refused(-32803, client.ask, "textDocument/rename", **at(text, mark), newName="z")


@test
def rename_refuses_what_others_name(client):
    text = ("network m(a: [3]) {\n    y = a -> one: dense(3)\n"
            "    return y -> two: dense(3, share=\"one\")\n}\n")
    equal(client.open(URI, text), [])
    refused(-32803, client.ask, "textDocument/rename", **at(text, "one:"), newName="z")
    client.ask("textDocument/rename", **at(text, "two:"), newName="z")
    client.open("file:///nets/blocks.net", BLOCKS)
    text = 'use "blocks.net"\nnetwork n(a: [3, 8, 8]) { return a -> unit(16) }\n'
    equal(client.change(URI, text), [])
    refused(-32803, client.ask, "textDocument/rename", **at(text, "unit"), newName="z")


# ---- formatting, quick fixes -----------------------------------------------------------------


@test
def formatting(client):
    untidy = TINY.replace("    ", "  ").replace(" = ", "=").replace("\n}", ";\n}")
    client.open(URI, untidy)
    options = {"textDocument": {"uri": URI}, "options": {"tabSize": 8, "insertSpaces": False}}
    edits = client.ask("textDocument/formatting", **options)
    equal(edited(untidy, edits), TINY)
    client.change(URI, TINY)
    equal(client.ask("textDocument/formatting", **options), [])
    client.change(URI, TINY + "}")
    refused(-32803, client.ask, "textDocument/formatting", **options)


@test
def quick_fixes(client):
    text = TINY.replace("flatten", "Flatten").replace("width, 3x3", "width, 9x9")
    found = client.open(URI, text)
    equal(sorted(item["code"] for item in found), ["E0211", "E0301"])

    def actions(mark, **context):
        spot = place(text, mark)
        return client.ask("textDocument/codeAction", textDocument={"uri": URI},
                          range={"start": spot, "end": spot},
                          context={"diagnostics": found, **context})
    [action] = actions("Flatten")
    equal((action["kind"], action["isPreferred"]), ("quickfix", True))
    equal([item["code"] for item in action["diagnostics"]], ["E0301"])
    mended = edited(text, action["edit"]["changes"][URI])
    assert "-> flatten ->" in mended, mended
    offered = actions("9x9")
    assert offered and all("9x9" in item["diagnostics"][0]["message"] for item in offered)
    equal(sum(item["isPreferred"] for item in offered) <= 1, True)
    for action in offered:
        if action["isPreferred"]:
            left = client.change(URI, edited(mended, action["edit"]["changes"][URI]))
            assert not [item for item in left if item["code"] == "E0211"], left
            client.change(URI, text)
    equal(len(actions("Flatten", only=["quickfix"])), 1)
    equal(actions("Flatten", only=["refactor", "source.organizeImports"]), [])
    equal(actions("image"), [])


# ---- every example ---------------------------------------------------------------------------


@test
def all_examples(client):
    """Everything is asked at every word of every example; shapes are there for each network."""
    count = 0
    for folder, _, names in sorted(os.walk(os.path.join(root, "examples"))):
        for name in sorted(name for name in names if name.endswith(".net")):
            uri = "file://" + os.path.join(folder, name)
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                text = file.read()
            equal([item for item in client.open(uri, text) if item["severity"] == 1], [])
            whole = {"start": {"line": 0, "character": 0}, "end": {"line": 9999, "character": 0}}
            shown = client.ask("textDocument/inlayHint", textDocument={"uri": uri}, range=whole)
            assert shown or "network" not in text, name
            for line, content in enumerate(text.split("\n")):
                for column in range(0, len(content), 7):
                    spot = {"textDocument": {"uri": uri},
                            "position": {"line": line, "character": column}}
                    for what in ("hover", "definition", "completion"):
                        client.ask("textDocument/" + what, **spot)
            client.close(uri)
            count += 1
    assert count > 10, count


def main():
    failed = 0
    for function in tests:
        try:
            if function.__code__.co_argcount == 0:
                function()
                continue
            client = Client(netc)
            try:
                function(client)
            except BaseException:
                client.process.kill()
                print(client.wait()[1], end="")
                raise
            equal(client.end(), (0, ""))
        except Exception:  # pylint: disable=broad-except
            failed += 1
            print(f"{function.__name__}:\n{traceback.format_exc(limit=-3)}")
    print(f"{len(tests)} sessions, {failed} failed")
    sys.exit(1 if failed or len(tests) < 20 else 0)


main()
