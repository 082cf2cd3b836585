"""`python -m model.proofread SCORES.json`: is every sentence well-formed Korean, and true?

Reads what `python -m model.evaluate --json` wrote, cuts every sentence anew with the tagger, so
that the decoder's own cutting cannot hide a fault, and counts what model.grammar finds and of how
many sentences people wrote everything that they name (model.truth).
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from model.grammar import faults
from model.report import PEOPLE, read_scores
from model.truth import written
from preprocess.errors import exit_status
from preprocess.korean import Morpheme, compose
from preprocess.tagger import NAMES, Tagger, load_tagger

SHOWN = 5  # examples of a fault
Cuts = Sequence[Sequence[Morpheme]]  # sentences about one picture


@dataclass(frozen=True)
class Proof:
    """What was found in the sentences of one system.

    Attributes:
        sentences: how many were read.
        faulty: how many break a rule.
        morphemes: distinct morphemes used.
        examples: sentences by the rule they break; "round trip" where the morphemes that the
            tagger finds do not spell the sentence.
    """

    sentences: int
    faulty: int
    morphemes: int
    examples: Mapping[str, tuple[str, ...]]


def proofread(sentences: Iterable[str], tagger: Tagger) -> Proof:
    """Reads sentences as the tagger cuts them."""
    known: set[str] = set()
    found: dict[str, list[str]] = {}
    read = faulty = 0
    for text in sentences:
        cut = tagger.analyse(text)
        broken = faults(cut) if cut and compose(cut) == text else ("round trip",)
        known.update(m.form for m in cut or ())
        read, faulty = read + 1, faulty + bool(broken)
        for rule in broken:
            found.setdefault(rule, []).append(text)
    return Proof(read, faulty, len(known), {rule: tuple(s) for rule, s in found.items()})


def report(name: str, proof: Proof) -> str:
    """One line a system, then examples a rule."""
    lines = [
        f"{name}: {proof.faulty} of {proof.sentences} sentences break a rule, "
        f"{proof.morphemes} distinct morphemes"
    ]
    counts = Counter({rule: len(texts) for rule, texts in proof.examples.items()})
    for rule, count in counts.most_common():
        lines.append(f"  {rule} {count}: " + " / ".join(proof.examples[rule][:SHOWN]))
    return "\n".join(lines)


def truth(said: Mapping[str, str], cut: Mapping[str, Cuts], tagger: Tagger) -> str:
    """How many sentences name nothing but what people wrote of the same picture, in words."""
    true = sum(written(tagger.analyse(text) or (), cut[name]) for name, text in said.items())
    return f"  everything named was written by somebody: {true / max(1, len(said)):.1%}"


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; the exit status."""
    p = argparse.ArgumentParser(
        prog="python -m model.proofread",
        description="캡션이 올바른 한국어인지 봅니다: 끝맺음, 조사, 단위, 되풀이. "
        "(Counts sentences that are not well-formed Korean.)",
    )
    p.add_argument("scores", type=Path, metavar="SCORES.json", help="model.evaluate --json의 결과")
    p.add_argument("--tagger", choices=NAMES, default="okt", help="형태소 분석기 (%(default)s)")
    p.add_argument("--lang", choices=("ko", "en"), default="ko", help="메시지의 언어")
    arguments = p.parse_args(argv)
    return exit_status(lambda: _run(arguments), "proofread", arguments.lang)


def _run(arguments: argparse.Namespace) -> None:
    scored = read_scores(arguments.scores)
    tagger = load_tagger(arguments.tagger)
    cut = {
        name: [tagger.analyse(text) or () for text in texts]
        for name, texts in scored.references.items()
    }
    people = [text for texts in scored.references.values() for text in texts]
    for name, said in scored.sentences.items():
        print(report(name, proofread(said.values(), tagger)))
        print(truth(said, cut, tagger))
    print(report(PEOPLE, proofread(people, tagger)))
    firsts = {name: texts[0] for name, texts in scored.references.items() if len(texts) > 1}
    if firsts:
        print(truth(firsts, {name: cut[name][1:] for name in firsts}, tagger))


if __name__ == "__main__":
    sys.exit(main())
