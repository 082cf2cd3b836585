"""Keras networks as ONNX graphs: exporting needs TensorFlow, running needs only onnxruntime.

A graph is kept as its structure and its weights by name, so that weights can be stored as
float16 and once, however many graphs read them.
"""

import gc
import os
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

# later releases report their use over the network: this project works offline
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
import onnxruntime

from preprocess.errors import CaptionerFileError

if TYPE_CHECKING:
    import keras

Array = npt.NDArray[Any]
_FOLDER = "session.model_external_initializers_file_folder_path"
SMALL = 256  # initializers of fewer elements stay inside the structure (shapes, constants)


@dataclass(frozen=True, eq=False)
class Graph:
    """An inference graph.

    Attributes:
        structure: the ONNX file without its large weights.
        weights: float32 arrays by the initializer names the structure refers to.
    """

    structure: bytes
    weights: dict[str, Array]


def export_graph(network: "keras.Model", example: Sequence[Array]) -> Graph:
    """The network's inference graph; `example` is one batch of its inputs, any batch size."""
    import tempfile
    from pathlib import Path

    import onnx

    network(example if len(example) > 1 else example[0])  # Keras exports only what has been called
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(), _swept():
        # tf2onnx asks NumPy whether it still has np.object, and NumPy warns
        warnings.filterwarnings("ignore", category=FutureWarning)
        path = Path(folder) / "graph.onnx"
        network.export(path, format="onnx", verbose=False)
        proto = onnx.load(path)
    _keep_inputs(proto, {node.name for node in network.inputs})
    return detached(proto)


@contextmanager
def _swept() -> Iterator[None]:
    """Frees at once what tf2onnx drops: a copy of the graph, in cycles, for each of its passes.

    A CNN's copies came to 1 GB before Python looked for them among all objects of TensorFlow.
    """
    usual = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(700, 5, 1)
    try:
        yield
    finally:
        gc.set_threshold(*usual)
        gc.unfreeze()


def detached(proto: Any) -> Graph:
    """The graph of an ONNX model (which is changed): its large weights apart."""
    import onnx

    weights = {}
    for tensor in proto.graph.initializer:
        array = onnx.numpy_helper.to_array(tensor)
        if array.size >= SMALL and array.dtype == np.float32:
            weights[tensor.name] = array
            _detach(tensor, array.nbytes)
    return Graph(proto.SerializeToString(), weights)


def whole(graph: Graph) -> Any:
    """The ONNX model of a graph, its weights inside."""
    import onnx

    proto = onnx.load_from_string(graph.structure)
    for tensor in proto.graph.initializer:
        if tensor.name in graph.weights:
            array = np.ascontiguousarray(graph.weights[tensor.name], np.float32)
            tensor.CopyFrom(onnx.numpy_helper.from_array(array, tensor.name))
    return proto


def seeing(network: "keras.Model") -> Callable[[Array], Array]:
    """The network as a function of one batch: by onnxruntime, or by Keras on another backend.

    Keras exports graphs through TensorFlow; PyTorch and JAX run the network itself, where an
    accelerator helps.
    """
    import keras

    if keras.backend.backend() != "tensorflow":
        return lambda batch: np.asarray(network.predict_on_batch(batch))
    return running(picture_graph(network))


def running(graph: Graph, threads: int = 2) -> Callable[[Array], Array]:
    """A graph of one input and one output as a function of one batch."""
    session = Session(graph, threads)
    return lambda batch: session(batch)[0]


def picture_graph(network: "keras.Model") -> Graph:
    """The graph of a network whose one input is pictures: a CNN, or its first half."""
    return export_graph(network, [np.zeros((1, *network.input_shape[1:]), np.float32)])


def _keep_inputs(proto: Any, names: set[str]) -> None:
    """Drops graph inputs that are constants in truth: tf2onnx lists some twice."""
    kept = [node for node in proto.graph.input if node.name in names]
    del proto.graph.input[:]
    proto.graph.input.extend(kept)


def _detach(tensor: Any, size: int) -> None:
    """Marks an initializer as given from outside and drops its numbers."""
    import onnx

    tensor.ClearField("raw_data")
    tensor.ClearField("float_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    for key, value in (("location", "weights"), ("offset", "0"), ("length", str(size))):
        tensor.external_data.add(key=key, value=value)


class Session:
    """A loaded graph; calls are thread-safe."""

    def __init__(self, graph: Graph, threads: int = 2) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        # a graph may name other files as its weights: it finds none here
        options.add_session_config_entry(_FOLDER, os.devnull)
        names = list(graph.weights)
        # onnxruntime reads these in place: they must live as long as the session
        self._values = [
            onnxruntime.OrtValue.ortvalue_from_numpy(
                np.ascontiguousarray(graph.weights[n], np.float32)
            )
            for n in names
        ]
        options.add_external_initializers(names, self._values)
        try:
            self._session = onnxruntime.InferenceSession(
                graph.structure, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime's own exception types are not public
            raise CaptionerFileError(
                f"캡셔너 파일의 그래프를 불러올 수 없습니다 ({error}). 파일을 다시 받으세요.",
                f"a graph of the captioner file cannot be loaded ({error}). Fetch it again.",
            ) from None
        self._inputs = [node.name for node in self._session.get_inputs()]

    def __call__(self, *inputs: Array) -> list[Array]:
        """The graph's outputs in order, for its inputs in order."""
        feed: Mapping[str, Array] = dict(zip(self._inputs, inputs, strict=True))
        return list(self._session.run(None, feed))
