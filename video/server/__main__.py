"""Starts the service: `python -m video.server --help`."""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from socket import SOCK_STREAM, create_server, getaddrinfo
from typing import Any

from preprocess.errors import CaptioningError, SettingError, missing_package
from video.console import Ended, ended_by_signals
from video.server.options import LOOPBACK, ServerOptions
from video.values import number, whole

_ROWS: tuple[tuple[str, str, Any], ...] = (
    ("model", "캡션 모델 파일 (captioner file)", Path),
    ("data", "대기열, 받은 영상, 결과를 둘 폴더 (folder of queue, films, results)", Path),
    ("host", "들을 주소; 밖에 열려면 0.0.0.0 (address; 0.0.0.0 opens it to others)", str),
    ("port", "포트; 0은 빈 것 아무거나 (0: any free one)", whole(0, 65535)),
    ("workers", "한꺼번에 볼 영상의 수 (films at a time)", whole(1, 64)),
    ("waiting", "기다릴 수 있는 작업; 넘으면 429 (jobs that may wait)", whole(1, 10_000)),
    ("uploads", "한꺼번에 받는 파일; 넘으면 503 (uploads at a time)", whole(1, 1000)),
    ("max_film_mb", "가장 큰 영상; 넘으면 413 (largest film)", number(0.001, 1e6)),
    ("max_photo_mb", "사진 요청의 최대 크기 (largest request with photos)", number(0.001, 1e4)),
    ("max_hours", "가장 긴 영상 (longest film)", number(0.001, 100)),
    ("max_megapixels", "가장 큰 화면 (largest picture)", number(0.01, 1000)),
    ("job_hours", "한 작업의 최대 시간 (longest work on a film)", number(0.001, 1000)),
    ("keep_hours", "끝난 작업을 두는 시간 (finished jobs are kept for)", number(0, 1e5)),
    ("disk_gb", "모든 작업의 최대 크기; 넘으면 503 (all jobs together)", number(0.001, 1e6)),
    ("answer_s", "영상의 답을 기다리는 최대 초 (longest wait of a request)", number(0.1, 1e5)),
)


def main(argv: Sequence[str] | None = None) -> int:
    """Serves until it is told to end; the exit status."""
    args = _parser().parse_args(argv)
    values = vars(args)
    language = values.pop("lang")
    options = ServerOptions(**values | {"allow_host": tuple(args.allow_host)})
    try:
        with ended_by_signals():
            return _run(options)
    except CaptioningError as error:
        print(f"video.server: {error.text(language)}", file=sys.stderr)
        return 1
    except Ended as ended:
        return 128 + int(ended.args[0])


def _run(options: ServerOptions) -> int:
    """From the captioner's loading to the workers' end.

    Raises:
        MissingExtra: a package of requirements-web.txt is not installed.
    """
    try:
        from video.server.service import Service
        from video.server.serving import serve
    except ModuleNotFoundError as error:
        raise missing_package(error, "requirements-web.txt") or error from None
    _check_address(options)
    service = Service(options)
    # what is being received may be as large as a film: not into a small /tmp
    tempfile.tempdir = str(options.data / "incoming")
    try:
        service.start()
        if options.host not in LOOPBACK:
            print(_WARNING, file=sys.stderr)
        serve(service, options)
    finally:
        service.stop()
    return 0


def _check_address(options: ServerOptions) -> None:
    """Refuses an address that cannot be listened on, before the captioner is loaded for it.

    Raises:
        SettingError: it is taken, or not this machine's.
    """
    try:
        for family, *_, address in getaddrinfo(options.host, options.port, type=SOCK_STREAM):
            create_server(address[:2], family=family).close()
    except OSError as error:
        where = f"{options.host}:{options.port}"
        raise SettingError(
            f"{where}에서 들을 수 없습니다 ({error.strerror}). --host나 --port를 바꾸세요.",
            f"cannot listen on {where} ({error.strerror}). Give another --host or --port.",
        ) from None


_WARNING = (
    "주의: 이 주소에 닿는 누구나 영상을 보내고 결과를 볼 수 있습니다. 암호와 HTTPS는 앞에 둔 "
    "프록시에 맡기세요. "
    "(Whoever reaches this address can use it. Leave passwords and HTTPS to a proxy before it.)"
)


def _parser() -> argparse.ArgumentParser:
    defaults = ServerOptions()
    parser = argparse.ArgumentParser(
        prog="python -m video.server",
        description="영상과 사진에 한국어 자막을 다는 서버와 웹 페이지. (REST and web page.)",
        allow_abbrev=False,
    )
    for name, text, kind in _ROWS:
        default = getattr(defaults, name)
        flag = "--" + name.replace("_", "-")
        parser.add_argument(flag, type=kind, default=default, help=f"{text} (기본: {default})")
    parser.add_argument(
        "--allow-host",
        action="append",
        default=[],
        metavar="NAME",
        help="브라우저가 부르는 다른 이름; '*'은 모두 (another name of the service; '*': any)",
    )
    parser.add_argument("--lang", choices=("ko", "en"), default="ko", help="메시지의 언어")
    return parser


if __name__ == "__main__":
    sys.exit(main())
