"""What stations do to a profile between accepting and reporting it, as scenarios name it.

A profile goes over the wire in its station's own dialect and comes back; the station's habits change the JSON.
"""

from collections.abc import Callable
from datetime import datetime, timedelta, timezone

from reconciler.ocpp.dialects import dialect


def store(profile, capability, habits):
    """Give a profile as a station with these habits reports it."""
    payload = dialect(capability.protocol).set_profile(profile, capability)
    data = payload["chargingProfile"]
    for habit in habits:
        HABITS[habit](data)
    return dialect(capability.protocol).lift(payload["evseId"], data)


def _instants(change: Callable[[str], str]):
    def habit(data):
        for target, name in ((data, "validFrom"), (data, "validTo"), (data["chargingSchedule"][0], "startSchedule")):
            if name in target:
                target[name] = change(target[name])

    return habit


def _numbers(change: Callable[[float], float]):
    def habit(data):
        for period in data["chargingSchedule"][0]["chargingSchedulePeriod"]:
            for name in ("limit", "setpoint"):
                if name in period:
                    period[name] = change(float(period[name]))

    return habit


def _periods(**fields):
    def habit(data):
        for period in data["chargingSchedule"][0]["chargingSchedulePeriod"]:
            period.update(fields)

    return habit


def _forget(name):
    return lambda data: data.pop(name, None)


def _split(data):
    schedule = data["chargingSchedule"][0]
    halves = [(period, {**period, "startPeriod": period["startPeriod"] + 60}) for period in _in_order(schedule)]
    schedule["chargingSchedulePeriod"] = [half for pair in halves for half in pair]


def _in_order(schedule):
    return sorted(schedule["chargingSchedulePeriod"], key=lambda period: period["startPeriod"])


def _reverse(data):
    schedule = data["chargingSchedule"][0]
    schedule["chargingSchedulePeriod"] = _in_order(schedule)[::-1]


def _fill_in_validity(data):
    data.setdefault("validFrom", "1970-01-01T00:00:00Z")
    data.setdefault("validTo", "9999-12-31T23:59:59Z")


def _count_in_amperes(data):
    data["chargingSchedule"][0]["chargingRateUnit"] = "A"
    _numbers(lambda watts: int(watts / 690 * 10) / 10)(data)


def _with_offset(text):
    return datetime.fromisoformat(text).astimezone(timezone(timedelta(hours=5, minutes=30))).isoformat()


HABITS = {
    "writes milliseconds": _instants(lambda text: text.replace("Z", ".000Z")),
    "writes another offset": _instants(_with_offset),
    "keeps 32-bit floats": _numbers(lambda number: number * (1 - 6e-8)),
    "fills in numberPhases 3": _periods(numberPhases=3),
    "fills in validFrom and validTo": _fill_in_validity,
    "splits periods": _split,
    "reverses the order of periods": _reverse,
    "never reports maxOfflineDuration": _forget("maxOfflineDuration"),
    "counts in amperes": _count_in_amperes,
    "halves the power": _numbers(lambda number: number / 2),
    "keeps no more than 6 kW": _numbers(lambda number: min(number, 6000.0)),
    "takes one phase": _periods(numberPhases=1),
}
"""Every habit that scenarios may name; docs/scenarios.md lists them."""
