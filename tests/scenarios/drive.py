"""Plays the section `drive` of a scenario, step by step, and looks after each step."""

from zoneinfo import ZoneInfo

from reconciler.errors import RevisionError
from reconciler.reported.events import ReportedProfile
from scenarios.manifests import edit, load
from scenarios.reported import read_foreign, read_station
from scenarios.words import check_powers, read_duration, read_instant, read_names
from scenarios.yard import ANSWERS, Toy, Yard

THE_EDIT = "the edit"
ACTIONS = {"connect", "disconnect", "reboot", "reboot and forget", "commit", "wait", "until", "from now on", "foreign"}
LOOKS = {"writes", "states", "says", "holds", "errors"}
CONDUCT = {"refuses", "answers", "habits"}


class Drive:
    """One scenario's drive: the yard, and the documents that are in force in it."""

    def __init__(self, documents, revision, toys, patch, now):
        self.documents, self.patch = documents, patch
        self.yard = Yard(revision, toys, now)
        self.zone = ZoneInfo(revision.fleet.timezone)
        self.commits, self.errors, self.force = 0, (), ""

    def play(self, steps):
        """Play all steps; give the number of writes they took."""
        for number, said in enumerate(steps, 1):
            action, then = _read_step(said)
            before = self.yard.writes
            self.errors, self.force = (), said.get("force", "")
            self._act(action, said[action])
            try:
                self._look(then, before)
            except AssertionError as error:
                raise AssertionError(f"drive, step {number} ({action} {said[action]}): {error}") from error
        return self.yard.writes

    def _act(self, action, what):
        match action:
            case "wait":
                self.yard.wait(self.yard.now + read_duration(what))
            case "until":
                self.yard.wait(read_instant(what, self.zone))
            case "commit":
                self._commit(self.patch if what == THE_EDIT else what)
            case "from now on":
                self._conduct(what)
            case "foreign":
                for names, said in what.items():
                    for name in read_names(names):
                        held = read_foreign(said)
                        self.yard.toys[name].held[held.profile.id] = ReportedProfile(held.profile, held.source)
            case _:
                self._link(action, read_names(what))

    def _link(self, action, names):
        for name in names:
            if action == "reboot and forget":
                self.yard.toys[name].held.clear()
            if action == "connect" and name not in self.yard.toys:
                told = read_station(name, {}, (None, self.yard.revision), self.yard.now, self.zone)
                self.yard.toys[name] = Toy(name, told.capability)
            {"connect": self.yard.connect, "disconnect": self.yard.disconnect}.get(action, self.yard.boot)(name)

    def _commit(self, patch):
        documents = edit(self.documents, patch)
        self.commits += 1
        try:
            before = None if self.force else self.yard.revision
            revision = load(documents, f"commit {self.commits}", self.yard.now, before)
        except RevisionError as error:
            self.errors = error.errors
            return
        self.documents = documents
        self.yard.commit(revision)

    def _conduct(self, what):
        for names, said in what.items():
            assert set(said) <= CONDUCT, f"from now on: unknown {sorted(set(said) - CONDUCT)}"
            for name in read_names(names):
                assert said.get("answers", ANSWERS[0]) in ANSWERS, f"from now on: unknown answers in {said}"
                for key, value in said.items():
                    setattr(self.yard.toys[name], key, value)

    def _look(self, then, before):
        assert set(then) <= LOOKS, f"then: unknown {sorted(set(then) - LOOKS)}"
        states = {name: self.yard.standing(name) for name in self.yard.toys}
        written = self.yard.writes - before
        assert then.get("writes", written) == written, f"{written} writes; stations are {states}"
        check_errors(self.errors, then.get("errors", []))
        for names, state in then.get("states", {}).items():
            for name in read_names(names):
                assert states[name][0] == state, f"{name} is {states[name]}"
        for names, words in then.get("says", {}).items():
            for name in read_names(names):
                assert words in states[name][1], f"{name} says {states[name]}"
        for names, places in then.get("holds", {}).items():
            for name in read_names(names):
                self._check_held(name, places)

    def _check_held(self, name, places):
        for place, said in places.items():
            profile = self.yard.toys[name].place(place)
            assert (profile is None) == (said == "nothing"), f"{name} {place} is {profile}"
            if profile is not None:
                check_powers(profile, said, self.yard.now, self.zone)


def check_errors(errors, expected):
    """Hold the errors of a refused revision against what is expected: as many, and of these rules and documents."""
    told = "\n".join(map(str, errors))
    assert sorted(each.rule for each in errors) == sorted(each["rule"] for each in expected), f"errors are:\n{told}"
    for each in expected:
        assert any(_is_meant(error, each) for error in errors), f"no error is {each}; errors are:\n{told}"


def _is_meant(error, said):
    assert set(said) <= {"rule", "in", "field", "line", "says"}, f"errors: unknown key in {said}"
    file = error.place.file.removesuffix(".yaml")
    checks = (("rule", error.rule), ("in", file), ("field", error.field), ("line", error.place.line))
    return all(said.get(key, value) == value for key, value in checks) and said.get("says", "") in str(error)


def _read_step(said):
    actions = set(said) & ACTIONS
    assert len(actions) == 1, f"drive: {sorted(said)} is no step"
    more = {"then", "force"} if "commit" in actions else {"then"}
    assert set(said) <= actions | more, f"drive: unknown {sorted(set(said) - actions)}"
    return actions.pop(), said.get("then") or {}
