"""The policy stack of the demo alone: no Azure, no Nomad, no Helm."""

import gc
import os
from pathlib import Path

from environments.demo import ENVIRONMENT
from stacks.synthesis import synthesize

gc.disable()  # as main.py does
synthesize(ENVIRONMENT, Path(os.environ["CDKTF_OUTDIR"]), stacks=("policy",))
