"""A simulated charging station: pure, so that time comes in and requests, answers and watts come out.

`connection` joins it to a socket, tests join it to a session or ask it directly. All instants are the station's own
time; nothing here reads a clock, and nothing happens between two calls: what flowed meanwhile is computed exactly.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import chain
from zlib import crc32

from reconciler.profiles.capability import Protocol
from reconciler.profiles.composite import Situation
from reconciler.profiles.form import JsonObject, write_profile
from reconciler.profiles.profile import Profile, Purpose
from reconciler.simulator.bay import Bay, Transaction, Wear
from reconciler.simulator.ev import Vehicle
from reconciler.simulator.faults import NONE, Faults
from reconciler.simulator.memory import Entry, ProfileMemory
from reconciler.simulator.messages import (
    Occasion,
    Request,
    boot_notification,
    charging_limit,
    charging_needs,
    status_notification,
    transaction_event,
)
from reconciler.simulator.nameplate import Nameplate, NegativeLimit
from reconciler.simulator.outbox import Outbox
from reconciler.simulator.steering import mode_at, next_edge, targets_w, understood

OFFLINE_THRESHOLD = timedelta(seconds=60)
"""After a longer silence the state of every connector is told again."""


@dataclass(frozen=True, slots=True)
class Writes:
    """How many requests that write profiles reached a station."""

    set_profile: int = 0
    clear_profile: int = 0
    update: int = 0


class SimulatedStation:
    """One station: its profiles, EVSEs, vehicles, transactions, meters and what it still has to tell.

    It is born offline and without profiles, at `now`; `tempo` is how much faster than life its clock runs, so that
    heartbeats and periodic meter values keep to life's pace. `vehicles` go by EVSE id; an EVSE without one stays empty.
    """

    def __init__(
        self,
        identity: str,
        plate: Nameplate,
        vehicles: Mapping[int, Vehicle],
        now: datetime,
        faults: Faults = NONE,
        tempo: float = 1.0,
    ) -> None:
        self.identity, self.plate, self.faults = identity, plate, faults
        self.memory = ProfileMemory()
        self.bays = tuple(Bay(evse, vehicles.get(evse.id), now) for evse in plate.evses)
        self.outbox = Outbox(boot_notification(plate, "PowerUp"), now, tempo)
        self.offline_since: datetime | None = now
        self.writes = Writes()
        self.last_write: dict[Purpose, datetime] = {}
        self.restart_wanted = False
        self.metering = plate.metering
        self._at = now
        self._plugged = 0
        self._edge: datetime | None = None
        self._sample_due = now + self._interval() * (crc32(identity.encode()) / 2**32)
        self._settle(now)

    # What it shows

    @property
    def profiles(self) -> tuple[Profile, ...]:
        """Give the profiles that are stored, by id."""
        return self.memory.profiles

    @property
    def online(self) -> bool:
        """Tell whether it is connected."""
        return self.offline_since is None

    def power_w(self, evse_id: int, now: datetime) -> float:
        """Give the flow at one EVSE, + into the vehicle, - out of it; 0 for the sum of all."""
        self.tick(now)
        return sum(bay.power_w for bay in self.bays if evse_id in (0, bay.plate.id))

    def energy_wh(self, evse_id: int, now: datetime) -> tuple[float, float]:
        """Give the registers of one EVSE: imported and exported."""
        self.tick(now)
        bay = self.bay(evse_id)
        return bay.imported_wh, bay.exported_wh

    def wear(self, evse_id: int) -> Wear:
        """Give what one EVSE went through."""
        return self.bay(evse_id).wear

    def bay(self, evse_id: int) -> Bay:
        """Find an EVSE.

        Raises:
            KeyError: there is none with this id.
        """
        for bay in self.bays:
            if bay.plate.id == evse_id:
                return bay
        raise KeyError(evse_id)

    def situation(self, bay: Bay) -> Situation:
        """Give what the station knows beside its profiles when it computes for an EVSE."""
        transaction = bay.transaction
        return Situation(
            transaction_id=transaction.id if transaction else None,
            transaction_start=transaction.start if transaction else None,
            offline_since=self.offline_since,
            watts_per_ampere=Decimal(bay.plate.watts_per_ampere),
        )

    # What happens to it

    def tick(self, now: datetime) -> None:
        """Let time pass up to `now`; going back in time does nothing."""
        while (due := self._next_event()) is not None and due <= now:
            self._advance(due)
            self._settle(due)
        self._advance(now)
        if now >= self._sample_due:
            self._sample(now)

    def next_change(self, now: datetime) -> datetime | None:
        """Give the next instant at which it does something by itself; until then it costs nothing."""
        due = [self._next_event()]
        if self.online:
            due += [self.outbox.due, self._sample_due if self._metered() else None]
        return min((max(at, now) for at in due if at is not None), default=None)

    def connected(self, now: datetime) -> None:
        """Go online: profiles that an offline time made invalid revive or are gone (K01.FR.102)."""
        self.tick(now)
        silence = now - self.offline_since if self.offline_since else timedelta(0)
        self.offline_since = None
        self.memory.outlast(silence)
        if silence >= OFFLINE_THRESHOLD:
            self._tell_statuses(now)
        self._settle(now)

    def disconnected(self, now: datetime) -> None:
        """Go offline; what is installed goes on (K06.FR.01), within its maxOfflineDuration."""
        self.tick(now)
        self.offline_since = self.offline_since or now
        self._settle(now)

    def reboot(self, now: datetime, *, keep_memory: bool | None = None, reason: str = "PowerUp") -> None:
        """Restart: transactions end and begin anew, TxProfiles are gone, and without memory every profile is.

        Whether the memory is kept is the plate's and the faults' business where it isn't said.
        """
        self.tick(now)
        keeps = self.plate.keeps_memory and not self.faults.amnesia if keep_memory is None else keep_memory
        for bay in self.bays:
            if bay.transaction is not None:
                self._end_transaction(bay, "AbnormalCondition", "Reboot")
                bay.rest()
        self.memory.forget(all_of_them=not keeps)
        self.outbox.restart(boot_notification(self.plate, reason), now)
        self.offline_since, self.restart_wanted = self.offline_since or now, False
        self._settle(now)

    def plug(self, evse_id: int, vehicle: Vehicle, now: datetime) -> None:
        """Bring a vehicle to an EVSE, in place of one that may be there."""
        self.unplug(evse_id, now)
        self.bay(evse_id).vehicle = vehicle
        self._settle(now)

    def unplug(self, evse_id: int, now: datetime) -> None:
        """Take the vehicle away."""
        self.tick(now)
        self.bay(evse_id).vehicle = None
        self._settle(now)

    def break_down(self, evse_id: int, now: datetime, *, broken: bool = True) -> None:
        """Let an EVSE fault, so that nothing flows there, or mend it; the connector's status tells of both (G01)."""
        self.tick(now)
        bay = self.bay(evse_id)
        bay.broken = broken
        self._tell_status(bay, now)
        self._settle(now)

    def inject(self, profile: Profile, now: datetime, source: str | None = None) -> None:
        """Install a profile behind the CSMS's back; external constraints are told by NotifyChargingLimit (K11, K12)."""
        self.tick(now)
        external = profile.purpose is Purpose.EXTERNAL
        entry = self.entry(profile, write_profile(profile))
        self.memory.put(replace(entry, source=source or ("EMS" if external else "CSO")))
        if external:
            self.outbox.add(charging_limit(profile.evse_id, source or "EMS", active=True))
        self._settle(now)

    def release(self, profile_id: int, now: datetime) -> None:
        """Drop a profile behind the CSMS's back; the end of an external constraint is told (K13)."""
        self.tick(now)
        held = self.memory.get(profile_id)
        self.memory.remove(profile_id)
        if held is not None and held.profile.purpose is Purpose.EXTERNAL:
            self.outbox.add(charging_limit(held.profile.evse_id, held.source, active=False))
        self._settle(now)

    # What it tells

    def next_call(self, now: datetime) -> Request | None:
        """Take out the request to make now, if there is one and the station is online."""
        return self.outbox.next(now) if self.online else None

    def answered(self, request: Request, answer: JsonObject, now: datetime) -> None:
        """Take the CSMS's answer to a request."""
        known = self.outbox.accepted
        if request.action == "BootNotification" and self.outbox.booted(answer, now) and not known:
            self._tell_statuses(now)
        if request.action == "NotifyEVChargingNeeds":
            self._take_needs(request, answer, now)

    def unanswered(self, request: Request, now: datetime, *, refused: bool = False) -> None:
        """Take that a request was refused, timed out or was lost with the connection (E13)."""
        if not refused or request.action == "BootNotification":
            self.outbox.failed(request, now, offline=not self.online)

    # What its desk needs

    def entry(self, profile: Profile, wire: JsonObject) -> Entry:
        """Make an entry for the memory of a profile as it came."""
        policy = NegativeLimit.CLAMP if self.faults.clamp else self.plate.negative_limit
        return Entry(profile, understood(profile, self.plate, policy), wire)

    def rethink(self, now: datetime) -> None:
        """Re-evaluate all profiles at once, because they changed (K01.FR.07, K10.FR.05)."""
        self._settle(now)

    def tell_transaction(self, bay: Bay) -> None:
        """Tell how the transaction of an EVSE stands, because it was asked for (F06)."""
        if bay.transaction is not None:
            self._tell(bay, Occasion("Updated", "Trigger", "Trigger"))

    # How it works

    def _next_event(self) -> datetime | None:
        bays = ((bay.next_bound(), bay.next_settled(), *self._visits(bay)) for bay in self.bays)
        return min((at for at in chain((self._edge,), *bays) if at is not None), default=None)

    def _visits(self, bay: Bay) -> Iterator[datetime]:
        return (at for at in bay.vehicle.visits() if at > self._at) if bay.vehicle else iter(())

    def _advance(self, now: datetime) -> None:
        self._at = max(self._at, now)
        for bay in self.bays:
            bay.advance(now)

    def _settle(self, now: datetime) -> None:
        """Do what is due at this instant: take vehicles in, let them go, steer, and tell what became of it."""
        at = max(now, self._at)
        for bay in self.bays:
            self._visit(bay, at)
        situations = tuple(self.situation(bay) for bay in self.bays)
        pairs = tuple(zip(self.bays, situations, strict=True))
        for (bay, known), target in zip(
            pairs, targets_w(self.memory.runs, pairs, at, Situation(offline_since=self.offline_since)), strict=True
        ):
            bay.follow(target, self.plate.ramp_w_per_s)
            self._report_state(bay, known, at)
        self._edge = next_edge(self.memory.runs, situations, at)

    def _visit(self, bay: Bay, at: datetime) -> None:
        present = bay.vehicle is not None and bay.vehicle.present(at)
        if bay.battery is not None and not present:
            self._end_transaction(bay, "EVDeparted", "EVDisconnected")
            bay.unplug()
            self._tell_status(bay, at)
        if bay.vehicle is not None and present and bay.battery is None:
            bay.plug(bay.vehicle)
            self._tell_status(bay, at)
        if bay.battery is not None and bay.transaction is None:
            self._start_transaction(bay, at)

    def _start_transaction(self, bay: Bay, at: datetime) -> None:
        self._plugged += 1
        bay.transaction = Transaction(f"{bay.plate.id}-{self._plugged}-{at:%Y%m%dT%H%M%S}", at)
        self._tell(bay, Occasion("Started", "CablePluggedIn", "Transaction.Begin"))
        if self.plate.iso15118:
            bay.transaction.awaits_needs = True
            self.outbox.add(charging_needs(bay, self.plate.protocol))

    def _end_transaction(self, bay: Bay, trigger: str, stopped: str) -> None:
        if bay.transaction is None:
            return
        bay.transaction.state, bay.transaction.mode = "Idle", None
        self._tell(bay, Occasion("Ended", trigger, "Transaction.End", stopped=stopped))
        self.memory.end_transaction(bay.transaction.id)
        bay.transaction = None

    def _take_needs(self, request: Request, answer: JsonObject, now: datetime) -> None:
        """Let TxProfiles in once the needs are known; a refusal of the transfer ends the transaction (K18.FR.23)."""
        bay = next(bay for bay in self.bays if bay.plate.id == request.payload["evseId"])
        if bay.transaction is None:
            return
        bay.transaction.awaits_needs = False
        if answer.get("status") == "Rejected" and self.plate.protocol is Protocol.V21:
            self.tick(now)
            self._end_transaction(bay, "AbnormalCondition", "ReqEnergyTransferRejected")
            self.unplug(bay.plate.id, now)

    def _report_state(self, bay: Bay, known: Situation, at: datetime) -> None:
        transaction = bay.transaction
        settled = bay.next_settled()
        if settled is not None and settled <= at:
            bay.settling = False
        if transaction is None or bay.battery is None:
            return
        v21 = self.plate.protocol is Protocol.V21
        state, mode = _state(bay), mode_at(self.memory.runs, bay.plate.id, at, known) if v21 else None
        trigger = "ChargingRateChanged" if settled is not None and settled <= at else ""
        if mode != transaction.mode:
            trigger = "OperationModeChanged"
        if state != transaction.state:
            trigger = "ChargingStateChanged"
        transaction.state, transaction.mode = state, mode
        if trigger:
            self._tell(bay, Occasion("Updated", trigger, "Other"))

    def _interval(self) -> timedelta:
        return self.metering * self.outbox.tempo

    def _metered(self) -> bool:
        return self.metering > timedelta(0) and any(bay.transaction for bay in self.bays)

    def _sample(self, now: datetime) -> None:
        interval = self._interval()
        if interval <= timedelta(0):
            return
        self._sample_due += (now - self._sample_due) // interval * interval + interval
        for bay in self.bays:
            if self.online and bay.transaction is not None:
                self._tell(bay, Occasion("Updated", "MeterValuePeriodic", "Sample.Periodic"))

    def set_metering(self, seconds: int, now: datetime) -> None:
        """Change the time between two periodic meter values; 0 for none."""
        self.metering = timedelta(seconds=seconds)
        self._sample_due = now + self._interval()

    def _tell(self, bay: Bay, occasion: Occasion) -> None:
        assert bay.transaction is not None  # noqa: S101 - every caller has just looked
        occasion = replace(occasion, offline=not self.online)
        self.outbox.add(transaction_event(bay, bay.transaction, occasion, self._at))

    def _tell_statuses(self, now: datetime) -> None:
        for bay in self.bays:
            self._tell_status(bay, now)

    def _tell_status(self, bay: Bay, now: datetime) -> None:
        if self.online and self.outbox.accepted:
            self.outbox.add(status_notification(bay, now))


def _state(bay: Bay) -> str:
    if bay.motion.to_w:
        return "Charging"
    assert bay.battery is not None  # noqa: S101 - the one caller has just looked
    spent = bay.battery.room_wh <= 0 or bay.battery.reserve_wh <= 0
    return "SuspendedEV" if spent else "SuspendedEVSE"
