"""Changing whom a referral asks over the API: on what was read, once for each key, and no change lost."""

import pytest
from rest_framework.test import APIClient

from flow import operations
from flow.models import ReferralTask
from flow.workflow import Reason
from tests.factories import PoolFactory, UserFactory
from tests.faults.test_races import race
from tests.flow.helpers import provider_of, send

pytestmark = pytest.mark.django_db


class Desk:
    """One person of the sending team with a referral that asks three services in order."""

    def __init__(self) -> None:
        self.sender = UserFactory()
        self.pools = PoolFactory.create_batch(3)
        self.referral = send(self.sender, self.pools, in_order=True)
        self.address = f"/api/v1/referrals/{self.referral.pk}/"

    def client(self, user=None) -> APIClient:
        api = APIClient()
        api.force_authenticate(user or self.sender)
        return api

    def tag(self) -> str:
        return self.client().get(self.address).headers["ETag"]

    def post(self, action, body=None, *, tag=None, key=None, by=None):
        headers = {"If-Match": tag} | ({"Idempotency-Key": key} if key else {}) if tag else {}
        return self.client(by).post(f"{self.address}{action}/", body or {}, format="json", headers=headers)

    def waiting(self) -> list[str]:
        return [str(pk) for pk in self.referral.queue.filter(state="waiting").order_by("position").values_list("pool", flat=True)]


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.mark.req("R008")
def test_services_are_added_ordered_left_out_asked_and_the_rest_closed(desk):
    _, two, three = (str(pool.pk) for pool in desk.pools)
    four = PoolFactory()
    added = desk.post("ask-also", {"pools": [str(four.pk)]}, tag=desk.tag())
    assert (added.status_code, [line["state"] for line in added.json()["queue"]]) == (200, ["asked", "waiting", "waiting", "waiting"])
    assert desk.post("order", {"pools": [str(four.pk), three, two]}, tag=added.headers["ETag"]).status_code == 200
    assert desk.waiting() == [str(four.pk), three, two]
    short = desk.post("order", {"pools": [three, two]}, tag=desk.tag())
    assert (short.status_code, short.json()["code"]) == (409, "moved-on")
    assert desk.post("leave-out", {"pool": three}, tag=desk.tag()).status_code == 200
    assert desk.waiting() == [str(four.pk), two]
    asked = desk.post("ask-next", tag=desk.tag())
    assert [str(four.pk), "requested"] in [[task["pool"], task["status"]] for task in asked.json()["tasks"]]
    assert desk.post("close", tag=desk.tag()).json()["code"] == "reason-needed"
    closed = desk.post("close", {"reason": "At home with her daughter"}, tag=desk.tag())
    assert {task["status"] for task in closed.json()["tasks"]} == {"cancelled"}
    assert desk.waiting() == []
    assert desk.post("ask-also", {"pools": [str(PoolFactory().pk)]}, tag=desk.tag()).json()["code"] == "moved-on"
    assert desk.post("shuffle", tag=desk.tag()).status_code == 404


@pytest.mark.req("R213")
def test_a_change_names_what_it_was_made_on(desk):
    """428 without an ETag, 412 when a service has answered or a colleague has changed the list since: and then nothing is done."""
    _, two, three = (str(pool.pk) for pool in desk.pools)
    assert desk.post("leave-out", {"pool": two}).status_code == 428
    assert desk.post("leave-out", {"pool": two}, tag='"v1"').status_code == 412
    seen = desk.tag()
    colleague = UserFactory(organization=desk.sender.organization)
    assert desk.post("order", {"pools": [three, two]}, tag=seen, by=colleague).status_code == 200
    late = desk.post("leave-out", {"pool": two}, tag=seen)
    assert (late.status_code, late.json()["code"]) == (412, "stale-version")
    assert desk.waiting() == [three, two]
    seen = desk.tag()
    first = ReferralTask.objects.get(pool=desk.pools[0])
    operations.decline(task_id=first.pk, by=provider_of(desk.pools[0]), at=first.requested_at, reason=Reason.CAPACITY)
    assert desk.post("ask-next", tag=seen).status_code == 412
    assert desk.waiting() == [two]


@pytest.mark.req("R079")
def test_the_same_change_sent_again_is_made_once(desk):
    tag, body = desk.tag(), {"pools": [str(PoolFactory().pk)]}
    first, again = (desk.post("ask-also", body, tag=tag, key="once") for _ in range(2))
    assert (first.status_code, again.status_code, again.headers["Idempotency-Replayed"]) == (200, 200, "true")
    assert desk.referral.queue.count() == 4
    other = desk.post("ask-also", {"pools": [str(PoolFactory().pk)]}, tag=desk.tag(), key="once")
    assert other.json()["code"] == "idempotency-key-reused"


def test_nobody_else_changes_or_learns_of_a_list(desk):
    for who in (UserFactory(), provider_of(desk.pools[0])):
        assert desk.client(who).get(desk.address).status_code == 404
        assert desk.post("close", {"reason": "No"}, tag=desk.tag(), by=who).status_code == 404


@pytest.mark.django_db(transaction=True)
def test_of_changes_made_at_once_on_the_same_reading_one_is_made_and_none_is_lost():
    desk = Desk()
    new = [str(pool.pk) for pool in PoolFactory.create_batch(4)]
    kept: list[str] = []
    while len(kept) < len(new):
        tag, left = desk.tag(), [pool for pool in new if pool not in kept]
        answers = race(*[
            lambda pool=pool, tag=tag: (pool, desk.post("ask-also", {"pools": [pool]}, tag=tag).status_code) for pool in left
        ])  # fmt: skip
        assert sorted(code for _, code in answers) == [200] + [412] * (len(left) - 1)
        kept += [pool for pool, code in answers if code == 200]
    assert desk.waiting()[2:] == kept
