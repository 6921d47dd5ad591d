from datetime import timedelta
from pathlib import Path

import pytest

from reconciler.cli.options import Address, cache_folder, read_address, read_duration, read_labels
from reconciler.errors import UsageError


@pytest.mark.parametrize(
    ("text", "host", "port", "loopback"),
    [
        ("127.0.0.1:8080", "127.0.0.1", 8080, True),
        ("localhost:0", "localhost", 0, True),
        ("0.0.0.0:80", "0.0.0.0", 80, False),
        ("[::1]:8080", "::1", 8080, True),
        ("gate.example:9000", "gate.example", 9000, False),
    ],
)
def test_an_address_knows_whether_others_can_reach_it(text, host, port, loopback):
    address = read_address("--listen", text)
    assert (address, address.is_loopback, str(address)) == (Address(host, port), loopback, text)


@pytest.mark.parametrize("text", ["8080", ":8080", "host:", "host:x", "host:70000", "host:-1"])
def test_what_is_no_address_is_refused(text):
    with pytest.raises(UsageError, match="--listen"):
        read_address("--listen", text)


def test_a_duration_is_read_as_in_manifests_and_above_zero():
    assert read_duration("--interval", "15m") == timedelta(minutes=15)
    for text in ("15", "0s"):
        with pytest.raises(UsageError, match="--interval"):
            read_duration("--interval", text)


def test_labels_come_one_by_one_or_set_apart_by_commas():
    assert read_labels(["line=night,row=a", "model="]) == {"line": "night", "row": "a", "model": ""}
    for text in ("line", "=night"):
        with pytest.raises(UsageError, match="key=value"):
            read_labels([text])


def test_copies_of_repositories_go_where_caches_go(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "fleet-profile-reconciler"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == Path.home() / ".cache" / "fleet-profile-reconciler"
