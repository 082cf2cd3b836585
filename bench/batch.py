"""How much faster two workers are than one: `python -m bench.batch [--cluster]`.

Copies of one clip are captioned (subtitles alone) by one worker and by two, in turn; a worker has
one thread and, where the system can pin processes, a CPU of its own. A run's time is that from the
first film that is begun to the last that is done, as the manifest tells it: loading and the driver
are left out. `--cluster` takes actors of a Ray cluster of one and of two nodes, not processes.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from bench.captioning import ROOT, make_clip
from preprocess.files import read_lines

RAY = {  # all of it on the loopback, nothing reported, as polite as other programs
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    "RAY_worker_niceness": "0",
}
NODES = """
import sys
from ray.cluster_utils import Cluster

own = {"node_ip_address": "127.0.0.1", "object_store_memory": 100_000_000}
cluster = Cluster(True, head_node_args={"num_cpus": 0, "include_dashboard": False, **own})
nodes = [cluster.add_node(num_cpus=1, **own) for _ in range(int(sys.argv[1]))]
print(cluster.address, flush=True)
for line in sys.stdin:  # "kill", or the end
    cluster.remove_node(nodes.pop(), allow_graceful=False)
    print("killed", flush=True)
cluster.shutdown()
"""


@contextmanager
def nodes(count: int) -> Iterator[str]:
    """A Ray cluster of this machine with so many CPUs; its address."""
    with subprocess.Popen(
        [*_pinned(count), sys.executable, "-c", NODES, str(count)],
        env={**os.environ, **RAY}, cwd=ROOT, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    ) as program:  # fmt: skip
        yield (program.stdout.readline() if program.stdout else "").strip()


def films_a_minute(films: list[Path], workers: int, cluster: bool) -> float:
    """Throughput of one run."""
    with tempfile.TemporaryDirectory() as out:
        command: list[str | Path] = [
            sys.executable,
            "-m",
            "video.batch",
            *films,
            "--out",
            out,
            "--quiet",
        ]
        if cluster:
            with nodes(workers) as address:
                _run([*command, "--cluster", address], workers)
        else:
            _run([*command, "--jobs", str(workers)], workers)
        lines = list(read_lines(Path(out) / "manifest.jsonl"))
    begun = [datetime.fromisoformat(line["at"]) for line in lines if line["state"] == "started"]
    done = [datetime.fromisoformat(line["at"]) for line in lines if line["state"] == "done"]
    if len(done) != len(films):
        raise SystemExit(f"{len(done)} of {len(films)} films were done")
    return 60 * len(done) / (max(done) - min(begun)).total_seconds()


def _run(command: list[str | Path], workers: int) -> None:
    environment = {**os.environ, **RAY}
    subprocess.run(
        [*_pinned(workers), *command],
        cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip


def _pinned(count: int) -> list[str]:
    """Begins a command that may use so many CPUs, a worker each."""
    return ["taskset", "-c", f"0-{count - 1}"] if shutil.which("taskset") else []


def main() -> int:
    """Prints each run and the medians; 0 when two workers do at least 1.6 times as much."""
    parser = argparse.ArgumentParser(description="throughput of one and of two workers")
    parser.add_argument("--films", type=int, default=8)
    parser.add_argument("--seconds", type=int, default=20, help="length of each film")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cluster", action="store_true", help="actors of a local Ray cluster")
    args = parser.parse_args()
    one, two = [], []
    with tempfile.TemporaryDirectory() as folder:
        clip = Path(folder) / "0.mp4"
        make_clip(clip, args.seconds)
        films = [clip, *(Path(folder) / f"{n}.mp4" for n in range(1, args.films))]
        for film in films[1:]:
            film.write_bytes(clip.read_bytes())
        for _ in range(args.rounds):
            one.append(films_a_minute(films, 1, args.cluster))
            two.append(films_a_minute(films, 2, args.cluster))
            print(f"{one[-1]:.2f} and {two[-1]:.2f} films a minute", flush=True)
    ratio = statistics.median(two) / statistics.median(one)
    print(f"medians {statistics.median(one):.2f} and {statistics.median(two):.2f}: {ratio:.2f}")
    return int(ratio < 1.6)


if __name__ == "__main__":
    sys.exit(main())
