"""What a request to the API may carry. Apart from `core.api`, because DRF loads its parsers before its views."""

import json
from typing import Any

from django.conf import settings
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser
from rest_framework.utils.json import strict_constant

from core.errors import LuneError


class TooLarge(LuneError):
    """The body is longer than any request needs."""

    code = "too-large"
    http_status = 413


class Body(JSONParser):
    """JSON of a sensible length and depth, whose texts can be stored. Anything else is refused in words."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        raw = stream.read(most + 1)
        if len(raw) > most:
            raise TooLarge(f"Send at most {most:,} bytes in one request.")
        try:
            data = json.loads(raw.decode(), parse_constant=strict_constant)
            json.dumps(data, ensure_ascii=False).encode()  # half a character, as "\ud800", is JSON but no text
        except (ValueError, RecursionError):
            raise ParseError("The body is not JSON that we can read.") from None
        return data
