from pathlib import Path

import pytest

from reconciler.cli.receivers import LARGEST, read_receivers
from reconciler.errors import UsageError
from reconciler.web.notices import Event

GOOD = """\
receivers:
  - url: https://chat.example.org/hooks/s3cret
    token: CHAT_TOKEN
    events: [aborted, drift-storm]
    template: {text: "{{ event }}: {{ message }}"}
  - {kind: github, url: https://api.github.com/repos/acme/fleets}
"""


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.setenv("CHAT_TOKEN", "t0ken\n")

    def write(text):
        path = tmp_path / "notify.yaml"
        path.write_text(text)
        return path

    return write


def one(url="https://x.example.org/", **fields):
    more = "".join(f", {name}: {value}" for name, value in fields.items())
    return f'receivers: [{{url: "{url}"{more}}}]'


def test_receivers_are_read_and_tokens_come_from_the_environment(file):
    chat, github = read_receivers(file(GOOD))
    assert (chat.kind, chat.url, chat.token) == ("webhook", "https://chat.example.org/hooks/s3cret", "t0ken")
    assert chat.events == {Event.ABORTED, Event.DRIFT_STORM}
    assert chat.template == {"text": "{{ event }}: {{ message }}"}
    assert (github.kind, github.token, github.events, github.template) == ("github", "", frozenset(), None)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("receivers: [", "is no YAML"),
        ("[]", "notify.yaml: : "),
        (one(kind="fax"), "receivers.0.kind"),
        (one(events="[lunch]"), "receivers.0.events.0"),
        (one(colour="red"), "receivers.0.colour"),
        (one(token="not-a-name"), "receivers.0.token"),
        (one(token="NO_SUCH_TOKEN"), "the environment has no NO_SUCH_TOKEN"),
        (one(token="ODD_TOKEN"), "no header can carry"),
        (one(template='"{{ station }}"'), "receivers.0: template"),
        (one(template='"{% if %}"'), "receivers.0: template"),
        (one("ftp://x.example.org/"), "http:// or https://"),
        (one("https:///hooks"), "http:// or https://"),
        (one("https://x:99999999/"), "http:// or https://"),
        (one("https://joe:hunter2@x.example.org/"), "carries a password"),
        (one("http://x.example.org/", token="CHAT_TOKEN"), "use https://"),
        ("x" * (LARGEST + 1), "is longer than"),
    ],
)
def test_what_cannot_be_done_is_told_without_a_secret(file, monkeypatch, text, words):
    monkeypatch.setenv("ODD_TOKEN", "tök€n")
    with pytest.raises(UsageError) as raised:
        read_receivers(file(text))
    assert words in str(raised.value)
    assert "hunter2" not in str(raised.value)
    assert "tök€n" not in str(raised.value)


def test_a_file_that_is_not_there_or_no_text_is_told(tmp_path):
    with pytest.raises(UsageError, match="can't be read"):
        read_receivers(tmp_path / "nothing.yaml")
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="can't be read"):
        read_receivers(tmp_path / "bytes")


def test_the_example_of_the_operators_page_can_be_used(file, monkeypatch):
    for name in ("CHAT_TOKEN", "GITHUB_TOKEN", "GITLAB_TOKEN"):
        monkeypatch.setenv(name, name.lower())
    page = (Path(__file__).parents[2] / "docs" / "operations.md").read_text()
    example = page.split("```yaml\n")[1].split("```")[0]
    assert [each.kind for each in read_receivers(file(example))] == ["webhook", "github", "gitlab"]


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/", "http://localhost/", "http://[::1]/"])
def test_a_token_may_go_to_this_machine_without_encryption(file, url):
    (receiver,) = read_receivers(file(one(url, token="CHAT_TOKEN")))
    assert receiver.token == "t0ken"
