"""A real PostgreSQL that lives as long as the tests, and a wire to it that can be cut."""

import asyncio
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from contextlib import asynccontextmanager, suppress
from itertools import count
from pathlib import Path

PASSWORD = "a:secret/word"
QUOTED = "a%3Asecret%2Fword"


def server_binaries():
    """Give the folder of the newest server's programs, or None."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    found = installed[-1] if installed else shutil.which("postgres")
    return Path(found).parent if found else None


class Cluster:
    """One server in a folder of its own; it refuses to run as root, so root runs it as somebody else.

    Tests do not wait for the disk, and measurements do (`safe`).
    """

    def __init__(self, binaries, *, safe=False):
        self.binaries = binaries
        self._settings = [] if safe else ["-F"]
        self.folder = Path(tempfile.mkdtemp(prefix="postgres-"))
        self.port = _free_port()
        self._numbers = count(1)
        self._user = _other_user() if os.geteuid() == 0 else None
        if self._user:
            os.chown(self.folder, self._user.pw_uid, self._user.pw_gid)
        secret = self.folder / "password"
        secret.write_text(PASSWORD)
        secret.chmod(0o644)
        initdb = ["initdb", "-D", self.data, "-U", "keeper", "--no-sync", "-A", "scram-sha-256", f"--pwfile={secret}"]
        self._run([*initdb, "--locale=C", "--encoding=UTF8"])
        self.start()

    @property
    def data(self):
        return self.folder / "data"

    def start(self):
        options = [
            *self._settings,
            "-k",
            self.folder,
            "-h",
            "127.0.0.1",
            "-p",
            str(self.port),
            "-c",
            "max_connections=40",
        ]
        self._server = self._begin([self.binaries / "postgres", "-D", self.data, *options])
        ready = [self.binaries / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port), "-t", "1"]
        for _ in range(200):
            if subprocess.run(ready, check=False).returncode == 0:
                return
            with suppress(subprocess.TimeoutExpired):
                self._server.wait(0.05)
        raise AssertionError((self.folder / "log").read_text())

    def crash(self):
        """End the server without any goodbye."""
        self._server.send_signal(signal.SIGQUIT)
        self._server.wait(20)

    def stop(self):
        if self._server.poll() is None:
            self.crash()
        shutil.rmtree(self.folder, ignore_errors=True)

    def fresh(self):
        """Make an empty database and give its URL."""
        name = f"fleet_{next(self._numbers)}"
        self.sql("postgres", f"CREATE DATABASE {name}")
        return self.url(name)

    def url(self, name, password=QUOTED, port=0):
        return f"postgresql://keeper:{password}@127.0.0.1:{port or self.port}/{name}"

    def sql(self, name, statement):
        """Run a statement as the database's keeper would; give what it prints."""
        psql = [self.binaries / "psql", "-qAtX", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", str(self.port)]
        environment = {**os.environ, "PGPASSWORD": PASSWORD}
        done = subprocess.run(
            [*psql, "-U", "keeper", "-d", name, "-c", statement],
            env=environment,
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout.strip()

    def _run(self, command):
        assert self._begin([self.binaries / command[0], *command[1:]]).wait(60) == 0, (self.folder / "log").read_text()

    def _begin(self, command):
        identity = {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []} if self._user else {}
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(command, cwd=self.folder, stdout=log, stderr=log, **identity)


def _other_user():
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            return pwd.getpwnam(name)
    raise AssertionError("there is nobody to run PostgreSQL as")


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Wire:
    """A wire to a server: it breaks when it carries a message, or when it would carry the answer to one."""

    def __init__(self, port):
        self._target = port
        self._fatal = None
        self._arrives = True
        self._writers = set()

    def lose(self, message):
        self._fatal, self._arrives = message, False

    def lose_the_answer_to(self, message):
        self._fatal, self._arrives = message, True

    @asynccontextmanager
    async def laid(self):
        """Listen, and give the port."""
        server = await asyncio.start_server(self._join, "127.0.0.1", 0)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()
            self._cut(self._writers)
            await server.wait_closed()

    async def _join(self, reader, writer):
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
        pair = {writer, far_writer}
        self._writers |= pair
        doomed = asyncio.Event()
        await asyncio.gather(
            self._carry(reader, far_writer, doomed, watch=True), self._carry(far_reader, writer, doomed, watch=False)
        )
        self._writers -= pair

    async def _carry(self, reader, writer, doomed, *, watch):
        with suppress(OSError):
            while data := await reader.read(65536):
                if watch and self._fatal and self._fatal in data:
                    self._fatal = None
                    doomed.set()
                    if not self._arrives:
                        break
                elif doomed.is_set() and not watch:
                    break
                writer.write(data)
                await writer.drain()
        self._cut(self._writers if doomed.is_set() else {writer})

    def _cut(self, writers):
        for writer in tuple(writers):
            writer.transport.abort()
