"""Before the model: pictures and Korean become arrays and ids."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # a GPU that is not there is no news
