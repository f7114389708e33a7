"""Errors that a person may read. Each says what happened and what to do next."""


class LuneError(Exception):
    """A refusal with a message for the person who asked.

    `code` is stable and machine-readable; `message` is plain English and never holds personal data.
    """

    code = "refused"
    http_status = 400

    def __init__(self, message: str, *, code: str | None = None, **details: object) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.code
        self.details = details


class Conflict(LuneError):
    """The world changed since the person looked: a place went, a status moved on."""

    code = "conflict"
    http_status = 409


class NotAllowed(LuneError):
    """This person's side may not do this."""

    code = "not-allowed"
    http_status = 403


class Invalid(LuneError):
    """What was sent cannot be understood or breaks a rule."""

    code = "invalid"
    http_status = 422


class NotFound(LuneError):
    """There is no such record, or this person may not know that there is."""

    code = "not-found"
    http_status = 404
