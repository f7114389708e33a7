"""Keeping an entry: drafts, publishing, approval, two people at once, and undoing."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from django.utils import timezone

from catalogue.entry import approval, content, operations
from catalogue.entry.places import CONTACT
from catalogue.entry.queries import entry, my_services, said
from catalogue.models import Organization, ProposedChange, Service
from core.errors import Conflict, Invalid, NotAllowed, NotFound
from core.models import Event
from tests import factories
from tests.factories import AreaFactory, OrganizationFactory, PostcodeFactory, ServiceFactory, UserFactory

pytestmark = pytest.mark.django_db
AT = datetime(2026, 3, 2, 10, tzinfo=UTC)
Status = ProposedChange.Status
SQUARE = {"type": "Polygon", "coordinates": [[[-2.7, 53.7], [-2.6, 53.7], [-2.6, 53.8], [-2.7, 53.7]]]}
WEEKLY = dict.fromkeys(content.SCHEDULE) | {
    "freq": "WEEKLY", "interval": 1, "byday": "TU", "bymonthday": "", "opens_at": "10:00", "closes_at": "12:00", "description": "",
    "term": "term-time",
}  # fmt: skip
HALL = {
    "id": "5f1c1f3e-0000-4000-8000-000000000001", "name": "The hall", "address_1": "1 High Street", "city": "Preston",
    "postal_code": "PR1 2HE", "description": "Upstairs",
}  # fmt: skip


@pytest.fixture
def service(provider):
    return ServiceFactory(organization=provider.organization, name="Lunch club", description="Soup.")


def save(user, pk, part="basics", at=AT, **values):
    return operations.save(pk=pk, part=part, values=values, seen=entry(user, pk).stamp(part), by=user, at=at)


def submit(user, pk, at=AT):
    return operations.submit(pk=pk, seen=operations.whole_stamp(entry(user, pk)), by=user, at=at)


def everything():
    """A value for each field, other than what it is when nothing was said."""
    district = AreaFactory()
    partner = OrganizationFactory(name="Another charity")
    PostcodeFactory()
    factories.OutcodeFactory()
    outline = {"type": "MultiPolygon", "coordinates": [SQUARE["coordinates"]]}
    return {
        "name": "Supper club", "alternate_name": "Friends of Preston", "care_type": "lunch-club", "description": "Pie.",
        "status": "temporarily closed", "url": "https://example.org/", "email": "supper@example.org",
        "phones": [{"number": "01772 000000", "description": "mornings"}], "partners": [str(partner.pk)],
        "is_internal": True,
        "places": [HALL, HALL | {"id": str(uuid4()), "name": "", "address_1": "2 Low Street"}],
        "contacts": [
            {"name": "Ann", "title": "Cook", "email": "", "phones": ["01772 111111"], "is_public": False, "place": HALL["id"]},
            {"name": "Desk", "title": "", "email": "desk@example.org", "phones": [], "is_public": True, "place": ""},
        ],
        "schedules": [WEEKLY],
        "exceptions": [{"starts_on": "2026-12-25", "ends_on": "2026-12-26", "opens_at": None, "closes_at": None, "reason": "Christmas"}],
        "minimum_age": 18, "maximum_age": 99, "sex": "female", "sex_reason": "safety",
        "needs": {"dementia": "accepts", "oxygen": "excluded"},
        "conditions": {"snomed|230690007": "required"}, "referral_sources": ["self"], "notes": "Ring first.",
        "catchment_m": 5000,
        "areas": [
            {"key": f"area:{district.code}", "name": district.name}, {"key": "drawn", "name": "Ours", "outline": outline},
            {"key": "outcode:PR1", "name": "PR1"}, {"key": "practice:P81001", "name": "A practice"}, {"key": "words", "name": "Anywhere"},
        ],
        "price_week": "4.50", "cost_options": [{"option": "Meal", "amount": "4.50", "amount_description": "a week"}],
        "funding": ["free"], "access": {"wheelchair": "accepts"}, "languages": ["en", "ur"],
    }  # fmt: skip


def test_every_field_is_written_and_read_again_as_it_was(curator):
    """The one shape of an entry: whatever a form, a draft or a spreadsheet holds comes back from the directory the same."""
    values = everything()
    assert set(values) == set(content.FIELDS) - {"is_confidential"}  # then there is no address
    pk = ServiceFactory().pk
    for part in content.PARTS:
        save(curator, pk, part, **{name: values[name] for name in content.fields_of(part) if name in values})
    assert submit(curator, pk).status == Status.MADE
    assert entry(curator, pk).live == {name: content.canonical(name, values.get(name, False)) for name in content.FIELDS}
    assert all(values[name] != content.FIELDS[name].empty for name in values)
    assert set(said(values).values()) == {True}


def test_a_draft_changes_nothing_until_it_is_published(provider, service):
    work = save(provider, service.pk, name="Supper club", description="Soup.")
    assert work.change.content == {"name": "Supper club"}
    assert work.shown["name"] == "Supper club"
    assert Service.objects.get().name == "Lunch club"
    made = submit(provider, service.pk)
    service.refresh_from_db()
    assert (made.status, service.name, str(service.assured_date)) == (Status.MADE, "Supper club", "2026-03-02")
    assert made.base == {"name": "Lunch club"}
    assert entry(provider, service.pk).change is None
    assert Event.objects.filter(type="service.changed").count() == 1


def test_values_as_they_are_make_no_draft_and_going_back_ends_one(provider, service):
    assert save(provider, service.pk, name="Lunch club").change is None
    save(provider, service.pk, name="Supper club")
    assert save(provider, service.pk, name="Lunch club").change is None
    assert not ProposedChange.objects.exists()


def test_a_draft_is_the_offices_and_no_other_offices(provider, service, curator):
    save(provider, service.pk, name="Supper club")
    colleague = UserFactory(provider=True, organization=provider.organization)
    assert entry(colleague, service.pk).shown["name"] == "Supper club"
    assert entry(curator, service.pk).shown["name"] == "Lunch club"


@pytest.mark.req("R149")
def test_what_its_owner_writes_an_import_leaves_alone(provider, service):
    save(provider, service.pk, name="Supper club")
    save(provider, service.pk, "times", schedules=[WEEKLY])
    submit(provider, service.pk)
    service.refresh_from_db()
    assert service.kept_fields == ["name", "schedules"]


@pytest.mark.parametrize("role", ["referrer", "manager", "provider"])
def test_another_organisations_entry_is_not_there(request, service, role):
    other = UserFactory(provider=True) if role == "provider" else request.getfixturevalue(role)
    assert entry(other, service.pk) is None
    with pytest.raises(NotFound):
        operations.save(pk=service.pk, part="basics", values={"name": "Mine"}, seen="", by=other, at=AT)
    with pytest.raises(NotFound):
        operations.submit(pk=service.pk, seen="", by=other, at=AT)


def test_the_second_of_two_is_told_and_nothing_is_overwritten(provider, service):
    colleague = UserFactory(provider=True, organization=provider.organization)
    seen = entry(colleague, service.pk).stamp("basics")
    save(provider, service.pk, name="Supper club")
    with pytest.raises(operations.Stale) as refusal:
        operations.save(pk=service.pk, part="basics", values={"name": "Tea club"}, seen=seen, by=colleague, at=AT)
    now = refusal.value.details["entry"]
    assert now.shown["name"] == "Supper club"
    # told so, they may still decide for theirs
    operations.save(pk=service.pk, part="basics", values={"name": "Tea club"}, seen=now.stamp("basics"), by=colleague, at=AT)
    assert entry(provider, service.pk).shown["name"] == "Tea club"


def test_another_part_is_no_conflict(provider, service):
    seen = entry(provider, service.pk).stamp("cost")
    save(provider, service.pk, name="Supper club")
    work = operations.save(pk=service.pk, part="cost", values={"price_week": "3"}, seen=seen, by=provider, at=AT)
    assert work.change.content == {"name": "Supper club", "price_week": "3.00"}


def test_a_change_in_the_directory_under_a_draft_is_shown_before_it_is_published(provider, service, curator):
    save(provider, service.pk, name="Supper club")
    seen = operations.whole_stamp(entry(provider, service.pk))
    save(curator, service.pk, name="The lunch club")
    submit(curator, service.pk)
    with pytest.raises(operations.Stale) as refusal:
        operations.submit(pk=service.pk, seen=seen, by=provider, at=AT)
    assert refusal.value.details["entry"].overtaken() == ["name"]
    assert submit(provider, service.pk).base == {"name": "The lunch club"}


@pytest.mark.parametrize(
    ("part", "values", "field"),
    [
        ("basics", {"url": "no address"}, "url"),
        ("basics", {"email": "nobody"}, "email"),
        ("basics", {"care_type": "spaceship"}, "care_type"),
        ("where", {"places": [HALL | {"postal_code": "nowhere"}]}, "places"),
        ("where", {"places": [HALL | {"address_1": ""}]}, "places"),
        ("contacts", {"contacts": [dict.fromkeys(CONTACT, "") | {"phones": [], "is_public": True, "email": "no"}]}, "contacts"),
        ("basics", {"partners": ["7f1ad1c4-7d4c-4ae8-9d0e-000000000000"]}, "partners"),
        ("times", {"schedules": [WEEKLY | {"valid_from": "2026-02-01", "valid_to": "2026-01-01"}]}, "schedules"),
        ("times", {"exceptions": [dict.fromkeys(content.EXCEPTION) | {"starts_on": "2026-02-02", "ends_on": "2026-02-01"}]}, "exceptions"),
        ("who", {"minimum_age": 70, "maximum_age": 60}, "maximum_age"),
        ("who", {"needs": {"spaceship": "accepts"}}, "needs"),
        ("who", {"needs": {"dementia": "perhaps"}}, "needs"),
        ("who", {"needs": {"wheelchair": "accepts"}}, "needs"),
        ("areas", {"areas": [{"key": "area:E99999999", "name": "Nowhere"}]}, "areas"),
        ("areas", {"areas": [{"key": "practice:no code", "name": "Nowhere"}]}, "areas"),
        ("areas", {"areas": [{"key": "drawn", "name": "", "outline": {"type": "Point", "coordinates": [0, 51]}}]}, "areas"),
        ("areas", {"areas": [{"key": "drawn", "name": "", "outline": {"type": "Polygon", "coordinates": "x"}}]}, "areas"),
        ("areas", {"areas": [{"key": "drawn", "name": "", "outline": {"type": "Polygon",
                   "coordinates": [[[0, 51], [1, 52], [1, 51], [0, 52], [0, 51]]]}}]}, "areas"),
        ("areas", {"areas": [{"key": "drawn", "name": "", "outline": {"type": "Polygon",
                   "coordinates": [[[53, -2], [54, -2], [54, -3], [53, -2]]]}}]}, "areas"),
        ("cost", {"price_week": "-1"}, "price_week"),
        ("cost", {"cost_options": [{"option": "", "amount": "12345678901.00", "amount_description": ""}]}, "cost_options"),
    ],
)  # fmt: skip
def test_what_the_directory_would_refuse_is_told_at_once_by_field(provider, service, part, values, field):
    with pytest.raises(Invalid) as refusal:
        save(provider, service.pk, part, **values)
    told = refusal.value.details["errors"]
    assert field in told or "__all__" in told
    assert not ProposedChange.objects.exists()


@pytest.mark.req("R040")
def test_one_of_many_services_is_changed_and_the_others_stay(provider):
    """R040: 25 services of one charity, each with its own entry and criteria."""
    services = [ServiceFactory(organization=provider.organization, name=f"Service {n:02d}") for n in range(25)]
    save(provider, services[3].pk, "who", minimum_age=50, needs={"sight-loss": "required"})
    submit(provider, services[3].pk)
    listed = my_services(provider, today=AT.date())
    assert len(listed) == 25
    assert [s.pk for s in listed if s.complete > 0] == [services[3].pk]
    assert entry(provider, services[3].pk).live["needs"] == {"sight-loss": "required"}
    assert entry(provider, services[4].pk).live["needs"] == {}


@pytest.mark.req("R056")
def test_a_provider_adds_a_service_of_its_own(provider):
    pk = operations.begin(by=provider, at=AT).pk
    with pytest.raises(Invalid):
        submit(provider, pk)
    save(provider, pk, name="Tea and talk", care_type="befriending")
    save(provider, pk, "times", schedules=[WEEKLY])
    assert not Service.objects.exists()
    assert submit(provider, pk).status == Status.MADE
    made = Service.objects.get(pk=pk)
    assert (made.name, made.organization, made.care_type.code, made.schedules.count()) == (
        "Tea and talk",
        provider.organization,
        "befriending",
        1,
    )
    assert entry(provider, pk).change is None


def test_others_begin_nothing(referrer):
    with pytest.raises(NotAllowed):
        operations.begin(by=referrer, at=AT)


class TestApproval:
    def waiting(self, provider, service, **values):
        Organization.objects.filter(pk=provider.organization_id).update(edits_need_approval=True)
        save(provider, service.pk, **(values or {"name": "Supper club"}))
        change = submit(provider, service.pk)
        assert change.status == Status.WAITING
        return change

    def approve(self, curator, change, **more):
        change, work = approval.proposal(curator, change.pk)
        return approval.approve(pk=change.pk, seen=approval.seen_stamp(change, work.live), by=curator, at=AT, **more)

    def test_it_waits_where_the_policy_asks_for_it_and_a_curator_makes_it(self, provider, service, curator):
        change = self.waiting(provider, service)
        assert Service.objects.get().name == "Lunch club"
        assert self.approve(curator, change).status == Status.MADE
        assert Service.objects.get().name == "Supper club"
        with pytest.raises(Conflict):
            self.approve(curator, change)

    def test_it_waits_when_it_touches_what_curators_decide(self, provider, service):
        save(provider, service.pk, care_type="befriending")
        assert submit(provider, service.pk).status == Status.WAITING

    def test_a_new_service_waits_too_where_the_policy_asks_for_it(self, provider, curator):
        Organization.objects.filter(pk=provider.organization_id).update(edits_need_approval=True)
        provider.refresh_from_db()
        pk = operations.begin(by=provider, at=AT).pk
        save(provider, pk, name="Tea and talk", care_type="befriending")
        change = submit(provider, pk)
        assert (change.status, Service.objects.count()) == (Status.WAITING, 0)
        self.approve(curator, change)
        assert Service.objects.get().pk == pk

    def test_while_it_waits_nothing_is_written_over_it_and_it_can_be_taken_back(self, provider, service):
        self.waiting(provider, service)
        with pytest.raises(Conflict):
            save(provider, service.pk, name="Tea club")
        operations.take_back(pk=service.pk, by=provider, at=AT)
        assert save(provider, service.pk, name="Tea club").change.status == Status.DRAFT

    def test_refused_with_a_reason_it_becomes_a_draft_again(self, provider, service, curator):
        change = self.waiting(provider, service)
        with pytest.raises(Invalid):
            approval.refuse(pk=change.pk, reason="  ", by=curator, at=AT)
        approval.refuse(pk=change.pk, reason="That is another club.", by=curator, at=AT)
        change.refresh_from_db()
        assert (change.status, change.reason) == (Status.REFUSED, "That is another club.")
        assert entry(provider, service.pk).change is None
        assert operations.take_back(pk=service.pk, by=provider, at=AT).content == {"name": "Supper club"}

    def test_a_change_under_the_proposal_is_shown_before_it_is_approved(self, provider, service, curator):
        change = self.waiting(provider, service)
        found, work = approval.proposal(curator, change.pk)
        seen = approval.seen_stamp(found, work.live)
        Service.objects.filter(pk=service.pk).update(name="Renamed by an import")
        with pytest.raises(operations.Stale):
            approval.approve(pk=change.pk, seen=seen, by=curator, at=AT)
        _, work = approval.proposal(curator, change.pk)
        assert work.overtaken() == ["name"]
        self.approve(curator, change)
        assert Service.objects.get().name == "Supper club"

    @pytest.mark.parametrize("role", ["provider", "referrer", "manager"])
    def test_only_curators_decide(self, request, provider, service, role):
        change, user = self.waiting(provider, service), request.getfixturevalue(role)
        assert approval.proposal(user, change.pk) is None
        with pytest.raises(NotAllowed):
            approval.approve(pk=change.pk, seen="", by=user, at=AT)
        with pytest.raises(NotAllowed):
            approval.refuse(pk=change.pk, reason="No", by=user, at=AT)

    def test_a_link_without_an_account_is_compared_field_by_field(self, service, curator):
        change = ProposedChange.objects.create(
            organization=service.organization, service=service, origin="link", status=Status.WAITING, proposed_at=AT,
            content={"phone": "01772 111111", "opening": "Tuesdays now"},
        )  # fmt: skip
        assert approval.in_words(change) == {"opening": "Tuesdays now"}
        self.approve(curator, change)
        assert list(service.phones.values_list("number", flat=True)) == ["01772 111111"]


@pytest.mark.req("R111")
class TestGroups:
    said = {"name": "Knit and natter", "what": "We knit.", "where": "The library", "when": "Mondays", "email": "knit@example.org"}

    def test_a_group_asks_and_a_curator_lets_it_in(self, curator):
        change = approval.register_group(values=self.said, at=AT)
        assert (change.status, Service.objects.count()) == (Status.WAITING, 0)
        found, work = approval.proposal(curator, change.pk)
        seen = approval.seen_stamp(found, work.live)
        with pytest.raises(Invalid):  # somebody must say what kind it is
            approval.approve(pk=change.pk, seen=seen, by=curator, at=AT)
        made = approval.approve(pk=change.pk, seen=seen, by=curator, at=AT, care_type="arts-and-nature").service
        assert (made.name, made.description, made.organization.name) == ("Knit and natter", "We knit.", "Knit and natter")
        assert made.email == "knit@example.org"

    def test_it_may_belong_to_an_organisation_that_is_known(self, curator):
        known = OrganizationFactory(name="Library friends")
        change = approval.register_group(values=self.said, at=AT)
        found, work = approval.proposal(curator, change.pk)
        seen = approval.seen_stamp(found, work.live)
        approval.approve(pk=change.pk, seen=seen, by=curator, at=AT, care_type="arts-and-nature", organization_id=known.pk)
        assert Service.objects.get().organization == known

    @pytest.mark.parametrize(("name", "text"), [("name", ""), ("what", " "), ("where", ""), ("email", "nobody"), ("what", "x" * 2_001)])
    def test_what_is_missing_is_told(self, name, text):
        with pytest.raises(Invalid) as refusal:
            approval.register_group(values=self.said | {name: text}, at=AT)
        assert name in refusal.value.details["errors"]

    def test_a_provider_sees_no_groups_that_ask(self, provider):
        change = approval.register_group(values=self.said, at=AT)
        assert entry(provider, change.pk) is None
        assert not ProposedChange.objects.visible_to(provider).exists()


class TestUndo:
    def undo(self, user, change):
        fields = list(change.base)
        seen = content.stamp(entry(user, change.service_id).live, fields)
        return operations.undo(change_id=change.pk, seen=seen, by=user, at=AT)

    def test_what_stood_before_comes_back_as_a_new_change(self, provider, service):
        save(provider, service.pk, name="Supper club")
        save(provider, service.pk, "times", schedules=[WEEKLY])
        change = submit(provider, service.pk)
        back = self.undo(provider, change)
        assert (back.status, back.undoes_id) == (Status.MADE, change.pk)
        live = entry(provider, service.pk).live
        assert (live["name"], live["schedules"]) == ("Lunch club", [])
        self.undo(provider, back)
        assert entry(provider, service.pk).live["schedules"] == [WEEKLY]

    def test_what_changed_since_it_was_shown_is_not_overwritten(self, provider, service):
        save(provider, service.pk, name="Supper club")
        change = submit(provider, service.pk)
        Service.objects.filter(pk=service.pk).update(name="Renamed")
        seen = content.stamp({"name": "Supper club"}, ["name"])
        with pytest.raises(operations.Stale):
            operations.undo(change_id=change.pk, seen=seen, by=provider, at=AT)

    def test_nobody_undoes_what_another_organisation_did(self, provider, service):
        save(provider, service.pk, name="Supper club")
        change = submit(provider, service.pk)
        with pytest.raises(NotFound):
            operations.undo(change_id=change.pk, seen="", by=UserFactory(provider=True), at=AT)


def test_lists_are_filtered_by_their_state(provider):
    mine = {"organization": provider.organization}
    fresh = ServiceFactory(name="Fresh", assured_date=timezone.localdate(), **mine)
    closed = ServiceFactory(name="Closed", status="inactive", **mine)
    ServiceFactory(name="Elsewhere")
    save(provider, fresh.pk, description="More")

    def names(**search):
        return [service.name for service in my_services(provider, today=timezone.localdate(), **search)]

    assert names() == ["Closed", "Fresh"]
    assert names(text="fre") == ["Fresh"]
    assert names(state="overdue") == ["Closed"]
    assert names(state="hidden") == ["Closed"]
    assert names(state="draft") == ["Fresh"]
    assert names(state="waiting") == []
    assert names(state="incomplete") == ["Closed", "Fresh"]
    assert entry(provider, closed.pk).live["status"] == "inactive"
