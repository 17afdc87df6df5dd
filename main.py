"""Synthesizes the environment named by ``MESH_ENVIRONMENT`` (default: demo)."""

import os
import sys
from pathlib import Path

from stacks.synthesis import run

if __name__ == "__main__":
    sys.exit(run(os.environ.get("MESH_ENVIRONMENT") or "demo", root=Path(__file__).resolve().parent))
