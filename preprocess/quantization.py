"""Graphs that count in eight bits: products of small whole numbers, summed exactly.

Post-training quantization by onnxruntime (Jacob et al. 2018, arXiv:1712.05877): one scale for each
output channel of a weight, one for each array that flows. Weights get seven bits: processors
without 8-bit dot products add pairs of products in 16 bits, which eight would overflow, and so
every processor finds the same numbers. What rounding a kernel shifts in the mean of its channels
is taken off the bias (Nagel et al. 2019, arXiv:1906.04721, section 4.2).

Weights are stored as they are and rounded when the graph is loaded, so that a file that holds them
holds nothing twice.
"""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from preprocess.graph import Graph, Session, detached, whole

Array = npt.NDArray[Any]
LEVELS = 64  # of a weight to each side of zero: seven bits
CNN = ("Conv", "Clip", "Relu", "Add")  # what follows a convolution is rounded with it
PRODUCTS = ("MatMul",)
FULL = 3  # convolutions at full size, with few channels: rounding costs most there, gains least


def quantized(
    graph: Graph, calls: Sequence[Sequence[Array]], kinds: Sequence[str], exact: int = 0
) -> Graph:
    """The same graph in eight bits; itself where nothing is to round.

    Args:
        graph: in float32.
        calls: inputs that it will meet, call by call: they decide how far numbers reach.
        kinds: operators to round, CNN or PRODUCTS; products by weights only.
        exact: how many convolutions from the beginning stay as they are.
    """
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    proto = whole(graph)
    chosen = _chosen(proto, graph.weights, kinds, exact)
    if not chosen:  # which onnxruntime would take for "all"
        return graph
    _correct_biases(proto, chosen, calls)
    with tempfile.TemporaryDirectory() as folder:
        plain, shaped, small = (Path(folder) / f"{name}.onnx" for name in ("a", "b", "c"))
        plain.write_bytes(proto.SerializeToString())
        quant_pre_process(plain, shaped, skip_optimization=True, skip_symbolic_shape=True)
        quantize_static(
            shaped, small, _Calls([node.name for node in proto.graph.input], calls),
            quant_format=QuantFormat.QDQ, nodes_to_quantize=chosen, per_channel=True,
            reduce_range=True, activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
            extra_options={
                "AddQDQPairToWeight": True,
                "OpTypesToExcludeOutputQuantization": list(PRODUCTS),  # sums go on in float32
            },
        )  # fmt: skip
        return detached(_turned(_read(small)))


class _Calls:
    """Inputs by name, one call after the other, as onnxruntime asks for them."""

    def __init__(self, names: Sequence[str], calls: Sequence[Sequence[Array]]) -> None:
        self._calls = (dict(zip(names, call, strict=True)) for call in calls)

    def get_next(self) -> dict[str, Array] | None:
        """The next call, or None after the last."""
        return next(self._calls, None)


def is_quantized(graph: Graph) -> bool:
    """Whether a graph counts in eight bits already."""
    return b"DequantizeLinear" in graph.structure


def _read(path: Path) -> Any:
    import onnx

    return onnx.load(path)


def _turned(proto: Any) -> Any:
    """The same model, its weights by rows where scales go by columns: five times as soon loaded."""
    import onnx

    arrays = {tensor.name: tensor for tensor in proto.graph.initializer}
    nodes: list[Any] = []
    for node in proto.graph.node:
        nodes.append(node)
        axis = next((a for a in node.attribute if a.name == "axis"), None)
        tensor = arrays.get(node.input[0]) if node.op_type == "QuantizeLinear" else None
        if tensor is not None and len(tensor.dims) == 2 and axis is not None and axis.i == 1:
            plain = onnx.numpy_helper.to_array(tensor)
            tensor.CopyFrom(onnx.numpy_helper.from_array(plain.T.copy(), tensor.name))
            axis.i, name = 0, node.output[0]
            node.output[0] = f"{name}_turned"
            nodes.append(onnx.helper.make_node("Transpose", [f"{name}_turned"], [name]))
    shapes = [value for value in proto.graph.value_info if value.name not in arrays]
    del proto.graph.node[:], proto.graph.value_info[:]
    proto.graph.node.extend(nodes)
    proto.graph.value_info.extend(shapes)
    return proto


def _chosen(
    proto: Any, weights: Mapping[str, Array], kinds: Sequence[str], exact: int
) -> list[str]:
    """Names of the nodes to round: none where no weights would be."""
    nodes = list(proto.graph.node)
    ends = [0, *(at + 1 for at, node in enumerate(nodes) if node.op_type == "Conv")]
    chosen = [
        node
        for node in nodes[ends[min(exact, len(ends) - 1)] :]
        if node.op_type in kinds and (node.op_type != "MatMul" or _wide(node, weights))
    ]
    weighty = any(node.op_type in ("Conv", "MatMul") for node in chosen)
    return [node.name for node in chosen] if weighty else []


def _wide(product: Any, weights: Mapping[str, Array]) -> bool:
    """Whether a product is one by weights, and more than a weighted sum."""
    return any(name in weights and weights[name].shape[-1] > 1 for name in product.input)


def _correct_biases(proto: Any, chosen: Sequence[str], calls: Sequence[Sequence[Array]]) -> None:
    """Takes off each bias what rounding its kernel adds to the mean of the channel."""
    import onnx

    convolutions = (n for n in proto.graph.node if n.op_type == "Conv" and n.name in chosen)
    rounded = [node for node in convolutions if len(node.input) > 2]  # those with a bias
    arrays = {tensor.name: tensor for tensor in proto.graph.initializer}
    means = _means(proto, [node.input[0] for node in rounded], calls) if rounded else {}
    for node in rounded:
        kernel, bias = (onnx.numpy_helper.to_array(arrays[name]) for name in node.input[1:3])
        shift = _shift(kernel, means[node.input[0]])
        tensor = onnx.numpy_helper.from_array((bias - shift).astype(np.float32), node.input[2])
        arrays[node.input[2]].CopyFrom(tensor)


def _shift(kernel: Array, mean: Array) -> Array:
    """How far rounding moves the mean of each output: kernel (O, I, h, w), inputs' mean (C,)."""
    scale = np.abs(kernel).max((1, 2, 3), keepdims=True) / LEVELS + np.finfo(np.float32).tiny
    moved = (np.round(kernel / scale) * scale - kernel).sum((2, 3))
    groups = mean.reshape(-1, kernel.shape[1])  # of input channels
    return np.asarray((moved * groups.repeat(len(kernel) // len(groups), 0)).sum(1))


def _means(proto: Any, names: Sequence[str], calls: Sequence[Sequence[Array]]) -> dict[str, Array]:
    """The mean of each channel of these arrays (B, C, h, w) over all calls."""
    import onnx

    tapped, names = onnx.ModelProto(), list(dict.fromkeys(names))
    tapped.CopyFrom(proto)
    del tapped.graph.output[:]
    for name in names:
        value = onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None)
        tapped.graph.output.append(value)
    run = Session(detached(tapped))
    seen = zip(*([array.mean((0, 2, 3)) for array in run(*call)] for call in calls), strict=True)
    return {name: np.mean(rows, axis=0) for name, rows in zip(names, seen, strict=True)}
