"""Whisper's networks as ONNX graphs, made of the weights that CTranslate2 keeps.

CTranslate2 decodes a text token by token, also what was heard before and most likely still holds:
6 ms a token (base, one core). One pass over 32 tokens costs 14 ms here, as any number of new tokens
may be given at once, each with its probability and with where it listens. Nor can it encode a
window that has grown without encoding all of it. The networks are those of Radford et al. 2022,
"Robust Speech Recognition via Large-Scale Weak Supervision".

`encoder`: some frames of audio behind those of before

    features              (batch, bands, twice what is encoded)  log-mel, 10 ms each
    picked                (new,)                     of which frames the encoding is wanted
    places                (batch, new, width)        embeddings of their places
    mask                  (1, before + new)          added to how much each frame is looked at
    keys_{layer}, values_{layer}  (batch, heads, before, 64)  of the frames before, in float16
    encoding              (batch, new, width)
    new_keys_{layer}, new_values_{layer}  (batch, heads, before + new, 64)  in float16

`cross`: once for each stretch of audio

    encoding              (batch, frames, width)     what the encoder makes of it, 20 ms a frame
    cross_keys_{layer}    (batch, heads, 64, frames)
    cross_values_{layer}  (batch, heads, frames, 64)

`decoder`: some tokens behind those of before

    hidden                (batch, new, width)        embeddings of the new tokens and their places
    mask                  (new, before + new)        0 where a token sees another, else -inf
    rows                  (rows,)                    of which new tokens `logits` are wanted
    keys_{layer}, values_{layer}  (batch, heads, before, 64)  of the tokens before; and cross_...
    logits                (batch, rows, vocabulary)  of the token that follows each
    attention             (batch, alignment heads, new, frames)  how much each listens where
    new_keys_{layer}, new_values_{layer}  (batch, heads, before + new, 64)

Weights are kept in int8, one scale for each output; activations become int8 while it computes, with
one scale for each token, as in CTranslate2. Scales for all tokens together, as ONNX Runtime's own
quantiser makes them, left 305 errors instead of 260 (1,131 words; 264 in float32, 289 by
CTranslate2 in int8).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from streaming.engines.whisper_weights import Array, WhisperWeights

OPSET, IR = 20, 10
"""Opset 20 has GELU; what onnxruntime 1.20 can read."""

MOST_INT8 = 127
ZERO = np.array(128, np.uint8)
"""What stands for zero in an activation: processors are fastest at unsigned times signed."""

LEAST = 1e-9
"""Nothing is taken for smaller, so that nothing is divided by zero."""

PIECE = 4096
"""Outputs turned to int8 at once: the projection to all tokens would take 400 MB."""

EPSILON = 1e-5
"""Of layer normalisation, as in Whisper."""


def nothing_before(
    weights: WhisperWeights, layers: int, dtype: npt.DTypeLike = np.float32
) -> dict[str, npt.NDArray[Any]]:
    """Return keys and values of the places before, where there are none."""
    nothing = np.zeros((1, weights.heads, 0, weights.width // weights.heads), dtype)
    return {f"{kind}_{layer}": nothing for kind in ("keys", "values") for layer in range(layers)}


def encoder_graph(weights: WhisperWeights) -> bytes:
    """Return the graph from log-mel features to an encoding."""
    graph = _Graph(weights)
    inputs = dict.fromkeys(("features", "places", "mask"), TensorProto.FLOAT)
    inputs |= {"picked": TensorProto.INT64}
    heard = graph.convolved(graph.convolved("features", "encoder/conv1", 1), "encoder/conv2", 2)
    frames = graph.op("Transpose", heard, perm=(0, 2, 1))
    hidden = graph.op("Add", graph.op("Gather", frames, "picked", axis=1), "places")
    for layer in range(weights.encoder_layers):
        inputs |= dict.fromkeys((f"keys_{layer}", f"values_{layer}"), TensorProto.FLOAT16)
        hidden = graph.self_attention(hidden, "encoder", layer, kept=TensorProto.FLOAT16)
        hidden = graph.feed_forward(hidden, "encoder", layer)
    graph.output(graph.norm(hidden, "encoder/layer_norm"), "encoding")
    return graph.finish(inputs)


def cross_graph(weights: WhisperWeights) -> bytes:
    """Return the graph from an encoding to the keys and values that the decoder listens to."""
    graph = _Graph(weights)
    for layer in range(weights.layers):
        both = graph.linear("encoding", f"decoder/layer_{layer}/attention/linear_1")
        keys, values = graph.split(both, 2)
        graph.output(graph.heads(keys, (0, 2, 3, 1)), f"cross_keys_{layer}")
        graph.output(graph.heads(values), f"cross_values_{layer}")
    return graph.finish({"encoding": TensorProto.FLOAT})


def decoder_graph(weights: WhisperWeights) -> bytes:
    """Return the graph from tokens to what follows them."""
    graph = _Graph(weights)
    inputs = dict.fromkeys(("hidden", "mask"), TensorProto.FLOAT) | {"rows": TensorProto.INT64}
    hidden = "hidden"
    attention: list[str] = []
    for layer in range(weights.layers):
        kept = [f"{kind}_{layer}" for kind in ("keys", "values", "cross_keys", "cross_values")]
        inputs |= dict.fromkeys(kept, TensorProto.FLOAT)
        hidden = graph.self_attention(hidden, "decoder", layer)
        hidden, listening = graph.cross_attention(hidden, layer)
        hidden = graph.feed_forward(hidden, "decoder", layer)
        if heads := [head for at, head in weights.alignment_heads if at == layer]:
            attention.append(graph.op("Gather", listening, graph.constant(heads), axis=1))
    graph.output(graph.op("Concat", *attention, axis=1), "attention")
    wanted = graph.op("Gather", graph.norm(hidden, "decoder/layer_norm"), "rows", axis=1)
    graph.output(graph.linear(wanted, "decoder/projection"), "logits")
    return graph.finish(inputs)


@dataclass(slots=True)
class _Graph:
    """Writes one graph, operation by operation. Texts are names of what was computed."""

    weights: WhisperWeights
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: list[onnx.TensorProto] = field(default_factory=list)
    outputs: dict[str, TensorProto.DataType] = field(default_factory=dict)

    def op(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """Add an operation with one output."""
        name = f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def constant(self, value: npt.ArrayLike) -> str:
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def output(
        self, name: str, called: str, kind: TensorProto.DataType = TensorProto.FLOAT
    ) -> None:
        """Give what was computed out under another name."""
        self.nodes.append(helper.make_node("Cast", [name], [called], to=kind))
        self.outputs[called] = kind

    def finish(self, inputs: Mapping[str, TensorProto.DataType]) -> bytes:
        """Return the graph; shapes are known when it runs."""
        graph = helper.make_graph(
            self.nodes,
            "whisper",
            [helper.make_tensor_value_info(name, kind, None) for name, kind in inputs.items()],
            [
                helper.make_tensor_value_info(name, kind, None)
                for name, kind in self.outputs.items()
            ],
            self.constants,
        )
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid("com.microsoft", 1)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=IR)
        return bytes(model.SerializeToString())

    def linear(self, source: str, name: str) -> str:
        """Multiply by a matrix in int8, and add its bias if it has one."""
        rounded, scale = _in_int8(self.weights, f"{name}/weight")
        most = self.op("ReduceMax", self.op("Abs", source), self.constant([-1]))
        most = self.op("Max", most, self.constant(np.float32(LEAST)))
        size = self.op("Div", most, self.constant(np.float32(MOST_INT8)))
        one, zero = self.constant(np.float32(1)), self.constant(ZERO)
        found = self.op(
            "MatMulIntegerToFloat",
            self.op("QuantizeLinear", self.op("Div", source, size), one, zero),
            self.constant(rounded),
            one,
            self.constant(scale),
            zero,
            domain="com.microsoft",
        )
        found = self.op("Mul", found, size)
        if f"{name}/bias" not in self.weights:
            return found
        return self.op("Add", found, self.constant(self.weights.array(f"{name}/bias")))

    def convolved(self, source: str, name: str, stride: int) -> str:
        """Let each frame of (batch, channels, frames) see its neighbours."""
        kernel, bias = (self.weights.array(f"{name}/{each}") for each in ("weight", "bias"))
        kinds = {"pads": [1, 1], "strides": [stride]}
        found = self.op("Conv", source, self.constant(kernel), self.constant(bias), **kinds)
        return self.op("Gelu", found)

    def norm(self, source: str, name: str) -> str:
        """Normalise each token."""
        gamma, beta = (self.weights.array(f"{name}/{each}") for each in ("gamma", "beta"))
        return self.op(
            "LayerNormalization",
            source,
            self.constant(gamma),
            self.constant(beta),
            axis=-1,
            epsilon=EPSILON,
        )

    def split(self, source: str, parts: int) -> list[str]:
        """Cut the last axis into equal parts."""
        names = [f"Split_{len(self.nodes)}_{part}" for part in range(parts)]
        self.nodes.append(helper.make_node("Split", [source], names, axis=-1, num_outputs=parts))
        return names

    def heads(self, source: str, order: tuple[int, ...] = (0, 2, 1, 3)) -> str:
        """Cut (batch, tokens, width) by heads, and put batch, tokens, heads, 64 in this order."""
        shape = self.constant([0, 0, self.weights.heads, -1])
        return self.op("Transpose", self.op("Reshape", source, shape), perm=order)

    def attend(self, queries: str, keys: str, values: str, mask: str | None) -> tuple[str, str]:
        """Return what queries find, (batch, new, width), and how much each looks where."""
        scores = self.op("MatMul", queries, keys)
        if mask is not None:
            scores = self.op("Add", scores, mask)
        looking = self.op("Softmax", scores, axis=-1)
        found = self.op("Transpose", self.op("MatMul", looking, values), perm=(0, 2, 1, 3))
        return self.op("Reshape", found, self.constant([0, 0, -1])), looking

    def float32(self, source: str, kind: TensorProto.DataType) -> str:
        """Turn to what is computed in."""
        if kind == TensorProto.FLOAT:
            return source
        return self.op("Cast", source, to=TensorProto.FLOAT)

    def scaled(self, queries: str) -> str:
        width = self.weights.width // self.weights.heads
        return self.op("Mul", self.heads(queries), self.constant(np.float32(width**-0.5)))

    def self_attention(
        self,
        hidden: str,
        network: str,
        layer: int,
        kept: TensorProto.DataType = TensorProto.FLOAT,
    ) -> str:
        """Let each place see those that the mask lets it, also before.

        Args:
            hidden: The places.
            network: `encoder` or `decoder`.
            layer: Of it.
            kept: In what keys and values of the places before come in, and those of all go out.
        """
        name = f"{network}/layer_{layer}/self_attention"
        normed = self.norm(hidden, f"{name}/layer_norm")
        queries, *both = self.split(self.linear(normed, f"{name}/linear_0"), 3)
        keys, values = (
            self.op("Concat", self.float32(f"{kind}_{layer}", kept), self.heads(new), axis=2)
            for kind, new in zip(("keys", "values"), both, strict=True)
        )
        self.output(keys, f"new_keys_{layer}", kept)
        self.output(values, f"new_values_{layer}", kept)
        turned = self.op("Transpose", keys, perm=(0, 1, 3, 2))
        found, _ = self.attend(self.scaled(queries), turned, values, "mask")
        return self.op("Add", hidden, self.linear(found, f"{name}/linear_1"))

    def cross_attention(self, hidden: str, layer: int) -> tuple[str, str]:
        """Let each token listen to the audio; return how much it listens where, too."""
        name = f"decoder/layer_{layer}/attention"
        normed = self.norm(hidden, f"{name}/layer_norm")
        queries = self.scaled(self.linear(normed, f"{name}/linear_0"))
        keys, values = f"cross_keys_{layer}", f"cross_values_{layer}"
        found, listening = self.attend(queries, keys, values, None)
        return self.op("Add", hidden, self.linear(found, f"{name}/linear_2")), listening

    def feed_forward(self, hidden: str, network: str, layer: int) -> str:
        name = f"{network}/layer_{layer}/ffn"
        normed = self.norm(hidden, f"{name}/layer_norm")
        inner = self.op("Gelu", self.linear(normed, f"{name}/linear_0"))
        return self.op("Add", hidden, self.linear(inner, f"{name}/linear_1"))


def _in_int8(weights: WhisperWeights, name: str) -> tuple[npt.NDArray[np.int8], Array]:
    """Return a matrix, (inputs, outputs), and what one step of each output's int8 means."""
    outputs, inputs = weights.variables[name].shape
    rounded = np.empty((inputs, outputs), np.int8)
    scale = np.empty(outputs, np.float32)
    for start in range(0, outputs, PIECE):
        piece = slice(start, start + PIECE)
        weight = weights.array(name, piece)
        scale[piece] = np.maximum(np.abs(weight).max(axis=1), LEAST) / MOST_INT8
        rounded[:, piece] = np.round(weight / scale[piece, None]).T
    return rounded, scale
