"""The one error tree. A docstring is the default message; the edge maps it to exit codes and problem documents.

Messages are for the person who made the call: what, where, how to mend. A database's or a parser's own words
never go through unchanged.
"""


class LerError(Exception):
    """Something went wrong in the platform."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (type(self).__doc__ or "").strip().splitlines()[0])


class InputError(LerError):
    """What was given cannot be used."""


class RefusedError(InputError):
    """What was given is refused for a reason that has a name."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        """The reason in kebab-case, stable across releases and languages."""


class NotFoundError(LerError):
    """No such thing, or not yours to see."""


class UnavailableError(LerError):
    """A part that the platform needs is not there: the database, PostGIS, disk space."""


class BlobDamagedError(UnavailableError):
    """A stored file is damaged or gone. It must be made anew, or taken from a backup."""
