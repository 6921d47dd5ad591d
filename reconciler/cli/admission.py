"""What a station is told when it boots and when a driver is authorised, by its manifest. Pure."""

from __future__ import annotations

from reconciler.controller.revision import Revision
from reconciler.manifests.fleet import Current, Evse
from reconciler.ocpp.answers import Admission

ONE_WAY = {Current.DC: ("DC",), Current.AC: ("AC_single_phase", "AC_two_phase", "AC_three_phase")}
TWO_WAYS = {Current.DC: "DC_BPT", Current.AC: "AC_BPT"}


def admit(revision: Revision | None, identity: str) -> Admission:
    """Accept a station; name the energy transfers of one that may discharge, without which none would (Q01.FR.01).

    A station that only charges is told nothing, so that whatever its vehicles ask for stays possible (Q01.FR.08).
    """
    station = revision.station(identity) if revision else None
    if revision is None or station is None or not revision.fleet.discharge_allowed:
        return Admission()
    return Admission(energy_transfers=energy_transfers(station.evses))


def energy_transfers(evses: tuple[Evse, ...]) -> tuple[str, ...]:
    """Give EnergyTransferModeEnumType values for EVSEs of which one discharges at least; else none."""
    if not any(evse.discharge_w for evse in evses):
        return ()
    found = [mode for evse in evses for mode in (*ONE_WAY[evse.current], *_back(evse))]
    return tuple(dict.fromkeys(found))


def _back(evse: Evse) -> tuple[str, ...]:
    return (TWO_WAYS[evse.current],) if evse.discharge_w else ()
