"""The policy stack of the demo alone: no Azure, no Nomad, no Helm."""

import os
from pathlib import Path

from environments.demo import ENVIRONMENT
from stacks.synthesis import synthesize

synthesize(ENVIRONMENT, Path(os.environ["CDKTF_OUTDIR"]), stacks=("policy",))
