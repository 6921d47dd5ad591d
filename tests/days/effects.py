"""What writes do to the truth: no gap on the way, no site over its caps, and nothing that flows after a silence.

Only what the reconciler causes is counted: a station counts once its floor was verified, as long as nobody else has
touched it, and with what we sent it.
"""

from datetime import timedelta
from decimal import Decimal

from reconciler.profiles.composite import Situation, flow_at
from reconciler.profiles.timeline import combine, total
from reconciler.rollout.site import Caps, load_of

MARGIN = timedelta(hours=1)
SLACK_W = Decimal(2)
ZERO = Decimal(0)


def day_of(now):
    """Give a day's begin, so that loads are computed once a day."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0)


def excess(line, over, now):
    """Give the first instant from now on at which one timeline exceeds another by more than slack."""
    apart = combine((line, over), lambda powers: (powers[0] or ZERO) - (powers[1] or ZERO))
    for at in (now, *(at for at in apart.starts() if at > now)):
        if (apart.at(at) or ZERO) > SLACK_W:
            return f"{line.at(at)} W at {at:%d %H:%M}, {over.at(at)} W before"
    return None


class Effects:
    """Compares what stations hold before and after each write that they take."""

    def __init__(self, day, hold):
        self.day, self.hold = day, hold

    def caps(self, site):
        """Give a site's caps: the lowest of all revisions that its stations follow, and of the newest."""
        world = self.day.controller.world
        followed = [world.target(toy.key) for toy in self.day.toys.values() if self.day.site(toy) == site]
        caps = [each.caps[site] for each in (world.revision, *followed) if each is not None and site in each.caps]
        return Caps(min(each.import_w for each in caps), min(each.export_w for each in caps)) if caps else None

    def now_of(self, toy):
        """Give what is true now and may be changed by a write to a station."""
        return {"ours": toy.ours(), "sum": self._sums(toy)}

    def hold_after(self, toy, note):
        """Hold the truth after a write against the truth before it."""
        self._no_gap(toy, note.before["ours"], note.goal)
        self._caps_hold(toy, note)

    def _no_gap(self, toy, before, goal):
        """No looser limit on the way than the old one and the new one (I5); a floor is never taken away."""
        after = toy.ours()
        kept = 1000 not in before or 1000 in after or 1000 in toy.forgets
        self.hold(kept, "I5 floor", f"{toy.identity} lost its floor")
        if goal is None or 1000 not in before or 1000 not in after:
            return
        wanted = tuple(sorted(goal.profiles, key=lambda each: each.id))
        start = day_of(self.day.now)
        for evse in self.day.evses(toy):
            loads = [load_of(tuple(held), (evse,), start) for held in (before.values(), after.values(), wanted)]
            for side in ("draw", "feed"):
                old, new, meant = (getattr(load, side) for load in loads)
                most = combine((old, meant), lambda powers: max(power or ZERO for power in powers))
                found = excess(new, most, self.day.now)
                self.hold(found is None, "I5 no gap", f"{toy.identity} EVSE {evse[0]} {side}: {found}")

    def _counts(self, toy):
        return toy.floored and toy.clean and 1000 in toy.ours()

    def _sums(self, toy):
        site, start = self.day.site(toy), day_of(self.day.now)
        if site is None:
            return None
        loads = [
            load_of(tuple(other.ours().values()), self.day.evses(other), start)
            for _, other in sorted(self.day.toys.items())
            if self._counts(other) and self.day.site(other) == site
        ]
        return tuple(total((getattr(load, side), 1) for load in loads) for side in ("draw", "feed"))

    def _caps_hold(self, toy, note):
        """A write never brings the true sum of a site over a cap: the lowest of all that its stations follow (I8)."""
        before, after = note.before["sum"], self._sums(toy)
        was_under = 1000 in note.before["ours"]  # a floor that is put back lowers what flows
        if before is None or after is None or note.caps is None or not was_under or not self._counts(toy):
            return
        caps = (note.caps.import_w, note.caps.export_w)
        for name, cap, old, new in zip(("import", "export"), caps, before, after, strict=True):
            most = combine((old, new), lambda powers, cap=cap: max(powers[0] or ZERO, cap))
            found = excess(new, most, self.day.now)
            self.hold(
                found is None, "I8 site caps", f"{name} of {self.day.site(toy)} by {toy.identity}: {found}, cap {cap} W"
            )

    def nothing_flows(self, since):
        """After a silence longer than the lease nothing of ours flows anywhere (I4)."""
        for _, toy in sorted(self.day.toys.items()):
            if 1000 not in toy.ours():
                continue
            at = self.day.now + (toy.skew if toy.skew and abs(toy.skew) <= MARGIN else timedelta(0))
            for evse, _, _ in self.day.evses(toy):
                flow = flow_at(toy.ours().values(), evse, at, Situation())
                still = flow.most_import_w == 0 and flow.most_export_w == 0
                self.hold(
                    still, "I4 zero when silent", f"{toy.identity} EVSE {evse}: {flow} after silence since {since}"
                )
