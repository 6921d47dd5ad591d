"""Folders and repositories of a small fleet, and how a command line is run."""

import json
import subprocess
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from typer.testing import CliRunner

from reconciler.cli.main import app
from reconciler.reported.saved import write_state
from revisions import MONDAY, YARD


@pytest.fixture
def run():
    """Give a function that runs a command line in this process."""

    def invoke(*arguments, stdin=None):
        return CliRunner().invoke(app, [str(argument) for argument in arguments], input=stdin)

    return invoke


@pytest.fixture
def git():
    """Give a function that runs git in a folder."""

    def execute(folder, *arguments):
        identity = ("-c", "user.name=Ann", "-c", "user.email=ann@example.org", "-c", "commit.gpgsign=false")
        done = subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    return execute


@pytest.fixture
def edit():
    """Give a function that replaces a text in the yard of a folder."""

    def change(folder, old, new):
        path = folder / "yard.yaml"
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new))

    return change


@pytest.fixture
def folder(tmp_path):
    """Give a folder with the yard in it, and no repository."""
    (tmp_path / "yard").mkdir()
    (tmp_path / "yard" / "yard.yaml").write_text(YARD)
    return tmp_path / "yard"


@pytest.fixture
def repository(folder, git):
    """Give the yard with one commit."""
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "Begin")
    return folder


@pytest.fixture
def state_file(tmp_path):
    """Give a function that saves reported state to a file."""

    def save(stations, commit=""):
        path = tmp_path / "state.json"
        path.write_text(json.dumps(write_state(stations.values(), MONDAY, commit)))
        return path

    return save


@pytest.fixture
def answering():
    """Give a function that starts a server on this machine, with fixed answers by path."""
    servers = []

    def start(answers):
        class Answers(BaseHTTPRequestHandler):
            def do_GET(self):
                body = json.dumps(answers[self.path]).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                """Say nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        thread = Thread(target=server.serve_forever)
        thread.start()
        servers.append((server, thread))
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server, thread in servers:
        server.shutdown()
        thread.join()
        server.server_close()


class Answers:
    """What the server of a test answers by path, where the next page is, and what it was asked."""

    def __init__(self):
        self.by_path, self.asked, self.status, self.links = {}, [], 200, {}

    def take(self, method, path, body):
        self.asked.append((method, path, body))
        return self.status, self.by_path.get(path.partition("?")[0], {"error": "nothing here", "hint": "look"})


@pytest.fixture
def answers():
    return Answers()


def server_of(handler):
    return f"http://{handler.headers['Host']}"


@pytest.fixture
def server(answers):
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            length = int(self.headers.get("Content-Length") or 0)
            status, content = answers.take(self.command, self.path, self.rfile.read(length))
            text = content if isinstance(content, bytes) else json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            if self.path in answers.links:
                self.send_header("Link", f'<{server_of(self)}{answers.links[self.path]}>; rel="next"')
            self.end_headers()
            self.wfile.write(text)

        do_POST = do_GET  # noqa: N815 - the library finds it by this name

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        thread = Thread(target=listening.serve_forever, args=(0.02,))
        thread.start()
        yield f"http://127.0.0.1:{listening.server_port}"
        listening.shutdown()
        thread.join()


@pytest.fixture
def reconciler(server):
    def run(*words, stdin=None):
        return CliRunner().invoke(app, words, input=stdin, env={"RECONCILER_SERVER": server})

    return run
