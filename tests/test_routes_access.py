"""Every address of the site, by every method, for every role: what it answers, and that no answer names a person to a stranger.

The addresses are walked, the policy is declared below: an address without a policy fails, so that nobody adds one without deciding who
may use it.
"""

import json
from dataclasses import dataclass, field
from uuid import uuid4

import pytest
from django.contrib.contenttypes.models import ContentType
from django.core import mail
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from catalogue.models import AssuranceRound, DuplicateCandidate, ImportRun, Source, TaxonomyTerm, User
from core.models import Event
from flow import operations
from flow.models import ReferralTask
from matching.operations import match
from tests.addresses import addresses, path_of
from tests.factories import (
    CriterionFactory,
    EpisodeFactory,
    NeedProfileFactory,
    OutcodeFactory,
    PatientFactory,
    PlanLineFactory,
    PoolFactory,
    SelfReferralFactory,
    UserFactory,
    WhatIfFactory,
    term,
)

pytestmark = pytest.mark.django_db

OWN, ELSEWHERE = "own referrer", "referrer elsewhere"
ACCEPTED, ASKED, NOT_ASKED = "provider that said yes", "provider asked", "provider not asked"
MANAGER, TRUST, CURATOR, ADMINISTRATOR, ANONYMOUS = "manager", "trust manager", "curator", "administrator", "anonymous"
REFERRERS, PROVIDERS, MANAGERS, KEEPERS = {OWN, ELSEWHERE}, {ACCEPTED, ASKED, NOT_ASKED}, {MANAGER, TRUST}, {CURATOR, ADMINISTRATOR}
SIGNED_IN = REFERRERS | PROVIDERS | MANAGERS | KEEPERS
ROLES = sorted(SIGNED_IN | {ANONYMOUS})

Answers = dict[str, int]


def page(roles: set[str] | str, status: int = 200, *, others: dict[str, int] | None = None) -> Answers:
    """A page for one kind of work: 403 for other work, to the sign-in page (302) for nobody. `others` says who gets something else."""
    allowed = {roles} if isinstance(roles, str) else roles
    return {role: status if role in allowed else 302 if role == ANONYMOUS else 403 for role in ROLES} | (others or {})


def api(status: int, *, others: dict[str, int] | None = None) -> Answers:
    """For whoever is signed in; 403 for nobody."""
    return {role: 403 if role == ANONYMOUS else status for role in ROLES} | (others or {})


def all_get(status: int, *, others: dict[str, int] | None = None) -> Answers:
    return dict.fromkeys(ROLES, status) | (others or {})


def of(roles: set[str], status: int) -> Answers:
    return dict.fromkeys(roles, status)


NOT_THERE = all_get(405)
NOT_IN_API = api(405)
#: A record of a referrer's organisation: 404 for a referrer of another.
OURS = page(OWN, others={ELSEWHERE: 404})
FOREIGN_TO_MOST = api(404)
MATCHING = dict.fromkeys(ROLES, 403)

#: An entry is kept by its provider and by those who keep the directory.
ENTRY = page(KEEPERS | {ACCEPTED}, others=of({ASKED, NOT_ASKED}, 404))
NO_ENTRY = page(KEEPERS | PROVIDERS, 404)

ORUK_1_LISTS = ("services", "organizations", "locations", "reviews", "taxonomies", "vocabularies")

#: Name of an address: what GET answers, and what a POST with nothing in it does.
POLICY: dict[str, tuple[Answers, Answers]] = {
    "favicon": (all_get(301), NOT_THERE),
    "home": (page(SIGNED_IN), NOT_THERE),
    "map-areas": (all_get(200), NOT_THERE),
    "directory": (all_get(200), NOT_THERE),
    "service": (all_get(200), all_get(422)),
    "service-ask": (all_get(200), all_get(422)),
    "service-asked": (all_get(200), NOT_THERE),
    "my-request": (all_get(404), all_get(404)),
    # Sent to the service of the provider that said yes; a curator sees those for services of which nobody signs in.
    "requests": (page(PROVIDERS | {CURATOR}), NOT_THERE),
    "request": (page(ACCEPTED, others=of({ASKED, NOT_ASKED, CURATOR}, 404)), NOT_THERE),
    "request-step": (NOT_THERE, page(ACCEPTED, 422, others=of({ASKED, NOT_ASKED, CURATOR}, 404))),
    "worklist": (page(REFERRERS), NOT_THERE),
    "worklist-csv": (page(REFERRERS), NOT_THERE),
    "patient-new": (page(REFERRERS), page(REFERRERS, 422)),
    "patient": (OURS, NOT_THERE),
    "find": (page(REFERRERS), page(REFERRERS, 422)),
    "match": (OURS, NOT_THERE),
    "match-again": (page(REFERRERS, 405), OURS | {OWN: 302}),
    # With nothing chosen there is nothing to compare.
    "match-compare": (OURS | {OWN: 422}, NOT_THERE),
    "match-why-not-search": (OURS, NOT_THERE),
    "match-why-not": (OURS, NOT_THERE),
    "send": (OURS | {OWN: 302}, OURS | {OWN: 302}),
    "referral": (OURS, NOT_THERE),
    "referral-step": (page(REFERRERS, 405), OURS | {OWN: 302}),
    "plan": (page(REFERRERS | MANAGERS), NOT_THERE),
    "plan-csv": (page(REFERRERS | MANAGERS), NOT_THERE),
    "plan-draw": (page(REFERRERS | MANAGERS, 405), page(REFERRERS | MANAGERS, 302)),
    # No plan is being drawn up.
    "plan-stop": (page(REFERRERS | MANAGERS, 405), page(REFERRERS | MANAGERS, 404)),
    # No plan is suggested instead.
    "plan-take-over": (page(REFERRERS | MANAGERS, 405), page(REFERRERS | MANAGERS, 302)),
    "patient-plan": (OURS, OURS | {OWN: 422}),
    "plan-line": (OURS, OURS | {OWN: 422}),
    "what-if": (page(MANAGERS), NOT_THERE),
    "what-if-new": (page(MANAGERS), page(MANAGERS, 422)),
    **dict.fromkeys(("what-if-answer", "what-if-csv"), (page(TRUST, others={MANAGER: 404}), NOT_THERE)),
    **dict.fromkeys(("what-if-stop", "what-if-go-on"), (page(MANAGERS, 405), page(TRUST, 302, others={MANAGER: 404}))),
    "holds": (page(REFERRERS), NOT_THERE),
    # Without a place one is sent to find one.
    "hold-new": (page(REFERRERS, 302), page(REFERRERS, 302)),
    "hold-extend": (page(REFERRERS, 405), OURS | {OWN: 302}),
    "hold-let-go": (page(REFERRERS, 405), OURS | {OWN: 302}),
    "inbox": (page(PROVIDERS), NOT_THERE),
    "task": (page({ASKED, ACCEPTED}, others={NOT_ASKED: 404}), NOT_THERE),
    "task-step": (page(ASKED, others={ACCEPTED: 302, NOT_ASKED: 404}), page({ASKED, ACCEPTED}, 422, others={NOT_ASKED: 404})),
    "places": (page(PROVIDERS), NOT_THERE),
    "place": (page(ACCEPTED, others=of({ASKED, NOT_ASKED}, 404)), page(ACCEPTED, 409, others=of({ASKED, NOT_ASKED}, 404))),
    "place-public": (page(PROVIDERS, 405), page(ACCEPTED, 302, others=of({ASKED, NOT_ASKED}, 404))),
    "place-change": (page(ACCEPTED, others=of({ASKED, NOT_ASKED}, 404)), page(ACCEPTED, 422, others=of({ASKED, NOT_ASKED}, 404))),
    "places-file": (page(PROVIDERS), page(PROVIDERS, 422)),
    "places-export": (page(PROVIDERS | MANAGERS), NOT_THERE),
    "service-place-new": (page(ACCEPTED, others=of({ASKED, NOT_ASKED}, 404)), page(ACCEPTED, 422, others=of({ASKED, NOT_ASKED}, 404))),
    # Without a pool there is nothing to keep.
    "place-waiting": (page(PROVIDERS, 405), page(PROVIDERS, 422)),
    # Of those who run services, whoever keeps the keys makes one.
    "place-keys": (page(PROVIDERS), page(ACCEPTED, 422)),
    # The policy's key is nobody's.
    "place-key-revoke": (page(PROVIDERS, 405), page(PROVIDERS, 404)),
    "service-correct": (page(PROVIDERS, 405), page(ACCEPTED, 302)),
    "place-history": (page(SIGNED_IN), NOT_THERE),
    **{name: (page(MANAGERS), NOT_THERE) for page_ in ("history", "dashboard", "unmet") for name in (page_, f"{page_}-csv")},
    "board": (page(MANAGERS | REFERRERS | PROVIDERS), NOT_THERE),
    "board-screens": (page(MANAGERS | PROVIDERS), page(MANAGERS | PROVIDERS, 422)),
    "board-screen-revoke": (page(MANAGERS | PROVIDERS, 405), page(MANAGERS | PROVIDERS, 404)),
    "board-screen": (all_get(404), NOT_THERE),
    # A manager reads, an administrator switches.
    "acceptance": (page(MANAGERS | {ADMINISTRATOR}), page(ADMINISTRATOR, 422)),
    "acceptance-csv": (page(MANAGERS | {ADMINISTRATOR}), NOT_THERE),
    "quality": (all_get(200), NOT_THERE),
    "robots": (all_get(200), NOT_THERE),
    "sitemap": (all_get(200), NOT_THERE),
    "sitemap-part": (all_get(200), NOT_THERE),
    "quality-csv": (all_get(200), NOT_THERE),
    "directory-csv": (all_get(200), NOT_THERE),
    "service-reported": (all_get(200), NOT_THERE),
    "service-calendar": (all_get(200), NOT_THERE),
    "diary": (all_get(200), NOT_THERE),
    # Without a place there is no diary to follow.
    "diary-calendar": (all_get(404), NOT_THERE),
    "still-correct-done": (all_get(200), NOT_THERE),
    # The policy's token belongs to no letter.
    "still-correct": (all_get(404), all_get(404)),
    "still-correct-change": (all_get(404), all_get(404)),
    "still-correct-closed": (all_get(404), all_get(404)),
    "still-correct-letters": (all_get(404), all_get(404)),
    # Nor to a message that asks what is free.
    "tell": (all_get(404), all_get(404)),
    "tell-thanks": (all_get(404), all_get(404)),
    "tell-again": (NOT_THERE, all_get(404)),
    "tell-stop": (all_get(404), all_get(404)),
    "asking": (page(PROVIDERS), NOT_THERE),
    "asking-service": (page(ACCEPTED, others=of({ASKED, NOT_ASKED}, 404)), page(ACCEPTED, 422, others=of({ASKED, NOT_ASKED}, 404))),
    "asking-failing": (page(KEEPERS), NOT_THERE),
    "replies": (page(KEEPERS), NOT_THERE),
    # Signed by gateways: nobody else is believed, signed in or not.
    "hook-sms": (NOT_THERE, all_get(403)),
    "hook-mail": (NOT_THERE, all_get(403)),
    "duplicates": (page(KEEPERS), NOT_THERE),
    "duplicates-csv": (page(KEEPERS), NOT_THERE),
    "duplicate": (page(KEEPERS), page(KEEPERS, 422)),
    "merges": (page(KEEPERS), NOT_THERE),
    "merge-change": (page(KEEPERS, 405), page(KEEPERS, 404)),
    "usage": (page(KEEPERS | MANAGERS), NOT_THERE),
    "usage-csv": (page(KEEPERS | MANAGERS), NOT_THERE),
    "service-pressed": (NOT_THERE, all_get(204)),
    "terms": (page(KEEPERS), NOT_THERE),
    "term-new": (page(KEEPERS), page(KEEPERS, 422)),
    "term": (page(KEEPERS), page(KEEPERS)),
    "assurance-queue": (page(KEEPERS), page(KEEPERS, 302)),
    "assurance-queue-csv": (page(KEEPERS), NOT_THERE),
    "assurance-round": (page(KEEPERS), NOT_THERE),
    "entries": (page(PROVIDERS | KEEPERS), NOT_THERE),
    "entry-new": (page(PROVIDERS | KEEPERS), page(PROVIDERS, 302, others=of(KEEPERS, 422))),
    "entry": (ENTRY, NOT_THERE),
    "entry-part": (ENTRY, ENTRY | of({ACCEPTED, *KEEPERS}, 422)),
    "entry-publish": (NOT_THERE, ENTRY | of({ACCEPTED, *KEEPERS}, 409)),
    "entry-discard": (NOT_THERE, ENTRY | of({ACCEPTED, *KEEPERS}, 409)),
    "entry-take-back": (NOT_THERE, ENTRY | of({ACCEPTED, *KEEPERS}, 409)),
    "entry-check": (NOT_THERE, ENTRY | of({ACCEPTED, *KEEPERS}, 302)),
    "entry-preview": (ENTRY, NOT_THERE),
    "entry-history": (ENTRY, NOT_THERE),
    "entry-undo": (NO_ENTRY, NO_ENTRY),
    "entry-files": (ENTRY, ENTRY | of({ACCEPTED, *KEEPERS}, 422)),
    "entry-file-remove": (NOT_THERE, NO_ENTRY),
    "entry-sheet": (page(PROVIDERS | KEEPERS), page(PROVIDERS | KEEPERS, 422)),
    "entry-sheet-download": (page(PROVIDERS | KEEPERS), page(PROVIDERS | KEEPERS)),
    "entry-sheet-file": (NO_ENTRY, NOT_THERE),
    "entry-sheet-review": (NO_ENTRY, NO_ENTRY),
    "attachment": (all_get(404), NOT_THERE),
    "group-add": (all_get(200), all_get(422)),
    "group-added": (all_get(200), NOT_THERE),
    "proposals": (page(KEEPERS), NOT_THERE),
    "proposal": (page(KEEPERS, 404), page(KEEPERS, 404)),
    "imports": (page(KEEPERS), NOT_THERE),
    "import-run": (page(KEEPERS), NOT_THERE),
    "import-stop": (NOT_THERE, page(KEEPERS, 302)),
    "sources": (page(KEEPERS), NOT_THERE),
    "source-new": (page(KEEPERS), page(KEEPERS, 422)),
    "source-template": (page(KEEPERS), NOT_THERE),
    # The policy's source has no address to read.
    "source": (page(KEEPERS), page(KEEPERS, 422)),
    "source-edit": (page(KEEPERS), page(KEEPERS, 422)),
    "account_login": (all_get(302, others={ANONYMOUS: 200}), all_get(302, others={ANONYMOUS: 200})),
    "account_logout": (all_get(200, others={ANONYMOUS: 302}), all_get(302)),
    "account_inactive": (all_get(200), NOT_THERE),
    "account_signup": (all_get(302, others={ANONYMOUS: 200}), all_get(302, others={ANONYMOUS: 200})),
    "account_change_password": (page(SIGNED_IN), page(SIGNED_IN)),
    "account_reset_password": (all_get(200), all_get(200)),
    "account_reset_password_done": (all_get(200), NOT_THERE),
    "account_reset_password_from_key": (all_get(200), all_get(200)),
    "account_reset_password_from_key_done": (all_get(200), NOT_THERE),
    "openapi": (all_get(200), NOT_THERE),
    "api-docs": (all_get(200), NOT_THERE),
    "oruk": (all_get(200), NOT_THERE),
    "oruk-openapi": (all_get(200), NOT_THERE),
    "oruk-changes": (all_get(200), NOT_THERE),
    **{f"oruk-{name}s": (all_get(200), NOT_THERE) for name in ("service", "service-at-location", "organization", "taxonomy-term")},
    **{f"oruk-{name}": (all_get(404), NOT_THERE) for name in ("service", "service-at-location", "organization", "taxonomy-term")},
    "oruk-taxonomies": (all_get(200), NOT_THERE),
    "oruk-taxonomy": (all_get(404), NOT_THERE),
    **{f"oruk-v1-{name}": (all_get(200), NOT_THERE) for name in ORUK_1_LISTS},
    **{f"oruk-v1-{name}": (all_get(404), NOT_THERE) for name in ("service", "organization", "location", "review", "taxonomy")},
    "oruk-unknown": (all_get(404), NOT_THERE),
    "api-services": (api(200), NOT_IN_API),
    "api-service": (api(200), NOT_IN_API),
    "api-taxonomy-terms": (api(200), NOT_IN_API),
    "api-capacities": (api(200), NOT_IN_API),
    "api-capacity": (api(200), NOT_IN_API),
    "api-capacity-history": (api(200), NOT_IN_API),
    "api-capacity-reports": (api(405), api(422)),
    "fhir-metadata": (all_get(200), NOT_THERE),
    "fhir-capacity-figures": (all_get(200), NOT_THERE),
    "fhir-services": (api(200), NOT_IN_API),
    "fhir-service": (api(200), NOT_IN_API),
    "api-match-runs": (MATCHING | of(REFERRERS, 405), MATCHING | of(REFERRERS, 400)),
    "api-match-run": (MATCHING | {OWN: 200, ELSEWHERE: 404}, MATCHING | of(REFERRERS, 405)),
    "api-match-why-not": (MATCHING | {OWN: 200, ELSEWHERE: 404}, MATCHING | of(REFERRERS, 405)),
    "cds-services": (all_get(200), NOT_THERE),
    "cds-service": (MATCHING | of(REFERRERS, 405), MATCHING | of(REFERRERS, 400)),
    "api-patients": (api(200), api(400)),
    "api-patient": (api(404, others={OWN: 200, ACCEPTED: 200}), NOT_IN_API),
    "api-referrals": (api(200), api(400)),
    "api-referral": (api(404, others={OWN: 200}), NOT_IN_API),
    "api-tasks": (api(200), NOT_IN_API),
    "api-task": (api(404, others={OWN: 200, ASKED: 200, ACCEPTED: 200}), NOT_IN_API),
    "api-task-step": (NOT_IN_API, api(404, others={OWN: 403, ASKED: 422, ACCEPTED: 409})),
    "api-holds": (api(200), api(400)),
    "api-hold": (api(404, others={OWN: 200, ASKED: 200, TRUST: 200}), NOT_IN_API),
    "api-hold-extend": (NOT_IN_API, api(404, others={OWN: 200, ASKED: 403, TRUST: 403})),
    "api-hold-release": (NOT_IN_API, api(404, others={OWN: 200, ASKED: 403, TRUST: 403})),
    "api-dashboard": (api(200, others={ADMINISTRATOR: 403}), NOT_IN_API),
}
#: Where the person may be named, and to whom.
NAMES_THE_PERSON = {
    OWN: {
        "worklist", "worklist-csv", "plan", "plan-csv", "plan-line", "holds", "patient", "patient-plan", "referral", "api-patients",
        "api-patient",
    },
    ACCEPTED: {"requests", "request", "request-step", "task", "api-task", "api-patients", "api-patient"},
}  # fmt: skip

PERSON = ("Zebedee", "Quillfeather", "9434765919", "PR1 9ZQ", "PR19ZQ", "07700900123", "1941-05-17", "17 May 1941", "Canary")


@dataclass
class World:
    """One person told by strings that occur nowhere else; one provider that said yes, one asked, one not."""

    users: dict[str, User | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        OutcodeFactory()
        sender = UserFactory()
        self.patient = PatientFactory(
            organization=sender.organization, given_name="Zebedee", family_name="Quillfeather", nhs_number="9434765919",
            postcode="PR1 9ZQ", phone="07700900123",
        )  # fmt: skip
        episode = EpisodeFactory(patient=self.patient, ward="Canary Ward")
        profile = NeedProfileFactory(organization=sender.organization)
        self.pools = PoolFactory.create_batch(3)
        self.run = match(profile, by=sender, at=timezone.now())
        self.accepted, self.asked = (
            operations.send(
                patient_id=self.patient.pk, profile_id=profile.pk, pool_ids=[pool.pk], hold_pool_ids=[pool.pk], episode_id=episode.pk,
                match_run_id=self.run.pk, reason="Canary reason", consent=True, by=sender, at=timezone.now(),
            ).tasks.get()
            for pool in self.pools[:2]
        )  # fmt: skip
        homes = [pool.service.organization for pool in self.pools]
        said_yes, asked, not_asked = (UserFactory(provider=True, organization=home) for home in homes)
        User.objects.filter(pk=said_yes.pk).update(keeps_keys=True)
        operations.accept(task_id=self.accepted.pk, by=said_yes, at=timezone.now())
        CriterionFactory(service=self.pools[0].service, term=term("referral-source", "self"))
        self.request = SelfReferralFactory(
            service=self.pools[0].service, given_name="Zebedee", family_name="Quillfeather", postcode="PR1 9ZQ", words="Canary words"
        )
        self.line = PlanLineFactory(episode=episode, pool=self.pools[2])
        self.question = WhatIfFactory(organization=sender.organization)
        self.round = AssuranceRound.objects.create(asked_at=timezone.now())
        self.source = Source.objects.create(name="A publisher", kind=Source.Kind.ORUK_3)
        first, second = sorted(self.pools[1:], key=lambda pool: pool.service_id)
        self.pair = DuplicateCandidate.objects.create(one=first.service, other=second.service, score=0.9, found_at=timezone.now())
        self.imported = ImportRun.objects.create(kind="oruk", source="a feed", started_at=timezone.now())
        self.users = {
            OWN: sender, ELSEWHERE: UserFactory(), ACCEPTED: said_yes, ASKED: asked, NOT_ASKED: not_asked,
            MANAGER: UserFactory(manager=True), TRUST: UserFactory(manager=True, organization=sender.organization),
            CURATOR: UserFactory(curator=True), ADMINISTRATOR: UserFactory(administrator=True), ANONYMOUS: None,
        }  # fmt: skip

    def client(self, role: str, **options: bool) -> Client:
        client = Client(raise_request_exception=False, **options)
        if user := self.users[role]:
            client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
        return client

    def task(self, role: str) -> ReferralTask:
        return self.asked if role == ASKED else self.accepted

    def values(self, name: str, role: str) -> dict[str, object]:
        """What to put for the parameters of an address."""
        area = name.removeprefix("api-").split("-")[0]
        own = {
            "patient": self.patient.pk, "match": self.run.pk, "send": self.run.pk, "referral": self.accepted.referral_id,
            "task": self.task(role).pk, "place": self.pools[0].pk, "capacity": self.pools[0].pk, "service": self.pools[0].service_id,
            "plan": self.line.pk, "fhir": self.pools[0].pk, "request": self.request.pk,
            "entry": self.pools[0].service_id, "asking": self.pools[0].service_id, "import": self.imported.pk,
            "duplicate": self.pair.pk, "what": self.question.pk, "hold": self.asked.reservation_id,
            "assurance": self.round.pk, "term": TaxonomyTerm.objects.of("need")[0].pk, "source": self.source.pk,
        }  # fmt: skip
        return {
            "pk": own.get(area, uuid4()), "run_id": self.run.pk, "pool_id": self.pools[0].pk, "task_id": self.accepted.pk,
            "action": "withdraw" if "referral" in name else "decline", "uidb36": "1", "key": "set-password", "url": "nowhere",
            "content_type_id": str(ContentType.objects.get_for_model(User).pk), "object_id": str(self.users[OWN].pk),
            "id": str(self.users[OWN].pk), "app_label": "catalogue", "section": "services", "token": "A" * 43, "answer": "correct",
            "hook": "services-for-problem", "part": "basics", "change_id": uuid4(), "file_id": uuid4(), "batch": uuid4(),
        }  # fmt: skip


def text_of(answer: HttpResponse) -> str:
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return f"{answer.headers}\n{body.decode(errors='replace')}"


def named_in(text: str) -> list[str]:
    return [canary for canary in PERSON if canary in text]


@pytest.fixture
def world() -> World:
    return World()


def asked_of(client: Client, method: str, path: str) -> tuple[HttpResponse, str]:
    """The answer to a request, and all of its text. Whatever the request changed is undone."""
    cookies = client.cookies.copy()
    with transaction.atomic():
        answer = getattr(client, method)(path)
        text = text_of(answer)
        transaction.set_rollback(True)
    client.cookies = cookies
    return answer, text


SITE = [(prefix, pattern) for prefix, pattern in addresses() if not prefix.startswith("admin/")]
ADMIN = [(prefix, pattern) for prefix, pattern in addresses() if prefix.startswith("admin/")]


@pytest.mark.req("R087")
def test_every_address_has_a_policy():
    assert {pattern.name for _, pattern in SITE} == set(POLICY)


@pytest.mark.req("R087")
@pytest.mark.parametrize("role", ROLES)
def test_each_role_gets_what_the_policy_says_and_no_stranger_reads_of_the_person(world, role, caplog):
    client = world.client(role)
    wrong, leaks = [], []
    for prefix, pattern in SITE:
        path = path_of(prefix, pattern, world.values(pattern.name, role))
        for method, answers in zip(("get", "post"), POLICY[pattern.name], strict=True):
            answer, text = asked_of(client, method, path)
            if answer.status_code != answers[role]:
                wrong.append(f"{method} {pattern.name}: {answer.status_code}, not {answers[role]}")
            if named_in(text) and pattern.name not in NAMES_THE_PERSON.get(role, set()):
                leaks.append(f"{method} {pattern.name}: {named_in(text)}")
            for header in ("Content-Security-Policy", "X-Content-Type-Options", "Permissions-Policy", "Referrer-Policy", "X-Frame-Options"):
                if header not in answer.headers:
                    wrong.append(f"{method} {pattern.name}: no {header}")
    assert (wrong, leaks) == ([], [])
    assert named_in(caplog.text) == []
    assert named_in(json.dumps(list(Event.objects.values("type", "topics", "data")))) == []
    assert named_in("".join(str(message.message()) for message in mail.outbox)) == []


@pytest.mark.parametrize("role", [ADMINISTRATOR, CURATOR, MANAGER, OWN, ASKED, ANONYMOUS])
def test_the_administrators_site_lets_in_administrators_alone_and_names_no_patient(world, role):
    client = world.client(role)
    wrong = []
    for prefix, pattern in ADMIN if role in (ADMINISTRATOR, ANONYMOUS) else ADMIN[:8]:
        path = path_of(prefix, pattern, world.values("admin", role))
        for method in ("get", "post"):
            answer, text = asked_of(client, method, path)
            allowed = range(200, 500) if role == ADMINISTRATOR else (302, 403, 405)
            if answer.status_code not in allowed or named_in(text) or "Content-Security-Policy" not in answer.headers:
                wrong.append(f"{method} {path}: {answer.status_code} {named_in(text)}")
    assert wrong == []


@pytest.mark.parametrize("role", [OWN, ASKED, CURATOR])
def test_nothing_is_posted_without_the_token_of_the_page(world, role):
    client = world.client(role, enforce_csrf_checks=True)
    for prefix, pattern in SITE:
        status = POLICY[pattern.name][1][role]
        answer, _ = asked_of(client, "post", path_of(prefix, pattern, world.values(pattern.name, role)))
        assert answer.status_code in (403, 404, 405), f"{pattern.name}: {answer.status_code}, with the token {status}"


@pytest.mark.parametrize("part", ["task", "api-task"])
def test_a_provider_that_was_asked_reads_no_words_of_the_sender_who_takes_the_request_back(world, part):
    operations.withdraw(task_id=world.asked.pk, by=world.users[OWN], at=timezone.now(), reason_text="Zebedee Quillfeather died")
    prefix, pattern = next((prefix, pattern) for prefix, pattern in SITE if pattern.name == part)
    answer, text = asked_of(world.client(ASKED), "get", path_of(prefix, pattern, world.values(part, ASKED)))
    assert (answer.status_code, named_in(text)) == (200, [])
