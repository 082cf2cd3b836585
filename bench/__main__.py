"""`python -m bench`: what captioning costs, then what drawing costs beside other ways to do it.

Shots beside PySceneDetect are `python -m bench.cuts`, captions beside large models `python -m
bench.transformers`; both need requirements-bench.txt. Captions into morphemes are `python -m
bench.tagging`.
"""

import sys

from bench import captioning, drawing
from preprocess.errors import exit_status


def main() -> int:
    """1 where a bound does not hold."""
    status = captioning.main()
    drawing.main([])
    return status


if __name__ == "__main__":
    sys.exit(exit_status(main, "bench", "en"))
