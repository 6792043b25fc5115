"""Whisper's networks as ONNX graphs, made of the weights that CTranslate2 keeps.

CTranslate2 decodes a text token by token, also what was heard before and most likely still holds:
6 ms a token (base, one core). One pass over 32 tokens costs 14 ms here, as any number of new tokens
may be given at once, each with its probability and with where it listens. Nor can it encode a
window that has grown without encoding all of it. The networks are those of Radford et al. 2022,
"Robust Speech Recognition via Large-Scale Weak Supervision".

Wherever a batch is told, it is of one: rows have scales of their own, batches have none.

`encoder`: some frames of audio behind those of before

    features              (batch, bands, frames)     log-mel, 10 ms each
    picked                (new,)                     of which frames the encoding is wanted
    places                (batch, new, width)        embeddings of their places
    mask                  (new, before + new)        added to how much each frame is looked at
    keys_{layer}, values_{layer}  (batch, heads, before, 64)  of the frames before, in float16
    encoding              (batch, new, width)
    new_keys_{layer}, new_values_{layer}  (batch, heads, new, 64)  of these frames, in float16

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
one scale for each row, as in CTranslate2. Scales for all rows together, as ONNX Runtime's own
quantiser makes them, left 305 errors instead of 260 (1,131 words; 264 in float32, 289 by
CTranslate2 in int8).

Multiplying is a quarter of the time; the rest is going through what was multiplied. So the graph
has few operations: what queries are scaled by stands in their weights, and the bias of values,
which each query finds whole, in the bias of what is made of them. Where ONNX Runtime has one
operation for several, it is not always faster: adding and normalising at once takes three times as
long as one after the other, a GELU with its bias twice (1.32).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from streaming.engines.whisper_weights import Array, WhisperWeights

OPSET, IR = 23, 11
"""Opset 23 has attention; onnxruntime 1.23 reads it."""

MICROSOFT = "com.microsoft"
"""Whose operations there are besides ONNX' own."""

MOST_INT8 = 127
ZERO = np.array(128, np.uint8)
"""What stands for zero in an activation: processors are fastest at unsigned times signed."""

LEAST = 1e-9
"""No weight is taken for smaller, so that none is divided by zero."""

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
    graph.takes(TensorProto.FLOAT, "features", "places", "mask")
    graph.takes(TensorProto.INT64, "picked")
    heard = graph.convolved(graph.convolved("features", "encoder/conv1", 1), "encoder/conv2", 2)
    frames = graph.op("Transpose", heard, perm=(0, 2, 1))
    stream = _Stream(graph.op("Add", graph.op("Gather", frames, "picked", axis=1), "places"))
    for layer in range(weights.encoder_layers):
        graph.takes(TensorProto.FLOAT16, f"keys_{layer}", f"values_{layer}")
        name = f"encoder/layer_{layer}/self_attention"
        queries, *both = graph.attentive(stream, name)
        for kind, new in zip(("keys", "values"), both, strict=True):
            called = graph.gives(f"new_{kind}_{layer}", TensorProto.FLOAT16)
            graph.op("Cast", graph.heads(new), to=TensorProto.FLOAT16, called=called)
        past = (
            graph.op("Cast", f"{kind}_{layer}", to=TensorProto.FLOAT) for kind in ("keys", "values")
        )
        found = graph.attention((queries, *both, "mask", *past))
        graph.found(stream, found, name, values="linear_0")
        graph.feed_forward(stream, f"encoder/layer_{layer}/ffn")
    graph.normed(stream, "encoder/layer_norm", called=graph.gives("encoding"))
    return graph.finish()


def cross_graph(weights: WhisperWeights) -> bytes:
    """Return the graph from an encoding to the keys and values that the decoder listens to."""
    graph = _Graph(weights)
    graph.takes(TensorProto.FLOAT, "encoding")
    for layer in range(weights.layers):
        name = f"decoder/layer_{layer}/attention/linear_1"
        keys, values = (graph.product("encoding", name, graph.part(number)) for number in (0, 1))
        graph.heads(keys, (0, 2, 3, 1), called=graph.gives(f"cross_keys_{layer}"))
        graph.heads(values, called=graph.gives(f"cross_values_{layer}"))
    return graph.finish()


def decoder_graph(weights: WhisperWeights) -> bytes:
    """Return the graph from tokens to what follows them."""
    graph = _Graph(weights)
    graph.takes(TensorProto.FLOAT, "hidden", "mask")
    graph.takes(TensorProto.INT64, "rows")
    stream = _Stream("hidden")
    attention: list[str] = []
    for layer in range(weights.layers):
        before = [f"{kind}_{layer}" for kind in ("keys", "values")]
        graph.takes(TensorProto.FLOAT, *before, *(f"cross_{name}" for name in before))
        name = f"decoder/layer_{layer}/self_attention"
        asked = (*graph.attentive(stream, name), "mask", *before)
        found = graph.attention(asked, *(graph.gives(f"new_{each}") for each in before))
        graph.found(stream, found, name, values="linear_0")
        listening = graph.cross_attention(stream, layer)
        graph.feed_forward(stream, f"decoder/layer_{layer}/ffn")
        if heads := [head for at, head in weights.alignment_heads if at == layer]:
            attention.append(graph.op("Gather", listening, graph.constant(heads), axis=1))
    graph.op("Concat", *attention, axis=1, called=graph.gives("attention"))
    wanted = graph.normed(graph.picked(stream, "rows"), "decoder/layer_norm")
    graph.product(wanted, "decoder/projection", called=graph.gives("logits"))
    return graph.finish()


@dataclass(slots=True)
class _Stream:
    """What the layers of a network add to, one after the other; owned by who writes the graph.

    Attributes:
        total: What was added up.
        more: What the last layer found, which is not added yet.
    """

    total: str
    more: str | None = None


@dataclass(slots=True)
class _Graph:
    """Writes one graph, operation by operation. Texts are names of what was computed."""

    weights: WhisperWeights
    inputs: dict[str, TensorProto.DataType] = field(default_factory=dict)
    outputs: dict[str, TensorProto.DataType] = field(default_factory=dict)
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: list[onnx.TensorProto] = field(default_factory=list)
    rounded: dict[str, tuple[str, str]] = field(default_factory=dict)
    """What became int8 already, and what one step of each of its rows means."""

    def takes(self, kind: TensorProto.DataType, *names: str) -> None:
        """Take inputs; shapes are known when it runs."""
        self.inputs |= dict.fromkeys(names, kind)

    def gives(self, name: str, kind: TensorProto.DataType = TensorProto.FLOAT) -> str:
        """Give out what will be called so; return the name."""
        self.outputs[name] = kind
        return name

    def finish(self) -> bytes:
        """Return the graph."""
        inputs, outputs = (
            [helper.make_tensor_value_info(name, kind, None) for name, kind in ends.items()]
            for ends in (self.inputs, self.outputs)
        )
        graph = helper.make_graph(self.nodes, "whisper", inputs, outputs, self.constants)
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(MICROSOFT, 1)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=IR)
        return bytes(model.SerializeToString())

    def op(self, kind: str, *inputs: str, called: str = "", **attributes: Any) -> str:
        """Add an operation with one output."""
        return self.ops(kind, inputs, [called], **attributes)[0]

    def ops(
        self, kind: str, inputs: Sequence[str], called: Sequence[str], **attributes: Any
    ) -> list[str]:
        """Add an operation with several outputs, each under a name of its own if none is given."""
        number = len(self.nodes)
        names = [name or f"{kind}_{number}_{at}" for at, name in enumerate(called)]
        self.nodes.append(helper.make_node(kind, list(inputs), names, **attributes))
        return names

    def constant(self, value: npt.ArrayLike) -> str:
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def array(self, name: str) -> str:
        """Return a variable of the model."""
        return self.constant(self.weights.array(name))

    def part(self, number: int) -> slice:
        """Return which outputs of several matrices in one belong to the one of that number."""
        width = self.weights.width
        return slice(number * width, (number + 1) * width)

    def product(
        self,
        source: str,
        name: str,
        part: slice = slice(None),
        *,
        times: float = 1.0,
        called: str = "",
    ) -> str:
        """Multiply by a matrix in int8, or by some of its outputs, without its bias."""
        rows, steps = self.in_int8(source)
        rounded, scale = _in_int8(self.weights, f"{name}/weight", part)
        found = self.op(
            "MatMulIntegerToFloat",
            rows,
            self.constant(rounded),
            self.constant(np.float32(1)),
            self.constant(scale * np.float32(times)),
            self.constant(ZERO),
            domain=MICROSOFT,
        )
        return self.op("Mul", found, steps, called=called)

    def in_int8(self, source: str) -> tuple[str, str]:
        """Return rows in int8, and what one step of each means: (batch, rows, 1).

        A row of nothing but zeros has steps of nothing, so that all of it becomes zeros again.
        """
        if source not in self.rounded:
            most = self.op("ReduceMax", self.op("Abs", source), self.constant([-1]))
            steps = self.op("Mul", most, self.constant(np.float32(1 / MOST_INT8)))
            of_rows = self.op("Reshape", steps, self.constant([-1]))
            zeros = self.op("Expand", self.constant(ZERO), self.op("Shape", of_rows))
            self.rounded[source] = self.op("QuantizeLinear", source, of_rows, zeros, axis=1), steps
        return self.rounded[source]

    def convolved(self, source: str, name: str, stride: int) -> str:
        """Let each frame of (batch, channels, frames) see its neighbours."""
        kernel, bias = self.array(f"{name}/weight"), self.array(f"{name}/bias")
        found = self.op("Conv", source, kernel, bias, pads=[1, 1], strides=[stride])
        return self.op("Gelu", found)

    def normed(self, stream: _Stream, name: str, *, called: str = "") -> str:
        """Add what was found, and normalise each row."""
        if stream.more is not None:
            stream.total, stream.more = self.op("Add", stream.total, stream.more), None
        gamma, beta = self.array(f"{name}/gamma"), self.array(f"{name}/beta")
        kinds = {"axis": -1, "epsilon": EPSILON}
        return self.op("LayerNormalization", stream.total, gamma, beta, called=called, **kinds)

    def picked(self, stream: _Stream, rows: str) -> _Stream:
        """Return some of the rows."""
        total = self.op("Gather", stream.total, rows, axis=1)
        return _Stream(total, stream.more and self.op("Gather", stream.more, rows, axis=1))

    def heads(self, source: str, order: Sequence[int] = (0, 2, 1, 3), *, called: str = "") -> str:
        """Cut (batch, rows, width) by heads, and put batch, rows, heads, 64 in this order."""
        shape = self.constant([0, 0, self.weights.heads, -1])
        return self.op("Transpose", self.op("Reshape", source, shape), perm=order, called=called)

    def queries(self, normed: str, name: str) -> str:
        """Return what each row asks for, so large that it needs no more scaling."""
        times = float((self.weights.width // self.weights.heads) ** -0.5)
        part = self.part(0)
        bias = self.weights.array(f"{name}/bias", part) * np.float32(times)
        asked = self.product(normed, name, part, times=times)
        return self.op("Add", asked, self.constant(bias))

    def attentive(self, stream: _Stream, name: str) -> tuple[str, str, str]:
        """Return queries, keys and values of each row.

        A bias of the keys would raise all scores of a query alike, which changes nothing.
        """
        normed = self.normed(stream, f"{name}/layer_norm")
        queries = self.queries(normed, f"{name}/linear_0")
        keys, values = (
            self.product(normed, f"{name}/linear_0", self.part(number)) for number in (1, 2)
        )
        return queries, keys, values

    def attention(self, asked: Sequence[str], keys: str = "", values: str = "") -> str:
        """Let queries find values, by keys: also such of places before.

        Args:
            asked: Queries, keys, values, the mask, keys and values before.
            keys: What all keys are to be called, if they are wanted.
            values: Likewise.
        """
        heads = dict.fromkeys(("q_num_heads", "kv_num_heads"), self.weights.heads)
        return self.ops("Attention", asked, ["", keys, values], scale=1.0, **heads)[0]

    def cross_attention(self, stream: _Stream, layer: int) -> str:
        """Let each token listen to the audio; return how much each of its heads listens where."""
        name = f"decoder/layer_{layer}/attention"
        normed = self.normed(stream, f"{name}/layer_norm")
        queries = self.heads(self.queries(normed, f"{name}/linear_0"))
        scores = self.op("MatMul", queries, f"cross_keys_{layer}")
        listening = self.op("Softmax", scores, axis=-1)
        heard = self.op("MatMul", listening, f"cross_values_{layer}")
        together = self.op("Transpose", heard, perm=(0, 2, 1, 3))
        found = self.op("Reshape", together, self.constant([0, 0, -1]))
        self.found(stream, found, name, values="linear_1", into="linear_2")
        return listening

    def found(
        self, stream: _Stream, found: str, name: str, *, values: str, into: str = "linear_1"
    ) -> None:
        """Make of the values that were found what is to be added.

        Args:
            stream: What to add it to.
            found: Values without their bias.
            name: Of the attention.
            values: Matrix of which the last outputs are the values.
            into: What they are multiplied by.
        """
        missing = self.weights.array(f"{name}/{values}/bias")[-self.weights.width :]
        bias = self.weights.array(f"{name}/{into}/weight") @ missing
        bias += self.weights.array(f"{name}/{into}/bias")
        stream.more = self.op("Add", self.product(found, f"{name}/{into}"), self.constant(bias))

    def feed_forward(self, stream: _Stream, name: str) -> None:
        normed = self.normed(stream, f"{name}/layer_norm")
        inner = self.op("Gelu", self.linear(normed, f"{name}/linear_0"))
        stream.more = self.linear(inner, f"{name}/linear_1")

    def linear(self, source: str, name: str) -> str:
        """Multiply by a matrix in int8, and add its bias."""
        return self.op("Add", self.product(source, name), self.array(f"{name}/bias"))


def _in_int8(weights: WhisperWeights, name: str, part: slice) -> tuple[npt.NDArray[np.int8], Array]:
    """Return some outputs of a matrix, (inputs, outputs), and what one step of each means."""
    outputs, inputs = weights.variable(name).shape
    first, last, _ = part.indices(outputs)
    rounded = np.empty((inputs, last - first), np.int8)
    scale = np.empty(last - first, np.float32)
    for start in range(first, last, PIECE):
        stop = min(start + PIECE, last)
        here = slice(start - first, stop - first)
        weight = weights.array(name, slice(start, stop))
        scale[here] = np.maximum(np.abs(weight).max(axis=1), LEAST) / MOST_INT8
        rounded[:, here] = np.round(weight / scale[here, None]).T
    return rounded, scale
