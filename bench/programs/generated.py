"""All four stacks of a generated mesh of as many services as the argument says."""

import gc
import os
import sys
from pathlib import Path

from bench.generated import environment
from stacks.synthesis import synthesize

gc.disable()  # as main.py does
synthesize(environment(int(sys.argv[1])), Path(os.environ["CDKTF_OUTDIR"]))
