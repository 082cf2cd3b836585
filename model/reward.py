"""Self-critical training: samples are weighed by their CIDEr-D (Rennie et al. 2017).

The baseline of a sample is the mean reward of the picture's other samples (Luo 2020,
arXiv:2003.09971). A reference sentence is taught beside the samples, so that sentences stay
grammatical: reward alone makes them short and odd.

B pictures, k samples a picture, T tokens, V vocabulary.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from keras import ops

from model.bounds import RATE, SOME, check_bounds
from model.cider import CiderD
from model.decoding import by_keras
from model.lesson import inputs
from model.network import Decoder
from model.runs import Weights, claim
from model.sampling import sample
from model.train_options import TrainOptions
from model.training import Trainer, run_epochs
from preprocess.dataset import BUCKET, Batch, Dataset, mirrored
from preprocess.korean import forms
from preprocess.vocabulary import END, PAD, START, Vocabulary

CLOSE = "</s>"  # no morpheme looks like this


@dataclass(frozen=True)
class RewardOptions:
    """How a trained decoder is trained on.

    Attributes:
        reward_epochs: most epochs; 0 leaves this stage out.
        reward_rate: the highest learning rate.
        samples: sampled sentences a picture and step.
        temperature: below 1 sampled words are likelier ones.
        likelihood: weight of the reference sentence against an advantage of 1.
        blend: how far the kept weights lie on the line from where this stage began to where it
            is (Wortsman et al. 2022, arXiv:2109.01903); the reward's own end fits the training
            pictures better than others.
        nearer: True shows the pictures from nearer too, as captioning looks at them; what the
            encoder sees then takes twice the room on disk.
    """

    reward_epochs: int = 0
    reward_rate: float = 1e-4
    samples: int = 3
    temperature: float = 0.7
    likelihood: float = 0.2
    blend: float = 0.5
    nearer: bool = False

    def __post_init__(self) -> None:
        rates = {"reward_rate": RATE, "temperature": (1e-3, 100), "blend": (1e-3, 1)}
        counts = {"reward_epochs": SOME, "samples": (2, inf)}
        check_bounds(self, rates | counts | {"likelihood": (0, 1e3)})


def fit_reward(
    data: Dataset, train: Sequence[int], held: Sequence[int], start: tuple[Decoder, Vocabulary],
    options: tuple[TrainOptions, RewardOptions], run: Path,
) -> tuple[Decoder, Vocabulary, dict[str, Any]]:  # fmt: skip
    """As training.fit, from a trained decoder and on the reward; resumes as exactly.

    Raises:
        SettingError: an option has a value that cannot be used.
    """
    decoder, vocabulary = start
    plain, reward = options
    # one reference a picture is taught beside the samples
    plain = replace(
        plain, epochs=reward.reward_epochs, learning_rate=reward.reward_rate, sentences=1
    )
    claim(run, {**asdict(plain), **asdict(reward)})
    trainer = RewardTrainer(data, train, held, vocabulary, plain, decoder)
    trainer.begin(reward)
    return run_epochs(trainer, run)


class RewardTrainer(Trainer):
    """Teaches samples by their advantage, and one reference a picture."""

    def begin(self, reward: RewardOptions) -> None:
        """Starts from the weights that were given.

        Rewards are counted set by set, with the idf of the set's training references: what is
        common in one set may tell much in another.
        """
        self.reward, self.smoothing = reward, 0.0
        self._begun = [ops.convert_to_numpy(v) for v in self.decoder.trainable_variables]
        self._judges: dict[int, tuple[CiderD, int]] = {}
        for source in {self.data.samples[row].source for row in self.train}:
            rows = [row for row in self.train if self.data.samples[row].source == source]
            upright = [closed(forms(self.data.sentences[row])) for row in rows]
            turned = [closed(forms(map(mirrored, self.data.sentences[row]))) for row in rows]
            both = [group for pair in zip(upright, turned, strict=True) for group in pair]
            judge = CiderD(both, upright)
            self._judges |= {row: (judge, 2 * i) for i, row in enumerate(rows)}

    def begin_epoch(self, number: int) -> None:
        """Draws anew: which words are sampled."""
        self._random = np.random.default_rng([self.options.seed, number, 1])

    def averaged(self) -> Weights:
        """The moving averages drawn back towards the weights this stage began with."""
        share = self.reward.blend
        pairs = zip(self._begun, super().averaged(), strict=True)
        return [(1 - share) * begun + share * mean for begun, mean in pairs]

    def learn(self, batch: Batch) -> float:
        """One step on samples of this batch's pictures; minus the mean reward."""
        r = self.reward
        samples = self.sample(batch, r.samples, r.temperature)  # (B, k, T)
        rewards = self._rewards(samples, batch)  # (B, k)
        advantage = (rewards - rewards.mean(1, keepdims=True)) * r.samples / (r.samples - 1)
        length = -(-max(samples.shape[2], batch.targets.shape[2]) // BUCKET) * BUCKET
        targets = np.concatenate(
            [_padded(samples, length), _padded(batch.targets[:, :1], length)], 1
        )
        # negative where a sample is worse than the picture's others
        weights = np.concatenate([advantage, np.full((len(rewards), 1), r.likelihood)], 1)
        tokens = np.concatenate([np.full_like(targets[:, :, :1], START), targets[:, :, :-1]], 2)
        told = targets != PAD
        shares = (told * weights[:, :, None] / told.sum()).astype(np.float32)
        self.step(inputs(replace(batch, tokens=tokens)), targets, shares)
        return -float(rewards.mean())

    def sample(self, batch: Batch, count: int, temperature: float) -> npt.NDArray[np.int32]:
        """`count` sentences a shot, drawn word by word: int32 (B, k, T), END then PAD."""
        self.show([ops.convert_to_numpy(v) for v in self.variables])
        regions = batch.regions.astype(np.float32)
        step, state = by_keras(self.networks, regions, batch.frames, count)
        return sample(step, state, self.options.longest - BUCKET, temperature, self._random)

    def _rewards(self, samples: npt.NDArray[np.int32], batch: Batch) -> npt.NDArray[np.float32]:
        rewards = []
        for row, view, group in zip(batch.rows, batch.views, samples, strict=True):
            judge, place = self._judges[int(row)]
            said = [self._said(ids) for ids in group]
            rewards.append(judge.scores(said, [place + int(view) % 2] * len(said)))
        return np.array(rewards, np.float32)

    def _said(self, ids: npt.NDArray[np.int32]) -> list[str]:
        """A sample as the judge reads it: one that never ended lacks the mark of the end."""
        words = [m.form for m in self.vocabulary.decode(ids)]
        return closed([words])[0] if END in ids else words


def closed(sentences: Sequence[Sequence[str]]) -> list[list[str]]:
    """Sentences with their end as a token of its own, so that breaking off early costs."""
    return [[*words, CLOSE] for words in sentences]


def _padded(ids: npt.NDArray[np.int32], length: int) -> npt.NDArray[np.int32]:
    return np.pad(ids, ((0, 0), (0, 0), (0, length - ids.shape[2])), constant_values=PAD)
