"""The live pass: from audio samples to words with speakers, while people are still talking.

Everything here may import `streaming.core`; `streaming.core` imports nothing but the standard
library and numpy.
"""

import os

# onnxruntime (1.32) tells mobile.events.data.microsoft.com what it loads, and keeps an id for that
# in $TMPDIR/.ses and in the cache folder. Only this, before its import, stops all of it: its
# `disable_telemetry_events` asks for the address all the same (tests/streaming/test_privacy.py).
# Several libraries import it, in servers, children and tests; all come by here, and by nothing
# else: so this module, unlike any other, acts when it is imported.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

# Nor may numpy's matrices (OpenBLAS) have threads of their own: after each product they wait busily
# for the next one, which doubled what a live window cost (126 instead of 72 ms to encode 10 s), and
# calls run side by side anyway. Only read when numpy is imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
