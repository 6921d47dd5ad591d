import json
import sys

import pytest
import structlog

from reconciler.cli.logs import configure_logs
from reconciler.errors import UsageError


class Stream:
    """A stderr that may be a terminal."""

    def __init__(self, terminal):
        self.terminal, self.text = terminal, ""

    def isatty(self):
        return self.terminal

    def write(self, text):
        self.text += text

    def flush(self):
        pass


@pytest.fixture
def logged(monkeypatch):
    """Give a function that logs one line with the given form and terminal, and gives what was written."""

    def log(form, *, terminal, broken=False):
        stream = Stream(terminal)
        monkeypatch.setattr(sys, "stderr", stream)
        configure_logs(form=form)
        logger = structlog.get_logger("test").bind(station="A1")
        if broken:
            try:
                raise ValueError("it broke")
            except ValueError:
                logger.exception("broken")
        else:
            logger.info("written", revision="c0ffee")
        return stream.text

    yield log
    structlog.reset_defaults()


@pytest.mark.parametrize(("form", "terminal"), [("json", True), ("json", False), ("", False)])
def test_machines_get_one_json_object_a_line(logged, form, terminal):
    line = json.loads(logged(form, terminal=terminal))
    assert (line["event"], line["level"], line["station"], line["revision"]) == ("written", "info", "A1", "c0ffee")
    assert line["timestamp"].endswith("Z")


@pytest.mark.parametrize(("form", "terminal"), [("text", False), ("text", True), ("", True)])
def test_people_get_text(logged, monkeypatch, form, terminal):
    monkeypatch.setenv("NO_COLOR", "1")
    text = logged(form, terminal=terminal)
    assert "written" in text
    assert "\x1b" not in text
    assert not text.startswith("{")


def test_an_exception_is_one_line_of_json_too(logged):
    text = logged("json", terminal=False, broken=True)
    assert text.count("\n") == 1
    assert "ValueError: it broke" in json.loads(text)["exception"]


def test_another_form_is_a_usage_error():
    with pytest.raises(UsageError, match="json or text, not 'xml'"):
        configure_logs(form="xml")
