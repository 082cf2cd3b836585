"""The model: arrays become a sentence."""
