"""Errors that a caller shows to the user, apart from what raises them: the command line loads that only when needed."""


class ProjectError(Exception):
    """An environment cannot be loaded; the message says why and what to do."""


class UnreadableError(Exception):
    """A file cannot be read; the message says which and why."""
