from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.cli.options import Address, cache_folder, read_address, read_duration, read_instant, read_labels
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


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2027-03-01T12:00:00Z", datetime(2027, 3, 1, 12, tzinfo=UTC)),
        ("2027-03-01 13:30:00+01:30", datetime(2027, 3, 1, 12, tzinfo=UTC)),
        ("2027-03-01T12:00:00.25Z", datetime(2027, 3, 1, 12, 0, 0, 250000, tzinfo=UTC)),
    ],
)
def test_an_instant_becomes_utc(text, instant):
    read = read_instant("--at", text)
    assert read == instant
    assert read.tzinfo is UTC


@pytest.mark.parametrize(
    "text", ["2027-03-01T12:00:00", "2027-03-01", "2027-02-30T12:00:00Z", "0001-01-01T00:00:00+23:00", "now"]
)
def test_an_instant_without_zone_or_calendar_is_refused_with_what_the_option_takes(text):
    with pytest.raises(UsageError, match=r"--since takes 2h, or an instant with its zone.*, not '"):
        read_instant("--since", text, "2h, or ")


@given(st.integers(0, 7_000_000_000), st.integers(0, 999_999))
def test_an_instant_survives_being_written(seconds, micros):
    instant = datetime.fromtimestamp(seconds, UTC).replace(microsecond=micros)
    assert read_instant("--at", instant.isoformat()) == instant


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
