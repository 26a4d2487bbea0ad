#!/usr/bin/env python3
"""What no editor sends: the server must answer or end with status 1 and a line that says why; it
must not crash, hang or grow without bound.  hostile.py NETC ROOT"""
import json
import os
import random
import resource
import sys

from client import Client, Refused

netc, root = map(os.path.abspath, sys.argv[1:])
LIMIT = 1 << 29  # bytes of memory; the sanitizers' shadow does not fit under such a limit
problems = []
ran = 0
BROKEN = "netc: what came is not a message of the protocol\n"


def check(name, actual, expected):
    global ran
    ran += 1
    if actual != expected:
        problems.append(f"{name}: {actual!r}, not {expected!r}")


def framed(body):
    return b"Content-Length: %d\r\n\r\n" % len(body) + body


def ends(name, data, expected=(1, BROKEN)):
    """The server, given these bytes and then the end of the input, ends so."""
    client = Client(netc)
    try:
        client.write(data)
        check(name, client.wait(), expected)
    except BrokenPipeError:
        client.process.stdin = open(os.devnull, "w")  # it has ended before
        check(name, client.wait(), expected)


def is_alive(client):
    """It still answers a good request."""
    try:
        client.ask("textDocument/moniker")
    except Refused as error:
        return error.code == -32601
    return False


def headers():
    ends("no header", b"hello\r\n\r\n")
    ends("no length", b"Content-Type: x\r\n\r\n")
    ends("half a header", b"Content-Len")
    ends("half a line end", b"Content-Length: 5\r")
    ends("no empty line", b"Content-Length: 5\r\n")
    ends("half a body", b"Content-Length: 50\r\n\r\n{}")
    ends("a negative length", b"Content-Length: -5\r\n\r\n{}")
    ends("a length that is none", b"Content-Length: 5x\r\n\r\n{}")
    ends("an empty length", b"Content-Length: \r\n\r\n{}")
    ends("two lengths", b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}")
    ends("a long line", b"A" * 100_000 + b"\r\n")
    ends("many lines", b"A: b\r\n" * 1000)
    ends("a huge length", b"Content-Length: 9999999999\r\n\r\n" + b" " * 100_000)
    ends("a length above 64 bits", b"Content-Length: " + b"9" * 40 + b"\r\n\r\n{}")
    ends("nothing more", b"", (1, ""))
    client = Client(netc)
    client.write(b"content-length:2\nContent-Type: application/vscode-jsonrpc\n\n{}")
    check("another spelling", client.receive()["error"]["code"], -32600)
    check("after another spelling", is_alive(client), True)
    check("after another spelling", client.end(), (0, ""))


def bodies():
    client = Client(netc)
    deep = b"[" * 100_000 + b"]" * 100_000
    for body in (b"", b"{", b"nonsense", b"\xff\xfe", b'{"a": "\\ud800"}', b'{"a": "\\u0000"}',
                 b'{"id": 1e999}', deep, b"{}{}", b"\0"):
        client.write(framed(body))
        answer = client.receive()
        check(f"JSON {body[:20]!r}", (answer["id"], answer["error"]["code"]), (None, -32700))
    for body in (b"[]", b"{}", b'{"id": 7}', b'{"method": 7}', b'{"jsonrpc": "2.0", "id": []}'):
        client.write(framed(body))
        check(f"message {body!r}", client.receive()["error"]["code"], -32600)
    for body in (b'{"id": 5, "result": null}', b'{"id": null, "error": {}}',
                 b'{"method": "textDocument/didOpen"}', b'{"method": "$/cancelRequest"}',
                 b'{"method": "textDocument/didOpen", "params": [1]}',
                 b'{"method": "textDocument/didOpen", "params": {"textDocument": {"uri": 5}}}',
                 b'{"method": "textDocument/didChange", "params": {"contentChanges": {}}}',
                 b'{"method": "textDocument/didClose", "params": {"textDocument": []}}',
                 b'{"id": 1.5, "method": "textDocument/hover"}'):
        client.write(framed(body))
        check(f"no answer to {body!r}", is_alive(client), True)
    check("after bodies", client.end(), (0, ""))


def parameters():
    client = Client(netc)
    uri = "file:///a%2.net%zz%00%"
    client.open(uri, "network n(a: [2]) { return a -> relu }\n")
    document = {"textDocument": {"uri": uri}}
    bad = [None, 5, [], {}, {"line": -1, "character": 0}, {"line": 0}, {"line": 0.5, "character": 0},
           {"line": "0", "character": 0}, {"line": 0, "character": -(2**62)}]
    for what in ("hover", "completion", "definition", "prepareRename"):
        for position in bad:
            try:
                client.ask("textDocument/" + what, **document, position=position)
                problems.append(f"{what} at {position!r} is answered")
            except Refused as error:
                check(f"{what} at {position!r}", error.code, -32602)
    far = {"line": 2**62, "character": 2**62}
    for what in ("hover", "completion", "definition"):
        client.ask("textDocument/" + what, **document, position=far)
    for what in ("inlayHint", "codeAction"):
        client.ask("textDocument/" + what, **document, range={"start": far, "end": far})
        client.ask("textDocument/" + what, **document,
                   range={"start": far, "end": {"line": 0, "character": 0}})
    for what in ("hover", "rename", "formatting", "inlayHint", "codeAction"):
        for wrong in ({}, {"textDocument": None}, {"textDocument": {"uri": "x"}}):
            try:
                client.ask("textDocument/" + what, **wrong)
                problems.append(f"{what} of {wrong!r} is answered")
            except Refused as error:
                check(f"{what} of {wrong!r}", error.code, -32602)
    check("after parameters", client.end(), (0, ""))


def texts():
    """Sources that are none, or far too much."""
    client = Client(netc)
    uri = "untitled:a"
    for text in ("", "\x01", "\ufeff", "\r\r\n\n\r", "(" * 10_000,
                 "network n(a: [2]) { return a -> " + "{ " * 5000, '"' * 999, "#" + "é" * 9999,
                 "network n(a: [2]) { return a" + " -> relu" * 20_000 + " }",
                 "network n(a: [2]) { return a -> repeat 3000000 { relu } }",
                 'use "-"\nuse "/dev/zero"\nuse "untitled:a"\n', "let a = " + "9" * 9999):
        client.tell("textDocument/didOpen",
                    textDocument={"uri": uri, "version": 1, "text": text})
        end = {"line": 0, "character": len(text)}
        for what in ("hover", "completion", "definition", "prepareRename", "formatting"):
            try:
                client.ask("textDocument/" + what, textDocument={"uri": uri}, position=end)
            except Refused as error:
                check(f"{what} of {text[:30]!r}", error.code, -32803)
    check("after texts", client.end(), (0, ""))


def random_bytes():
    for seed in range(30):
        chance = random.Random(seed)
        data = bytes(chance.randrange(256) for _ in range(chance.randrange(1, 3000)))
        if seed % 3 == 1:
            data = framed(data) * 3 + b"Content-"
        elif seed % 3 == 2:
            good = bytearray(framed(json.dumps({"jsonrpc": "2.0", "id": 1, "method": "shutdown"})
                                    .encode()))
            good[chance.randrange(len(good))] = chance.randrange(256)
            data = bytes(good) + b"x"
        client = Client(netc)
        client.write(data)
        status, errors = client.wait()
        check(f"random bytes, seed {seed}", (status in (0, 1), errors in ("", BROKEN)), (True, True))


def random_texts():
    """Examples with random changes, and everything asked of each."""
    sources = []
    for folder, _, names in sorted(os.walk(os.path.join(root, "examples"))):
        for name in sorted(names):
            path = os.path.join(folder, name)
            if name.endswith(".net") and os.path.getsize(path) < 3000:
                with open(path, encoding="utf-8") as file:
                    sources.append(file.read())
    pieces = ["(", ")", "{", "}", "[", "]", "->", ":", "=", ",", '"', "#", "\n", ";", "x", "3x3",
              "repeat 2 {", "if 1 == 1 {", "} else {", "block b(x: [C]) {", "let a = ", "use ",
              "share=", "conv(", "é😀", "assert ", "\r"]
    client = Client(netc)
    uri = "file:///nets/random.net"
    for seed in range(200):
        chance = random.Random(seed)
        text = chance.choice(sources)
        for _ in range(chance.randrange(1, 5)):
            begin = chance.randrange(len(text) + 1)
            end = min(len(text), begin + chance.choice((0, 0, 1, 5, 30)))
            text = text[:begin] + chance.choice(pieces + [""]) + text[end:]
        client.tell("textDocument/didOpen", textDocument={"uri": uri, "version": seed,
                                                          "text": text})
        document = {"textDocument": {"uri": uri}}
        lines = text.split("\n")
        whole = {"start": {"line": 0, "character": 0}, "end": {"line": 9999, "character": 0}}
        asked = [("inlayHint", {"range": whole}), ("codeAction", {"range": whole}),
                 ("formatting", {})]
        for _ in range(8):
            line = chance.randrange(len(lines))
            spot = {"line": line, "character": chance.randrange(len(lines[line]) + 1)}
            asked += [(what, {"position": spot, "newName": "z"}) for what in
                      ("hover", "completion", "definition", "prepareRename", "rename")]
        for what, more in asked:
            try:
                client.ask("textDocument/" + what, **document, **more)
            except Refused as error:
                if error.code not in (-32803, -32602):
                    problems.append(f"{what}, seed {seed}: {error.code} {error}")
    check("after random texts", client.end(), (0, ""))


def memory():
    """A message that is too long is skipped, not kept."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (LIMIT, before[1]))
    client = Client(netc)
    resource.setrlimit(resource.RLIMIT_AS, before)
    client.write(b"Content-Length: %d\r\n\r\n" % LIMIT)
    for _ in range(LIMIT >> 20):
        client.write(b" " * (1 << 20))
    check("a long message", client.receive()["error"]["code"], -32700)
    check("after a long message", is_alive(client), True)
    check("after a long message", client.end(), (0, ""))


for part in (headers, bodies, parameters, texts, random_bytes, random_texts):
    part()
with open(netc, "rb") as program:
    if b"__asan_init" not in program.read():
        memory()
for problem in problems:
    print(problem)
print(f"{ran} checks, {len(problems)} problems")
sys.exit(1 if problems or ran < 100 else 0)
