"""The service: REST, web page and job queue over the same one-call door as caption_video.py."""
