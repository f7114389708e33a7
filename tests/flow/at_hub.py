"""What tests of hubs share: a sender and a hub with an agreement, and an entry that was sent on."""

from datetime import timedelta

from django.utils import timezone

from flow.hubs import needs, operations
from flow.models import HubEntry, ReferralTask
from tests.factories import NeedProfileFactory, PatientFactory, UserFactory
from tests.factories.sharing import AgreementFactory, HubFactory


class Scene:
    """A sender and a hub of another organisation, with an agreement between them."""

    def __init__(self) -> None:
        self.sender = UserFactory()
        self.patient = PatientFactory(organization=self.sender.organization)
        self.profile = NeedProfileFactory(organization=self.sender.organization)
        self.hub = HubFactory()
        self.worker = self.hub.team.members.get()
        self.agree(self.hub)

    def agree(self, hub):
        return AgreementFactory(organization=self.sender.organization, with_organization=hub.organization, purpose="triage")

    def send(self, **fields) -> HubEntry:
        asked = {"patient_id": self.patient.pk, "profile_id": self.profile.pk, "hub_id": self.hub.pk, "consent": True, "by": self.sender}
        return operations.send(**(asked | {"at": timezone.now()} | fields))

    def do(self, verb, entry, *, by=None, **fields) -> HubEntry:
        return verb(entry_id=entry.pk, by=by or self.worker, at=timezone.now(), **fields)


def sent_on(scene: Scene, pool) -> tuple[HubEntry, ReferralTask]:
    """An entry that the hub has sent on to one service."""
    # A while ago: the database's own clock stands at the beginning of the test.
    entry = scene.send(at=timezone.now() - timedelta(minutes=5))
    scene.do(operations.triage, entry, urgency="routine")
    run = needs.search(entry_id=entry.pk, by=scene.worker, at=timezone.now())
    entry = scene.do(operations.route, entry, run_id=run.pk, pool_ids=[pool.pk])
    return entry, entry.referral.tasks.get()
