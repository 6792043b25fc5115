"""Plans that take out of a text what stands twice, because several microphones heard it."""

from __future__ import annotations

from offline.arrangement import arrange
from offline.domain import Segment, SpeakerId, WordRef
from offline.doubles import is_shared, settle
from offline.edits import Plan
from offline.view import View
from server.machine import Planned
from server.room import Room


def settling(
    room: Room, session: str, span: tuple[int, int], new: Segment | None = None
) -> list[Planned]:
    """Return plans, to be carried out one right after the other; see `offline.doubles.settle`.

    There are none while nobody else hears what a session does.
    """
    beside: dict[WordRef, SpeakerId] = {}

    def settled(view: View) -> Plan:
        found = settle(view, session, span, new)
        beside.update(found.beside)
        return found.plan

    def arranged(view: View) -> Plan:
        return Plan(tuple(arrange(view, beside))) if beside else Plan()

    shared = is_shared(room.passes, room.sessions, session, span)
    return [settled, arranged] if shared else []
