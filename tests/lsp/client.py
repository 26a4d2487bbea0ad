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
    """A session. Everything that waits for the server gives up after a minute."""

    def __init__(self, netc, encodings=None, initialize=True):
        self.process = subprocess.Popen([netc, "lsp"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.timer = threading.Timer(60, self.process.kill)
        self.timer.start()
        self.last_id = 0
        self.diagnostics = {}  # by URI, what was published last
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

    def take(self):
        """The next message; what it publishes is kept."""
        message = self.receive()
        if message.get("method") == "textDocument/publishDiagnostics":
            self.diagnostics[message["params"]["uri"]] = message["params"]["diagnostics"]
        return message

    def tell(self, method, **params):
        self.send({"jsonrpc": "2.0", "method": method, "params": params})

    def ask(self, method, **params):
        self.last_id += 1
        self.send({"jsonrpc": "2.0", "id": self.last_id, "method": method, "params": params})
        while (message := self.take()).get("id") != self.last_id:
            pass
        if "error" in message:
            raise Refused(message["error"])
        return message["result"]

    def open(self, uri, text):
        """What is published of it."""
        self.tell("textDocument/didOpen", textDocument={
            "uri": uri, "languageId": "net", "version": 1, "text": text})
        return self.published(uri)

    def change(self, uri, text, version=2):
        self.tell("textDocument/didChange", textDocument={"uri": uri, "version": version},
                  contentChanges=[{"text": text}])
        return self.published(uri)

    def close(self, uri):
        self.tell("textDocument/didClose", textDocument={"uri": uri})
        return self.published(uri)

    def published(self, uri):
        while True:
            message = self.take()
            if (message.get("params") or {}).get("uri") == uri:
                return message["params"]["diagnostics"]

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
