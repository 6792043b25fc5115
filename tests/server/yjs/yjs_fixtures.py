"""What Yjs itself wrote: `fixtures.json`, made by `node/generate.js`."""

import json
from pathlib import Path
from typing import Any

FIXTURES: Any = json.loads(Path(__file__).with_name("fixtures.json").read_text())


def states(fixture: dict[str, int]) -> dict[int, int]:
    """Return a state vector; JSON has text as keys."""
    return {int(client): clock for client, clock in fixture.items()}
