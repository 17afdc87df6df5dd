"""Synthesizes the environment named by ``MESH_ENVIRONMENT`` (default: demo)."""

import os
import sys
from pathlib import Path

try:
    from mesh.project import DEFAULT_ENVIRONMENT
    from stacks.synthesis import run
except ModuleNotFoundError as missing:
    sys.exit(f"error: {missing}; run make setup, then .venv/bin/python main.py")

if __name__ == "__main__":
    sys.exit(run(os.environ.get("MESH_ENVIRONMENT") or DEFAULT_ENVIRONMENT, root=Path(__file__).resolve().parent))
