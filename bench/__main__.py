"""`python -m bench`: every benchmark there is."""

import sys

from bench.captioning import main

if __name__ == "__main__":
    sys.exit(main())
