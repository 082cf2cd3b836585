"""One step of training, on any backend of Keras, in mixed precision, on several devices.

The frames of a shot say one sentence together, as they do when they are captioned: their
log-probabilities are averaged. B shots, n frames a shot (padded), k sentences a shot, R regions,
D feature width, T tokens, V vocabulary.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import ops

from model.decoding import moves, places, shares
from preprocess.dataset import Batch
from preprocess.errors import SettingError

Array = npt.NDArray[Any]
Step = Callable[[Sequence[Array], Array, Array], float]
PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")
CLIP = 5.0  # largest norm of a weight's gradient


class Lesson(keras.Model):  # type: ignore[misc]
    """A decoder, and the part of an encoder that learns with it, as Keras trains them.

    Inputs: what `upper` sees or else regions, (B, n, ...) in order of time; shares (B, n), moves
    (B, n, n) and places (B, n) of model/decoding.py, float32; tokens int32 (B, k, T).
    Output: logits float32 (B, k, T, V).
    """

    def __init__(self, networks: Sequence[keras.Model], smoothing: float) -> None:
        super().__init__(name="lesson")
        self.decoder, *rest = networks
        self.upper, self.smoothing = (rest[0] if rest else None), smoothing
        self.built = True  # its parts are

    def call(self, inputs: tuple[Any, ...], training: bool = False) -> Any:
        """Teacher forcing of whole shots."""
        seen, shares, moves, places, tokens = inputs
        n = seen.shape[1]
        regions = ops.reshape(seen, (-1, *seen.shape[2:]))
        if self.upper is not None:
            regions = self.upper(regions, training=training)
        looks = [regions]
        if self.decoder.config.motion:
            grouped = ops.reshape(regions, (-1, n, *regions.shape[1:]))
            changes = ops.einsum("bij,bjrd->bird", ops.cast(moves, grouped.dtype), grouped)
            looks += [ops.reshape(changes, regions.shape), ops.reshape(places, (-1, 1))]
        logits = self.decoder((*looks, ops.repeat(tokens, n, axis=0)), training=training)
        if n == 1:
            return ops.cast(logits, "float32")
        apart = ops.log_softmax(ops.cast(logits, "float32"))  # (B * n, k, T, V)
        apart = ops.reshape(apart, (-1, n, *apart.shape[1:]))
        return ops.einsum("bn,bnktv->bktv", shares, apart)

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None,
        training: bool = True,
    ) -> Any:  # fmt: skip
        """What a step makes smaller; weights are shares of the whole batch."""
        return smoothed_loss(y, y_pred, sample_weight, self.smoothing)


def smoothed_loss(targets: Any, logits: Any, weights: Any, smoothing: float) -> Any:
    """Weighted cross-entropy against the target mixed with the uniform distribution.

    Args:
        targets: int32 (B, k, T).
        logits: float32 (B, k, T, V).
        weights: float32 (B, k, T), a token's share of the batch, 0 where the target is padding.
        smoothing: share of the uniform distribution (Szegedy et al. 2016, section 7).
    """
    log_probabilities = ops.log_softmax(ops.cast(logits, "float32"))
    hit = ops.squeeze(ops.take_along_axis(log_probabilities, ops.expand_dims(targets, -1), -1), -1)
    loss = -(1 - smoothing) * hit - smoothing * ops.mean(log_probabilities, -1)
    return ops.sum(loss * ops.convert_to_tensor(weights))


class AveragedAdam(keras.optimizers.Adam):  # type: ignore[misc]
    """Adam that keeps a moving average of the weights, some of which may learn at another rate.

    Gradients are clipped one by one where they are applied, so that of several devices the sum is
    clipped.
    """

    def __init__(self, rate: Any, momentum: float) -> None:
        super().__init__(rate)
        self.momentum = momentum
        self.shares: list[float] = []
        self.averages: list[Any] = []

    def learn(self, groups: Sequence[tuple[Sequence[Any], float]]) -> None:
        """Builds it for groups of variables, each with its share of the learning rate."""
        variables = [variable for group, _ in groups for variable in group]
        self.build(variables)
        self.shares = [share for group, share in groups for _ in group]
        for variable in variables:
            mean = self.add_variable_from_reference(variable, name="average")
            mean.assign(variable)
            self.averages.append(mean)

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """One variable's step, and its average's."""
        index = self._get_variable_index(variable)
        gradient = ops.convert_to_tensor(gradient)
        norm = ops.sqrt(ops.sum(ops.square(gradient)))
        gradient = gradient * (CLIP / ops.maximum(norm, CLIP))
        super().update_step(gradient, variable, learning_rate * self.shares[index])
        mean, done = self.averages[index], ops.cast(self.iterations, "float32")
        # a short run would else keep what it began with (as TensorFlow's own moving average)
        momentum = ops.minimum(self.momentum, (1 + done) / (10 + done))
        self.assign_add(mean, (1 - momentum) * (ops.convert_to_tensor(variable) - mean))


def inputs(batch: Batch) -> list[npt.NDArray[Any]]:
    """A batch as Lesson wants it, but for its targets and weights."""
    regions, counts = batch.regions.astype(np.float32), batch.frames
    n = regions.shape[1]
    told = [shares(counts, n).astype(np.float32), moves(counts, n), places(counts, n)]
    return [regions, *told, batch.tokens]


def cosine(rate: float, steps: int, epochs: int) -> Any:
    """Half an epoch of warming up, then down to a hundredth over the epochs of so many steps."""
    return keras.optimizers.schedules.CosineDecay(
        rate / 20,
        decay_steps=steps * epochs,
        alpha=0.01,
        warmup_target=rate,
        warmup_steps=steps // 2,
    )


def strategy_of(devices: int) -> Any:
    """TensorFlow's strategy for so many GPUs of this computer, or logical CPUs; None for one.

    Raises:
        SettingError: there are fewer, or Keras runs on another backend.
    """
    if devices == 1:
        return None
    if keras.backend.backend() != "tensorflow":
        raise SettingError(
            f"--devices {devices}: 장치 여럿은 KERAS_BACKEND=tensorflow에서만 됩니다.",
            f"--devices {devices}: several devices need KERAS_BACKEND=tensorflow.",
        )
    import tensorflow as tf

    found = {kind: tf.config.list_logical_devices(kind) for kind in ("GPU", "CPU")}
    for kind, there in found.items():
        if len(there) >= devices:
            return tf.distribute.MirroredStrategy([f"{kind}:{i}" for i in range(devices)])
    raise SettingError(
        f"--devices {devices}: TensorFlow가 찾은 GPU는 {len(found['GPU'])}개입니다.",
        f"--devices {devices}: TensorFlow finds {len(found['GPU'])} GPUs.",
    )


def scope_of(strategy: Any) -> AbstractContextManager[Any]:
    """Where the variables that a strategy trains are made."""
    return nullcontext() if strategy is None else strategy.scope()


@contextmanager
def precision(policy: str) -> Iterator[None]:
    """Layers that are made here compute in this dtype policy."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def copied(network: keras.Model) -> keras.Model:
    """The same functional network, its layers made anew in the dtype policy of here."""
    policy = keras.config.dtype_policy().name

    def layer(one: Any) -> Any:
        return type(one).from_config({**one.get_config(), "dtype": policy})

    twin = keras.models.clone_model(network, clone_function=layer)
    twin.set_weights(network.get_weights())
    return twin


def step_of(lesson: Lesson, strategy: Any) -> Step:
    """One step of gradient descent: (inputs, targets, weights) -> the loss.

    TensorFlow traces a graph for every sentence length, as the recurrence is unrolled. Other
    backends step as Keras does.
    """
    if keras.backend.backend() != "tensorflow":
        return lambda x, y, weights: float(lesson.train_on_batch(tuple(x), y, weights))
    import tensorflow as tf

    strategy = strategy or tf.distribute.get_strategy()
    graph = tf.function(lambda *data: strategy.run(lesson.train_step, args=(data,))["loss"])

    count = strategy.num_replicas_in_sync

    def step(x: Sequence[Array], y: Array, weights: Array) -> float:
        lesson.reset_metrics()
        more = -len(y) % count  # rows of no weight, so that every device has as many
        whole = [
            np.pad(part, [(0, more), *[(0, 0)] * (part.ndim - 1)]) for part in (*x, y, weights)
        ]
        *inputs, targets, shares = [_given(strategy, part) for part in whole]
        loss = graph(tuple(inputs), targets, shares)
        return float(strategy.reduce("MEAN", loss, axis=None))

    return step


def _given(strategy: Any, whole: Array) -> Any:
    """The batch, each device's part to itself."""
    import tensorflow as tf

    count = strategy.num_replicas_in_sync
    if count == 1:
        return tf.constant(whole)
    parts = np.split(whole, count)
    return strategy.experimental_distribute_values_from_function(
        lambda context: tf.constant(parts[context.replica_id_in_sync_group])
    )
