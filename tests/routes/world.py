"""One person told by strings that occur nowhere else, and a user of each role around them."""

from dataclasses import dataclass, field
from uuid import uuid4

from django.contrib.contenttypes.models import ContentType
from django.test import Client
from django.utils import timezone

from catalogue.models import AssuranceRound, DuplicateCandidate, ImportRun, Source, TaxonomyTerm, User
from flow import operations
from flow.casework import operations as casework
from flow.models import Document, FollowUp, ReferralTask
from matching.operations import match
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
from tests.routes.policy import (
    ACCEPTED,
    ADMINISTRATOR,
    ANONYMOUS,
    ASKED,
    CURATOR,
    ELSEWHERE,
    MANAGER,
    NOT_ASKED,
    OWN,
    TRUST,
)


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
        self.double = PatientFactory(organization=sender.organization, given_name="Zebedee", family_name="Quillfeather")
        self.stay = episode = EpisodeFactory(patient=self.patient, ward="Canary Ward")
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
        self._casework(sender)
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

    def _casework(self, sender: User) -> None:
        """A note and a document shared with whoever said yes, a message to them, and the call that their yes made."""
        about = {"patient": self.patient, "referral": self.accepted.referral, "organization": sender.organization}
        self.note = casework.write_note(
            patient_id=self.patient.pk, words="Canary note", audience="referral", referral_id=self.accepted.referral_id, by=sender,
            at=timezone.now(),
        )  # fmt: skip
        casework.write(task_id=self.accepted.pk, words="Zebedee Quillfeather is ready", by=sender, at=timezone.now())
        self.document = Document.objects.create(
            **about, title="Canary letter", content_type="application/pdf", size=1, sha256="0", state="unscanned", shared_at=timezone.now(),
            added_at=timezone.now(),
        )  # fmt: skip
        self.call = FollowUp.objects.get(**about)

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
            "patient": self.patient.pk, "around": self.patient.pk, "stay": self.patient.pk, "episode": self.stay.pk,
            "match": self.run.pk, "send": self.run.pk, "referral": self.accepted.referral_id,
            "letter": self.accepted.referral_id,
            "task": self.task(role).pk, "place": self.pools[0].pk, "capacity": self.pools[0].pk, "service": self.pools[0].service_id,
            "plan": self.line.pk, "fhir": self.pools[0].pk, "request": self.request.pk,
            "entry": self.pools[0].service_id, "reply": self.pools[0].service_id, "register": self.task(role).pk,
            "asking": self.pools[0].service_id, "import": self.imported.pk,
            "duplicate": self.pair.pk, "what": self.question.pk, "hold": self.asked.reservation_id,
            "note": self.note.pk, "document": self.document.pk, "follow": self.call.pk,
            "assurance": self.round.pk, "term": TaxonomyTerm.objects.of("need")[0].pk, "source": self.source.pk,
        }  # fmt: skip
        return {
            "pk": own.get(area, uuid4()), "run_id": self.run.pk, "pool_id": self.pools[0].pk, "task_id": self.accepted.pk,
            "action": "close" if name == "api-referral-step" else "withdraw" if "referral" in name else "decline",
            "uidb36": "1", "key": "set-password", "url": "nowhere",
            "content_type_id": str(ContentType.objects.get_for_model(User).pk), "object_id": str(self.users[OWN].pk),
            "id": str(self.users[OWN].pk), "app_label": "catalogue", "section": "services", "token": "A" * 43, "answer": "correct",
            "hook": "services-for-problem", "part": "basics", "change_id": uuid4(), "row_id": uuid4(),
            "stay_id": self.stay.pk, "one_id": self.patient.pk, "other_id": self.double.pk,
            "file_id": uuid4(), "batch": uuid4(),
            "when": "20260101T1000Z", "booking_id": uuid4(),
        }  # fmt: skip
