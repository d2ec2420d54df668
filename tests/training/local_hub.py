"""A stand-in for the Hugging Face hub on this machine: the few answers that its client asks for.

Every answer is made from files; nothing is recorded. Requests are counted, and the client's headers kept.
"""

import hashlib
import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

COMMIT = "5f" * 20


@dataclass
class LocalHub:
    """Files by repository and name, and what may go wrong with them."""

    files: dict[str, dict[str, Path]]
    states: dict[str, str] = field(default_factory=dict)
    """sha256 stated for a file, where it is not the file's own."""
    cut_bytes: int = 0
    """Bytes left out at the end of each file."""
    asked: list[tuple[str, str, str | None]] = field(default_factory=list)
    """Method, path and authorisation of each request."""
    endpoint: str = ""

    def sha256(self, name, path):
        return self.states.get(name) or hashlib.sha256(path.read_bytes()).hexdigest()


class _Server(ThreadingHTTPServer):
    hub: LocalHub


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, *_):
        pass

    def do_HEAD(self):
        self.answer()

    def do_GET(self):
        self.answer()

    def answer(self):
        path = self.path.partition("?")[0]
        self.server.hub.asked.append((self.command, path, self.headers.get("Authorization")))
        match path.strip("/").split("/"):
            case ["api", "models", owner, name, *rest]:
                self.model_info(f"{owner}/{name}", rest)
            case [owner, name, "resolve", _, file]:
                self.file(f"{owner}/{name}", file)
            case _:
                self.refuse("RepoNotFound")

    def model_info(self, repository, rest):
        files = self.server.hub.files.get(repository)
        if files is None:
            self.refuse("RepoNotFound")
            return
        if rest[:1] == ["revision"] and rest[1] not in ("main", COMMIT):
            self.refuse("RevisionNotFound")
            return
        siblings = []
        for name, path in files.items():
            size, sha256 = path.stat().st_size, self.server.hub.sha256(name, path)
            lfs = {"sha256": sha256, "size": size, "pointerSize": 134}
            siblings.append({"rfilename": name, "size": size, "lfs": lfs})
        content = {"_id": "0", "id": repository, "modelId": repository, "sha": COMMIT, "siblings": siblings}
        self.send(json.dumps(content).encode(), {"Content-Type": "application/json"})

    def file(self, repository, name):
        path = self.server.hub.files.get(repository, {}).get(name)
        if path is None:
            self.refuse("EntryNotFound")
            return
        content = path.read_bytes()
        headers = {
            "X-Repo-Commit": COMMIT,
            "ETag": f'"{self.server.hub.sha256(name, path)}"',
            "X-Linked-Size": str(len(content)),
            "Content-Type": "application/octet-stream",
        }
        cut = self.server.hub.cut_bytes if self.command == "GET" else 0
        self.send(content[: len(content) - cut], headers)

    def refuse(self, code):
        self.send(b"", {"X-Error-Code": code, "X-Error-Message": code}, status=404)

    def send(self, content, headers, *, status=200):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)


@contextmanager
def serve_hub(hub):
    """The hub at an address of its own, until the block ends."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.hub = hub
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    hub.endpoint = f"http://127.0.0.1:{server.server_port}"
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
