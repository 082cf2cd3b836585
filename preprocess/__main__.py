"""`python -m preprocess`: captions and pictures become a data folder that train.py reads."""

import argparse
import json
import shutil
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path

import numpy as np
from tqdm import tqdm

from preprocess.cluster import check_cluster
from preprocess.data_folder import data_folder, undone
from preprocess.errors import DataError, exit_status
from preprocess.features import EncoderOptions, cache_features, check_encoder, encoding
from preprocess.files import path_of, whole_file
from preprocess.gathering import Gathered, Wanted, gathered
from preprocess.leaks import twins
from preprocess.morphemes import analyse_all, read_morphemes
from preprocess.records import Sample, stills, write_samples
from preprocess.tagger import NAMES, Tagger, load_tagger
from preprocess.tagging import processes


def parser() -> argparse.ArgumentParser:
    """The command line; defaults are those of EncoderOptions."""
    p = argparse.ArgumentParser(
        prog="python -m preprocess",
        description="AI Hub에서 받은 것, 한국어 COCO 캡션, image와 caption의 표를 읽어 train.py가 "
        "쓰는 데이터 폴더를 만듭니다. (Reads a download as it came, Korean COCO captions or a "
        "table of image and caption into a data folder for train.py.)",
    )
    p.add_argument(
        "paths",
        type=path_of,
        nargs="*",
        metavar="PATH",
        help="받은 그대로: 폴더, .tar, .zip, .zip.part0, .json, .csv ...; 여럿이면 합칩니다",
    )
    p.add_argument(
        "--coco",
        type=path_of,
        action="append",
        default=[],
        metavar="captions_ko.json",
        help="PATH와 같습니다 (the same as PATH)",
    )
    p.add_argument(
        "--pictures",
        type=path_of,
        action="append",
        default=[],
        metavar="DIR",
        help="사진과 영상이 따로 있는 폴더나 압축 파일; 하나씩 주거나 모두를 위해",
    )
    p.add_argument(
        "--splits",
        type=path_of,
        action="append",
        default=[],
        metavar="splits.json",
        help='Karpathy의 dataset_coco.json이나 {"train": [id], "val": [...], "test": [...]}',
    )
    p.add_argument(
        "--caption-key",
        default="",
        metavar="KEY",
        help="모르는 형식에서 캡션이 있는 곳, 예: data[].text_ko (where the captions are)",
    )
    p.add_argument("--out", type=path_of, required=True, metavar="DATA", help="만들 데이터 폴더")
    _tagger_options(p)
    _add_features(p)
    p.add_argument("--lang", choices=("ko", "en"), default="ko", help="메시지의 언어")
    return p


def _add_features(p: argparse.ArgumentParser) -> None:
    default = EncoderOptions()
    p.add_argument(
        "--encoder",
        default=default.encoder,
        help="사진을 볼 CNN: lite0, lite1, lite2, scratch, keras.applications의 이름 (%(default)s)",
    )
    p.add_argument("--side", type=int, default=default.side, help="사진의 크기 (%(default)s)")
    p.add_argument(
        "--nearer", action="store_true", help="가까이에서 본 것도 담음 (자리를 두 배로 씁니다)"
    )
    p.add_argument(
        "--verify", action="store_true", help="전에 만든 특징을 모두 읽어 보고, 상한 것만 다시 만듦"
    )
    p.add_argument("--cluster", metavar="ADDRESS", help="Ray 클러스터의 여러 컴퓨터로 (HOST:PORT)")


def _tagger_options(p: argparse.ArgumentParser) -> None:
    p.add_argument(
        "--tagger", choices=NAMES, default="okt", help="형태소 분석기 (기본 %(default)s)"
    )
    p.add_argument(
        "--jobs",
        type=int,
        metavar="N",
        help="분석기를 N개의 프로세스로 돌립니다 (기본: 쓸 수 있는 코어 수, 8까지)",
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; the exit status."""
    arguments = parser().parse_args(argv)
    stopped = "멈췄습니다. 같은 명령으로 이어서 합니다."
    return exit_status(lambda: _run(arguments), "preprocess", arguments.lang, stopped)


def _run(arguments: argparse.Namespace) -> None:
    out: Path = arguments.out
    wanted = Wanted(
        [*arguments.coco, *arguments.paths],
        arguments.pictures,
        arguments.splits,
        arguments.caption_key,
    )
    inputs = [*wanted.paths, *wanted.pictures, *wanted.splits]
    options = EncoderOptions(arguments.encoder, arguments.side, arguments.nearer)
    with data_folder(out, inputs) as made:
        with undone(out) if made else nullcontext():
            check_encoder(options)
            if arguments.cluster is not None:
                check_cluster(arguments.cluster)
            jobs, tagger = processes(arguments.jobs), load_tagger(arguments.tagger)
            found = gathered(wanted, out, print)
        _made(arguments, found, tagger, jobs, options)


def _made(
    arguments: argparse.Namespace, found: Gathered, tagger: Tagger, jobs: int,
    options: EncoderOptions,
) -> None:  # fmt: skip
    """Writes the data folder."""
    out: Path = arguments.out
    samples, losses = analyse_all(out, found.samples, tagger, jobs)
    if not samples:
        raise DataError(
            f"'{tagger.name}'의 형태소로 되돌아오는 문장이 없습니다 (예: '{losses[0]}'). "
            "--tagger로 다른 분석기를 쓰세요.",
            f"no sentence comes back from the morphemes of '{tagger.name}' ('{losses[0]}'). "
            "Use another --tagger.",
        )
    write_samples(out / "samples.jsonl", samples)
    pictures = stills(samples)
    with (
        encoding(options, arguments.cluster) as (encode, spread),
        tqdm(total=len(pictures), desc="CNN", unit="장", disable=None) as bar,
    ):
        cache_features(
            out / "features", pictures, options, encode, bar.update,
            spread=spread, verify=arguments.verify, say=bar.write,
        )  # fmt: skip
    _finish(out, tagger, options, found, samples)


def _finish(
    out: Path,
    tagger: Tagger,
    options: EncoderOptions,
    found: Gathered,
    samples: Sequence[Sample],
) -> None:
    from preprocess.page import page
    from preprocess.report import Prepared, tables

    sentences = [s for _, s in read_morphemes(out / "tokens.jsonl")]
    losses = _losses(found.samples, samples)
    keys = {sample.key: row for row, sample in enumerate(found.samples)}
    hashes = found.hashes[np.array([keys[sample.key] for sample in samples], int)]
    prepared = Prepared(samples, sentences, found.tallies, losses, twins(samples, hashes))
    shown = tables(prepared)
    lost = [caption for captions in losses.values() for caption in captions]
    summary = {
        "tagger": tagger.name,
        "tagger_version": tagger.version,
        **asdict(options),
        "round_trip_losses": {"captions": len(lost), "examples": lost[:10]},
        **{name: table.to_dict("records") for name, table in shown.items()},
        "examples_of_drops": {name: tally.examples for name, tally in found.tallies.items()},
    }
    _write(out / "report.html", page(prepared, shown))
    _write(out / "dataset.json", json.dumps(summary, ensure_ascii=False, indent=1) + "\n")
    shutil.rmtree(out / "unpacked", ignore_errors=True)
    for name, table in shown.items():
        print(f"[{name}]\n{table.to_string(index=False) if len(table) else '없음 (none)'}\n")
    print(f"보고서 (report): {out / 'report.html'}")
    print(f"다음 (next): python train.py {out} --out my.kcap")


def _losses(before: Sequence[Sample], after: Sequence[Sample]) -> dict[str, list[str]]:
    """Captions that the tagger did not give back, by set."""
    kept = {sample.key: set(sample.captions) for sample in after}
    lost: dict[str, list[str]] = {}
    for sample in before:
        gone = [c for c in sample.captions if c not in kept.get(sample.key, ())]
        lost.setdefault(sample.source, []).extend(gone)
    return lost


def _write(path: Path, text: str) -> None:
    with whole_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
