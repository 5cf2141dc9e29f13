"""On the way: about when the technician arrives, how far it is, and a sketch of both places; only while travelling."""

from __future__ import annotations

import math
from dataclasses import dataclass

from markupsafe import Markup

from api.context import Tx
from api.i18n import Words
from api.pages.case import Case
from api.pages.owner_told import called
from servicedesk.arrival import arrival
from servicedesk.model import Household, Visit
from servicedesk.states import VisitState
from servicedesk.travel import Place
from storage.read_desk import VisitView

_WIDTH, _HEIGHT, _EDGE = 320, 190, 36
_KM_A_DEGREE = 111.2
_BARS = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0)
_NEAR = 0.1


@dataclass(frozen=True, slots=True)
class Road:
    """What is known of the way.

    Attributes:
        eta: about when, or empty.
        late: the sentence that says so, or empty.
        minutes: to go from the last position, or None.
        away: how far, as the crow flies, or empty.
        seen: when the position was taken, or empty.
        sketch: both places, north up, or None.
        travelling: whether somebody is on the way at all.
    """

    eta: str
    late: str
    minutes: int | None
    away: str
    seen: str
    sketch: Markup | None
    travelling: bool


def road_of(tx: Tx, case: Case, visit: Visit, home: Household | None) -> Road:
    """The way to a visit, for its own household."""
    desk, t = tx.office.desk, case.t
    travelling = visit.state is VisitState.TRAVELLING
    position = desk.day.position(visit.id) if travelling else None
    delay = desk.day.delay_of(visit.id)
    place = home.place if home is not None else None
    known = arrival(visit, place, tx.now, tx.office.travel, position=position, delay=delay)
    shown = case.visit
    late = _late(t, shown, t.time(known.expected) if known.expected else "") if known.late and shown else ""
    eta = t.time(known.expected) if known.expected is not None else ""
    if position is None or place is None:
        seen = t.time(position.at) if position is not None else ""
        return Road(eta, late, None, "", seen, None, travelling)
    minutes = max(1, round(tx.office.travel.between(position.place, place) / 60))
    return Road(
        eta,
        late,
        minutes,
        _away(t, _km(position.place, place)),
        t.time(position.at),
        _sketch(t, position.place, place),
        travelling,
    )


def _late(t: Words, visit: VisitView, eta: str) -> str:
    name, promised = called(t, visit.technician_name), t.time(visit.end)
    if eta:
        return t.plain("{name} is late: about {eta} instead of {promised}.", name=name, eta=eta, promised=promised)
    return t.plain("{name} is late: you were promised {promised} at the latest.", name=name, promised=promised)


def _km(a: Place, b: Place) -> float:
    wide = math.cos(math.radians((a.latitude + b.latitude) / 2))
    return _KM_A_DEGREE * math.hypot(a.latitude - b.latitude, (a.longitude - b.longitude) * wide)


def _away(t: Words, km: float) -> str:
    return t.plain("{km} km away", km=t.number(km, 1)) if km >= _NEAR else t.plain("in your street")


def _sketch(t: Words, van: Place, home: Place) -> Markup:
    """Two places on plain paper, north up: no map of anybody else is asked for this."""
    wide = math.cos(math.radians(home.latitude))
    east = (van.longitude - home.longitude) * wide * _KM_A_DEGREE
    north = (van.latitude - home.latitude) * _KM_A_DEGREE
    scale = min((_WIDTH - 2 * _EDGE) / max(abs(east), 0.1), (_HEIGHT - 2 * _EDGE) / max(abs(north), 0.1))

    def at(x: float, y: float) -> tuple[float, float]:
        return _WIDTH / 2 + (x - east / 2) * scale, _HEIGHT / 2 - (y - north / 2) * scale

    (vx, vy), (hx, hy) = at(east, north), at(0.0, 0.0)
    bar = max((each for each in _BARS if each * scale <= _WIDTH / 3), default=_BARS[0])
    return Markup(
        '<svg class="sketch" viewBox="0 0 {w} {high}" role="img" aria-label="{label}">'
        '<path class="sk-way" d="M{vx:.1f} {vy:.1f}L{hx:.1f} {hy:.1f}"/>'
        '<circle class="sk-van" cx="{vx:.1f}" cy="{vy:.1f}" r="7"/>'
        '<rect class="sk-home" x="{rx:.1f}" y="{ry:.1f}" width="14" height="14" rx="3"/>'
        '<text class="c-t c-halo" x="{vx:.1f}" y="{vt:.1f}" text-anchor="middle">{van}</text>'
        '<text class="c-t c-b c-halo" x="{hx:.1f}" y="{ht:.1f}" text-anchor="middle">{home}</text>'
        '<path class="sk-bar" d="M12 {b}v5h{l:.1f}v-5"/><text class="c-t" x="{bx:.1f}" y="{bt}">{km}</text></svg>'
    ).format(
        w=_WIDTH,
        high=_HEIGHT + 24,
        label=t.plain("A sketch: the technician and your home, north is up"),
        vx=vx,
        vy=vy,
        hx=hx,
        hy=hy,
        rx=hx - 7,
        ry=hy - 7,
        vt=vy - 13,
        ht=hy + 25,
        van=t.plain("technician"),
        home=t.plain("your home"),
        b=_HEIGHT + 10,
        l=bar * scale,
        bx=20 + bar * scale,
        bt=_HEIGHT + 18,
        km=t.plain("{km} km", km=t.number(bar, 1 if bar < 1 else 0)),
    )
