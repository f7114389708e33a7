"""What a record system signs: a JSON Web Token (RFC 7515, 7519) by HMAC-SHA256, and nothing else that such tokens can be.

The key of an organisation is worked out from the site's own and the row's id, so that it is kept nowhere and each can be taken back.
"""

import base64
import binascii
import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError

from core.errors import LuneError
from flow.models import LaunchKey, Patient
from flow.models.patient import validate_nhs_number

NHS_NUMBER = "https://fhir.nhs.uk/Id/nhs-number"
#: For so long a token may be good, and clocks may differ.
LONGEST, CLOCKS_DIFFER = timedelta(minutes=10), timedelta(seconds=60)
_LARGEST = 8_000


class Refused(LuneError):
    """The record system vouches for nobody: what is wrong, in words for whoever stands at the screen."""

    code = "launch-refused"
    http_status = 403


@dataclass(frozen=True, slots=True)
class Told:
    """What a good token says. `person` is what `add_patient` takes, with the date as text."""

    key: LaunchKey
    jti: str
    practitioner: str
    expires_at: datetime
    person: dict[str, str]


def audience() -> str:
    """For whom a token must be meant: this site."""
    return f"{settings.SITE_URL}/launch/"


def secret_of(key_id: UUID) -> str:
    """The secret of a key, as its holder gets it once."""
    site = (settings.LAUNCH_KEY or settings.SECRET_KEY).encode()
    return _text(hmac.digest(site, b"launch key " + key_id.bytes, "sha256"))


def sign(claims: dict[str, Any], *, key_id: UUID, secret: str) -> str:
    """A token, as a record system makes it: for tests, for the demonstration and for whoever tries their own against it."""
    head = _text(json.dumps({"alg": "HS256", "typ": "JWT", "kid": str(key_id)}).encode())
    said = f"{head}.{_text(json.dumps(claims).encode())}"
    return f"{said}.{_text(hmac.digest(secret.encode(), said.encode(), 'sha256'))}"


def read(token: str, *, at: datetime) -> Told:
    """What the token says, if it is signed, meant for this site, neither old nor early, and about somebody of the key's organisation.

    Raises Refused. Nothing of what was sent is in the message.
    """
    try:
        if len(token) > _LARGEST:
            raise ValueError
        said, _, signature = token.strip().rpartition(".")
        head, claims = (json.loads(_bytes(part)) for part in said.split("."))
        key_id = UUID(str(head["kid"]))
        given = _bytes(signature)
        if not isinstance(claims, dict):
            raise TypeError
    except (ValueError, TypeError, KeyError, RecursionError, binascii.Error) as error:
        raise Refused(
            "This link from your record system cannot be read. Open it again from the patient’s record.", code="unreadable"
        ) from error
    right = hmac.digest(secret_of(key_id).encode(), said.encode(), "sha256")
    if head.get("alg") != "HS256" or not hmac.compare_digest(given, right):
        raise Refused("This link was not signed by a record system that we know. Tell whoever looks after it.", code="wrong-signature")
    key = LaunchKey.objects.select_related("organization").filter(pk=key_id).first()
    if key is None or key.revoked_at is not None or key.expires_at <= at:
        raise Refused("The key of your record system has ended. Tell whoever looks after it: it needs a new one.", code="key-ended")
    expires_at = _check_times(claims, at)
    if claims.get("aud") != audience():
        raise Refused("This link was made for another site. Tell whoever looks after your record system.", code="other-site")
    jti = claims.get("jti")
    if not isinstance(jti, str) or not 8 <= len(jti) <= 120:
        raise Refused("This link has no number of its own (jti). Tell whoever looks after your record system.", code="no-number")
    ods = key.organization.ods_code
    if claims.get("location") != ods or not ods:
        raise Refused("This link is of another organisation than the key that signed it.", code="other-organisation")
    practitioner = claims.get("practitioner", "")
    return Told(key, jti, practitioner.lower() if isinstance(practitioner, str) else "", expires_at, _person(claims, at))


def digest_of(token: str) -> str:
    """By what an address of ours is found: the address itself is kept nowhere."""
    return hashlib.sha256(token.encode()).hexdigest()


def _check_times(claims: dict[str, Any], at: datetime) -> datetime:
    try:
        begins, ends = (datetime.fromtimestamp(int(claims[name]), UTC) for name in ("nbf", "exp"))
    except (KeyError, ValueError, TypeError, OverflowError, OSError) as error:
        raise Refused(
            "This link does not say until when it is good. Tell whoever looks after your record system.", code="no-times"
        ) from error
    if at >= ends + CLOCKS_DIFFER:
        raise Refused("This link is too old. Open it again from the patient’s record.", code="expired")
    if begins > at + CLOCKS_DIFFER or ends - begins > LONGEST:
        raise Refused("This link is not good yet, or for too long. The clock of your record system may be wrong.", code="wrong-times")
    return ends


def _person(claims: dict[str, Any], at: datetime) -> dict[str, str]:
    """Who it is. All of it comes from the record system: nothing is typed twice."""
    system, _, number = str(claims.get("patient", "")).rpartition("|")
    names = ("given", "family", "birthdate", "postcode")
    given, family, born, postcode = (str(claims.get(name, "")).strip() for name in names)
    try:
        if system != NHS_NUMBER or not (given and family and postcode) or len(given) > 100 or len(family) > 100:
            raise ValueError
        validate_nhs_number(number)
        if not date(1890, 1, 1) <= date.fromisoformat(born) <= at.date():
            raise ValueError
    except (ValueError, ValidationError) as error:
        raise Refused(
            "Your record system did not send a name, a postcode, a date of birth and a right NHS number. Check the record there.",
            code="no-person",
        ) from error
    sex = str(claims.get("sex", ""))
    return {
        "nhs_number": number,
        "given_name": given,
        "family_name": family,
        "birth_date": born,
        "postcode": postcode,
        "sex": sex if sex in Patient.Sex.values else Patient.Sex.UNKNOWN.value,
        "phone": str(claims.get("phone", ""))[:40],
    }


def _text(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
