"""Joining two records of one service, and parting them again."""

import json
from datetime import date, time, timedelta

import pytest
from django.contrib.auth.models import AnonymousUser
from django.contrib.gis.geos import MultiPolygon
from django.core.files.base import ContentFile
from django.utils import timezone

from capacity.operations import hold
from catalogue.dedupe import fields, queries
from catalogue.dedupe.operations import look_again, merge, not_the_same, take_news, undo_merge
from catalogue.entry import attachments
from catalogue.models import (
    Attachment,
    Contact,
    CostOption,
    DuplicateCandidate,
    Merge,
    Phone,
    QualityMark,
    RegistrationCriterion,
    Schedule,
    Service,
    ServiceArea,
    ServiceAtLocation,
)
from catalogue.queries import search_services
from core.errors import Conflict, Invalid, NotAllowed, NotFound
from core.models import Event
from tests import factories

from .importing import DATA, run

pytestmark = pytest.mark.django_db


@pytest.fixture
def two():
    """The same club as two lists have it: the second knows more."""
    kept = factories.ServiceFactory(name="Tea and Talk", description="", price_week=None, care_type=None, source="First")
    gone = factories.ServiceFactory(name="Tea & Talk Club", description="Every Tuesday.", price_week=5, source="Second")
    Phone.objects.create(service=kept, number="01772 000000")
    Phone.objects.create(service=gone, number="01772 111111", description="Ask for Jo")
    Phone.objects.create(service=gone, number="01772 222222")
    Schedule.objects.create(service=gone, byday="TU", opens_at=time(10), closes_at=time(12))
    CostOption.objects.create(service=gone, option="Tea", amount="1.50")
    Contact.objects.create(service=kept, name="Reception", is_public=True)
    for service in (kept, gone):
        ServiceAtLocation.objects.create(service=service, location=factories.LocationFactory())
        factories.EligibilityFactory(service=service, minimum_age=50 if service == kept else 60)
    factories.CriterionFactory(service=gone)
    for service, metres in ((kept, 100), (gone, 5_000)):
        ServiceArea.objects.create(
            service=service, name="Drawn", extent=MultiPolygon(factories.near(metres).buffer(900, quadsegs=2), srid=27700)
        )
        RegistrationCriterion.objects.create(service=service, kind="practice", code=f"P8{metres}", name="A practice")
        service.partners.add(factories.OrganizationFactory())
        QualityMark.objects.create(service=service, scheme="ncvo", name=f"Trusted Charity within {metres} m", awarded_on=date(2026, 3, 1))
        for kind, suffix in (("photo", "jpg"), ("document", "pdf")):
            picture = Attachment(service=service, kind=kind, title=f"{kind} {metres}", size=1, added_at=timezone.now())
            picture.file.save(f"{picture.pk}.{suffix}", ContentFile(b"x"))
        service.taxonomy_terms.add(factories.term("need", "dementia" if service == gone else "wheelchair"))
    return kept, gone


def pair_of(one, other, **values):
    first, second = sorted((one, other), key=lambda service: service.pk)
    return DuplicateCandidate.objects.create(one=first, other=second, score=0.9, found_at=timezone.now(), **values)


def join(kept, gone, by, *chosen):
    return merge(kept_id=kept.pk, gone_id=gone.pk, chosen=chosen, by=by, at=timezone.now())


def told(service):
    """All that a record says, as it stands in the database."""
    service = Service.objects.get(pk=service.pk)
    return {name: fields.said(service, name) for name in fields.CHOICES} | {"kept": service.kept_fields}


EVERYTHING = tuple(fields.CHOICES)


@pytest.mark.req("R105")
def test_the_kept_record_takes_what_was_chosen_and_the_other_is_found_no_more(two, curator, referrer):
    kept, gone = two
    before = told(gone)
    result = join(
        kept, gone, curator, "description", "phones", "price_week", "schedules", "eligibility", "service_at_locations", "criteria"
    )
    now = told(kept)
    for name in ("description", "phones", "price_week", "schedules", "eligibility", "service_at_locations", "criteria"):
        assert now[name] == before[name], name
    assert now["name"] == [{"name": "Tea and Talk"}]
    assert now["contacts"][0]["name"] == "Reception"
    assert set(now["kept"]) == set(result.chosen)
    assert told(gone) == before  # both rows stay, each with its own
    for user in (AnonymousUser(), referrer):
        assert set(search_services(user, text="Tea")) == {kept}
        assert not Service.objects.visible_to(user).filter(pk=gone.pk).exists()
    assert queries.successor(gone.pk, AnonymousUser()) == kept.pk
    event = Event.objects.get(type="service.merged")
    assert event.data == {"kept": str(kept.pk), "gone": str(gone.pk)}


@pytest.mark.parametrize("chosen", [(), ("name",), EVERYTHING])
def test_undoing_leaves_both_as_they_were(two, curator, chosen):
    kept, gone = two
    kept.kept_fields = ["name"]
    kept.save()
    before = told(kept), told(gone)
    ids = sorted(kept.phones.values_list("pk", flat=True))
    done = join(kept, gone, curator, *chosen)
    undone = undo_merge(merge_id=done.pk, by=curator, at=timezone.now())
    assert (told(kept), told(gone)) == before
    assert sorted(kept.phones.values_list("pk", flat=True)) == ids
    assert undone.undone_by == curator
    assert queries.successor(gone.pk, curator) is None
    with pytest.raises(Conflict, match="already been undone"):
        undo_merge(merge_id=done.pk, by=curator, at=timezone.now())


def test_photos_of_the_other_record_are_shown_and_their_files_outlast_each_other(two, curator, django_capture_on_commit_callbacks):
    kept, gone = two
    own, other = kept.attachments.get(kind="photo"), gone.attachments.get(kind="photo")
    Attachment.objects.create(service=gone, kind="photo", title="Waits", file="waits.jpg", size=1, added_at=timezone.now(), is_shown=False)
    done = join(kept, gone, curator, "photos", "quality_marks")
    taken = kept.attachments.get(kind="photo")
    assert (taken.title, taken.file.name, taken.pk != other.pk) == (other.title, other.file.name, True)
    assert kept.attachments.get(kind="document").title == "document 100"
    assert kept.quality_marks.get().name == "Trusted Charity within 5000 m"
    with django_capture_on_commit_callbacks(execute=True):
        attachments.remove(attachment_id=taken.pk, by=curator, at=timezone.now())
    assert other.file.storage.exists(other.file.name)
    undo_merge(merge_id=done.pk, by=curator, at=timezone.now())
    assert not kept.attachments.filter(kind="photo").exists()  # what somebody has changed since stays as it is
    assert gone.attachments.filter(kind="photo").count() == 2
    assert own.file.storage.exists(own.file.name)
    with django_capture_on_commit_callbacks(execute=True):
        attachments.remove(attachment_id=other.pk, by=curator, at=timezone.now())
    assert not other.file.storage.exists(other.file.name)


def test_undoing_leaves_alone_what_somebody_changed_since(two, curator):
    kept, gone = two
    done = join(kept, gone, curator, "name", "description")
    Service.objects.filter(pk=kept.pk).update(name="Mended by hand")
    undo_merge(merge_id=done.pk, by=curator, at=timezone.now())
    kept.refresh_from_db()
    assert (kept.name, kept.description) == ("Mended by hand", "")
    assert kept.kept_fields == ["name"]


def test_records_merged_one_into_the_next_lead_to_the_last(two, curator):
    first, second = two
    third = factories.ServiceFactory()
    one = join(second, first, curator, "description")
    two_ = join(third, second, curator)
    assert queries.successor(first.pk, AnonymousUser()) == third.pk
    with pytest.raises(Conflict, match="has since been merged into"):
        undo_merge(merge_id=one.pk, by=curator, at=timezone.now())
    undo_merge(merge_id=two_.pk, by=curator, at=timezone.now())
    assert queries.successor(first.pk, AnonymousUser()) == second.pk
    undo_merge(merge_id=one.pk, by=curator, at=timezone.now())
    assert queries.successor(first.pk, AnonymousUser()) is None


def test_no_ring_is_made(two, curator):
    kept, gone = two
    join(kept, gone, curator)
    with pytest.raises(Conflict, match="has already been merged into"):
        join(gone, kept, curator)
    with pytest.raises(Conflict, match="has already been merged into"):
        join(factories.ServiceFactory(), gone, curator)
    with pytest.raises(Invalid, match="with itself"):
        join(kept, kept, curator)


def test_a_later_merge_of_the_same_field_is_undone_first(two, curator):
    kept, gone = two
    other = factories.ServiceFactory(name="Third name")
    early = join(kept, gone, curator, "name")
    late = merge(kept_id=kept.pk, gone_id=other.pk, chosen=["name"], by=curator, at=timezone.now() + timedelta(minutes=1))
    with pytest.raises(Conflict, match="Third name"):
        undo_merge(merge_id=early.pk, by=curator, at=timezone.now())
    undo_merge(merge_id=late.pk, by=curator, at=timezone.now())
    undo_merge(merge_id=early.pk, by=curator, at=timezone.now())
    kept.refresh_from_db()
    assert kept.name == "Tea and Talk"


@pytest.mark.parametrize("role", ["referrer", "provider", "manager"])
def test_others_may_not_decide(two, request, curator, role):
    kept, gone = two
    pair, by, at = pair_of(kept, gone), request.getfixturevalue(role), timezone.now()
    with pytest.raises(NotAllowed):
        join(kept, gone, by)
    for decide in (not_the_same, look_again):
        with pytest.raises(NotAllowed):
            decide(pair_id=pair.pk, by=by, at=at)
    done = join(kept, gone, curator)
    with pytest.raises(NotAllowed):
        undo_merge(merge_id=done.pk, by=by, at=at)
    assert not DuplicateCandidate.objects.visible_to(by).exists()
    assert not Merge.objects.visible_to(by).exists()


def test_what_is_not_there_or_makes_no_sense_is_refused(two, curator):
    kept, gone = two
    at = timezone.now()
    with pytest.raises(Invalid, match="no field called"):
        join(kept, gone, curator, "organization_id")
    with pytest.raises(NotFound):
        merge(kept_id=kept.pk, gone_id=kept.organization_id, by=curator, at=at)
    with pytest.raises(NotFound):
        undo_merge(merge_id=kept.pk, by=curator, at=at)
    with pytest.raises(NotFound):
        not_the_same(pair_id=0, by=curator, at=at)
    assert not Merge.objects.exists()


def test_a_decision_is_written_down_and_can_be_taken_back(two, curator):
    kept, gone = two
    pair = pair_of(kept, gone)
    assert not_the_same(pair_id=pair.pk, by=curator, at=timezone.now()).decision == "different"
    assert look_again(pair_id=pair.pk, by=curator, at=timezone.now()).decision == "open"
    done = join(kept, gone, curator)
    pair.refresh_from_db()
    assert (pair.decision, pair.decided_by) == ("same", curator)
    with pytest.raises(Conflict, match="Undo the merge first"):
        not_the_same(pair_id=pair.pk, by=curator, at=timezone.now())
    undo_merge(merge_id=done.pk, by=curator, at=timezone.now())
    pair.refresh_from_db()
    assert (pair.decision, pair.decided_by) == ("open", None)


def test_a_record_whose_place_is_held_stays(curator, referrer):
    pool, kept = factories.PoolFactory(), factories.ServiceFactory()
    hold(pool_id=pool.pk, organization=referrer.organization, by=referrer, at=timezone.now())
    with pytest.raises(Conflict, match="1 of its places is held") as refused:
        join(kept, pool.service, curator)
    assert "keep this record instead" in refused.value.message
    join(pool.service, kept, curator)  # the other way round nothing stands in the way


def test_a_record_with_open_referrals_stays(curator):
    task, kept = factories.ReferralTaskFactory(), factories.ServiceFactory()
    with pytest.raises(Conflict, match="It has 1 open referral"):
        join(kept, task.pool.service, curator)
    task.status = "cancelled"
    task.save()
    join(kept, task.pool.service, curator)


# --- and the next crawl


def feed(file, **changes):
    service = json.loads((DATA / "feed.json").read_text())["contents"][0]
    service.update(changes)
    file.write_text(json.dumps([service]))
    return file


def test_a_merge_outlives_the_next_crawl(tmp_path, curator):
    factories.PostcodeFactory(postcode="PR1 2HE")
    first = feed(tmp_path / "a.json", description="By the first")
    second = feed(tmp_path / "b.json", id="0b0d9c9e-1111-4222-8333-444455556666", name="Tea & Talk", description="By the second")
    for file, publisher in ((first, "First"), (second, "Second")):
        content = json.loads(file.read_text())
        if publisher == "Second":
            content[0]["organization"]["id"] = "0b0d9c9e-1111-4222-8333-444455556667"
            content[0]["phones"] = [{"id": "y", "number": "01772 888888"}]
            for at in content[0]["service_at_locations"]:
                at["location"]["id"] = "0b0d9c9e-1111-4222-8333-444455556668"
            file.write_text(json.dumps(content))
        run("import_oruk", file, publisher=publisher)
    kept, gone = Service.objects.get(source="First"), Service.objects.get(source="Second")
    done = join(kept, gone, curator, "description", "phones")
    phones = fields.said(Service.objects.get(pk=kept.pk), "phones")
    # both sources change what they say
    for file, words in ((first, "The first says more"), (second, "The second says more")):
        content = json.loads(file.read_text())
        content[0] |= {"description": words, "phones": [{"id": "x", "number": "01772 999999"}]}
        file.write_text(json.dumps(content))
    run("import_oruk", first, publisher="First")
    run("import_oruk", second, publisher="Second")
    kept, gone = Service.objects.get(pk=kept.pk), Service.objects.get(pk=gone.pk)
    assert gone.merged_into_id == kept.pk
    assert (kept.description, gone.description) == ("By the second", "The second says more")
    assert fields.said(kept, "phones") == phones
    # and the keeper reads what the source has since said, and may take it
    done = Merge.objects.select_related("gone").get(pk=done.pk)
    assert queries.news(done)["description"] == [{"description": "The second says more"}]
    assert set(queries.news(done)) == {"description", "phones"}
    take_news(merge_id=done.pk, name="description", by=curator, at=timezone.now())
    done = Merge.objects.select_related("gone").get(pk=done.pk)
    assert set(queries.news(done)) == {"phones"}
    assert Service.objects.get(pk=kept.pk).description == "The second says more"
    with pytest.raises(Invalid):
        take_news(merge_id=done.pk, name="name", by=curator, at=timezone.now())
    # and undoing gives back what it said at first
    undo_merge(merge_id=done.pk, by=curator, at=timezone.now())
    assert Service.objects.get(pk=kept.pk).description == "By the first"
