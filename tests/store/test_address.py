from pathlib import Path

import pytest

from reconciler.errors import UsageError
from reconciler.store.address import File, Server, read_address


@pytest.mark.parametrize("text", ["/var/lib/state.db", "sqlite:////var/lib/state.db"])
def test_a_path_and_its_url_are_the_same_file(text):
    assert read_address(text) == File(Path("/var/lib/state.db"))


def test_a_relative_path_is_one_of_this_folder():
    assert read_address("sqlite:///state.db") == read_address("state.db") == File(Path.cwd() / "state.db")


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+asyncpg"])
def test_every_spelling_of_postgresql_is_understood(scheme):
    address = read_address(f"{scheme}://keeper:secret@db.example.org:5433/harbour?sslmode=require")
    assert isinstance(address, Server)
    assert address.url.drivername == "postgresql+asyncpg"
    assert address.url.query == {"ssl": "require"}
    assert str(address) == "PostgreSQL at db.example.org:5433, database harbour"


def test_a_server_behind_a_socket_shows_its_folder():
    address = read_address("postgresql://keeper@/harbour?host=/run/postgresql")
    assert str(address) == "PostgreSQL at /run/postgresql, database harbour"


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":memory:",
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite://host/secret.db",
        "sqlite:///state.db?secret=1",
        "mysql://keeper:secret@host/db",
        "://secret",
        "postgresql://keeper:secret@host:port/db",
        "postgresql://keeper:secret@host/db?secrets=1",
    ],
)
def test_an_address_that_can_not_be_right_is_refused_without_showing_a_password(text):
    with pytest.raises(UsageError) as refused:
        read_address(text)
    assert "keeper:secret" not in str(refused.value)
