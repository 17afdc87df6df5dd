"""``mesh entries check`` on the file that BENCH_ENTRIES names."""

import os
import sys

from mesh.cli import main

if __name__ == "__main__":
    sys.exit(main(["entries", "check", os.environ["BENCH_ENTRIES"]]))
