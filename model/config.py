"""What a captioner's network is built from; it can be read without Keras."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from preprocess.errors import CaptionerFileError


@dataclass(frozen=True)
class CaptionerConfig:
    """The numbers a network is built from; stored in the captioner file.

    attend=False gives the decoder the mean of the regions alone (Show and Tell, Vinyals et al.
    2015), the comparison without attention; merge=True is another (model/merge.py). voices above 1
    makes an ensemble of so many decoders (model/ensemble.py). motion=True tells each frame of a
    shot how it differs from those beside it, and where in the shot it is (model/decoding.py).
    """

    vocabulary: int
    regions: int = 49
    features: int = 1280
    embedding: int = 384
    hidden: int = 512
    context: int = 512
    attention: int = 256
    feature_dropout: float = 0.2
    embedding_dropout: float = 0.2
    output_dropout: float = 0.5
    attend: bool = True
    merge: bool = False
    voices: int = 1
    motion: bool = False

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> "CaptionerConfig":
        """As a captioner file tells it; what an older file leaves out has its default.

        Raises:
            CaptionerFileError: something is no number, missing, or unknown to this version.
        """
        known = {field.name for field in fields(cls)}
        odd = [n for n, v in told.items() if n not in known or not isinstance(v, int | float)]
        odd += [] if "vocabulary" in told else ["vocabulary"]
        if odd:
            raise CaptionerFileError(
                f"캡셔너 파일의 config를 읽을 수 없습니다 ({' '.join(odd)}). 프로그램이나 파일을 "
                "새로 받으세요.",
                f"the captioner file's config cannot be read ({' '.join(odd)}). Update the "
                "program, or fetch the file again.",
            )
        return cls(**told)
