from pathlib import Path

import pytest

from reconciler.errors import UsageError
from reconciler.source.address import parse_address, redact


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://example.org/fleet.git", "https://example.org/fleet.git"),
        ("ssh://git@example.org:22/fleet.git", "ssh://git@example.org:22/fleet.git"),
        ("git@example.org:team/fleet.git", "git@example.org:team/fleet.git"),
        ("file:///srv/fleet.git", "file:///srv/fleet.git"),
        ("HTTPS://example.org/fleet.git", "https://example.org/fleet.git"),
    ],
)
def test_urls_over_safe_protocols_are_taken(text, url):
    assert parse_address(text).url == url


def test_everything_else_is_a_path(tmp_path):
    assert parse_address("fleets/harbour-buses").path == Path("fleets/harbour-buses")
    odd = tmp_path / "host:fleet"
    odd.mkdir()
    assert parse_address(str(odd)).path == odd
    assert str(parse_address(str(odd))) == str(odd)


@pytest.mark.parametrize(
    "text",
    [
        "ext::sh -c touch% /tmp/owned",
        "fd::17",
        "http://example.org/fleet.git",
        "git://example.org/fleet.git",
        "ftp://example.org/fleet.git",
        "ext::https://example.org/x",
        "--upload-pack=touch owned",
        "ssh://-oProxyCommand=touch/x",
        "https://a\nb",
        "",
    ],
)
def test_what_git_might_run_or_send_in_clear_is_refused(text):
    with pytest.raises(UsageError, match="https, ssh or file"):
        parse_address(text)


@pytest.mark.parametrize("user", ["ann:secret", "secret"])
def test_credentials_are_kept_out_of_the_url_and_of_every_text(user):
    address = parse_address(f"https://{user}@example.org/fleet.git")
    assert address.credentials == (
        f"url.https://{user}@example.org/fleet.git.insteadOf",
        "https://example.org/fleet.git",
    )
    assert "secret" not in f"{address} {address!r} {address.url}"


def test_a_password_for_ssh_is_dropped_for_ssh_takes_none():
    assert parse_address("ssh://git:secret@example.org/x").url == "ssh://git@example.org/x"


def test_what_git_says_is_shown_without_credentials():
    said = "fatal: unable to access 'https://ann:secret@example.org/x/': no"
    assert redact(said) == "fatal: unable to access 'https://***@example.org/x/': no"
