"""Speech models behind the ports of `streaming.core.ports`, one third-party library per module.

No other package imports faster_whisper, ctranslate2, silero_vad, diart, pyannote or torchaudio,
and every module here imports its library late, so that `trax --help` stays instant.
"""
