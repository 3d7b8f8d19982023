"""What can go wrong, in the domain's words.

An error carries a stable `code`, a sentence for the person who reads it and plain data. It knows no
status code: `app/web/problems/problem_details.py` holds the one table that turns these classes into HTTP answers.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

from app.core.messages import Message, to_message, to_value_message


class MikError(Exception):
    """Base of every refusal. `data` becomes members of the problem document: JSON values only, no secrets."""

    code: ClassVar[str] = "error"

    def __init__(self, message: str, *, code: str | None = None, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message = to_message(message)
        self.refusal_code = code or self.code
        self.data = dict(data or {})


class Unauthenticated(MikError):
    """Nobody we know is asking."""

    code = "unauthenticated"


class Forbidden(MikError):
    """We know who asks; this deed is not theirs."""

    code = "forbidden"


class FourEyes(Forbidden):
    """The person who recommended may not decide (ISO/IEC 17065 §7.6.2)."""

    code = "four-eyes"


class AdministratorRequired(Forbidden):
    """A member of the company, but no administrator of it."""

    code = "administrator-required"


class SecondFactorRequired(Forbidden):
    """The right person, as far as a password can tell; the deed needs a code of the authenticator as well."""

    code = "second-factor-required"


class InsufficientScope(Forbidden):
    """The API client, or this token of it, was not trusted with that."""

    code = "insufficient-scope"


class NotFound(MikError):
    """There is no such thing, or it belongs to another company: both look the same from outside."""

    code = "not-found"

    @classmethod
    def of(cls, what: str) -> "NotFound":
        return cls(Message("There is no such %(what)s.", what=Message(what)))


class VersionRequired(MikError):
    """The change must name the version it was made against (`If-Match`)."""

    code = "version-required"


class StaleVersion(MikError):
    """Somebody else changed the thing since it was read."""

    code = "stale-version"


class Conflict(MikError):
    """The request is well made, but does not fit the present state of things."""

    code = "conflict"


class InProgress(Conflict):
    """Another request holds what this one needs, perhaps the first try of this very one; ask again in a moment."""

    code = "in-progress"
    retry_after: ClassVar[int] = 2  # seconds


class WrongState(Conflict):
    """The action is not allowed in this state; `allowed` names the moves that are."""

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
    """What was certified cannot change unless its holder reports the change for each certificate."""

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
    """The published rules do not allow the mark; `findings` names every criterion in the way."""

    code = "not-eligible"


MAX_LISTED_ERRORS = 100


def validation_failed_message(count: int) -> Message:
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
        """All faults of a request; a message says how many there are."""
        return cls(validation_failed_message(len(errors)), errors[:shown], code=code)

    @classmethod
    def at(cls, pointer: str, detail: str) -> "Invalid":
        """One wrong member, named by a JSON pointer such as `/site_id`."""
        return cls(detail, [{"pointer": pointer, "detail": detail}])


class ErrorCollector:
    """Collects what several checks find wrong, so that all of it is refused at once.

    with faults.collected(): check_one(…)
    with faults.collected(): check_another(…)
    faults.refuse()
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
        """Errors: Invalid with every fault that was collected."""
        if len(self._collected) == 1:
            raise self._collected[0]
        if self._collected:
            raise Invalid.with_errors([fault for each in self._collected for fault in each.data["errors"]])


class TooLarge(MikError):
    code = "too-large"


class UnsupportedMedia(MikError):
    code = "unsupported-media-type"


class TooManyAttempts(MikError):
    """Guesses are throttled; `retry_after` seconds must pass."""

    code = "too-many-attempts"

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message, data={"retry_after": retry_after})
        self.retry_after = retry_after


class Unavailable(MikError):
    """The service cannot do this now; trying again later is right."""

    code = "unavailable"


class StorageFull(MikError):
    """The disk is full. What was sent is not kept, not even in part."""

    code = "storage-full"

    def __init__(self) -> None:
        super().__init__("There is no room to store this at the moment. Nothing was kept; try again later.")


class UnsafeToStart(MikError):
    """The service refuses to start; the message says what to change."""

    code = "unsafe-to-start"


@dataclass(frozen=True, slots=True)
class VersionPrecondition:
    """The version a change was made against, and what has to be asked just before it is looked at: whether this very
    change was made already and only its answer got lost (a retry names an old version by nature)."""

    version: int | None
    before_check: Callable[[], None]


ExpectedVersion = int | VersionPrecondition | None
"""What a service takes as the version of a change; None where the caller named none."""


def require_version(expected: ExpectedVersion, actual: int) -> None:
    """The change was made against the row as it is now (RFC 9110 §13.1.1, RFC 6585 §3)."""
    if isinstance(expected, VersionPrecondition):
        expected.before_check()
        expected = expected.version
    if expected is None:
        raise VersionRequired("Send If-Match with the ETag of what you read, so that nobody's change is lost.")
    if expected != actual:
        raise StaleVersion("It was changed since you read it. Read it again, then decide.")
