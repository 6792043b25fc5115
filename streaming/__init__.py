"""The live pass: from audio samples to words with speakers, while people are still talking.

Everything here may import `streaming.core`; `streaming.core` imports nothing but the standard
library and numpy.
"""
