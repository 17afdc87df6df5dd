"""What can go wrong with the lab."""

from mesh.errors import ProjectError


class LabError(ProjectError):
    """The lab, or something in it, is not as it should be; the message says what, and where to look."""
