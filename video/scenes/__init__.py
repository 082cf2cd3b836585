"""What can be done with many moments, pictures and captioned films: `python -m video.scenes`."""
