"""How an action says that it failed."""

from canvas.domain.errors import CanvasError


class ActionFailed(CanvasError):
    """The action could not do what it was asked to.

    Whoever raises it says what should follow: `retryable` failures are tried again within the step's retry policy,
    after `retry_in` seconds when that is given and longer than the policy's own pause. `details` become part of the
    step's error.
    """

    code = "action_failed"

    def __init__(
        self, message: str | None = None, *, retryable: bool = False, retry_in: float | None = None, **details: object
    ) -> None:
        super().__init__(message, retryable=retryable, retry_in=retry_in, **details)
        self.retryable = retryable
        self.retry_in = retry_in
