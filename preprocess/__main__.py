"""`python -m preprocess`: captions and pictures become a data folder that train.py reads."""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from tqdm import tqdm

from preprocess.coco import Report, read_coco
from preprocess.errors import CaptioningError, DataError
from preprocess.features import EncoderOptions, cache_features, load_encoder
from preprocess.morphemes import analyse_all, read_morphemes
from preprocess.records import Sample, write_samples
from preprocess.tagger import NAMES, Tagger, load_tagger


def parser() -> argparse.ArgumentParser:
    """The command line; defaults are those of EncoderOptions."""
    p = argparse.ArgumentParser(
        prog="python -m preprocess",
        description="캡션과 사진을 읽어 train.py가 쓰는 데이터 폴더를 만듭니다. "
        "(Reads captions and pictures into a data folder for train.py.)",
    )
    p.add_argument(
        "--coco",
        type=Path,
        action="append",
        required=True,
        metavar="captions_ko.json",
        help="한국어 COCO 형식의 캡션; 여러 번 쓰면 합칩니다 (may repeat, to merge sets)",
    )
    p.add_argument(
        "--pictures",
        type=Path,
        action="append",
        required=True,
        metavar="DIR",
        help="file_path의 기준 폴더; --coco마다 하나 (one a --coco)",
    )
    p.add_argument(
        "--splits",
        type=Path,
        action="append",
        default=[],
        metavar="splits.json",
        help='{"train": [id], "val": [...], "test": [...]}; --coco마다 하나',
    )
    p.add_argument("--out", type=Path, required=True, metavar="DATA", help="만들 데이터 폴더")
    p.add_argument(
        "--tagger", choices=NAMES, default="okt", help="형태소 분석기 (기본 %(default)s)"
    )
    default = EncoderOptions()
    p.add_argument("--encoder", default=default.encoder, help="사진을 볼 CNN (%(default)s)")
    p.add_argument("--side", type=int, default=default.side, help="사진의 크기 (%(default)s)")
    p.add_argument(
        "--nearer", action="store_true", help="가까이에서 본 것도 담음 (자리를 두 배로 씁니다)"
    )
    p.add_argument("--lang", choices=("ko", "en"), default="ko", help="메시지의 언어")
    return p


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; the exit status."""
    arguments = parser().parse_args(argv)
    try:
        _run(arguments)
    except CaptioningError as error:
        print(f"preprocess: {error.text(arguments.lang)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("preprocess: 멈췄습니다. 같은 명령으로 이어서 합니다.", file=sys.stderr)
        return 130
    return 0


def _run(arguments: argparse.Namespace) -> None:
    out: Path = arguments.out
    reports = {}
    samples: list[Sample] = []
    for source, pictures, splits in _sets(arguments):
        report = reports[str(source)] = Report()
        samples += read_coco(source, pictures, splits, report)
    _distinct(samples)
    out.mkdir(parents=True, exist_ok=True)
    tagger = load_tagger(arguments.tagger)
    samples, losses = analyse_all(out, samples, tagger, tagger.name)
    write_samples(out / "samples.jsonl", samples)
    options = EncoderOptions(arguments.encoder, arguments.side, arguments.nearer)
    session = load_encoder(options)
    with tqdm(total=len(samples), desc="CNN", unit="장", disable=None) as bar:
        cache_features(out / "features", samples, options, lambda x: session(x)[0], bar.update)
    _finish(out, tagger, options, reports, losses, samples)


def _finish(
    out: Path,
    tagger: Tagger,
    options: EncoderOptions,
    reports: dict[str, Report],
    losses: list[str],
    samples: Sequence[Sample],
) -> None:
    from preprocess.report import contents, coverage, drops

    sentences = [found for _, found in read_morphemes(out / "tokens.jsonl")]
    tables = {
        "contents": contents(samples, sentences),
        "coverage": coverage(samples, sentences),
        "drops": drops(reports),
    }
    summary = {
        "tagger": tagger.name,
        "tagger_version": tagger.version,
        **asdict(options),
        "round_trip_losses": {"captions": len(losses), "examples": losses[:10]},
        **{name: table.to_dict("records") for name, table in tables.items()},
    }
    text = json.dumps(summary, ensure_ascii=False, indent=1)
    (out / "dataset.json").write_text(text + "\n", encoding="utf-8")
    for table in tables.values():
        print(table.to_string(index=False) + "\n" if len(table) else "버린 것 없음 (no drops)\n")
    print(f"형태소에서 되돌아오지 않은 캡션 (round-trip losses): {len(losses):,}")
    print(f"다음 (next): python train.py {out} --out my.kcap")


def _sets(arguments: argparse.Namespace) -> list[tuple[Path, Path, Path | None]]:
    counts = {len(arguments.coco), len(arguments.pictures)}
    if len(counts) != 1 or len(arguments.splits) not in (0, len(arguments.coco)):
        raise DataError(
            f"--coco {len(arguments.coco)}개, --pictures {len(arguments.pictures)}개, --splits "
            f"{len(arguments.splits)}개입니다. --coco마다 --pictures와 --splits를 하나씩 주세요.",
            f"{len(arguments.coco)} --coco, {len(arguments.pictures)} --pictures and "
            f"{len(arguments.splits)} --splits were given. Give one of each a set.",
        )
    splits = arguments.splits or [None] * len(arguments.coco)
    return list(zip(arguments.coco, arguments.pictures, splits, strict=True))


def _distinct(samples: Sequence[Sample]) -> None:
    keys = [s.key for s in samples]
    if len(set(keys)) < len(keys):
        raise DataError(
            "두 세트의 폴더 이름과 id가 겹칩니다. 캡션 파일을 다른 이름의 폴더에 두세요.",
            "two sets share folder name and ids. Rename the folder of one caption file.",
        )


if __name__ == "__main__":
    sys.exit(main())
