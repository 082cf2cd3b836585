"""Tools for films and pictures that are captioned: python -m video.scenes NAME."""
