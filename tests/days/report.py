"""Adds up how many days a test run has lived, in all its processes, and what was injected, and says so at its end."""

import json
from collections import Counter

from days.seeds import BASE

PROPERTY = "days"


def written(ended):
    """Give the part of a test's report that tells of the days it has lived."""
    faults = sum((each.faults for each in ended), Counter())
    checks = sum((each.checks for each in ended), Counter())
    events = sum(each.events for each in ended)
    return PROPERTY, json.dumps(
        {
            "days": len(ended),
            "events": events,
            "faults": faults,
            "checks": checks,
            "base": BASE,
        }
    )


def summarise(reporter):
    """Write the sum over all tests, if any day was lived."""
    told = [
        json.loads(value)
        for reports in reporter.stats.values()
        for report in reports
        for name, value in getattr(report, "user_properties", ())
        if name == PROPERTY and report.when == "teardown"
    ]
    days = sum(each["days"] for each in told)
    if not days:
        return
    faults, checks = (sum((Counter(each[name]) for each in told), Counter()) for name in ("faults", "checks"))
    first = told[0]["base"]
    reporter.section("simulated days")
    reporter.line(f"{days} fleet-days, {sum(each['events'] for each in told)} events, the first fresh seed is {first}")
    reporter.line("happened: " + ", ".join(f"{kind} {times}" for kind, times in sorted(faults.items())))
    reporter.line("checked: " + ", ".join(f"{rule} {times}" for rule, times in sorted(checks.items())))
