"""Nonsense in every box of the pages of entries: refused in words or taken as text, never a fault of ours and never run."""

import pytest
from django.test import Client
from django.urls import reverse

from catalogue.entry.content import PARTS
from catalogue.queries import terms_in_use
from frontend.forms.entry import access, who
from tests.factories import OutcodeFactory, ServiceFactory
from tests.frontend.test_entries import inputs
from tests.test_hostile_input import SCRIPT, TEXTS, drawn, is_fine, undrawn

pytestmark = pytest.mark.django_db
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
DEEP = {"nested": "[" * 30_000, "nested shape": '{"type":"Polygon","coordinates":' + "[" * 500 + "]" * 500 + "}",
        "no number": '{"type":"Polygon","coordinates":[[[NaN,53],[1,52],[1,51],[NaN,53]]]}',
        "huge number": '{"type":"Polygon","coordinates":[[[' + "9" * 400 + ",53],[1,52],[1,51],[0,53]]]}",
        "a feature": '{"type":"Feature","geometry":null}', "a box": '{"key": "area:\\u0000", "name": ""}'}  # fmt: skip


#: The answers of each part's form as it stands: the same in every test, for it is the same entry, and its page takes long to draw.
FIRST: dict[str, dict[str, list[str]]] = {}


@pytest.fixture
def desk(provider, monkeypatch):
    # A few needs, each with its rule, stand for the hundred that take nearly all of the time to draw.
    for form in (who, access):
        monkeypatch.setattr(form, "terms_in_use", lambda slug: [t for t in terms_in_use(slug) if t.code in ("dementia", "wheelchair")])
    OutcodeFactory()
    client = Client(raise_request_exception=False)
    client.force_login(provider, backend=BACKEND)
    service = ServiceFactory(organization=provider.organization, name="Lunch club")
    service.schedules.create(byday="TU", opens_at="12:00")
    service.phones.create(number="01772 000000")
    return client, service


@pytest.mark.parametrize("text", [*TEXTS.values(), *DEEP.values()], ids=[*TEXTS, *DEEP])
def test_the_parts_take_nonsense_as_nonsense(desk, text):
    client, service = desk
    for part in PARTS:
        address = reverse("entry-part", args=[service.pk, part])
        first = FIRST.get(part) or FIRST.setdefault(part, inputs(client.get(address).content.decode()))
        written = [name for name in first if name != "seen" and not name.endswith("_FORMS")]
        more = {
            "areas": ["areas", "miles"],
            "times": ["schedules-0-days", "schedules-0-weeks"],
            "basics": ["partners"],
            "contacts": ["contacts-0-place"],
            "where": ["places-0-id"],
        }.get(part, [])
        with drawn(part, text):
            answers = [client.post(address, first | dict.fromkeys([*written, *more], text))]
        with undrawn(text):
            answers += [client.post(address, dict.fromkeys(first, text) | {"action": f"add {text}"})]
            alone = [*more, *(["outline", "search"] if part == "areas" else [])]
            answers += [client.post(address, first | {name: text, "action": "save"}) for name in alone]
        assert [answer.status_code for answer in answers if not is_fine(answer)] == [], part


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_searches_and_other_forms_do_too(desk, text):
    client, service = desk
    asked = [client.get(reverse("entries"), {"q": text, "state": text, "page": text})]
    asked += [client.get(reverse("entry-history", args=[service.pk]), {"page": text})]
    asked += [client.post(reverse("entry-publish", args=[service.pk]), {"seen": text})]
    asked += [client.post(reverse("entry-files", args=[service.pk]), dict.fromkeys(("kind", "title", "file"), text))]
    asked += [client.post(reverse("entry-sheet"), {"file": text})]
    asked += [client.post(reverse("group-add"), dict.fromkeys(("name", "what", "where", "when", "interest", "email", "phone"), text))]
    assert [answer.status_code for answer in asked if not is_fine(answer)] == []


def test_a_script_in_an_entry_is_shown_as_text(desk):
    client, service = desk
    address = reverse("entry-part", args=[service.pk, "basics"])
    client.post(address, inputs(client.get(address).content.decode()) | {"name": SCRIPT, "description": SCRIPT})
    for name in ("entry", "entry-preview"):
        text = client.get(reverse(name, args=[service.pk])).content.decode()
        assert SCRIPT not in text
        assert "&lt;script&gt;" in text
