"""Somebody who speaks for as long as a measurement lasts, and writes down what comes back."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from loadtest.arrivals import Arrival, corrected_words
from loadtest.clients import PIECE_BYTES
from loadtest.recordings import SAMPLE_BYTES
from streaming.core.domain import SAMPLE_RATE
from trax_client import Partial, Session

BYTES_A_SECOND = SAMPLE_RATE * SAMPLE_BYTES


@dataclass
class Speaker:
    """Who speaks into a session; owned by the measurement.

    Attributes:
        session: Survives lost connections.
        arrivals: What came, without partials; when it came is not noted.
        sent: The audio that was spoken.
    """

    session: Session
    arrivals: list[Arrival] = field(default_factory=list)
    sent: bytearray = field(default_factory=bytearray)

    @property
    def told(self) -> list[str]:
        """The words that were final, as they stand now."""
        return "".join(word.text for word in corrected_words(self.arrivals)).split()

    async def speak(self, audio: bytes) -> None:
        """Speak at the pace at which people do, again and again, until cancelled."""
        clock = asyncio.get_running_loop().time
        began_s, at = clock(), 0
        while True:
            piece = audio[at % len(audio) : at % len(audio) + PIECE_BYTES]
            at += len(piece)
            await asyncio.sleep(began_s + at / BYTES_A_SECOND - clock())
            self.sent += piece
            await self.session.send(piece)

    async def listen(self) -> None:
        """Write down what comes, until the session is over."""
        async for event in self.session:
            if not isinstance(event, Partial):
                self.arrivals.append(Arrival(0, event))
