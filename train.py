"""`python train.py DATA`: a data folder becomes a captioner file."""

import sys
from collections.abc import Sequence
from importlib.util import find_spec

if find_spec("keras") is None:
    sys.exit(
        "train.py: 학습에 필요한 패키지가 없습니다. 설치하세요: pip install -r requirements.txt "
        "(packages are missing: install requirements.txt)"
    )

from model.options import options, parser
from model.stages import run
from preprocess.errors import exit_status, language_of


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; the exit status."""
    asked = sys.argv[1:] if argv is None else argv
    arguments = parser(language_of(asked)).parse_args(asked)
    stopped = "멈췄습니다. 같은 명령으로 이어서 학습합니다."

    def work() -> None:
        run(arguments, options(arguments))

    return exit_status(work, "train.py", arguments.lang, stopped)


if __name__ == "__main__":
    sys.exit(main())
