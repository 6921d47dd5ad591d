"""Passwords of stations as salted hashes: the file behind `--auth`, and the check of HTTP Basic.

A line is `identity:scrypt$N$r$p$salt$hash`, salt and hash in base64; empty lines and `#` are passed over. No password
is kept or logged: what was proved once is remembered as a keyed digest, so that a storm of reconnects costs next to
nothing.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
from base64 import b64decode, b64encode
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from reconciler.errors import UsageError

COST = (1 << 12, 8, 1)
"""N, r and p of scrypt: some 10 ms. A station's password is 16 characters of chance or more, not a word of people."""
MAX_MEMORY = 1 << 26
REMEMBERED = 20_000
MAX_FILE = 16 << 20


@dataclass(frozen=True, slots=True)
class Record:
    """One salted hash with the cost it was made at."""

    cost: tuple[int, int, int]
    salt: bytes
    digest: bytes

    def matches(self, password: bytes) -> bool:
        """Hash and compare, in a time that tells nothing."""
        return hmac.compare_digest(_scrypt(password, self.salt, self.cost), self.digest)


def hash_password(password: str) -> str:
    """Hash a new password for the file, without the identity."""
    salt = secrets.token_bytes(16)
    digest = _scrypt(password.encode(), salt, COST)
    numbers = "$".join(str(number) for number in COST)
    return f"scrypt${numbers}${b64encode(salt).decode()}${b64encode(digest).decode()}"


class Credentials:
    """Who may connect with which password; the file is read again when it changes."""

    def __init__(self, records: Mapping[str, Record], path: Path | None = None, remembered: int = REMEMBERED) -> None:
        self._records, self._path, self._most = dict(records), path, remembered
        self._stamp = _stamp(path)
        self._key = secrets.token_bytes(32)
        self._proved: OrderedDict[bytes, bool] = OrderedDict()
        self._refuted: OrderedDict[bytes, bool] = OrderedDict()
        self._threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="scrypt")
        self._nobody = _read_record(hash_password(secrets.token_hex()))

    @classmethod
    def load(cls, path: Path) -> Credentials:
        """Read a file.

        Raises:
            UsageError: it can't be read, or a line is not what it should be; no content is repeated.
        """
        return cls(_read_file(path), path)

    async def verify(self, identity: str, password: bytes) -> bool:
        """Say whether this is the station's password; an identity without one takes as long to refuse."""
        self._refresh()
        record = self._records.get(identity.casefold())
        digest = self._digest(identity, password, record)
        for verdicts in (self._proved, self._refuted):
            if digest in verdicts:
                verdicts.move_to_end(digest)
                return verdicts[digest]
        loop = asyncio.get_running_loop()
        same = await loop.run_in_executor(self._threads, (record or self._nobody).matches, password)
        return self._remember(digest, proved=same and record is not None)

    def close(self) -> None:
        """Let the threads go."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _remember(self, digest: bytes, *, proved: bool) -> bool:
        verdicts = self._proved if proved else self._refuted
        verdicts[digest] = proved
        if len(verdicts) > self._most:
            verdicts.popitem(last=False)
        return proved

    def _digest(self, identity: str, password: bytes, record: Record | None) -> bytes:
        digest = hmac.new(self._key, identity.casefold().encode(), "sha256")
        for part in (password, record.digest if record else b""):
            digest.update(len(part).to_bytes(8, "big") + part)
        return digest.digest()

    def _refresh(self) -> None:
        stamp = _stamp(self._path)
        if self._path is None or stamp in (None, self._stamp):
            return
        self._stamp = stamp
        try:
            self._records = _read_file(self._path)
        except UsageError:
            # A file that is being edited must not lock the fleet out: the last good one stays.
            return


def _scrypt(password: bytes, salt: bytes, cost: tuple[int, int, int]) -> bytes:
    n, r, p = cost
    return hashlib.scrypt(password, salt=salt, n=n, r=r, p=p, maxmem=MAX_MEMORY, dklen=32)


def _stamp(path: Path | None) -> tuple[int, int] | None:
    try:
        found = path.stat() if path else None
    except OSError:
        return None
    return None if found is None else (found.st_mtime_ns, found.st_size)


def _read_file(path: Path) -> dict[str, Record]:
    try:
        if path.stat().st_size > MAX_FILE:
            raise UsageError(f"{path}: larger than {MAX_FILE} bytes")
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: can't be read ({type(error).__name__})") from error
    return dict(_read_lines(path, lines))


def _read_lines(path: Path, lines: list[str]) -> Iterator[tuple[str, Record]]:
    for number, line in enumerate(lines, start=1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        identity, _, record = text.partition(":")
        try:
            yield identity.strip().casefold(), _read_record(record.strip())
        except ValueError:
            raise UsageError(f"{path}:{number}: not of the form identity:scrypt$N$r$p$salt$hash") from None


def _read_record(text: str) -> Record:
    scheme, *cost, salt, digest = text.split("$")
    n, r, p = (int(number) for number in cost)
    payable = n > 1 and n & (n - 1) == 0 and r > 0 and 0 < p <= 16 and 128 * r * (n + p + 2) <= MAX_MEMORY
    record = Record((n, r, p), b64decode(salt, validate=True), b64decode(digest, validate=True))
    if scheme != "scrypt" or len(record.digest) != 32 or not payable:
        raise ValueError(scheme)
    return record
