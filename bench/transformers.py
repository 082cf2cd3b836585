"""What a caption costs beside large models: `python -m bench.transformers`.

BLIP-base, GIT-base and ViT-GPT2 of the package transformers with random weights: their compute is
that of trained ones, and nothing is downloaded. Each says TOKENS tokens of one picture, greedily;
this captioner says its sentence of one picture as films get it. CPU seconds a caption, medians,
everything in turn on the pictures of the same clip. Needs requirements-bench.txt.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
import transformers

from bench.captioning import make_clip
from model.captioner import Captioner
from preprocess.frames import probe
from preprocess.pictures import Picture, to_square
from video.shots import ShotOptions, find_shots

TOKENS = 12  # about a Korean sentence in pieces
THREADS = 2
MODEL = Path(__file__).parents[1] / "model" / "default.kcap"
Say = Callable[[Picture], object]


def blip() -> torch.nn.Module:
    """BLIP-base: ViT-B/16 at 384, 12 layers of text decoder."""
    return transformers.BlipForConditionalGeneration(transformers.BlipConfig())


def git() -> torch.nn.Module:
    """GIT-base: ViT-B/16 at 224, 6 layers."""
    return transformers.GitForCausalLM(transformers.GitConfig())


def vit_gpt2() -> torch.nn.Module:
    """ViT-B/16 at 224 with GPT-2 small looking at it."""
    seeing, saying = transformers.ViTConfig(), transformers.GPT2Config()
    both = transformers.VisionEncoderDecoderConfig.from_encoder_decoder_configs(seeing, saying)
    return transformers.VisionEncoderDecoderModel(both)


SIDES = {blip: 384, git: 224, vit_gpt2: 224}


def sayer(make: Callable[[], torch.nn.Module], side: int) -> tuple[str, Say]:
    """A model's name with its size, and how it captions one picture."""
    torch.manual_seed(0)
    model = make().eval()
    millions = sum(p.numel() for p in model.parameters()) / 1e6
    begin = {"decoder_start_token_id": 1} if make is vit_gpt2 else {}

    def say(picture: Picture) -> object:
        pixels = torch.from_numpy(to_square(picture, side).astype(np.float32) / 255)
        fixed = {"min_new_tokens": TOKENS, "max_new_tokens": TOKENS, "do_sample": False}
        with torch.inference_mode():
            return model.generate(pixel_values=pixels.permute(2, 0, 1)[None], **fixed, **begin)

    return f"{make.__name__} ({millions:.0f} M)", say


def main(argv: Sequence[str] | None = None) -> int:
    """Prints the table."""
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    p.add_argument("--rounds", type=int, default=3, help="times each picture is captioned (3)")
    rounds = p.parse_args(argv).rounds
    torch.set_num_threads(THREADS)
    captioner = Captioner.load(MODEL)
    ours = f"this captioner ({captioner.parameters / 1e6:.0f} M)"
    says: list[tuple[str, Say]] = [(ours, lambda picture: captioner.caption(picture[None]))]
    says += [sayer(make, side) for make, side in SIDES.items()]
    spent: dict[str, list[float]] = {name: [] for name, _ in says}
    for picture in pictures():
        for name, say in says * rounds:
            begun = time.process_time()
            say(picture)
            spent[name].append(time.process_time() - begun)
    for name, seconds in spent.items():
        print(f"{name:28} {1000 * statistics.median(seconds):7.0f} CPU ms a caption")
    return 0


def pictures() -> list[Picture]:
    """The middle picture of every shot of the clip that the other benches use."""
    with tempfile.TemporaryDirectory() as folder:
        clip = Path(folder) / "clip.mp4"
        make_clip(clip, 30)
        return [shot.frames[0] for shot in find_shots(probe(clip), ShotOptions(1))]


if __name__ == "__main__":
    raise SystemExit(main())
