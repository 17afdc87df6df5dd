"""The environments of the project."""

from pathlib import Path

from mesh.project import available, load

ROOT = Path(__file__).resolve().parents[1]

DECLARED = {name: load(name, ROOT) for name in available(ROOT)}

ON_AZURE = {name: environment for name, environment in DECLARED.items() if environment.platform.azure}
"""Those that need a cloud."""
