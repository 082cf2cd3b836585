"""What was dropped of a set: drops are data, never silent."""

from collections import Counter
from dataclasses import dataclass, field

EXAMPLES = 3


@dataclass
class Tally:
    """What was dropped: how often for each reason, with a few examples."""

    dropped: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)

    def drop(self, reason: str, example: str, count: int = 1) -> None:
        """Counts `count` drops of which one is shown."""
        self.dropped[reason] += count
        shown = self.examples.setdefault(reason, [])
        if len(shown) < EXAMPLES:
            shown.append(" ".join(example.split())[:80])

    def worst(self) -> str:
        """The most frequent reasons on one line: '12 picture missing, 3 empty caption'."""
        return ", ".join(f"{count:,} {reason}" for reason, count in self.dropped.most_common(3))

    def add(self, other: "Tally") -> None:
        """Takes in another tally."""
        self.dropped += other.dropped
        for reason, examples in other.examples.items():
            shown = self.examples.setdefault(reason, [])
            shown += examples[: EXAMPLES - len(shown)]
