"""Graphs in eight bits: near the float32 ones, exact sums, nothing stored twice."""

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from model import quantize
from preprocess import quantization
from preprocess.graph import Session, detached, whole
from preprocess.quantization import CNN, LEVELS, PRODUCTS, is_quantized, quantized


def convolution(rng, given_name, out, inside, kernel, group=1):
    """A Conv node, its two weights and a ReLU6 after it, channels of very different size."""
    weights = rng.normal(size=(out, inside // group, kernel, kernel)).astype(np.float32)
    weights *= np.exp(rng.normal(size=(out, 1, 1, 1))).astype(np.float32) / (inside * kernel)
    arrays = {f"{given_name}w{out}{kernel}{group}": weights}
    arrays[f"{given_name}b{out}{kernel}{group}"] = rng.normal(size=out).astype(np.float32)
    name = f"{given_name}{out}{kernel}{group}"
    half = kernel // 2
    node = helper.make_node(
        "Conv", [given_name, *arrays], [name], name=name, group=group, pads=[half] * 4
    )
    clip = helper.make_node("Clip", [name, "zero", "six"], [f"{name}c"], name=f"{name}c")
    return [node, clip], arrays, f"{name}c"


def cnn(seed=0):
    """Three blocks of an inverted residual: float32 (B, 3, 12, 12) -> (B, 24, 12, 12)."""
    rng = np.random.default_rng(seed)
    nodes, arrays, name = [], {"zero": np.float32(0), "six": np.float32(6)}, "picture"
    for out, inside, kernel, group in ((24, 3, 3, 1), (24, 24, 3, 24), (24, 24, 1, 1)):
        more, weights, name = convolution(rng, name, out, inside, kernel, group)
        nodes += more
        arrays |= weights
    first = nodes[1].output[0]
    nodes.append(helper.make_node("Add", [first, name], ["seen"], name="add"))
    return graph_of(nodes, arrays, {"picture": [None, 3, 12, 12]}, {"seen": [None, 24, 12, 12]})


def products():
    """A product by weights, a weighted sum, and one of two inputs: as in a decoder's step."""
    rng = np.random.default_rng(1)
    arrays = {"w": rng.normal(size=(40, 64)), "one": rng.normal(size=(64, 1))}
    nodes = [
        helper.make_node("MatMul", ["h", "w"], ["a"], name="wide"),
        helper.make_node("MatMul", ["a", "one"], ["b"], name="narrow"),
        helper.make_node("MatMul", ["b", "other"], ["c"], name="inputs"),
    ]
    ends = {"a": [None, 64], "c": [None, 5]}
    return graph_of(nodes, arrays, {"h": [None, 40], "other": [1, 5]}, ends)


def graph_of(nodes, arrays, inputs, outputs):
    def values(shapes):
        return [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in shapes.items()]

    tensors = [numpy_helper.from_array(np.asarray(a, np.float32), n) for n, a in arrays.items()]
    graph = helper.make_graph(nodes, "graph", values(inputs), values(outputs), tensors)
    opset = [helper.make_opsetid("", 15)]
    return detached(helper.make_model(graph, opset_imports=opset, ir_version=8))


def pictures(count, seed=2):
    rng = np.random.default_rng(seed)
    return [[rng.uniform(0, 2, (1, 3, 12, 12)).astype(np.float32)] for _ in range(count)]


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr("preprocess.graph.SMALL", 4)  # so that these weights count as large


def distance(one, other, calls):
    """Mean difference of the first output, as a share of its mean."""
    pairs = [(one(*call)[0], other(*call)[0]) for call in calls]
    return float(np.mean([np.abs(a - b).mean() for a, b in pairs])) / float(
        np.mean([np.abs(a).mean() for a, _ in pairs])
    )


def test_a_cnn_in_eight_bits_sees_nearly_the_same_and_knows_that_it_does():
    graph = cnn()
    eight = quantized(graph, pictures(8), CNN)
    assert (is_quantized(graph), is_quantized(eight)) == (False, True)
    assert 0 < distance(Session(graph), Session(eight), pictures(4, 3)) < 0.03


def test_pictures_do_not_change_each_other():
    run = Session(quantized(cnn(), pictures(8), CNN))
    alone = [call[0] for call in pictures(5, 4)]
    together = run(np.concatenate(alone))[0]
    for row, picture in zip(together, alone, strict=True):
        np.testing.assert_array_equal(row, run(picture)[0][0])  # sums of whole numbers are exact


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=8, deadline=None)
def test_weights_stay_and_no_pair_of_products_overflows_sixteen_bits(seed):
    graph = cnn(seed)
    eight = quantized(graph, pictures(3), CNN)
    for name, array in eight.weights.items():
        if name in graph.weights:
            np.testing.assert_array_equal(array, graph.weights[name])
    proto = whole(eight)
    arrays = {t.name: numpy_helper.to_array(t) for t in proto.graph.initializer}
    into = [n for n in proto.graph.node if n.op_type == "QuantizeLinear"]
    rounded = [node for node in into if node.input[0] in arrays]
    assert len(rounded) == 3
    for node in rounded:
        weight, scale = (arrays[name] for name in node.input[:2])
        steps = np.abs(weight).max((1, 2, 3)) / scale
        assert steps.max() <= LEVELS + 0.01  # 2 * 255 * 64 < 2**15
        assert steps.min() >= LEVELS - 1  # one scale a channel


def test_means_of_channels_are_put_right(monkeypatch):
    graph, calls = cnn(5), pictures(12)

    def moved():
        run = Session(quantized(graph, calls, CNN))
        shift = [run(*call)[0] - Session(graph)(*call)[0] for call in calls]
        return np.abs(np.mean(shift, axis=(0, 1, 3, 4))).mean()

    corrected = moved()
    monkeypatch.setattr(quantization, "_correct_biases", lambda *_: None)
    assert corrected < 0.8 * moved()


def test_the_first_convolutions_can_stay_as_they_are():
    eight = quantized(cnn(), pictures(3), CNN, exact=2)
    producers = {out: node for node in whole(eight).graph.node for out in node.output}
    convolutions = [n for n in producers.values() if n.op_type == "Conv"]
    kernels = [producers.get(node.input[1]) for node in convolutions]
    assert [kernel is None for kernel in kernels] == [True, True, False]


def test_nothing_to_round_is_nothing_changed():
    graph = cnn()
    assert quantized(graph, pictures(3), CNN, exact=3) is graph
    assert quantized(graph, pictures(3), PRODUCTS) is graph


def test_a_convolution_without_bias_and_one_in_groups_are_rounded_too():
    graph = cnn()
    proto = whole(graph)
    convolutions = [node for node in proto.graph.node if node.op_type == "Conv"]
    bias = convolutions[2].input.pop(2)  # the last has none any more
    proto.graph.initializer.remove(next(t for t in proto.graph.initializer if t.name == bias))
    grouped = np.random.default_rng(8).normal(size=(24, 12, 1, 1)).astype(np.float32)
    plain = {t.name: t for t in proto.graph.initializer}[convolutions[2].input[1]]
    plain.CopyFrom(numpy_helper.from_array(grouped / 12, plain.name))
    next(a for a in convolutions[2].attribute if a.name == "group").i = 2
    with_groups = detached(proto)
    eight = Session(quantized(with_groups, pictures(8), CNN))
    assert 0 < distance(Session(with_groups), eight, pictures(4, 3)) < 0.03


def test_only_products_by_weights_are_rounded():
    graph = products()
    rng = np.random.default_rng(6)
    calls = [
        [rng.uniform(-1, 1, (3, 40)).astype(np.float32), np.ones((1, 5), np.float32)]
        for _ in range(6)
    ]
    eight = quantized(graph, calls, PRODUCTS)
    producers = {out: node for node in whole(eight).graph.node for out in node.output}
    kinds = {n.name: [i in producers for i in n.input] for n in producers.values()}
    assert kinds["wide"] == [True, True]
    assert kinds["narrow"] == [True, False]
    assert 0 < distance(Session(graph), Session(eight), calls) < 0.03


def test_weights_are_rounded_by_rows_to_the_same_numbers(monkeypatch):
    rng = np.random.default_rng(7)
    calls = [[rng.normal(size=(3, 40)).astype(np.float32), np.ones((1, 5), np.float32)]]
    turned = quantized(products(), calls, PRODUCTS)
    monkeypatch.setattr(quantization, "_turned", lambda proto: proto)
    plain = quantized(products(), calls, PRODUCTS)
    assert (plain.weights["w"].shape, turned.weights["w"].shape) == ((40, 64), (64, 40))
    for one, same in zip(Session(turned)(*calls[0]), Session(plain)(*calls[0]), strict=True):
        np.testing.assert_array_equal(one, same)


def test_a_classifier_that_begins_with_pictures_is_rounded_too(monkeypatch):
    """As in captioner files of format 1, whose encoder has one output."""
    monkeypatch.setattr(quantize, "FULL", 1)
    found = quantize._classifier(cnn(1), cnn(), pictures(4))
    picture = pictures(1, 5)[0]
    wanted = Session(quantized(cnn(1), pictures(4), CNN, 1))(*picture)
    np.testing.assert_array_equal(Session(found)(*picture)[0], wanted[0])


def test_a_graph_without_what_is_rounded_stays_as_it_is():
    node = helper.make_node("Relu", ["x"], ["y"], name="relu")
    graph = graph_of([node], {}, {"x": [1, 3]}, {"y": [1, 3]})
    call = [np.array([[-1, 0, 2]], np.float32)]
    eight = quantized(graph, [call], PRODUCTS)
    np.testing.assert_array_equal(Session(eight)(*call)[0], Session(graph)(*call)[0])


def test_weights_come_back_into_the_model():
    graph = cnn()
    again = detached(whole(graph))
    assert onnx.load_from_string(again.structure) == onnx.load_from_string(graph.structure)
    assert again.weights.keys() == graph.weights.keys()
