"""One open transcript, shared by everybody who is in it.

    member: update -> inspected -> document ----+
    session: words -> planned   -> document ----+-> committed -> everybody else, in this order

Whatever changes the document is committed before anybody else sees it, and answers that contain
the document wait for the same commit: what somebody has seen survives a crash.

Whose updates are taken: those of Yjs clients that are in step with us and write under client ids
of their own. One that is ahead of us, because it wrote before it had synchronised, is held back
until it has; one that never becomes whole, or writes under an id of the server, is refused.

An update is looked into before anything else, and a long one in a thread. Whether the document can
take it is decided in the event loop, together with applying it: meanwhile nothing changes. A long
one is taken in slices, each as if it were an update of its own.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import assert_never

from offline.domain import SpeakerId
from offline.edits import AssignTurn, Plan, WithdrawName
from offline.view import View
from server.allowance import ANSWER_BYTE_S, BYTE_S, FRAME_S, RECIPIENT_S, Allowance
from server.codes import CloseCode
from server.commits import Change, Commits
from server.contents import Contents
from server.describing import describe
from server.errors import TranscriptError
from server.machine import MachineWriter, Written
from server.mailbox import Dismissal, Mailbox
from server.member import Member, Writers, lost
from server.pacing import SHORT, in_slices, lacking, size_of
from server.planner import Planner
from server.storage.values import Description, Progress
from server.transcript import ROOTS, Transcript
from server.yjs import messages
from server.yjs.comparing import contradict
from server.yjs.errors import LimitExceeded, YjsError
from server.yjs.presence import Presence, PresenceLimits
from server.yjs.structs import Id
from server.yjs.updates import (
    NO_LIMITS,
    Inspection,
    Limits,
    decode_state_vector,
    encode_state_vector,
    fresh,
    inspect,
)

MOST_CLIENTS = 100_000
"""Yjs clients that ever wrote into one document: a new one for each time that a page is loaded."""

LIMITS = Limits(structs=50_000, clients=MOST_CLIENTS, delete_ranges=50_000)
"""Of one update. Nobody makes so many edits between two times of synchronising."""

LONG_BYTES = 16 * 1024
"""From here on an update is looked into in a thread: it takes 1 ms for every 6 kB."""

PRESENCE = PresenceLimits(state_bytes=16 * 1024, states_per_owner=16, states=2_000, reserved="trax")
"""Names, colours and cursors; one page shows one state."""

TOO_MUCH = Dismissal(CloseCode.TOO_FAST, "too much is sent all the time, and others wait for it")


class Room:
    """The document, its members, and the machines that write; used in the event loop."""

    def __init__(
        self,
        transcript: Transcript,
        contents: Contents,
        commits: Commits,
        planner: Planner,
        *,
        most_bytes: int,
        clock: Callable[[], float],
    ) -> None:
        """Open the room.

        Args:
            transcript: The document as it is committed.
            contents: What belongs to it; the room owns it from now on.
            commits: On their way to the storage.
            planner: Where it is planned what machines write.
            most_bytes: No document may take more.
            clock: Seconds, only going forward.
        """
        self.transcript = transcript
        self.changing = asyncio.Lock()
        """Held from a change of title, language or state until lists know it, too."""
        self.passes = contents.passes
        self.sessions = contents.sessions
        self.asked_for = contents.asked_for
        self.machine = MachineWriter(transcript, contents, planner, self._take_over)
        self.decisions = contents.decisions
        self.aliases = contents.aliases
        self._presence = Presence(PRESENCE)
        self._clock = clock
        self._identities: dict[SpeakerId, SpeakerId] = {}
        self._partials: dict[str, dict[str, object]] = {}
        self._commits = commits
        self._machines = contents.machines
        self._most_bytes = most_bytes
        self._members: set[Member] = set()
        self._joined = 0
        self._writers = Writers()
        self._landmarks = contents.landmarks
        self._size_bytes = contents.size_bytes

    @property
    def empty(self) -> bool:
        """Whether nobody is here."""
        return not self._members

    # Members

    def join(self, mailbox: Mailbox, *, writes: bool) -> Member:
        """Let somebody in; what it is told first brings it up to date."""
        self._joined += 1
        member = Member(self._joined, writes, mailbox, Allowance(self._clock()))
        self._members.add(member)
        if writes:
            self._ask(member)
        self._introduce(member)
        return member

    def leave(self, member: Member) -> None:
        """Somebody is gone, and is not seen any more."""
        self._members.discard(member)
        self._writers.leave(member)
        self._spread(self._presence.leave(member))

    def dismiss_all(self, dismissal: Dismissal) -> None:
        """Send everybody away."""
        for member in self._members:
            member.mailbox.dismiss(dismissal)

    async def receive(self, member: Member, frame: bytes | str) -> None:
        """Do what a member's frame asks for; one that may not is dismissed, or told so.

        Its next frame is to be taken after `pause_s`.
        """
        await self._commits.roomy()
        self._charge(member, FRAME_S + BYTE_S * len(frame))
        try:
            await self._receive(member, messages.decode(frame))
        except LimitExceeded as error:
            member.mailbox.dismiss(Dismissal(CloseCode.TOO_LARGE, str(error)))
        except YjsError as error:
            member.mailbox.dismiss(Dismissal(CloseCode.MALFORMED, str(error)))
        if member.allowance.exhausted(self._clock()):
            member.mailbox.dismiss(TOO_MUCH)

    def pause_s(self, member: Member) -> float:
        """Return how long not to listen to a member, so that others have their time."""
        return member.allowance.pause_s(self._clock())

    def refresh(self) -> None:
        """Stop showing those who have not been heard of for long; to be called now and then."""
        self._spread(self._presence.refresh(self._clock()))

    # Machines

    def describe(self) -> Description:
        """Return what lists and searches are to know of the document."""
        self._size_bytes = len(self.transcript.update_since())  # Updates add up to more.
        return describe(self.transcript, self.passes)

    def shown(self) -> list[str]:
        """Return what people show of themselves, as JSON: names, colours, cursors."""
        return self._presence.shown()

    def identity(self, speaker: SpeakerId) -> SpeakerId:
        """Return who a speaker turned out to be; itself, mostly."""
        while speaker in self._identities:
            speaker = self._identities[speaker]
        return speaker

    async def identify(self, speaker: SpeakerId, other: SpeakerId) -> None:
        """Have what one speaker said be said by another, who it turned out to be."""
        other = self.identity(other)
        if other == speaker:
            return  # The other one turned out to be this one before.
        self._identities[speaker] = other

        def assign(view: View) -> Plan:
            turns = [turn for turn, said_by in view.speakers.items() if said_by == speaker]
            who = self.identity(other)
            return Plan((*(AssignTurn(turn, who) for turn in turns), WithdrawName(speaker)))

        await self.machine.write(assign)

    def commit(self, update: bytes | None, *, progress: Progress | None = None) -> None:
        """Commit a change of the document that was made here, and how far a session is with it."""
        if update is not None:
            self._note(inspect(update, NO_LIMITS), update)
        updates = () if update is None else (update,)
        self._commits.add(Change(self._sender(updates, None), updates, progress=progress))

    async def roomy(self) -> None:
        """Wait until not too much waits for the storage."""
        await self._commits.roomy()

    async def idle(self) -> None:
        """Wait until everything written so far is committed."""
        await self._commits.idle()

    def show(self, session: str, partial: dict[str, object] | None) -> None:
        """Show everybody what is being said in a session, in the server's own presence state."""
        before = self._partials.copy()
        self._partials.pop(session, None)
        if partial is not None:
            self._partials[session] = partial
        if self._partials == before:
            return
        text = None
        if self._partials:
            text = json.dumps({"trax": {"partials": self._partials}}, ensure_ascii=False)
        own = self._presence.set_own(self.transcript.client_id, text, self._clock())
        self._spread(own)

    # Inside

    async def _receive(self, member: Member, message: messages.Message | None) -> None:
        match message:
            case None | messages.PermissionDenied():
                pass
            case messages.SyncStep1(state_vector=state_vector):
                self._answer(member, state_vector)
            case messages.SyncStep2(update=update):
                await self._synchronised(member, update)
            case messages.Update(update=update):
                await self._change(member, update)
            case messages.Awareness(update=update):
                editors = () if member.writes else {each for each in self._members if each.writes}
                applied = self._presence.apply(update, member, self._clock(), yields_to=editors)
                self._spread(applied.everybody, member)
                if applied.sender is not None:
                    member.mailbox.put(messages.encode(messages.Awareness(applied.sender)))
            case messages.QueryAwareness():
                self._charge(member, ANSWER_BYTE_S * self._introduce(member))
            case _:
                assert_never(message)

    def _answer(self, member: Member, state_vector: bytes) -> None:
        decode_state_vector(state_vector, MOST_CLIENTS)
        answer = messages.encode(messages.SyncStep2(self.transcript.update_since(state_vector)))
        self._charge(member, ANSWER_BYTE_S * len(answer))
        change = Change(lambda: member.mailbox.put(answer), answer_bytes=len(answer))
        self._commits.add(change)

    def _introduce(self, member: Member) -> int:
        """Tell a member who is here; return in how many bytes."""
        present = self._presence.everybody()
        if present is None:
            return 0
        member.mailbox.put(messages.encode(messages.Awareness(present)))
        return len(present)

    def _ask(self, member: Member) -> None:
        member.asked = True
        question = messages.SyncStep1(self.transcript.state_vector())
        member.mailbox.put(messages.encode(question))

    async def _synchronised(self, member: Member, update: bytes) -> None:
        """Take everything that a member has, and what was held back for want of it."""
        member.asked = False
        own = [(each, self._take_own) for each in member.held.release()]
        for each, take in ((update, self._take), *own):
            # Others have their turn in between, as if each came by itself.
            await asyncio.sleep(self.pause_s(member))
            self._charge(member, FRAME_S + BYTE_S * len(each))
            inspection = await _inspect(each)
            gap = await lacking(inspection, self._landmarks.state)
            if gap is not None and member.writes:
                refused = f"an update without gaps expected, got one that lacks {_name(gap)}"
                member.mailbox.dismiss(Dismissal(CloseCode.MALFORMED, refused))
                return
            await self._take_all(member, inspection, each, take)
            if member.mailbox.dismissal is not None:
                return
            await self._commits.roomy()

    async def _change(self, member: Member, update: bytes) -> None:
        inspection = await _inspect(update)
        if not member.writes or await lacking(inspection, self._landmarks.state) is None:
            # What a member synchronises may have come from others; what it changes is its own.
            await self._take_all(member, inspection, update, self._take_own)
            return
        member.held.add(update)
        if not member.asked:
            self._ask(member)

    async def _take_all(
        self,
        member: Member,
        inspection: Inspection,
        update: bytes,
        take: Callable[[Member, Inspection, bytes], Collection[int]],
    ) -> None:
        """Take an update that has all it needs; a long one in slices, which others come between."""
        if not member.writes or size_of(inspection) <= SHORT:
            take(member, inspection, update)
            return
        refusal = self._refusal(inspection, fresh(inspection, self._landmarks.state), update)
        if refusal is not None:
            member.mailbox.dismiss(refusal)
            return

        def take_slice(piece: bytes) -> bool:
            take(member, inspect(piece, LIMITS), piece)
            return member.mailbox.dismissal is None

        state = self._landmarks.state
        await in_slices(update, inspection, state, take_slice, partial(self._charge, member))

    def _take_own(self, member: Member, inspection: Inspection, update: bytes) -> Collection[int]:
        """Take what a member wrote itself, if nobody else writes under its ids."""
        for client in self._writers.others(member, inspection.stretches):
            if self._contradicts(member, client, inspection, update):
                member.mailbox.dismiss(lost(client))
                return ()
        if not self._writers.admit(member, fresh(inspection, self._landmarks.state)):
            return ()
        written = self._take(member, inspection, update)
        self._writers.note(member, written)
        return written

    def _contradicts(
        self, member: Member, client: int, inspection: Inspection, update: bytes
    ) -> bool:
        """Return whether an update has other text than the document under the same numbers."""
        state, start = self._landmarks.state, inspection.stretches[client][0].start
        if start >= state.get(client, 0) or not member.writes:
            return False
        known = self.transcript.update_since(encode_state_vector({**state, client: start}))
        self._charge(member, BYTE_S * len(known))
        return contradict(client, update, known)

    def _take(self, member: Member, inspection: Inspection, update: bytes) -> Collection[int]:
        """Apply an update that has all it needs; return the client ids that it wrote under."""
        written = fresh(inspection, self._landmarks.state)
        gone = member.mailbox.dismissal is not None  # while the update was looked into
        if gone or not (written or inspection.deletes):
            return ()
        if not member.writes:
            denial = messages.PermissionDenied("this link is for reading")
            member.mailbox.put(messages.encode(denial))
            return ()
        refusal = self._refusal(inspection, written, update)
        if refusal is not None:
            member.mailbox.dismiss(refusal)
            return ()
        self._landmarks.check(inspection)
        new = self._apply(update, inspection)
        if new is not None:
            self._charge(member, RECIPIENT_S * len(self._members))
            self._commits.add(Change(self._sender((new,), member), (new,)))
        return written.keys()

    def _take_over(self, written: Written) -> None:
        """Take over what a machine wrote, with what belongs to it."""
        updates = [self._apply(update, inspection) for update, inspection in written.updates]
        for chunk in written.words:
            self.passes.setdefault(chunk.pass_id, []).extend(chunk.words)
        self.decisions += written.decisions
        self.aliases.update((alias.old, alias.new) for alias in written.aliases)
        new = tuple(update for update in updates if update is not None)
        self._commits.add(
            Change(
                self._sender(new, None),
                new,
                written.words,
                written.progress,
                written.decisions,
                written.aliases,
            )
        )

    def _apply(self, update: bytes, inspection: Inspection) -> bytes | None:
        """Apply an update that was looked into; return what of it was new."""
        try:
            new = self.transcript.apply(update)
        except TranscriptError as error:
            # Part of it may be in the document, which is not what is committed any more.
            self._commits.fail(error)
            raise
        self._note(inspection, new)
        return new

    def _refusal(
        self, inspection: Inspection, written: Mapping[int, object], update: bytes
    ) -> Dismissal | None:
        """Return why an update may not be applied, if it may not."""
        forged = self._machines & written.keys()
        if forged:
            return Dismissal(CloseCode.FORBIDDEN, f"client id {min(forged)} is the server's own")
        if inspection.roots - ROOTS:
            root = min(inspection.roots - ROOTS)
            return Dismissal(CloseCode.FORBIDDEN, f"a transcript has no {root!r:.40}")
        if len(self._landmarks.state.keys() | written.keys()) > MOST_CLIENTS:
            return Dismissal(CloseCode.TOO_LARGE, f"a transcript has {MOST_CLIENTS} clients")
        if written and self._size_bytes + len(update) > self._most_bytes:
            return Dismissal(CloseCode.TOO_LARGE, f"a transcript has {self._most_bytes} bytes")
        return None

    def _note(self, inspection: Inspection, new: bytes | None) -> None:
        """Take note of an update that was applied, and of what in it was new."""
        self._landmarks.add(inspection)
        self._size_bytes += 0 if new is None else len(new)

    def _sender(self, updates: tuple[bytes, ...], source: Member | None) -> Callable[[], None]:
        def send() -> None:
            for update in updates:
                self._send(messages.encode(messages.Update(update)), source)

        return send

    def _spread(self, presence: bytes | None, source: Member | None = None) -> None:
        if presence is None:
            return
        self._send(messages.encode(messages.Awareness(presence)), None)
        if source is not None:
            self._charge(source, RECIPIENT_S * len(self._members))

    def _charge(self, member: Member, cost_s: float) -> None:
        member.allowance.charge(cost_s, self._clock())

    def _send(self, frame: bytes, source: Member | None) -> None:
        for member in self._members:
            if member is not source:
                member.mailbox.put(frame)


async def _inspect(update: bytes) -> Inspection:
    """Look into an update, without holding up others for long."""
    if len(update) < LONG_BYTES:
        return inspect(update, LIMITS)
    return await asyncio.to_thread(inspect, update, LIMITS)


def _name(gap: Id) -> str:
    return f"{gap.client}:{gap.clock}"
