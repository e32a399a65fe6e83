"""The wire between driver and venue, with a pair of cutters: what is sent while it is cut never arrives."""

from __future__ import annotations

from core.adapters.sim_venue import SimVenue


class Cable:
    """A Venue that passes everything on, unless cut."""

    def __init__(self, inner: SimVenue) -> None:
        self.inner = inner
        self.id = inner.id
        self.cut = False
        for name in ("next_due_ns", "due", "first_touch", "on_ticks", "positions", "open_orders"):
            setattr(self, name, getattr(inner, name))

    def _pass(self, name: str, effect, now_ns: int) -> None:
        if not self.cut:
            getattr(self.inner, name)(effect, now_ns)

    def submit(self, effect, now_ns: int) -> None:
        self._pass("submit", effect, now_ns)

    def replace(self, effect, now_ns: int) -> None:
        self._pass("replace", effect, now_ns)

    def cancel(self, effect, now_ns: int) -> None:
        self._pass("cancel", effect, now_ns)

    def mass_cancel(self, effect, now_ns: int) -> None:
        self._pass("mass_cancel", effect, now_ns)

    def query_order(self, effect, now_ns: int) -> None:
        self._pass("query_order", effect, now_ns)

    def query_open(self, effect, now_ns: int) -> None:
        self._pass("query_open", effect, now_ns)

    def query_positions(self, effect, now_ns: int) -> None:
        self._pass("query_positions", effect, now_ns)
