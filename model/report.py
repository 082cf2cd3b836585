"""Systems scored side by side on the same pictures, with signatures and p-values."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from model import metrics
from model.cider import Floats
from model.metrics import CiderD, PictureScores, Scores, Tokens
from preprocess.errors import DataError, MissingExtra, SettingError
from preprocess.files import whole_file

ALARM = 0.1  # fewer distinct sentences a picture than this: one caption for everything
COLUMNS = (
    *(f"BLEU-{order}" for order in (1, 2, 3, 4)),
    "ROUGE-L",
    "CIDEr-D",
    "ko-mecab",
    "distinct",
    "length",
)
OURS = ("this captioner", "as films get it", "Show-and-Tell", "most frequent", "nearest neighbour")
PEOPLE = "people"  # whose sentences the references are
AHEAD = COLUMNS[:7]  # the columns in which being ahead means something


@dataclass(frozen=True)
class Cost:
    """What a trained captioner costs.

    Attributes:
        parameters: trained and fixed numbers, encoder included.
        file_mb: size of its file in megabytes (10**6 bytes).
        cpu_ms: CPU milliseconds a picture, reading it included.
    """

    parameters: int
    file_mb: float
    cpu_ms: float


@dataclass(frozen=True)
class System:
    """One sentence a picture of one way of captioning, as plain text and as morphemes."""

    name: str
    texts: tuple[str, ...]
    tokens: tuple[Tokens, ...]
    cost: Cost | None = None


@dataclass(frozen=True)
class References:
    """What people wrote for each picture, as plain text and as morphemes."""

    keys: tuple[str, ...]
    texts: tuple[tuple[str, ...], ...]
    tokens: tuple[tuple[Tokens, ...], ...]


@dataclass(frozen=True, eq=False)
class Row:
    """A system with its figures.

    Attributes:
        system: what was scored.
        scores: over morphemes.
        mecab: corpus BLEU-4 in percent over sacrebleu's ko-mecab tokens.
        parts: what each picture adds.
        mecab_parts: int64 (n, 10), the same for ko-mecab.
    """

    system: System
    scores: Scores
    mecab: float
    parts: PictureScores
    mecab_parts: npt.NDArray[np.int64]

    def values(self) -> dict[str, float]:
        """The figures by column."""
        s = self.scores
        figures = (*s.bleu, s.rouge_l, s.cider_d, self.mecab, s.distinct, s.length)
        return dict(zip(COLUMNS, figures, strict=True))


@dataclass(frozen=True, eq=False)
class ScoreReport:
    """All rows, the captioner's last, and how the figures were made.

    Attributes:
        rows: the systems, the one in question last.
        p_values: system name -> column -> p-value of the last row being ahead of it.
        signatures: column -> signature.
        references: what was scored against.
    """

    rows: tuple[Row, ...]
    p_values: dict[str, dict[str, float]]
    signatures: dict[str, str]
    references: References

    def alarms(self) -> list[str]:
        """Names of the systems that say nearly the same of every picture."""
        return [r.system.name for r in self.rows if r.scores.distinct < ALARM]


class MecabBleu:
    """sacrebleu's ko-mecab BLEU against the plain text of the references.

    Raises:
        MissingExtra: sacrebleu or mecab-ko is not installed.
    """

    def __init__(self, references: Sequence[Sequence[str]]) -> None:
        try:
            from sacrebleu.metrics import BLEU

            self._bleu = BLEU(tokenize="ko-mecab")
        except (ImportError, RuntimeError):
            raise MissingExtra(
                "ko-mecab BLEU에는 sacrebleu와 mecab-ko가 필요합니다: pip install 'sacrebleu[ko]'",
                "ko-mecab BLEU needs sacrebleu and mecab-ko: pip install 'sacrebleu[ko]'",
            ) from None
        width = max(len(group) for group in references)
        padded = [[*group, *[None] * (width - len(group))] for group in references]
        self._streams = [list(stream) for stream in zip(*padded, strict=True)]
        self._tokens = [[self._split(text) for text in group] for group in references]

    def score(self, texts: Sequence[str]) -> tuple[float, npt.NDArray[np.int64]]:
        """Corpus BLEU in percent by sacrebleu itself, and each picture's statistics (n, 10)."""
        total = self._bleu.corpus_score(list(texts), self._streams).score
        parts = metrics.bleu_statistics([self._split(text) for text in texts], self._tokens)
        return float(total), parts

    def signature(self) -> str:
        """Its own signature, known once something has been scored."""
        return str(self._bleu.get_signature())

    def _split(self, text: str) -> list[str]:
        return str(self._bleu.tokenizer(text)).split()


def compare(
    systems: Sequence[System],
    references: References,
    tokens: str,
    split: str = "test",
    resamples: int = 1000,
) -> ScoreReport:
    """Scores every system; p-values say how sure it is that the last is ahead of each other.

    Args:
        systems: at least one; the one in question last.
        references: for the same pictures in the same order.
        tokens: name of the tagger the morphemes come from.
        split: which pictures these are; the idf of CIDEr-D is counted in their references.
        resamples: of the paired bootstrap over pictures.

    Raises:
        MissingExtra: sacrebleu or mecab-ko is not installed.
    """
    cider, mecab = CiderD(references.tokens), MecabBleu(references.texts)
    rows = tuple(_row(system, references, cider, mecab) for system in systems)
    ahead = {row.system.name: _ahead(rows[-1], row, resamples) for row in rows[:-1]}
    return ScoreReport(rows, ahead, _signatures(references, tokens, split, mecab), references)


def _row(system: System, references: References, cider: CiderD, mecab: MecabBleu) -> Row:
    parts = metrics.score_pictures(system.tokens, references.tokens, cider)
    total, mecab_parts = mecab.score(system.texts)
    return Row(system, metrics.summarize(parts, system.tokens), total, parts, mecab_parts)


def _bleu_column(order: int, smooth: bool = False) -> Callable[[Floats], Floats]:
    return lambda sums: metrics.bleu_of_sums(sums, smooth)[:, order - 1]


def _ahead(one: Row, other: Row, resamples: int) -> dict[str, float]:
    pairs: list[tuple[npt.ArrayLike, npt.ArrayLike, metrics.Statistic | None]] = [
        *((one.parts.bleu, other.parts.bleu, _bleu_column(order)) for order in (1, 2, 3, 4)),
        (one.parts.rouge_l, other.parts.rouge_l, None),
        (one.parts.cider_d, other.parts.cider_d, None),
        (one.mecab_parts, other.mecab_parts, _bleu_column(4, smooth=True)),  # as sacrebleu
    ]
    found = [metrics.paired_bootstrap(a, b, score, resamples) for a, b, score in pairs]
    return dict(zip(AHEAD, found, strict=True))


def _signatures(
    references: References, tokens: str, split: str, mecab: MecabBleu
) -> dict[str, str]:
    idf = {"CIDEr-D": f"{split}-references"}
    made = {c: metrics.signature(c, tokens, references.tokens, idf.get(c)) for c in AHEAD[:6]}
    return {**made, "ko-mecab": f"BLEU|pictures:{len(references.keys)}|{mecab.signature()}"}


def as_json(report: ScoreReport) -> dict[str, Any]:
    """Everything, with every sentence of every system by picture."""
    keys = report.references.keys
    systems = [
        {
            "name": row.system.name,
            "scores": {**asdict(row.scores), "ko_mecab_bleu": row.mecab},
            "cost": asdict(row.system.cost) if row.system.cost else None,
            "last_is_ahead_p": report.p_values.get(row.system.name),
            "cider_d": dict(zip(keys, row.parts.cider_d.round(4).tolist(), strict=True)),
            "sentences": dict(zip(keys, row.system.texts, strict=True)),
        }
        for row in report.rows
    ]
    references = dict(zip(keys, map(list, report.references.texts), strict=True))
    return {"signatures": report.signatures, "systems": systems, "references": references}


def write_json(path: Path, report: ScoreReport) -> None:
    """Writes everything, whole or not at all.

    Raises:
        OutputError: the file cannot be written.
    """
    text = json.dumps(as_json(report), ensure_ascii=False, indent=1)
    with whole_file(path) as part:
        part.write_text(text + "\n", encoding="utf-8")


def names_of(paths: Sequence[Path]) -> dict[str, Path]:
    """The files by their names; by their paths where names are alike.

    Raises:
        SettingError: one is given twice.
    """
    stems = Counter(path.stem for path in paths)
    names = [path.stem if stems[path.stem] == 1 else str(path.with_suffix("")) for path in paths]
    for name, times in Counter([*names, *OURS]).items():
        if times > 1:
            raise SettingError(
                f"--beside '{name}': 두 번 나오거나 이미 쓰는 이름입니다. 파일 이름을 바꾸세요.",
                f"--beside '{name}': given twice, or a name that is taken. Rename the file.",
            )
    return dict(zip(names, paths, strict=True))


@dataclass(frozen=True)
class Scored:
    """The sentences in a file of `python -m model.evaluate --json`.

    Attributes:
        sentences: system -> picture -> sentence.
        references: picture -> what people wrote.
    """

    sentences: dict[str, dict[str, str]]
    references: dict[str, list[str]]


def read_scores(path: Path) -> Scored:
    """Reads what as_json made.

    Raises:
        DataError: it is no such file.
    """
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        systems = {str(s["name"]): dict(s["sentences"].items()) for s in told["systems"]}
        if not all(isinstance(text, str) for said in systems.values() for text in said.values()):
            raise TypeError("sentences")
        written = {key: list(map(str, texts)) for key, texts in told["references"].items()}
        if any(said.keys() != written.keys() for said in systems.values()):
            raise ValueError("sentences != references")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(
            f"'{path}'을(를) 읽을 수 없습니다 ({type(error).__name__}: {error}). "
            "python -m model.evaluate --json으로 만든 파일을 주세요.",
            f"'{path}' cannot be read ({type(error).__name__}: {error}). "
            "Give a file that python -m model.evaluate --json wrote.",
        ) from None
    return Scored(systems, written)
