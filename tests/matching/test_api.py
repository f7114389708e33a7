"""Matching over HTTP: who may ask, what comes back, and whose answers can be seen."""

import json
from uuid import uuid4

import pytest
from django.urls import reverse
from rest_framework.renderers import JSONRenderer
from rest_framework.test import APIClient

from catalogue.models import Practice, Service
from matching import operations
from matching.api.serializers import MatchRunSerializer
from matching.models import MatchRun, NeedProfile
from tests.factories import EligibilityFactory, OrganizationFactory, OutcodeFactory, PoolFactory, PostcodeFactory, UserFactory

pytestmark = pytest.mark.django_db

NEED = {"age": 84, "postcode": "PR1 2HE", "care_types": ["home-general-residential"], "needs": ["oxygen"]}
JOURNEY = {"max_minutes": 45, "times": ["SA", "evening"], "pathway": "P1"}


def client(user=None) -> APIClient:
    signed_in = APIClient()
    signed_in.force_authenticate(user or UserFactory())
    return signed_in


def ask(signed_in: APIClient, **changes):
    return signed_in.post(reverse("api-match-runs"), NEED | changes)


@pytest.mark.req("R001")
def test_a_need_goes_in_and_a_ranked_list_comes_out():
    PostcodeFactory()
    pool, user = PoolFactory(), UserFactory()
    answer = ask(client(user))
    assert answer.status_code == 201
    assert [line["pool_id"] for line in answer.data["lines"]] == [str(pool.pk)]
    assert "Not known: ask about Oxygen." in answer.data["lines"][0]["unknown"]
    run = MatchRun.objects.get(pk=answer.data["id"])
    assert (run.created_by, run.organization_id) == (user, user.organization_id)
    again = client(user).get(reverse("api-match-run", args=[run.pk]))
    assert (again.status_code, again.data) == (200, answer.data)


def test_diagnoses_practice_and_marks_go_in():
    PostcodeFactory()
    PoolFactory()
    organization = OrganizationFactory(practice=True, ods_code="P81001")
    Practice.objects.create(organization=organization)
    answer = ask(client(), conditions=["nice|NG28"], practice="p81001", marks=["ncvo", "cqc"], drives=False, **JOURNEY)
    assert answer.status_code == 201
    profile = NeedProfile.objects.get()
    assert (profile.conditions, profile.practice, profile.marks) == (["nice|NG28"], "P81001", ["ncvo", "cqc"])
    assert (profile.max_minutes, profile.times, profile.pathway) == (45, ["SA", "evening"], "P1")
    line = answer.data["lines"][0]
    assert (line["travel"]["minutes"], line["travel"]["mode"], line["travel"]["how"]) == (0, "on foot", "straight-line")
    assert line["overdue"] == "Its record has never been checked, so it is overdue."
    assert "Not known: ask about Type 2 diabetes (NICE NG28)." in line["unknown"]
    refusals = (
        ({"conditions": ["nice|NG0"]}, 422),
        ({"practice": "P99999"}, 422),
        ({"marks": ["stars"]}, 400),
        ({"max_minutes": 301}, 400),
    )
    for wrong, status in refusals:
        refused = ask(client(), **wrong)
        assert refused.status_code == status
        assert next(iter(wrong)) in (refused.data.get("field"), *refused.data)


def test_the_best_ten_are_told_and_the_others_on_further_pages():
    PostcodeFactory()
    for _ in range(13):
        PoolFactory()
    by = client()
    first = ask(by)
    run = reverse("api-match-run", args=[first.data["id"]])
    assert (first.data["count"], len(first.data["lines"])) == (13, 10)
    assert by.get(run).data == first.data
    everything = by.get(run, {"per_page": 50}).data["lines"]
    assert [line["rank"] for line in everything] == list(range(1, 14))
    assert first.data["lines"] + by.get(run, {"page": 2}).data["lines"] == everything
    assert by.get(run, {"page": 3}).data["lines"] == []
    whole = by.post(f"{reverse('api-match-runs')}?per_page=13", NEED)
    assert [line["rank"] for line in whole.data["lines"]] == list(range(1, 14))
    runs = MatchRun.objects.count()
    refused = by.post(f"{reverse('api-match-runs')}?per_page=51", NEED)
    assert (refused.status_code, list(refused.data)) == (400, ["per_page"])
    assert MatchRun.objects.count() == runs


def test_why_not_is_answered():
    OutcodeFactory()
    pool, user = PoolFactory(), UserFactory()
    EligibilityFactory(service=pool.service, maximum_age=64)
    answer = ask(client(user), postcode="PR1")
    assert answer.data["lines"] == []
    assert answer.data["nearest_misses"]["openings"] == [{"code": "age", "opens": 1, "words": "1 would fit if age did not matter."}]
    why = client(user).get(reverse("api-match-why-not", args=[answer.data["id"], pool.pk]))
    assert why.data["failed"] == [
        {"code": "age", "sentence": "It takes people aged up to 64; this person is 84.", "change": "It would fit at 64; this person is 84."}
    ]
    assert client(user).get(reverse("api-match-why-not", args=[answer.data["id"], uuid4()])).status_code == 404
    Service.objects.update(status="inactive")
    assert client(user).get(reverse("api-match-why-not", args=[answer.data["id"], pool.pk])).status_code == 404


def test_another_organisations_run_is_not_there():
    PostcodeFactory()
    pool = PoolFactory()
    run = ask(client()).data["id"]
    other = client()
    assert other.get(reverse("api-match-run", args=[run])).status_code == 404
    assert other.get(reverse("api-match-why-not", args=[run, pool.pk])).status_code == 404


@pytest.mark.parametrize("role", ["provider", "manager", "curator", "administrator"])
def test_others_may_not_search(role):
    PostcodeFactory()
    assert ask(client(UserFactory(**{role: True}))).status_code == 403
    assert not NeedProfile.objects.exists()


def test_a_stranger_is_sent_away():
    assert APIClient().post(reverse("api-match-runs"), NEED).status_code in (401, 403)


def test_what_is_not_understood_says_which_field():
    PostcodeFactory()
    signed_in = client()
    assert ask(signed_in, age=200).json().keys() == {"age"}
    unknown = ask(signed_in, needs=["flying"])
    assert (unknown.status_code, unknown.data["field"]) == (422, "needs")
    assert ask(signed_in, postcode="ZZ9 9ZZ").status_code == 422
    assert not NeedProfile.objects.exists()


def test_an_answer_is_what_its_serializer_says():
    """It is made without the serializer, because of what that costs: here each value of both kinds of answer is compared."""
    PostcodeFactory()
    PoolFactory()
    by = UserFactory()
    for changes in ({}, {"must_haves": ["oxygen"]}, {"needs": ["isolated"]}):
        told = ask(client(by), **changes).json()
        run = MatchRun.objects.get(pk=told["id"])
        fields = {name: getattr(run, name) for name in ("id", "at", "profile_id", "considered", "weights_version", "engine_version")}
        answer = fields | {name: getattr(operations, name)(run) for name in ("lines", "nearest_misses")}
        answer |= {"count": operations.how_many(run), "parts": operations.parts_of(run)}
        assert told == json.loads(JSONRenderer().render(MatchRunSerializer(answer).data))
        assert bool(told["lines"]) is not bool(told["nearest_misses"]["lines"])
