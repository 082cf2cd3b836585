"""`python train.py DATA`: a data folder becomes a captioner file."""

import sys
from collections.abc import Sequence

from model.options import options, parser
from model.stages import run
from preprocess.errors import CaptioningError


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; the exit status."""
    arguments = parser().parse_args(argv)
    try:
        run(arguments, options(arguments))
    except CaptioningError as error:
        print(f"train.py: {error.text(arguments.lang)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("train.py: 멈췄습니다. 같은 명령으로 이어서 학습합니다.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
