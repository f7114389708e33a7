"""Links by which an owner says, without an account, whether a record still holds."""

import hashlib
import threading
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection, connections

from catalogue.assurance import LinkSpent, answer_link, issue_links, read_link, revoke, told_closed
from catalogue.entry import approval
from catalogue.letters import mail_came_back
from catalogue.models import AssuranceLink, Phone, ProposedChange, Service
from core.errors import Invalid, LuneError, NotAllowed, NotFound
from core.models import Event
from tests import factories

AT = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
LATER = AT + timedelta(days=1)


def link(service: Service | None = None, **fields) -> tuple[Service, str]:
    """A link to a service that was checked long ago, and its token."""
    service = service or factories.ServiceFactory(organization__name="Tea Friends", assured_date=date(2026, 1, 1), **fields)
    return issue_links(services=[service], sent_to="owner@example.org", at=AT)[0]


@pytest.mark.django_db
@pytest.mark.req("R106")
def test_still_correct_counts_as_a_check_by_the_organisation():
    service, token = link()
    answer_link(token=token, answer="correct", at=LATER)
    service.refresh_from_db()
    assert (service.assured_date, service.assured_by) == (date(2026, 7, 2), "Tea Friends")
    assert Event.objects.get(type="service.changed").topics == sorted([f"org:{service.organization_id}", f"service:{service.pk}"])
    kept = AssuranceLink.objects.get()
    assert (kept.answer, kept.answered_at) == ("correct", LATER)


@pytest.mark.django_db
def test_the_token_is_long_random_and_kept_nowhere():
    service, token = link()
    _, other = link(service)
    assert len(token) == 43  # 32 bytes in base64
    assert token != other
    row = AssuranceLink.objects.order_by("pk").values()
    assert hashlib.sha256(token.encode()).hexdigest() in {each["token_hash"] for each in row}
    assert token not in str(list(row))


@pytest.mark.django_db
def test_reading_changes_nothing_however_often():
    service, token = link()
    before = list(AssuranceLink.objects.values()), list(Service.objects.values())
    for _ in range(3):
        assert read_link(token=token, at=LATER).service == service
    assert before == (list(AssuranceLink.objects.values()), list(Service.objects.values()))
    assert not Event.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("first", ["correct", "change", "closed"])
@pytest.mark.parametrize("again", ["correct", "change", "closed"])
def test_a_link_answers_once(first, again):
    service, token = link()
    answer_link(token=token, answer=first, content={"email": "new@example.org"}, at=LATER)
    service.refresh_from_db()
    before = service.assured_date
    with pytest.raises(LinkSpent):
        answer_link(token=token, answer=again, content={"email": "newer@example.org"}, at=LATER)
    service.refresh_from_db()
    assert service.assured_date == before
    assert ProposedChange.objects.count() == (first != "correct")


@pytest.mark.django_db
def test_an_answer_takes_back_the_services_other_links_and_no_others():
    service, token = link()
    _, twin = link(service)
    _, stranger = link()
    answer_link(token=token, answer="correct", at=LATER)
    with pytest.raises(LinkSpent):
        read_link(token=twin, at=LATER)
    assert read_link(token=stranger, at=LATER)


@pytest.mark.django_db
@pytest.mark.parametrize("wrong", ["", "A" * 43, "\x00", "é\ud800", "x" * 20_000])
def test_a_token_that_was_never_given_is_not_found(wrong):
    link()
    for call in (lambda: read_link(token=wrong, at=LATER), lambda: answer_link(token=wrong, answer="correct", at=LATER)):
        with pytest.raises(NotFound):
            call()


@pytest.mark.django_db
def test_the_hash_is_not_a_token():
    link()
    with pytest.raises(NotFound):
        read_link(token=AssuranceLink.objects.get().token_hash, at=LATER)


def run_out(service, curator):
    AssuranceLink.objects.update(expires_at=LATER)


def taken_back(service, curator):
    assert revoke(service_id=service.pk, by=curator, at=AT) == 1


def came_back(service, curator):
    assert mail_came_back(service_id=service.pk, by=curator, at=AT) == 1


def now_confidential(service, curator):
    Service.objects.update(is_confidential=True)


def owner_now_confidential(service, curator):
    type(service.organization).objects.update(is_confidential=True)


def now_merged(service, curator):
    Service.objects.filter(pk=service.pk).update(merged_into=factories.ServiceFactory())


@pytest.mark.django_db
@pytest.mark.parametrize("end", [run_out, taken_back, came_back, now_confidential, owner_now_confidential, now_merged])
def test_a_link_that_is_spent_shows_and_changes_nothing(end, curator):
    service, token = link()
    end(service, curator)
    for call in (lambda: read_link(token=token, at=LATER), lambda: answer_link(token=token, answer="correct", at=LATER)):
        with pytest.raises(LinkSpent) as refused:
            call()
        assert refused.value.message == "This link cannot be used any more."
    service.refresh_from_db()
    assert service.assured_date == date(2026, 1, 1)


@pytest.mark.django_db
def test_thirty_days_and_no_longer():
    _, token = link()
    assert read_link(token=token, at=AT + timedelta(days=30) - timedelta(seconds=1))
    with pytest.raises(LinkSpent):
        read_link(token=token, at=AT + timedelta(days=30))


@pytest.mark.django_db
def test_only_keepers_of_the_directory_take_links_back(provider, referrer, manager):
    service, _ = link(factories.ServiceFactory(organization=provider.organization))
    for user in (provider, referrer, manager):
        for verb in (revoke, mail_came_back):
            with pytest.raises(NotAllowed):
                verb(service_id=service.pk, by=user, at=AT)


@pytest.mark.django_db
def test_a_change_waits_and_holds_only_what_is_different():
    service, token = link(email="old@example.org", description="Tea.")
    Phone.objects.create(service=service, number="01772 123456")
    told = {
        "phone": "01772 123456",
        "email": "new@example.org",
        "url": "https://example.org/tea",
        "description": "Tea.",
        "opening": "Tuesdays",
    }
    answer_link(token=token, answer="change", content=told, at=LATER)
    proposal = ProposedChange.objects.get()
    assert proposal.content == {"email": "new@example.org", "url": "https://example.org/tea", "opening": "Tuesdays"}
    assert proposal.base == {"email": "old@example.org", "url": "", "opening": ""}
    assert (proposal.status, proposal.origin, proposal.service, proposal.organization) == ("waiting", "link", service, service.organization)
    assert proposal.proposed_by is None
    service.refresh_from_db()
    assert (service.email, service.assured_date) == ("old@example.org", date(2026, 1, 1))


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"email": "not an address"}, "email"),
        ({"url": "javascript:alert(1)"}, "url"),
        ({"url": "ftp://example.org"}, "url"),
        ({"phone": "0" * 41}, "phone"),
        ({"description": "x" * 5_001}, "description"),
        ({"opening": "x" * 1_001}, "opening"),
        ({"is_confidential": "no"}, None),
        ({"name": "Mine"}, None),
        ({}, None),
        ({"description": ""}, None),
    ],
)
def test_a_change_that_cannot_be_used_is_refused_and_the_link_stays_good(wrong, field):
    _, token = link()
    with pytest.raises(Invalid) as refused:
        answer_link(token=token, answer="change", content=wrong, at=LATER)
    assert list(refused.value.details.get("errors") or {}) == ([field] if field else [])
    assert read_link(token=token, at=LATER)
    assert not ProposedChange.objects.exists()


@pytest.mark.django_db
def test_an_answer_that_there_is_not_is_refused():
    _, token = link()
    for answer in ("", "perhaps"):
        with pytest.raises(Invalid):
            answer_link(token=token, answer=answer, at=LATER)


@pytest.mark.django_db
def test_closed_waits_for_a_curator_and_the_record_says_so_until_somebody_decides():
    service, token = link()
    other, _ = link()
    answer_link(token=token, answer="closed", at=LATER)
    service.refresh_from_db()
    assert service.status == Service.Status.ACTIVE
    assert told_closed([service.pk, other.pk]) == {service.pk}
    ProposedChange.objects.update(status=ProposedChange.Status.REFUSED)
    assert told_closed([service.pk, other.pk]) == set()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("same_link", [True, False], ids=["one link", "two links of one service"])
def test_two_answers_at_once_are_one(same_link):
    """Both presses arrive together: one is the answer, the other is told that the link is spent."""
    service, token = link()
    tokens = [token, token if same_link else link(service)[1]]
    said: list[str] = []
    start = threading.Barrier(2)

    def press(mine: str) -> None:
        start.wait(timeout=10)
        try:
            answer_link(token=mine, answer="closed", at=LATER)
            said.append("taken")
        except LuneError as error:
            said.append(error.code)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=press, args=(each,)) for each in tokens]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    assert sorted(said) == ["link-spent", "taken"]
    assert ProposedChange.objects.count() == 1
    assert connection.is_usable()


@pytest.mark.django_db
@pytest.mark.parametrize("answer", ["closed", "change"])
def test_what_an_owner_proposed_is_made_by_a_curator(answer, curator):
    service, token = link(email="old@example.org")
    answer_link(token=token, answer=answer, content={"email": "new@example.org", "phone": "01772 9"}, at=LATER)
    proposal = ProposedChange.objects.get()
    change, entry = approval.proposal(curator, proposal.pk)
    approval.approve(pk=proposal.pk, seen=approval.seen_stamp(change, entry.live), by=curator, at=LATER)
    service.refresh_from_db()
    if answer == "closed":
        assert service.status == Service.Status.DEFUNCT
    else:
        assert (service.email, service.phones.get().number) == ("new@example.org", "01772 9")
        assert service.assured_date == date(2026, 7, 2)
    assert told_closed([service.pk]) == set()
