"""Saying no, in both wire families.

A handler raises :class:`RefusalError` with a reason and does not know which family asked: v1 gets a code inside HTTP
200, v2 a real status.
"""

from __future__ import annotations

import enum
from typing import Any


class Reason(enum.Enum):
    """Why a request is refused: v1 code, v1 inner status, v2 status."""

    NOT_AUTHENTICATED = ("AUTHENTICATION_ERROR", 401, 401)
    UNKNOWN_SSH_KEY = ("SSH_KEY_NOT_FOUND_ERROR", 401, 401)
    NOT_YOURS = ("AUTHORISATION_ERROR", 403, 403)
    OUT_OF_SCOPE = ("OPERATION_NOT_ALLOWED", 403, 403)
    NOT_FOUND = ("RESOURCE_NOT_FOUND_ERROR", 404, 404)
    EXISTS = ("RESOURCE_EXISTS_ERROR", 409, 409)
    INVALID = ("INVALID_ARGUMENTS_ERROR", 400, 400)
    MALFORMED = ("INVALID_ARGUMENTS_ERROR", 400, 422)
    BAD_DATE = ("INVALID_DATE_FORMAT_ERROR", 400, 422)
    NO_SUCH_VERB = ("METHOD_NOT_ALLOWED_ERROR", 405, 405)
    TOO_MANY_LABELS = ("MULTI_LABEL_LIMIT_ERROR", 400, 413)
    NO_ANSWER = ("ANSWER_DICTIONARY_ERROR", 400, 400)
    CORRUPTED_LABEL = ("CORRUPTED_LABEL_ERROR", 400, 400)
    NO_SUCH_FEATURE = ("FEATURE_DOES_NOT_EXIST_ERROR", 400, 400)
    NOT_EMULATED = ("UNKNOWN_ERROR", 501, 501)
    FAILED = ("UNKNOWN_ERROR", 500, 500)

    @property
    def v1_code(self) -> str:
        """The code in ``response[0]`` of the envelope."""
        return self.value[0]

    @property
    def v1_status(self) -> int:
        """The status inside the envelope; never 200."""
        return self.value[1]

    @property
    def v2_status(self) -> int:
        """The HTTP status."""
        return self.value[2]


class RefusalError(Exception):
    """A request that the emulator will not carry out.

    :param reason: What kind of refusal it is; decides code and status.
    :param text: One sentence that names the field, or what to do. Never holds a secret.
    :param payload: What v1 puts beside the code instead of the text, where clients expect an object.
    """

    def __init__(self, reason: Reason, text: str, payload: Any = None) -> None:
        super().__init__(text)
        self.reason, self.text = reason, text
        self.payload = text if payload is None else payload
