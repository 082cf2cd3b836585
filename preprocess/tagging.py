"""Many sentences through a tagger: in processes of their own, results in order."""

import json
import os
import signal
from collections.abc import Generator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from functools import partial
from multiprocessing import get_context
from multiprocessing.connection import Connection
from threading import Thread

from preprocess.errors import SettingError
from preprocess.hands import cores
from preprocess.korean import compose
from preprocess.tagger import Tagger

FEW = 1000  # sentences for which one process more is not worth its start
CHUNK = 100  # sentences that go to a process at once
MOST = 8  # processes, if nobody asks for more: each has a Java of its own

_tagger: Tagger | None = None  # of this process, if it is one of ours


def processes(asked: int | None) -> int:
    """How many to use: as asked, else one a core that this process may use, at most MOST.

    Raises:
        SettingError: fewer than one is asked for.
    """
    if asked is not None and asked < 1:
        raise SettingError(f"--jobs {asked}: 1 이상을 주세요.", f"--jobs {asked}: give 1 or more.")
    return asked or min(cores(), MOST)


def cut(tagger: Tagger, sentence: str) -> str | None:
    """The morphemes as JSON, [[form, tag, spaced], ...]; None if they do not give it back."""
    found = tagger.analyse(sentence)
    if found is None or compose(found) != sentence:
        return None
    rows = [[m.form, m.tag, m.spaced] for m in found]
    return json.dumps(rows, ensure_ascii=False, separators=(",", ":"))


def cut_all(sentences: Sequence[str], tagger: Tagger, jobs: int) -> Generator[str | None]:
    """What `cut` gives for each sentence, in order, whatever the number of processes.

    Close it to end the processes at once; they end with this one too, however that ends.

    Raises:
        SettingError: a process died, for want of memory as a rule.
    """
    jobs = min(jobs, len(sentences) // FEW)
    if jobs <= 1:
        yield from map(partial(cut, tagger), sentences)
        return
    chunks = (sentences[i : i + CHUNK] for i in range(0, len(sentences), CHUNK))
    context = get_context("spawn")  # Java does not live through a fork
    leash, held = context.Pipe(duplex=False)
    pool = ProcessPoolExecutor(jobs, context, _begin, (tagger, leash))
    try:
        for cuts in pool.map(_cut_chunk, chunks):
            yield from cuts
    except BrokenProcessPool:
        raise SettingError(
            f"형태소 분석기 '{tagger.name}'의 프로세스가 죽었습니다. 메모리가 모자라면 "
            f"--jobs를 {jobs}보다 적게 주세요. 같은 명령으로 이어서 합니다.",
            f"a process of the tagger '{tagger.name}' died. If memory is short, give less than "
            f"--jobs {jobs}. The same command goes on from here.",
        ) from None
    finally:
        held.close()
        pool.shutdown(cancel_futures=True)
        leash.close()


def _begin(tagger: Tagger, leash: Connection) -> None:
    """Of a process: Ctrl-C is the business of the one that started it."""
    global _tagger
    _tagger = tagger
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_leave, args=(leash,), daemon=True).start()


def _leave(leash: Connection) -> None:
    """Ends the process, Java and all, when nobody holds the other end of the leash."""
    with suppress(EOFError, OSError):
        leash.recv()
    os._exit(0)


def _cut_chunk(sentences: Sequence[str]) -> list[str | None]:
    if _tagger is None:
        raise RuntimeError("this process was not begun")
    return [cut(_tagger, sentence) for sentence in sentences]
