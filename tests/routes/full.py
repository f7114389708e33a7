"""The small world with something in every drawer: whatever is kept of a person, told by a string of its own that says who may read it."""

from datetime import date, timedelta
from uuid import UUID

from django.core.files.base import ContentFile
from django.utils import timezone

from catalogue.models import User
from flow import operations, relations
from flow.casework import operations as casework
from flow.hubs import operations as hubs
from flow.launch.tokens import digest_of
from flow.letters import operations as letters
from flow.merging import operations as merging
from flow.models import (
    Batch,
    Booking,
    Document,
    Grant,
    Launch,
    LaunchKey,
    Note,
    PhoneCall,
    ReferralTask,
    ReplyContact,
    SharingAgreement,
    TaskLink,
)
from flow.models.sharing import LegalBasis, Purpose
from flow.outside import links
from flow.sight import glass
from flow.workflow import Reason
from tests.factories import EpisodeFactory, NeedProfileFactory, PatientFactory, PoolFactory, SelfReferralFactory, UserFactory
from tests.factories.sharing import HubFactory, PathwayFactory, TeamFactory
from tests.routes.policy import ACCEPTED, ASKED, NAMES_THE_PERSON, OWN, PERSON, TRUST
from tests.routes.world import World

DECLINED, WITHDRAWN, RETRACTED = "provider that said no", "provider whose request was taken back", "provider asked by mistake"
EXPIRED, REVOKED = "referrer whose grant ran out", "referrer whose grant was revoked"
#: Of the sender's organisation, and of none of its teams.
COLLEAGUE = "colleague of the sender"
HUB, HUB_COLLEAGUE, GRANTED, GLASS = "worker of a hub", "colleague who is not of the hub", "referrer with a grant", "opened in an emergency"
#: Who stands in these relations may be told of the person nowhere at all.
STRANGERS = (DECLINED, WITHDRAWN, RETRACTED, EXPIRED, REVOKED, HUB_COLLEAGUE)
#: These may know the person, or what was sent to them of the person.
FRIENDS = (HUB, GRANTED, GLASS, COLLEAGUE)

#: What each string is kept in, and who may ever read it besides the organisation whose person it is.
SECRETS: dict[str, set[str]] = {
    "Canary untold reason": set(),
    "Canary Ward": {GRANTED, GLASS, ACCEPTED, HUB},
    "Canary words": {ACCEPTED},
    "Canary note": {ACCEPTED, GRANTED},
    "Canary own note": {GRANTED},
    # For one team of the sender's, which the sender and nobody else here is in.
    "Canary team note": set(),
    # What a pathway asked: in words, which no request shows before a yes; a figure that is to be shown before it, and one that is not.
    "Canary garden": {ACCEPTED, GRANTED},
    "70314159": {ACCEPTED, ASKED, GRANTED},
    "70271828": {ACCEPTED, GRANTED},
    "Canary told the hub": {HUB, GRANTED},
    "Canary letter": {ACCEPTED, GRANTED},
    "Canary scan": {GRANTED},
    "Canary pages": {GRANTED},
    "Canary call back": {GRANTED},
    "Canary kin": {GRANTED},
    "Canary side door": {GRANTED, GLASS, HUB, ACCEPTED},
    "Canary Terrace": {GRANTED, GLASS, HUB, ACCEPTED},
    "Canary for the hub": {HUB, GRANTED},
    "Canary triage": {HUB, GRANTED},
    "Canary emergency": {GLASS, TRUST},
    "Canary rung": {GRANTED},
    "Canary changed his mind": {GRANTED},
    "Canary edited before": {GRANTED},
    "Canary edited after": {GRANTED, ACCEPTED},
    # What a provider wrote itself: to the sender, and to its own organisation.
    "Canary question": {ASKED, GRANTED},
    "Canary refusal": {DECLINED, GRANTED},
    "Canary provider's own": {ACCEPTED},
}
#: Where more is named than in the small world, in which nobody is expected anywhere.
ALSO_NAMES = {ACCEPTED: {"register", "register-session", "register-book"}}
#: What is not even the sender's to read.
NOT_OURS = {"Canary provider's own"}
#: What one team of the sender's organisation keeps from the others.
NOT_THE_TEAMS = {"Canary team note"}
WHO = tuple(each for each in PERSON if each != "Canary")


def told_unduly(relation: str, address: str, text: str) -> list[str]:
    """What of the person stands in an answer, and may not stand there for somebody in this relation."""
    secrets = [
        secret for secret, allowed in SECRETS.items()
        if secret in text and relation not in allowed
        and (relation not in (OWN, COLLEAGUE) or secret in NOT_OURS or (relation == COLLEAGUE and secret in NOT_THE_TEAMS))
    ]  # fmt: skip
    if address == "reply":  # whoever has the link of the service that asked
        secrets = [secret for secret in secrets if secret != "Canary question"]
    named_at = NAMES_THE_PERSON.get(relation, set()) | ALSO_NAMES.get(relation, set())
    if relation == OWN or relation in FRIENDS or address in named_at:
        return secrets
    return [*secrets, *(each for each in WHO if each in text)]


class FullWorld(World):
    """`World`, and around its person whatever else Lune keeps. `keys` are what the addresses of all this need."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.at = timezone.now()
        self.sender = self.users[OWN]
        assert isinstance(self.sender, User)
        self.keys: dict[str, object] = {}
        self.tokens: dict[str, str] = {}
        self.own_tasks: dict[str, UUID] = {}
        self.patient.address, self.patient.contact_note = "3 Canary Terrace", "Canary side door"
        self.patient.save(update_fields=["address", "contact_note"])
        self.asked.referral.reason = "Canary untold reason"
        self.asked.referral.save(update_fields=["reason"])
        # The same name to whoever looks for it, and yet told apart.
        for record, name in ((self.double, "Quillfeatherly"), (self.request, "Quillfeatherby")):
            record.family_name = name
            record.save(update_fields=["family_name"])
        self._strangers()
        self._grant()
        self._at_a_hub()
        self._on_a_pathway()
        self._around()
        self._written()
        self._outside()
        self._attended()
        self._opened()

    def _strangers(self) -> None:
        pools = PoolFactory.create_batch(3)
        referral = operations.send(
            patient_id=self.patient.pk, profile_id=self.asked.referral.profile_id, pool_ids=[pool.pk for pool in pools],
            reason="Canary untold reason", consent=True, by=self.sender, at=self.at,
        )  # fmt: skip
        for relation, pool in zip((DECLINED, WITHDRAWN, RETRACTED), pools, strict=True):
            user = UserFactory(provider=True, organization=pool.service.organization)
            task = ReferralTask.objects.get(referral=referral, pool=pool)
            if relation == DECLINED:
                operations.decline(task_id=task.pk, by=user, at=self.at, reason=Reason.OTHER, reason_text="Canary refusal")
            elif relation == WITHDRAWN:
                operations.withdraw(task_id=task.pk, by=self.sender, at=self.at, reason_text="Canary changed his mind")
            else:
                operations.accept(task_id=task.pk, by=user, at=self.at)
                operations.retract(task_id=task.pk, by=self.sender, at=self.at, reason_text="Canary changed his mind")
            self.users[relation] = user
            self.own_tasks[relation] = task.pk

    def _grant(self) -> None:
        now = self.at
        for relation, ended in (
            (EXPIRED, {"ends_at": now - timedelta(minutes=1)}), (REVOKED, {"revoked_at": now}), (GRANTED, {}),
        ):  # fmt: skip
            user = UserFactory()
            span = {"starts_at": now - timedelta(days=9), "ends_at": now + timedelta(days=9), "created_at": now - timedelta(days=9)}
            agreement = SharingAgreement.objects.create(
                organization=self.sender.organization, with_organization=user.organization, purpose=Purpose.SHARED_CARE,
                legal_basis=LegalBasis.DIRECT_CARE, reference="A", **span,
            )  # fmt: skip
            grant = Grant.objects.create(
                organization=self.sender.organization, to_organization=user.organization, patient=self.patient,
                purpose=Purpose.SHARED_CARE, agreement=agreement, **(span | ended),
            )  # fmt: skip
            self.users[relation] = user
            self.keys["sharing-grant"] = grant.pk

    def _at_a_hub(self) -> None:
        hub = HubFactory()
        span = {"starts_at": self.at - timedelta(days=9), "ends_at": self.at + timedelta(days=9), "created_at": self.at - timedelta(days=9)}
        SharingAgreement.objects.create(
            organization=self.sender.organization, with_organization=hub.organization, purpose=Purpose.TRIAGE,
            legal_basis=LegalBasis.DIRECT_CARE, reference="H", **span,
        )  # fmt: skip
        self.users[HUB] = hub.team.members.get()
        self.users[HUB_COLLEAGUE] = UserFactory(organization=hub.organization)
        profile = NeedProfileFactory(organization=self.sender.organization)
        self.entry = hubs.send(
            patient_id=self.patient.pk, profile_id=profile.pk, hub_id=hub.pk, by=self.sender, at=self.at, reason="Canary for the hub",
            consent=True,
        )  # fmt: skip
        hubs.take(entry_id=self.entry.pk, by=self.users[HUB], at=self.at)
        hubs.ask(entry_id=self.entry.pk, words="Canary triage", by=self.users[HUB], at=self.at)
        # The database's own clock stands at the start of the transaction, in which all of this test is.
        Grant.objects.filter(to_organization=hub.organization).update(starts_at=self.at - timedelta(days=1))
        self.keys["hub"] = self.entry.pk

    def _on_a_pathway(self) -> None:
        """The request that was accepted, the one that was asked and the hub's were answered to what a pathway asks."""
        asks = [
            {"key": "steps", "text": "How many steps do they manage?", "kind": "number", "shown": "before"},
            {"key": "stage", "text": "How far is it?", "kind": "number"},
            {"key": "matters", "text": "What matters most?", "kind": "text", "shown": "before"},
        ]
        version = PathwayFactory(version={"questions": asks}).versions.get()
        told = {"steps": "70314159", "stage": "70271828", "matters": "Canary garden"}
        for referral, answers in (
            (self.accepted.referral, told), (self.asked.referral, told), (self.entry.referral, {"matters": "Canary told the hub"}),
        ):  # fmt: skip
            referral.pathway_version, referral.pathway_answers = version, answers
            referral.save(update_fields=["pathway_version", "pathway_answers"])

    def _around(self) -> None:
        organization = self.sender.organization
        row = relations.add_related(
            patient_id=self.patient.pk, by=self.sender, at=self.at, name="Canary kin", relation="child", phone="07700900777"
        )
        #: Whose record is named on pages of the other: each told by strings of their own.
        self.partner = PatientFactory(
            organization=organization, given_name="Philippa", family_name="Wrenfield", nhs_number="9990000018", phone="07700900555"
        )
        relations.add_related(patient_id=self.patient.pk, by=self.sender, at=self.at, person=self.partner.pk, relation="partner")
        relations.keep_together(patient_id=self.patient.pk, other=self.partner.pk, kind="couple", by=self.sender, at=self.at)
        EpisodeFactory(patient=self.partner)
        one, two = (PatientFactory(organization=organization, given_name="Ottoline", family_name="Bramblewick") for _ in range(2))
        self.merge = merging.merge(kept_id=one.pk, gone_id=two.pk, by=self.sender, at=self.at)
        self.merged = one
        self.keys |= {"row_id": row.pk, "patient-unmerge": self.merge.pk}

    def _written(self) -> None:
        said_yes = self.users[ACCEPTED]
        casework.write_note(patient_id=self.patient.pk, words="Canary own note", by=self.sender, at=self.at)
        #: One who is of the sender's organisation, and not of the team that keeps its notes.
        team = TeamFactory(organization=self.sender.organization)
        team.members.add(self.sender)
        self.users[COLLEAGUE] = UserFactory(organization=self.sender.organization)
        casework.write_note(
            patient_id=self.patient.pk, words="Canary team note", audience=Note.Audience.TEAM, team_id=team.pk, by=self.sender, at=self.at
        )  # fmt: skip
        casework.write_note(
            patient_id=self.patient.pk, words="Canary provider's own", referral_id=self.accepted.referral_id, audience=Note.Audience.OWN,
            by=said_yes, at=self.at,
        )  # fmt: skip
        scan = Document(
            patient=self.patient, organization=self.sender.organization, title="Canary scan", content_type="text/plain", size=12,
            sha256="0" * 64, state="unscanned", added_at=self.at,
        )  # fmt: skip
        scan.file.save("ca/nary", ContentFile(b"Canary pages"))
        self.scan = scan
        casework.follow_up(
            patient_id=self.patient.pk, words="Canary call back", due_on=timezone.localdate(), at=self.at, by=self.sender
        )  # fmt: skip
        casework.ask(task_id=self.asked.pk, by=self.users[ASKED], at=self.at, words="Canary question")
        # Why a referral was changed: who was asked reads nothing that is typed, and who said yes not what was written before.
        for task, why in ((self.asked, "Canary edited before"), (self.accepted, "Canary edited after")):
            day = timezone.localdate() + timedelta(days=9)
            operations.edit_referral(referral_id=task.referral_id, needed_by=day, why=why, by=self.sender, at=self.at)
            task.refresh_from_db(fields=["version"])
        letter = letters.write(
            referral_id=self.accepted.referral_id, language="en", call="The ward, 01772 000000", by=self.sender, at=self.at
        )
        batch = Batch.objects.create(
            organization=self.sender.organization, user=self.sender, action=Batch.Action.WITHDRAW,
            lines=[{"episode": str(self.stay.pk), "referral": str(self.asked.referral_id), "task": str(self.asked.pk), "outcome": "done"}],
        )  # fmt: skip
        self.keys |= {"letter": letter.pk, "batch": batch.pk}

    def _outside(self) -> None:
        contact = ReplyContact.objects.create(
            service=self.pools[1].service, name="The kitchen", email="desk@example.org", phone="+447700900321", check_made="met",
            created_at=self.at,
        )  # fmt: skip
        self.tokens["reply"] = links.issue(self.asked, contact, kind=TaskLink.Kind.SENT, channel="email", at=self.at)
        PhoneCall.objects.create(
            task=self.asked, organization=self.sender.organization, by=self.sender, rung="The desk", rung_at=self.at, said="nobody",
            words="Canary rung", at=self.at,
        )  # fmt: skip
        word = "L" * 43
        key = LaunchKey.objects.create(
            organization=self.sender.organization, name="Record system", expires_at=self.at + timedelta(days=9)
        )  # fmt: skip
        self.launch = Launch.objects.create(
            organization=self.sender.organization, key=key, jti="1", token_digest=digest_of(word), expires_at=self.at + timedelta(hours=1),
            told={"given_name": "Zebedee", "family_name": "Quillfeatherton", "birth_date": "1941-05-17", "nhs_number": "", "sex": "male",
                  "postcode": "PR1 9ZQ", "phone": ""},
        )  # fmt: skip
        self.tokens["launch"] = word
        SelfReferralFactory(service=self.pools[1].service, birth_date=date(1950, 1, 2))

    def _attended(self) -> None:
        begins = self.at.replace(second=0, microsecond=0) + timedelta(minutes=30)
        booking = Booking.objects.create(
            task=self.accepted, service=self.accepted.pool.service, starts_at=begins, ends_at=begins + timedelta(hours=1),
            booked_by=self.users[ACCEPTED], booked_at=self.at,
        )  # fmt: skip
        self.keys |= {"booking_id": booking.pk, "when": begins.strftime("%Y%m%dT%H%MZ")}

    def _opened(self) -> None:
        self.users[GLASS] = UserFactory(provider=True)
        opening = glass.open_record(
            nhs_number="9434765919", birth_date=self.patient.birth_date, reason="danger", words="Canary emergency", by=self.users[GLASS],
            at=self.at,
        )  # fmt: skip
        self.keys["glass"] = opening.pk

    def values(self, name: str, role: str) -> dict[str, object]:
        """Like in the small world, and keys of all that is only here."""
        values = super().values(name, role)
        area = name.removeprefix("api-").split("-")[0]
        for pk in (self.keys.get(area), self.keys.get(name)):
            values["pk"] = pk or values["pk"]
        if name == "letter-new":
            values["pk"] = self.accepted.referral_id
        if role in self.own_tasks:  # the request that this provider was sent itself
            values["task_id"] = self.own_tasks[role]
            values["pk"] = values["task_id"] if values["pk"] == self.accepted.pk else values["pk"]
        if area == "register" and name == "register-session":
            values["pk"] = self.accepted.pool.service_id
        if name == "glass-review":
            values["pk"] = self.keys["glass"]
        values |= {key: value for key, value in self.keys.items() if key in values and key != "pk"}
        return values | {"token": self.tokens.get(area, values["token"])}
