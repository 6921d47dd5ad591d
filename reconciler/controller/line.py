"""A line of stations that wait for room to send: first come, first served, the same in every process. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from immutables import Map


@dataclass(frozen=True, slots=True)
class Line:
    """Who waits, in order; joining, leaving and asking who is first cost the same however long it is."""

    tickets: Map[str, int] = field(default_factory=Map)
    order: Map[int, str] = field(default_factory=Map)
    first_ticket: int = 0
    next_ticket: int = 0

    def __len__(self) -> int:
        """Count who waits."""
        return len(self.tickets)

    def __contains__(self, key: str) -> bool:
        """Tell whether somebody waits."""
        return key in self.tickets

    @property
    def first(self) -> str | None:
        """Give who has waited longest."""
        return self.order.get(self.first_ticket)

    def join(self, *keys: str) -> Line:
        """Put keys at the end, in the order given; who waits already keeps their place."""
        tickets, order, number = self.tickets, self.order, self.next_ticket
        for key in keys:
            if key not in tickets:
                tickets, order, number = tickets.set(key, number), order.set(number, key), number + 1
        return replace(self, tickets=tickets, order=order, next_ticket=number)

    def leave(self, key: str) -> Line:
        """Take a key out, wherever it stands."""
        ticket = self.tickets.get(key)
        if ticket is None:
            return self
        order, first = self.order.delete(ticket), self.first_ticket
        while first < self.next_ticket and first not in order:
            first += 1
        return replace(self, tickets=self.tickets.delete(key), order=order, first_ticket=first)
