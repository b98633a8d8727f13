# Written by `cargo xtask tables` from wit/ and src/settings/schema.json. Do not edit.
"""An exception for each kind of error: they are sorted by what the caller should do."""

from ._base import HandoffError


class InvalidSettings(HandoffError):
    """A setting is missing or wrong: `field` names it. Ask the admin, and do not repeat the call before."""

    kind = "invalid-settings"


class InvalidRequest(HandoffError):
    """An argument is missing or wrong: `field` names it. A bug in the caller, or an old session. Do not repeat."""

    kind = "invalid-request"


class Unauthorized(HandoffError):
    """The vendor refused the credentials. Mark the connection as broken and ask the admin. Do not repeat."""

    kind = "unauthorized"


class NotFound(HandoffError):
    """A queue, group, human agent or conversation does not exist: `field` names it. Ask the admin. Do not repeat."""

    kind = "not-found"


class Rejected(HandoffError):
    """The vendor understood the request and refused it. Report it. Do not repeat."""

    kind = "rejected"


class RateLimited(HandoffError):
    """Too many requests: repeat after `retry_after_ms`, with the session of this error."""

    kind = "rate-limited"


class Unavailable(HandoffError):
    """The vendor cannot be reached or is broken, and the last request changed nothing. Repeat later, with the session
    of this error.
    """

    kind = "unavailable"


class OutcomeUnknown(HandoffError):
    """A request that changes something was sent, and its result is unknown. Repeat with the session of this error, or
    with `retry=True`: the connector then looks before it acts.
    """

    kind = "outcome-unknown"


class NeedsEmail(HandoffError):
    """A ticket needs an e-mail address or a phone number, and none is known. Ask the end user, then repeat with it."""

    kind = "needs-email"


class InvalidSignature(HandoffError):
    """The webhook is not from the vendor. Drop it, answer 401, and raise an alarm when it happens often."""

    kind = "invalid-signature"


class Malformed(HandoffError):
    """The vendor sent something unreadable: `log` says where. Report it. Do not repeat. For a webhook answer 503, so
    that the vendor sends it again.
    """

    kind = "malformed"


class Unsupported(HandoffError):
    """This version cannot do that; see `descriptor.capabilities`. Do not repeat."""

    kind = "unsupported"


class Internal(HandoffError):
    """A bug in the connector. Report it. Do not repeat."""

    kind = "internal"


BY_KIND: dict[str, type[HandoffError]] = {
    "invalid-settings": InvalidSettings,
    "invalid-request": InvalidRequest,
    "unauthorized": Unauthorized,
    "not-found": NotFound,
    "rejected": Rejected,
    "rate-limited": RateLimited,
    "unavailable": Unavailable,
    "outcome-unknown": OutcomeUnknown,
    "needs-email": NeedsEmail,
    "invalid-signature": InvalidSignature,
    "malformed": Malformed,
    "unsupported": Unsupported,
    "internal": Internal,
}

__all__ = [
    "Internal",
    "InvalidRequest",
    "InvalidSettings",
    "InvalidSignature",
    "Malformed",
    "NeedsEmail",
    "NotFound",
    "OutcomeUnknown",
    "RateLimited",
    "Rejected",
    "Unauthorized",
    "Unavailable",
    "Unsupported",
]
