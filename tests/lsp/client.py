"""An editor as a script: speaks the Language Server Protocol with `netc lsp`."""
import json
import os
import subprocess
import threading


class Refused(Exception):
    """The server answered with an error."""

    def __init__(self, error):
        super().__init__(error["message"])
        self.code = error["code"]


class Client:
    """A session. Everything that waits for the server gives up after some minutes."""

    def __init__(self, netc, encodings=None, initialize=True):
        self.process = subprocess.Popen([netc, "lsp"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.timer = threading.Timer(300, self.process.kill)
        self.timer.start()
        self.last_id = 0
        self.version = 0
        if initialize:
            general = {"positionEncodings": encodings} if encodings else {}
            self.capabilities = self.ask("initialize", processId=os.getpid(), rootUri=None,
                                         capabilities={"general": general})["capabilities"]
            self.tell("initialized")

    def send(self, message):
        body = json.dumps(message).encode()
        self.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)

    def write(self, data):
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def receive(self):
        length = None
        while (line := self.process.stdout.readline().strip()):
            name, value = line.split(b":")
            if name == b"Content-Length":
                length = int(value)
        assert length is not None, "the server has ended"
        return json.loads(self.process.stdout.read(length))

    def tell(self, method, **params):
        self.send({"jsonrpc": "2.0", "method": method, "params": params})

    def ask(self, method, **params):
        self.last_id += 1
        self.send({"jsonrpc": "2.0", "id": self.last_id, "method": method, "params": params})
        while (message := self.receive()).get("id") != self.last_id:
            pass
        if "error" in message:
            raise Refused(message["error"])
        return message["result"]

    def open(self, uri, text):
        """What is published of it."""
        self.version += 1
        self.tell("textDocument/didOpen", textDocument={
            "uri": uri, "languageId": "net", "version": self.version, "text": text})
        return self.published(uri, self.version)

    def type(self, uri, text):
        """Another text, without waiting."""
        self.version += 1
        self.tell("textDocument/didChange", textDocument={"uri": uri, "version": self.version},
                  contentChanges=[{"text": text}])

    def change(self, uri, text):
        """What is published of it."""
        self.type(uri, text)
        return self.published(uri, self.version)

    def close(self, uri):
        self.tell("textDocument/didClose", textDocument={"uri": uri})
        return self.published(uri)

    def published(self, uri, version=None, code=None):
        """What is published of it: next, of a version, or when it has a code."""
        while True:
            message = self.receive()
            if message.get("method") != "textDocument/publishDiagnostics":
                continue
            params = message["params"]
            if params["uri"] == uri and version in (None, params["version"]) and (
                    not code or any(item["code"] == code for item in params["diagnostics"])):
                return params["diagnostics"]

    def end(self, shutdown=True):
        """The exit status, and what the server said on standard error."""
        if shutdown:
            self.ask("shutdown")
            self.tell("exit")
        return self.wait()

    def wait(self):
        self.process.stdin.close()
        errors = self.process.stderr.read().decode(errors="replace")
        self.process.stdout.close()
        self.process.stderr.close()
        status = self.process.wait()
        self.timer.cancel()
        return status, errors
