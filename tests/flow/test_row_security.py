"""The second line: what PostgreSQL itself keeps from whoever may not see it, for every table that points at a person or a referral."""

import ast
import contextvars
import itertools
import os
import re
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest
from django.apps import apps
from django.contrib.auth.models import AnonymousUser
from django.db import connection, models, transaction
from django.db.utils import ProgrammingError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from core import acting
from core.models import AuditEntry
from core.row_security import ROLE
from core.scoping import VisibleQuerySet
from flow import operations
from flow.models import Episode, Patient, Referral, ReferralTask, SelfReferral, Team, Transition
from flow.sight.policies import DIFFERENT, WITH, protected
from tests.addresses import path_of
from tests.factories import EpisodeFactory, NeedProfileFactory, PatientFactory, PoolFactory, UserFactory
from tests.routes.full import FullWorld, told_unduly
from tests.routes.policy import ASKED, ELSEWHERE, NOT_ASKED, OWN, TRUST
from tests.routes.world import World
from tests.test_routes_access import SITE, asked_of

pytestmark = pytest.mark.django_db
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
ROOT = Path(__file__).parents[2]
NOBODY = AnonymousUser()
#: Who is asked for by day; by night it is everybody but the sender.
A_FEW = (ELSEWHERE, ASKED, NOT_ASKED, TRUST)
KEY = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@pytest.fixture
def world() -> World:
    """A person with one provider that said yes, one asked; and a second one whom a team keeps to itself."""
    world = World()
    sender = world.users["own referrer"]
    team = Team.objects.create(organization=sender.organization, name="Safeguarding", keeps_to_itself=True, created_at=timezone.now())
    member = UserFactory(organization=sender.organization)
    team.members.add(member)
    world.users["member of the team"] = member
    kept = PatientFactory(organization=sender.organization, team=team)
    EpisodeFactory(patient=kept, organization=sender.organization)
    elsewhere = world.users["referrer elsewhere"]
    theirs = PatientFactory(organization=elsewhere.organization)
    stay = EpisodeFactory(patient=theirs, organization=elsewhere.organization)
    need = NeedProfileFactory(organization=elsewhere.organization)
    operations.send(
        patient_id=theirs.pk, profile_id=need.pk, pool_ids=[PoolFactory().pk], episode_id=stay.pk, reason="words", consent=True,
        by=elsewhere, at=timezone.now(),
    )  # fmt: skip
    return world


def keys_seen(model: type[models.Model]) -> set:
    """What a statement without any filter brings whoever acts now."""
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT "{model._meta.pk.column}" FROM "{model._meta.db_table}"')
        return {key for (key,) in cursor.fetchall()}


def keys_by_first_line(model: type[models.Model], user) -> set:
    """The same by `visible_to`, and by what is declared to differ from it."""
    if name := WITH.get(model._meta.label):
        parent = model._meta.get_field(name)
        return set(
            model._base_manager.filter(**{f"{parent.attname}__in": keys_by_first_line(parent.related_model, user)}).values_list(
                "pk", flat=True
            )
        )
    if tracked := getattr(model, "pgh_tracked_model", None):
        return set(model._base_manager.filter(pgh_obj_id__in=keys_by_first_line(tracked, user)).values_list("pk", flat=True))
    manager = next((policy.manager for policy in DIFFERENT if policy.model is model), "_default_manager")
    rows = getattr(model, manager).all()
    seen = set(rows.visible_to(user).values_list("pk", flat=True)) if isinstance(rows, VisibleQuerySet) else set()
    if model is Referral and getattr(user, "is_provider", False):
        seen |= set(ReferralTask.objects.filter(provider=user.organization_id).exclude(status="draft").values_list("referral", flat=True))
    return seen


@pytest.mark.req("R087")
def test_both_lines_say_the_same_of_every_row_to_every_role(world):
    everything = {model: keys_seen(model) for model in protected()}
    compared = 0
    for role, user in world.users.items():
        user = user or AnonymousUser()
        for model in protected():
            first = keys_by_first_line(model, user)
            with acting.for_user(user):
                assert keys_seen(model) == first, (role, model._meta.label)
            compared += bool(everything[model])
    assert compared > 150, "too few rows to tell anything"


def told_with(model: type[models.Model], keys: set) -> set:
    """The ids that stand in rows which somebody sees: they tell of no other row than that it is."""
    columns = [f.attname for f in model._meta.concrete_fields if isinstance(f, models.ForeignKey)]
    rows = model._base_manager.filter(pk__in=keys).values_list(*columns) if columns else []
    return {key for row in rows for key in row if key is not None}


@pytest.mark.req("R087")
def test_with_the_first_line_gone_no_address_shows_a_foreign_row(settings, tmp_path, monkeypatch):
    """Every address that is asked by GET, for everybody but the sender. `make nightly` asks all of them (`LUNE_ACCESS_EVERY=1`)."""
    settings.DOCUMENTS_ROOT = str(tmp_path)
    world, every = FullWorld(), int(os.environ.get("LUNE_ACCESS_EVERY", "500"))
    asking = [relation for relation in world.users if relation != OWN and (every == 1 or relation in A_FEW)]
    everything = {model: keys_seen(model) for model in protected() if isinstance(model._meta.pk, models.UUIDField)}
    foreign = {}
    for relation in asking:
        user = world.users[relation]
        seen = {model: keys_by_first_line(model, user or NOBODY) for model in everything}
        told = set().union(*(told_with(model, keys) for model, keys in seen.items()))
        foreign[relation] = {str(key): model._meta.label for model, keys in everything.items() for key in keys - seen[model] - told}
    for queryset in {type(getattr(model, manager).all()) for model in protected() for manager in ("_default_manager", "with_merged")
                     if hasattr(model, manager)}:  # fmt: skip
        for name in ("visible_to", "kept_by"):
            if issubclass(queryset, VisibleQuerySet) and hasattr(queryset, name):
                monkeypatch.setattr(queryset, name, lambda rows, user: rows)
    shown, answers, rows = [], Counter(), 0
    for number, (relation, (prefix, pattern)) in enumerate(itertools.product(asking, SITE)):
        if number % max(every // 40, 1):
            continue
        path = path_of(prefix, pattern, world.values(pattern.name, relation))
        answer, text = asked_of(world.client(relation), "get", path)
        answers[answer.status_code] += 1
        if keys := [foreign[relation][key] for key in KEY.findall(text) if key in foreign[relation] and key not in path]:
            shown.append(f"{relation}: {pattern.name}: {keys}")
            rows += len(keys)
        if unduly := told_unduly(relation, pattern.name, text):
            shown.append(f"{relation}: {pattern.name}: {unduly}")
    sys.stdout.write(f"{answers.total():,} answers without the first line ({dict(answers)}), {rows} foreign rows, {len(shown)} leaks\n")
    assert "\n".join(shown) == ""
    assert answers[200] > 20
    assert {Patient, Referral, SelfReferral} <= set(protected())


@pytest.mark.req("R087")
def test_before_a_yes_a_provider_reads_neither_the_words_nor_the_person_even_by_sql(world):
    asked, said_yes = world.users["provider asked"], world.users["provider that said yes"]
    with acting.for_user(asked):
        mine = Referral.objects.get(pk=world.asked.referral_id)
        assert (mine.reason, mine.urgency) == ("", "routine")
        assert not Patient.objects.exists()
        for statement in ("SELECT reason FROM flow_referral", "SELECT reason_text FROM flow_transition"):
            with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(statement)
    with acting.for_user(said_yes):
        assert Referral.objects.get(pk=world.accepted.referral_id).reason == "Canary reason"
        assert Patient.objects.get().family_name == "Quillfeather"
    operations.withdraw(task_id=world.asked.pk, by=world.users["own referrer"], at=timezone.now(), reason_text="Zebedee died")
    with acting.for_user(asked):
        assert ReferralTask.objects.get().status_reason_text == ""
        assert "Zebedee died" not in Transition.objects.values_list("reason_text", flat=True)
    with acting.for_user(world.users["own referrer"]):
        assert ReferralTask.objects.get(pk=world.asked.pk).status_reason_text == "Zebedee died"


def test_the_read_audit_is_added_to_and_never_changed(world):
    with acting.for_user(world.users["own referrer"]):
        AuditEntry.objects.create(user_id=world.users["own referrer"].pk, role="referrer", action="read", record_type="patient",
                                  record_id=world.patient.pk, purpose="direct-care")  # fmt: skip
        for statement in ("UPDATE core_auditentry SET purpose = ''", "DELETE FROM core_auditentry", "DELETE FROM flow_transition"):
            with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(statement)


def whoever_runs() -> tuple[str, str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user, current_setting('lune.user', true)")
        return cursor.fetchone()


def fail_as(user) -> None:
    with acting.for_user(user), transaction.atomic():
        assert whoever_runs() == (ROLE, str(user.pk))
        raise ZeroDivisionError


def test_the_connection_follows_whoever_acts_through_rollbacks_and_errors(referrer):
    before = whoever_runs()
    with pytest.raises(ZeroDivisionError):
        fail_as(referrer)
    assert whoever_runs()[0] == before[0]
    with acting.for_user(referrer):
        with pytest.raises(ProgrammingError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT nonsense")
        # The savepoint took the role away with it, and it is back.
        assert whoever_runs() == (ROLE, str(referrer.pk))
        with acting.system("a test"):
            assert whoever_runs()[0] == before[0]
        assert whoever_runs() == (ROLE, str(referrer.pk))
    with acting.on_behalf_of(acting.NOBODY):
        assert whoever_runs() == (ROLE, "")
    assert whoever_runs()[0] == before[0]


def test_threads_and_tasks_act_each_for_their_own(referrer, provider):
    told = {}

    def act(user) -> None:
        with acting.for_user(user):
            told[user.pk] = acting.now().user

    threads = [threading.Thread(target=contextvars.Context().run, args=(act, user)) for user in (referrer, provider)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert told == {referrer.pk: str(referrer.pk), provider.pk: str(provider.pk)}
    assert acting.now().is_system


def test_a_request_begins_as_nobody_and_leaves_nothing_behind(world, monkeypatch):
    seen = []
    usual = acting.align
    monkeypatch.setattr(acting, "align", lambda link: (seen.append(acting.now()), usual(link))[1])
    client = Client(raise_request_exception=False)
    client.get(reverse("worklist"))
    assert {each.role for each in seen} <= {""}
    assert not any(each.is_system and each.reason == "Lune itself" for each in seen)
    client.force_login(world.users["own referrer"], backend=BACKEND)
    seen.clear()
    client.get(reverse("worklist"))
    assert [each.is_system for each in seen[:2]] == [False, False]
    assert seen[-1].user == str(world.users["own referrer"].pk)
    assert acting.now().is_system


def test_every_table_that_points_at_a_person_or_a_referral_has_a_policy_that_holds_for_its_owner_too():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_class c JOIN pg_policy p ON p.polrelid = c.oid "
            "WHERE p.polname = 'lune_people' AND c.relrowsecurity AND c.relforcerowsecurity AND obj_description(p.oid) IS NOT NULL"
        )
        kept = {name for (name,) in cursor.fetchall()}
    assert {model._meta.db_table for model in protected()} - kept == set()
    assert {Episode, ReferralTask, Transition} <= set(protected())
    unknown = set(WITH) - {model._meta.label for model in apps.get_models()}
    assert unknown == set(), "a line of WITH names no model"


def places_that_raise() -> set[str]:
    """`file:function` of each use of `acting.system` or `acting.across`."""
    found = set()
    for file in sorted(ROOT.glob("*/**/*.py")):
        parts = file.relative_to(ROOT).parts
        if parts[0] in ("tests", ".venv", "var", "core") or "migrations" in parts or "node_modules" in parts:
            continue
        tree = ast.parse(file.read_text())
        for function in ast.walk(tree):
            if isinstance(function, ast.FunctionDef):
                uses = [n for part in (function.decorator_list, function.body) for stmt in part for n in ast.walk(stmt)]
                if any(
                    isinstance(n, ast.Attribute) and n.attr in ("across", "system") and getattr(n.value, "id", "") == "acting" for n in uses
                ):
                    found.add(f"{'/'.join(parts)}:{function.name}")
    return found


def test_who_reaches_across_organisations_is_known_and_no_view_or_serializer_does():
    found = places_that_raise()
    listed = set((Path(__file__).parent / "reaches_across.txt").read_text().split())
    assert found - listed == set(), "new: decide whether it must, then add it to tests/flow/reaches_across.txt"
    assert listed - found == set(), "gone: take it out of tests/flow/reaches_across.txt"
    assert [each for each in found if each.startswith("frontend/") or "/api/" in each] == []
