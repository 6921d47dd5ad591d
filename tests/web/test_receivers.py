from datetime import UTC, datetime

import pytest

from reconciler.errors import ManifestError
from reconciler.web.notices import Event, Notice
from reconciler.web.receivers import Receiver, address

NOW = datetime(2026, 3, 3, 17, 0, tzinfo=UTC)
ABORTED = Notice(Event.ABORTED, NOW, "yard", 'A1: "Rejected"', "c0ffee", 1, 3)
STORM = Notice(Event.DRIFT_STORM, NOW, "yard", "9 of 12 drifted")
HOOK, TOKEN = "https://chat.example.org/hooks/s3cret-path", "t0ken"


def test_a_webhook_without_a_template_gets_all_fields():
    letter = address(Receiver("webhook", HOOK), ABORTED)
    assert (letter.url, letter.headers) == (HOOK, {})
    assert letter.content == {
        "event": "aborted",
        "at": "2026-03-03T17:00:00Z",
        "fleet": "yard",
        "message": 'A1: "Rejected"',
        "commit": "c0ffee",
        "wave": 1,
        "waves": 3,
    }


def test_a_text_is_rendered_and_an_object_in_all_its_parts_so_that_quotes_break_nothing():
    text = Receiver("webhook", HOOK, template="{{ fleet }}: {{ message }}")
    assert address(text, ABORTED).content == 'yard: A1: "Rejected"'
    parts = {"text": "{{ event }}: {{ message }}", "blocks": [{"n": 7, "wave": "{{ wave }} of {{ waves }}"}]}
    assert address(Receiver("webhook", HOOK, template=parts), ABORTED).content == {
        "text": 'aborted: A1: "Rejected"',
        "blocks": [{"n": 7, "wave": "1 of 3"}],
    }


def test_a_token_goes_where_each_system_expects_it():
    assert address(Receiver("webhook", HOOK, TOKEN), ABORTED).headers == {"Authorization": "Bearer t0ken"}
    assert address(Receiver("github", HOOK, TOKEN), ABORTED).headers["Authorization"] == "Bearer t0ken"
    assert address(Receiver("gitlab", HOOK, TOKEN), ABORTED).headers == {"PRIVATE-TOKEN": "t0ken"}
    assert address(Receiver("gitlab", HOOK), ABORTED).headers == {}


@pytest.mark.parametrize(
    ("kind", "event", "state"),
    [
        ("github", Event.STARTED, "pending"),
        ("github", Event.ABORTED, "failure"),
        ("github", Event.COMPLETE, "success"),
        ("gitlab", Event.WAVE_DONE, "running"),
        ("gitlab", Event.REFUSED, "failed"),
        ("gitlab", Event.COMPLETE, "success"),
    ],
)
def test_a_commit_status_is_put_on_the_commit(kind, event, state):
    receiver = Receiver(kind, "https://git.example.org/api/repos/acme/fleets/", TOKEN)
    letter = address(receiver, Notice(event, NOW, "yard", "words", "c0ffee"))
    assert letter.url == "https://git.example.org/api/repos/acme/fleets/statuses/c0ffee"
    assert (letter.content["state"], letter.content["description"]) == (state, f"{event.value}: words")


def test_a_description_is_short_and_on_one_line():
    receiver = Receiver("github", HOOK, template="{{ message }}\n{{ message }}")
    words = address(receiver, Notice(Event.STARTED, NOW, "yard", "x" * 100, "c0ffee")).content["description"]
    assert (len(words), words[-1], "\n" in words) == (140, "…", False)


def test_a_template_for_a_webhook_does_not_change_the_words_of_a_status():
    receiver = Receiver("github", HOOK, template={"text": "x"})
    assert address(receiver, ABORTED).content["description"] == 'aborted: A1: "Rejected"'


def test_a_receiver_hears_of_what_it_asked_for_and_a_status_only_of_commits():
    assert Receiver("webhook", HOOK).wants(STORM)
    assert not Receiver("webhook", HOOK, events=frozenset({Event.ABORTED})).wants(STORM)
    assert Receiver("github", HOOK).wants(ABORTED)
    assert not Receiver("github", HOOK).wants(STORM)


def test_no_secret_is_ever_shown():
    receiver = Receiver("webhook", HOOK, TOKEN)
    letter = address(receiver, ABORTED)
    for shown in (repr(receiver), receiver.shown, repr(letter), str(letter)):
        assert TOKEN not in shown
        assert "s3cret" not in shown
    assert receiver.shown == "webhook at chat.example.org"


def test_a_template_that_asks_for_what_is_not_there_is_the_authors_error():
    with pytest.raises(ManifestError, match="station"):
        address(Receiver("webhook", HOOK, template="{{ station }}"), ABORTED)
