"""Define the errors that services raise.

An error carries a stable `code`, a message for the reader and plain data. It has no status code:
`app/web/problems/problem_details.py` alone maps these classes to HTTP responses.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

from app.core.messages import Message, to_message, to_value_message


class MikError(Exception):
    """Base of every rejection. `data` becomes members of the problem document: JSON values only, no secrets."""

    code: ClassVar[str] = "error"

    def __init__(self, message: str, *, code: str | None = None, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message = to_message(message)
        self.refusal_code = code or self.code
        self.data = dict(data or {})


class Unauthenticated(MikError):
    """The request carries no valid credentials."""

    code = "unauthenticated"


class Forbidden(MikError):
    """The actor is authenticated but may not perform the action."""

    code = "forbidden"


class FourEyes(Forbidden):
    """The person who recommended may not decide (ISO/IEC 17065 §7.6.2)."""

    code = "four-eyes"


class AdministratorRequired(Forbidden):
    """The actor is a member of the company but not one of its administrators."""

    code = "administrator-required"


class SecondFactorRequired(Forbidden):
    """The actor has the role, but the action also requires a recent code of the authenticator."""

    code = "second-factor-required"


class InsufficientScope(Forbidden):
    """The API client, or this token, lacks the scope."""

    code = "insufficient-scope"


class NotFound(MikError):
    """The object does not exist or belongs to another company; the response does not reveal which."""

    code = "not-found"

    @classmethod
    def of(cls, what: str) -> "NotFound":
        return cls(Message("There is no such %(what)s.", what=Message(what)))


class VersionRequired(MikError):
    """The request must name the version that it changes (`If-Match`)."""

    code = "version-required"


class StaleVersion(MikError):
    """The object was changed since the client read it."""

    code = "stale-version"


class Conflict(MikError):
    """The request is well-formed but conflicts with the present state."""

    code = "conflict"


class InProgress(Conflict):
    """Another request holds a lock that this one needs, possibly its own first attempt; retry shortly."""

    code = "in-progress"
    retry_after: ClassVar[int] = 2  # seconds


class WrongState(Conflict):
    """The action is not allowed in this state; `allowed` lists the actions that are."""

    code = "wrong-state"

    def __init__(self, what: str, *, state: str, action: str, allowed: Sequence[str]) -> None:
        super().__init__(
            Message(
                "“%(action)s” is not possible while the %(what)s is %(state)s. Possible now: %(allowed)s.",
                action=to_value_message(action),
                what=Message(what),
                state=to_value_message(state),
                allowed=[to_value_message(each) for each in allowed] or Message("none"),
            ),
            data={"state": state, "action": action, "allowed": list(allowed)},
        )


class CertifiedDataLocked(Conflict):
    """Certified data cannot change before the holder reports the change for each certificate."""

    code = "certified"

    def __init__(self, what: str, numbers: Sequence[str]) -> None:
        super().__init__(
            Message(
                "This %(what)s is certified. Report the change first: %(addresses)s.",
                what=Message(what),
                addresses=[f"POST /v1/certificates/{number}/changes" for number in numbers],
            ),
            data={"certificates": list(numbers)},
        )


class NotEligible(Conflict):
    """The published rules do not allow certification; `findings` lists every criterion that is not met."""

    code = "not-eligible"


MAX_LISTED_ERRORS = 100


def validation_failed_message(count: int) -> Message:
    """Return the message of a validation error, with the number of errors."""
    return Message("Validation failed: %(count)s error.", many="Validation failed: %(count)s errors.", count=count)


class Invalid(MikError):
    """The content is not valid; `errors` names each place and what is wrong there."""

    code = "invalid"

    def __init__(self, message: str, errors: Sequence[Mapping[str, str]] = (), *, code: str | None = None) -> None:
        super().__init__(message, code=code, data={"errors": [dict(e) for e in errors]} if errors else None)

    @classmethod
    def with_errors(
        cls, errors: Sequence[Mapping[str, str]], *, code: str | None = None, shown: int = MAX_LISTED_ERRORS
    ) -> "Invalid":
        """Build the error from all faults of a request; `shown` limits the list, the message gives the total."""
        return cls(validation_failed_message(len(errors)), errors[:shown], code=code)

    @classmethod
    def at(cls, pointer: str, detail: str) -> "Invalid":
        """Build the error for one member, named by a JSON pointer such as `/site_id`."""
        return cls(detail, [{"pointer": pointer, "detail": detail}])


class ErrorCollector:
    """Collect the errors of several checks, so that all are reported in one response.

    with faults.collect(): check_one(…)
    with faults.collect(): check_another(…)
    faults.raise_if_any()
    """

    def __init__(self) -> None:
        self._collected: list[Invalid] = []

    @contextmanager
    def collect(self) -> Iterator[None]:
        try:
            yield
        except Invalid as why:
            self._collected.append(why)

    def raise_if_any(self) -> None:
        """Raise the collected errors. Raises `Invalid` with every fault; a single error is raised as it is."""
        if len(self._collected) == 1:
            raise self._collected[0]
        if self._collected:
            raise Invalid.with_errors([fault for error in self._collected for fault in error.data["errors"]])


class TooLarge(MikError):
    code = "too-large"


class UnsupportedMedia(MikError):
    code = "unsupported-media-type"


class TooManyAttempts(MikError):
    """Attempts are throttled; the client must wait `retry_after` seconds."""

    code = "too-many-attempts"

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message, data={"retry_after": retry_after})
        self.retry_after = retry_after


class Unavailable(MikError):
    """The service cannot handle the request now; the client should retry later."""

    code = "unavailable"


class StorageFull(MikError):
    """The disk is full. Nothing of the request was stored."""

    code = "storage-full"

    def __init__(self) -> None:
        super().__init__("There is no space to store this at the moment. Nothing was stored; try again later.")


class UnsafeToStart(MikError):
    """The service refuses to start; the message names what to change."""

    code = "unsafe-to-start"


@dataclass(frozen=True, slots=True)
class VersionPrecondition:
    """The version that a change was made against, and a hook called just before it is compared.

    The hook replays the stored response of a change already made: a retry names an old version by nature.
    """

    version: int | None
    before_check: Callable[[], None]


ExpectedVersion = int | VersionPrecondition | None
"""The version argument of a service; None where the caller named none."""


def require_version(expected: ExpectedVersion, actual: int) -> None:
    """Require that the change was made against the current version of the row (RFC 9110 §13.1.1, RFC 6585 §3).

    Raises `VersionRequired` when no version was given and `StaleVersion` when it is another one.
    """
    if isinstance(expected, VersionPrecondition):
        expected.before_check()
        expected = expected.version
    if expected is None:
        raise VersionRequired("Send If-Match with the ETag of what you read, so that nobody's change is lost.")
    if expected != actual:
        raise StaleVersion("It was changed since you read it. Read it again, then decide.")
