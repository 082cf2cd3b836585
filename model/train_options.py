"""How a decoder is trained: the options of train.py's first stage."""

from dataclasses import dataclass

from model.bounds import COUNT, RATE, check_bounds
from model.lesson import PRECISIONS
from preprocess.errors import SettingError

COUNTS = (
    "epochs", "batch", "sentences", "min_count", "patience", "check", "longest", "hidden",
    "embedding", "devices",
)  # fmt: skip


@dataclass(frozen=True)
class TrainOptions:
    """How a decoder is trained.

    Attributes:
        epochs: most epochs; the learning rate falls to zero over them (cosine).
        batch: pictures a step.
        sentences: captions of each picture a step, drawn anew every epoch.
        learning_rate: the highest; 4e-4 where a captioner is gone on from.
        min_count: rarer morphemes become UNKNOWN.
        smoothing: label smoothing (Szegedy et al. 2016).
        average: momentum of the moving average of the weights, the ones that are kept.
        patience: epochs without a better CIDEr-D before training ends.
        check: held-out pictures decoded after each epoch.
        longest: morphemes of the longest sentence.
        hidden: width of the LSTM and of what it sees.
        embedding: width of a morpheme's vector.
        attend: False trains the comparison without attention (mean feature alone).
        merge: True trains the comparison whose LSTM never sees the picture (model/merge.py).
        vectors: True begins with word2vec's, where captions are many (model/vectors.py).
        motion: True tells each frame of a shot how it differs from those beside it.
        precision: Keras' dtype policy: float32, mixed_bfloat16 or mixed_float16 (scaled losses).
        devices: GPUs that share a batch (TensorFlow only).
        everything: True is for training on the held-out pictures too, for as many epochs as folds
            chose: nothing is left to choose an epoch by, so the last one is kept.
        seed: of everything that is drawn.
    """

    epochs: int = 18
    batch: int = 64
    sentences: int = 3
    learning_rate: float = 1e-3
    min_count: int = 5
    smoothing: float = 0.1
    average: float = 0.995
    patience: int = 5
    check: int = 512
    longest: int = 24
    hidden: int = 512
    embedding: int = 384
    attend: bool = True
    merge: bool = False
    vectors: bool = True
    motion: bool = False
    precision: str = "float32"
    devices: int = 1
    everything: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        shares = {"smoothing": (0, 0.999), "average": (0, 0.999_999)}
        check_bounds(self, dict.fromkeys(COUNTS, COUNT) | {"learning_rate": RATE} | shares)
        check_bounds(self, {"seed": (0, 2**32 - 1)})
        if self.precision not in PRECISIONS:
            raise SettingError(
                f"--precision '{self.precision}': {', '.join(PRECISIONS)} 가운데 하나입니다.",
                f"--precision '{self.precision}': give one of {', '.join(PRECISIONS)}.",
            )
        if self.merge and self.motion:
            raise SettingError(
                "--merge의 LSTM은 그림을 보지 않습니다. --motion 없이 쓰세요.",
                "the LSTM of --merge never sees a picture. Use it without --motion.",
            )
