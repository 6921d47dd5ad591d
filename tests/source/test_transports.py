"""A fleet is read over https and ssh as it is from a path: with real servers on this machine."""

import functools
import shutil
import ssl
import subprocess
import threading
from base64 import b64encode
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from reconciler.errors import Transient
from reconciler.source.repository import GitSource

USER, PASSWORD = "fleet", "swordfish-17"


class Door(SimpleHTTPRequestHandler):
    """Serves a bare repository's files to whoever knows the password."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        wanted = "Basic " + b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if self.headers.get("Authorization") == wanted:
            return super().do_GET()
        self.send_response(401)
        self.send_header("WWW-Authenticate", 'Basic realm="fleets"')
        self.send_header("Content-Length", "0")
        self.end_headers()
        return None

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def certificate(tmp_path):
    """Give a certificate for localhost, and its key."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is needed to make a certificate")
    files = tmp_path / "cert.pem", tmp_path / "key.pem"
    subject = ("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days", "2")
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    out = ("-out", files[0], "-keyout", files[1])
    subprocess.run([openssl, "req", "-x509", *key, *subject, *out], check=True, capture_output=True)
    return files


@pytest.fixture
def https(repository, certificate, tmp_path, monkeypatch):
    """Serve the repository over TLS; give its URL without the user."""
    bare = tmp_path / "served" / "fleet.git"
    subprocess.run(["git", "clone", "--quiet", "--bare", repository.path, bare], check=True)
    subprocess.run(["git", "update-server-info"], cwd=bare, check=True)
    server = ThreadingHTTPServer(("localhost", 0), functools.partial(Door, directory=bare.parent))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setenv("GIT_SSL_CAINFO", str(certificate[0]))
    yield f"localhost:{server.server_port}/fleet.git"
    server.shutdown()
    thread.join()
    server.server_close()


async def test_a_fleet_is_read_over_https_with_a_password(https, repository, cache):
    source = GitSource(f"https://{USER}:{PASSWORD}@{https}", "main", cache_dir=cache)
    snapshot = await source.fetch()
    assert snapshot.commit == repository.git("rev-parse", "main")
    assert "fleet.yaml" in snapshot.files


async def test_a_wrong_password_is_transient_and_never_repeated(https, cache):
    source = GitSource(f"https://{USER}:not-{PASSWORD}@{https}", "main", cache_dir=cache)
    with pytest.raises(Transient) as caught:
        await source.fetch()
    assert PASSWORD not in str(caught.value)


async def test_a_server_that_nobody_vouches_for_is_not_believed(https, cache, monkeypatch):
    monkeypatch.delenv("GIT_SSL_CAINFO")
    source = GitSource(f"https://{USER}:{PASSWORD}@{https}", "main", cache_dir=cache)
    with pytest.raises(Transient):
        await source.fetch()


@pytest.mark.parametrize("form", ["ssh://git@fleets.example.org{path}", "git@fleets.example.org:{path}"])
async def test_a_fleet_is_read_over_ssh(repository, cache, tmp_path, monkeypatch, form):
    """Let a program in ssh's place run the command here that git asks the far end to run."""
    program = tmp_path / "far-end"
    program.write_text('#!/bin/sh\nfor last; do :; done\nexec sh -c "$last"\n')
    program.chmod(0o755)
    monkeypatch.setenv("GIT_SSH_COMMAND", str(program))
    source = GitSource(form.format(path=repository.path), "main", cache_dir=cache)
    assert (await source.fetch()).commit == repository.git("rev-parse", "main")
