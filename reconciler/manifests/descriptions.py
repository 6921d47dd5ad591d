"""What each key of the manifests is for, in a sentence: editors show it beside the key.

Used by `schema` only. The rows stand by model, then by key as people write it.
"""

from __future__ import annotations

from collections.abc import Mapping

KINDS: Mapping[str, str] = {
    "Fleet": "What holds for every station of the fleet. A revision has exactly one.",
    "Site": "A grid connection, and what its stations may draw and feed together.",
    "Group": "Stations selected by label or name, and the schedules that they follow.",
    "Station": "One station: its EVSEs, their ratings, and what is known of its abilities.",
    "StationSet": "Many stations alike, from a range, a list or a CSV file.",
    "Schedule": "Signed power over local time. Positive charges, negative discharges.",
    "Template": "A template of the repository that makes schedule profiles, and the parameters that it takes.",
    "Calendar": "A named set of days, such as holidays; schedules refer to it by its name.",
}

KEYS: Mapping[str, Mapping[str, str]] = {
    "Metadata": {
        "name": "The name by which other documents refer to this one.",
        "labels": "Labels, by which groups select stations.",
        "annotations": "Notes for people and other programs; they change nothing here.",
    },
    "FleetSpec": {
        "timezone": 'The zone whose clocks schedules mean: "17:00" is 17:00 there, in summer and winter.',
        "profileIds": "The charging profile ids that this fleet owns on every station; others are never touched.",
        "failSafe": "How flow ends when a station no longer hears from the controller.",
        "discharge": "The owner's consent: without `allowed` no schedule may have a negative power.",
        "writeInterval": "The least time between two writes that overwrite or clear a profile of one EVSE.",
        "template": "The template that makes the schedule profiles, with its parameters.",
        "readyBy": "What every vehicle must hold when it leaves.",
        "onUnsupported": "What becomes of a window that a station can't be told: refuse it, or let less flow.",
        "capability": "What is known of every station's abilities; what is left out is asked from them.",
        "nominalVoltage": "The voltage that turns amperes into watts; 230 V unless given.",
        "guardrails": "How strictly the fleet is guarded: tighter is free, easier takes a reason.",
        "readBack": "How often every station is read back as a matter of routine; the controller says unless given.",
        "rollout": "How a revision goes out to the stations.",
        "drift": "When repairing stops and waits for a person, and what becomes of others' profiles.",
    },
    "ProfileIds": {
        "from": "The first id of the range.",
        "to": "The last id of the range; at least 100 ids are needed.",
    },
    "FailSafeSpec": {
        "lease": "How long after the last renewal flow ends by itself.",
        "renewBefore": "The lease is renewed when less than this is left of it.",
        "maxOffline": "On OCPP 2.1, how long a station that was cut off goes on with its schedule.",
    },
    "Settings": {
        "failSafe": "How flow ends when a station no longer hears from the controller; parts left out hold as above.",
        "writeInterval": "The least time between two writes that overwrite or clear a profile of one EVSE.",
        "template": "The template that makes the schedule profiles, with its parameters.",
        "readyBy": "What every vehicle must hold when it leaves.",
        "onUnsupported": "What becomes of a window that a station can't be told: refuse it, or let less flow.",
        "capability": "What is known of the stations' abilities; what is left out is asked from them.",
        "readBack": "How often the stations are read back as a matter of routine.",
    },
    "RolloutSpec": {
        "waves": "The steps in which stations get a revision; all at once unless given. The last is 100%.",
        "soak": "How long each wave is watched before the next; 10m unless given, nothing where there is one wave.",
        "pace": "How many writes a minute there may be.",
        "concurrency": "How many stations may be written to at a time.",
        "gate": "When a wave has failed, so that the rollout is aborted.",
        "onAbort": "Whether the stations touched by then go back to the revision before, or stay as they are.",
        "deferral": "How long stations that are offline are waited for until they no longer belong to the rollout.",
        "windows": "When a rollout may begin writes; at any time unless given. Deny wins.",
    },
    "WaveSpec": {"canary": "Stations by their labels."},
    "CanarySpec": {"labels": "Labels that a station must carry, all of them."},
    "PaceSpec": {
        "writes": "Writes a minute to the whole fleet.",
        "perSite": "Writes a minute to the stations of one site.",
    },
    "ConcurrencySpec": {
        "stations": "Stations of the fleet that are written to at a time.",
        "perSite": "Stations of one site that are written to at a time.",
    },
    "GateSpec": {
        "failures": "The largest share of a wave's stations that may fail.",
        "sample": "How many stations have to have ended before a share is taken of them.",
        "power": "By how much a meter may differ from what is commanded, as a share of the EVSE's rating.",
    },
    "OpeningSpec": {
        "allow": "From when on rollouts may go on.",
        "deny": "From when on they may not, whatever is allowed.",
        "for": "How long that lasts, by the clock on the wall.",
        "timezone": "The zone of that clock; the fleet's unless given.",
    },
    "DriftSpec": {
        "storm": "The share of connected stations that may drift within ten minutes before repairing stops.",
        "rounds": "How often one profile is put back that another writer changes.",
        "foreign": "What becomes of others' profiles, by stack level: the first rule counts; with none, they are told.",
    },
    "StormSpec": {
        "share": "The share of connected stations.",
        "least": "How many stations it takes at least.",
    },
    "ForeignSpec": {
        "levels": "Where the profiles lie.",
        "policy": "ignore leaves them, warn tells of them, clear removes them.",
    },
    "TemplateSpec": {
        "file": "The template's file in the folder `templates`; NAME.yaml.j2 unless given.",
        "parameters": "The parameters that it takes, by name.",
        "models": "The models of stations that it is for.",
    },
    "ParameterSpec": {
        "type": "What it holds; a power reaches the template in W.",
        "default": "What it is where nothing else is given.",
    },
    "TemplateUseSpec": {
        "name": "The name of a Template.",
        "parameters": "Its parameters; those with a default may be left out.",
    },
    "ReadyBySpec": {
        "time": "When the vehicle leaves.",
        "days": "The days on which it leaves.",
        "since": "From when it is plugged in: what flows before does not count.",
        "minEnergy": "What has to be put in before it leaves; discharge in between counts against it.",
        "minSoc": "How full its battery has to be.",
        "capacity": "What the smallest battery holds.",
        "assumeSoc": "As how empty a vehicle is taken to arrive.",
        "policy": "Refuse a revision under which it would leave with less, or give up discharge before it.",
    },
    "FailSafePart": {
        "lease": "How long after the last renewal flow ends by itself.",
        "renewBefore": "The lease is renewed when less than this is left of it.",
        "maxOffline": "On OCPP 2.1, how long a station that was cut off goes on with its schedule.",
    },
    "SiteSpec": {
        "import": "The most that all stations of the site may draw together.",
        "export": "The most that all stations of the site may feed together; nothing unless given.",
    },
    "GroupSpec": {
        "site": "The site of the group's stations; a group has this or a parent.",
        "parent": "The group that this one is inside of; its schedules hold here too.",
        "select": "Which stations belong to the group.",
        "schedules": "The schedules that its stations follow; where several speak, the higher priority wins.",
    },
    "Select": {
        "labels": "Labels that a station must carry, all of them.",
        "names": "Identities of the stations.",
    },
    "AssignmentSpec": {
        "schedule": "The name of a Schedule.",
        "priority": "Of several schedules that speak at a moment, the one with the highest number wins.",
    },
    "Hardware": {
        "model": "The maker's model; templates may ask for it.",
        "site": "The site of the station or stations; otherwise that of their groups.",
        "evses": "The EVSEs of each station: an EVSE gives power to one vehicle at a time.",
        "capability": "What is known of the station's abilities; what is absent is asked from the station.",
    },
    "StationSpec": {"identity": "The station's identity; its name unless given."},
    "StationSetSpec": {"identities": "Which stations there are."},
    "EvseSpec": {
        "id": "The EVSE's number, from 1.",
        "charge": "The most that it can draw.",
        "discharge": "The most that it can feed; nothing unless given.",
        "phases": "How many phases an AC EVSE charges with.",
        "current": "AC or DC.",
        "connector": "The connector's type, as OCPP spells it.",
    },
    "CapabilitySpec": {
        "negativeLimit": "On OCPP 2.0.1: the maker has confirmed that a negative limit discharges.",
        "protocol": "The OCPP version that it speaks.",
        "stackLevels": "The highest stack level that it takes.",
        "periods": "How many periods a schedule may have.",
        "units": "The units that its limits may have.",
        "maxOffline": "On OCPP 2.1: it takes maxOfflineDuration.",
        "entries": "How many profiles it holds.",
        "modes": "The modes of OCPP 2.1 that it has, beside charge-only.",
    },
    "ScheduleSpec": {
        "extends": "The name of another Schedule that holds where this one's windows say nothing.",
        "windows": "The times at which the schedule speaks, and the power that it asks for.",
        "otherwise": "The power outside all windows. Left out, a lower priority or zero holds there.",
        "validity": "The dates on which the schedule speaks at all.",
    },
    "CurvePointSpec": {
        "frequency": "The frequency of the grid.",
        "power": "What is added to the baseline at that frequency.",
    },
    "WindowSpec": {
        "mode": "How an OCPP 2.1 station is steered in it; without one, power alone says it.",
        "baseline": "What flows at nominal frequency; nothing unless given.",
        "curve": "What is added to the baseline by the frequency of the grid; a line between its points.",
        "days": "The days on which the window begins.",
        "except": "Days on which it does not begin after all.",
        "also": "Days on which it begins as well, whatever `days`, `except` and `season` say.",
        "season": "The part of the year in which it begins.",
        "validity": "The dates on which it begins at all.",
        "from": "When it begins.",
        "to": "When it ends; at or before the begin, that is on the next day.",
        "power": "What is asked for from each EVSE.",
    },
    "ValiditySpec": {
        "from": "The first date on which it holds.",
        "to": "The first date on which it no longer holds.",
    },
    "SeasonSpec": {
        "from": "The first day of it, in every year.",
        "to": "The last day of it; before the first, that is in the next year.",
    },
    "CalendarSpec": {
        "dates": "Single dates and ranges of dates.",
        "holidays": "Public holidays.",
        "weekdays": "Days of every week.",
        "except": "Dates that are not in the calendar after all.",
    },
    "HolidaysSpec": {
        "country": "The country, by the two letters of ISO 3166, such as NL.",
        "subdivision": "A part of the country that has holidays of its own, such as BY.",
        "categories": "Kinds of holidays, such as public; those that everybody has unless given.",
    },
    "ErrorSpec": {
        "severity": "error refuses, warning is shown, off is not looked for. Below the default it takes a `reason`.",
        "reason": "Why it is easier here; every plan repeats it.",
    },
    "GuardrailsSpec": {
        "site-import": "The most that a site draws at any instant, whichever stations are offline.",
        "site-export": "The most that a site feeds at any instant, whichever stations are offline.",
        "evse-rating": "Schedules that ask an EVSE for more than its rating; it gets the rating.",
        "least-current": "Currents between 0 and 6 A on AC, which no vehicle charges with.",
        "least-power": "Powers that come to less than 6 A on AC.",
        "protocol-left": "Stations whose protocol is left to be found out.",
        "degraded": "Stations that get less flow than was asked, because they can't be told it.",
    },
    "DirectionChangesSpec": {"perDay": "How many turns one local day may have."},
    "StartsSpec": {"perDay": "How many starts one local day may have."},
    "DwellSpec": {"least": "How long one sign is kept at least."},
    "PauseSpec": {"least": "How long a zero lasts at least."},
    "ReversalSpec": {"settle": "How long the flow rests at zero at least."},
    "RampSpec": {"step": "The largest change from one period to the next; any unless given."},
    "DeadBandSpec": {"share": "The least flow, as a share of the rating."},
    "ProfileWritesSpec": {
        "perDay": "How many writes of one profile a day may have.",
        "perYear": "How many writes of one profile a year may have.",
    },
    "ClockSkewSpec": {"tolerance": "By how much a station's clock may be wrong."},
    "LeaseLengthSpec": {"longest": "The longest lease."},
    "BlastRadiusSpec": {
        "share": "The largest share of stations that one revision may change or clear.",
        "above": "Fleets of up to so many stations are free of it.",
    },
}
