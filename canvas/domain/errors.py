"""Every error raised on purpose. One base, three families; the family says what the caller can do about it."""

from typing import ClassVar


class CanvasError(Exception):
    """Base of every error raised on purpose; `code` is public API, the message is not."""

    code: ClassVar[str] = "canvas_error"

    def __init__(self, message: str | None = None, **details: object) -> None:
        super().__init__(message or type(self).__doc__)
        self.details = details

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), str(self), self.details))


def _rebuild(cls: type[CanvasError], message: str, details: dict[str, object]) -> CanvasError:
    return cls(message, **details)


class UserError(CanvasError):
    """The request cannot be carried out as it stands."""

    code = "user_error"


class NotFound(UserError):
    """There is no such thing here."""

    code = "not_found"


class Conflict(UserError):
    """The request does not fit the present state."""

    code = "conflict"


class Invalid(UserError):
    """The request is not well-formed."""

    code = "invalid"


class Unauthorized(UserError):
    """Nobody can tell who is calling."""

    code = "unauthorized"


class Forbidden(UserError):
    """This needs a permission that the caller does not have."""

    code = "forbidden"


class TransientError(CanvasError):
    """Something outside was not ready; the same call may succeed later."""

    code = "transient"


class DefectError(CanvasError):
    """Canvas made a mistake; this should be reported."""

    code = "defect"
