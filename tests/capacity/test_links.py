"""Signed links: one service, once, by a press; whatever is not that changes nothing."""

from datetime import timedelta

import pytest
from django.utils import timezone

from capacity import asking, operations, preferences
from capacity.asking import Told
from capacity.models import Ask, AskingPreference, CapacityReport, Reservation, ServiceCapacity, UpdateLink
from catalogue.assurance import token_hash
from core.errors import Conflict, Invalid, NotAllowed, NotFound
from tests import factories

pytestmark = pytest.mark.django_db
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
AT = timezone.now()


@pytest.fixture
def pool() -> ServiceCapacity:
    return factories.PoolFactory(reported_at=AT - 5 * DAY, reported_via="web", service__name="Fir Grove")


def link_to(pool: ServiceCapacity, at=AT) -> tuple[UpdateLink, str]:
    return asking.issue_link(service=pool.service, channel="email", sent_to="fir@example.org", at=at)


def use(
    token: str, pool: ServiceCapacity, action: str = "more", at=AT, number: int | None = None, version: int | None = None
) -> UpdateLink:
    return asking.use_link(token=token, told={pool.pk: Told(action, version or pool.version, number)}, at=at)


def figures(pool: ServiceCapacity) -> tuple:
    pool.refresh_from_db()
    return pool.available, pool.reported_at, pool.reported_via, pool.version


@pytest.mark.req("R239")
@pytest.mark.req("R153")
@pytest.mark.parametrize(
    ("action", "number", "free"), [("same", None, 3), ("more", None, 4), ("less", None, 2), ("full", None, 0), ("other", 7, 7)]
)
def test_one_press_says_what_is_free_now(pool, action, number, free):
    _, token = link_to(pool)
    use(token, pool, action, number=number)
    assert figures(pool) == (free, AT, "link", 2)
    report = pool.reports.get()
    assert (report.available, report.via, report.by, report.observed_at) == (free, "link", None, AT)


def test_only_the_hash_of_a_token_is_kept(pool):
    link, token = link_to(pool)
    row = UpdateLink.objects.filter(pk=link.pk).values().get()
    assert len(token) == 32
    assert token not in str(row)
    assert row["token_hash"] == token_hash(token)


def test_two_presses_count_once(pool):
    _, token = link_to(pool)
    first = use(token, pool)
    second = use(token, pool, at=AT + MINUTE)
    assert (second.pk, second.used_at) == (first.pk, AT)
    assert figures(pool) == (4, AT, "link", 2)
    with pytest.raises(NotFound):
        use(token, pool, at=AT + asking.UNDO_FOR)


def test_a_token_of_one_service_changes_no_other(pool):
    other = factories.PoolFactory(reported_at=AT - DAY)
    _, token = link_to(other)
    for told in ({pool.pk: Told("full", 1)}, {pool.pk: Told("full", 1), other.pk: Told("full", 1)}, {}):
        with pytest.raises(Invalid):
            asking.use_link(token=token, told=told, at=AT)
    assert figures(pool)[0] == figures(other)[0] == 3
    assert not CapacityReport.objects.exists()
    assert asking.read_link(token=token, at=AT)


@pytest.mark.parametrize("state", ["run out", "taken back", "used", "another used", "wrong", "stopped", "secret", "merged", "closed"])
def test_a_link_that_is_not_open_can_do_nothing(pool, state, provider):
    provider.organization = pool.service.organization
    provider.save()
    AskingPreference.objects.create(service=pool.service, channel="email", address="fir@example.org", changed_at=AT, confirmed_at=AT)
    _, token = link_to(pool)
    at = AT
    match state:
        case "run out":
            at = AT + asking.LINK_LASTS
        case "taken back":
            assert asking.revoke(service_id=pool.service_id, by=provider, at=AT) == 1
        case "used":
            use(token, pool)
            at = AT + asking.UNDO_FOR
        case "another used":
            use(link_to(pool)[1], pool)
        case "wrong":
            token = "A" * 32
        case "stopped":
            asking.stop(token=token, at=AT)
        case "secret":
            type(pool.service).objects.filter(pk=pool.service_id).update(is_confidential=True)
        case "merged" | "closed":
            type(pool.service).objects.filter(pk=pool.service_id).update(status="defunct")
    before = figures(pool)
    for verb in (
        lambda: asking.read_link(token=token, at=at), lambda: use(token, pool, at=at), lambda: asking.read_used_link(token=token, at=at),
        lambda: asking.undo(token=token, at=at),
    ):  # fmt: skip
        with pytest.raises(NotFound) as error:
            verb()
        assert error.value.message == "This link cannot be used."
    assert figures(pool) == before


def test_what_somebody_changed_meanwhile_is_not_overwritten_and_the_link_stays_good(pool):
    _, token = link_to(pool)
    operations.report(pool_id=pool.pk, available=5, by=None, at=AT)
    with pytest.raises(Conflict, match="It now says 5 free"):
        use(token, pool, version=1)
    pool.refresh_from_db()
    use(token, pool, at=AT + MINUTE)
    assert figures(pool)[0] == 6


@pytest.mark.parametrize(
    ("action", "number", "changes"),
    [
        ("more", None, {"available": 10}),
        ("other", 11, {}),
        ("other", None, {}),
        ("other", 99_999, {}),
        ("same", None, {"available": None}),
        ("?", None, {}),
    ],
)
def test_nonsense_is_refused_and_the_link_stays_good(pool, action, number, changes):
    ServiceCapacity.objects.filter(pk=pool.pk).update(**changes)
    _, token = link_to(pool)
    with pytest.raises(Invalid):
        use(token, pool, action, number=number)
    assert not CapacityReport.objects.exists()
    assert asking.read_link(token=token, at=AT)


def test_places_that_are_held_are_not_told_away(pool):
    hold = operations.hold(pool_id=pool.pk, organization=factories.OrganizationFactory(), by=None, at=AT)
    _, token = link_to(pool)
    pool.refresh_from_db()
    with pytest.raises(Conflict, match="held"):
        use(token, pool, "full")
    hold.refresh_from_db()
    assert hold.state == Reservation.State.HELD
    assert asking.read_link(token=token, at=AT)


def test_undo_makes_a_figure_as_old_as_it_was_and_the_link_good_again(pool):
    """A figure of five days ago that was taken back to must not look fresh."""
    before = figures(pool)
    _, token = link_to(pool)
    use(token, pool, "full")
    asking.undo(token=token, at=AT + MINUTE)
    assert figures(pool) == (*before[:3], 3)
    assert [row.available for row in pool.reports.all()] == [0, 3]
    use(token, pool, at=AT + 2 * MINUTE)
    assert figures(pool)[:2] == (4, AT + 2 * MINUTE)


def test_undo_takes_nothing_back_from_under_somebody(pool):
    _, token = link_to(pool)
    use(token, pool)
    operations.hold(pool_id=pool.pk, organization=factories.OrganizationFactory(), by=None, at=AT)
    with pytest.raises(Conflict):
        asking.undo(token=token, at=AT + MINUTE)
    assert figures(pool)[0] == 4
    with pytest.raises(NotFound):
        asking.undo(token=token, at=AT + asking.UNDO_FOR)


def test_several_kinds_of_places_are_told_at_once_or_none(pool):
    other = factories.PoolFactory(service=pool.service, name="Dementia beds", reported_at=AT - DAY)
    third = factories.PoolFactory(service=pool.service, name="Respite beds", reported_at=AT - DAY)
    _, token = link_to(pool)
    with pytest.raises(Invalid):
        asking.use_link(token=token, told={pool.pk: Told("full", 1), other.pk: Told("other", 1, 11)}, at=AT)
    assert figures(pool)[0] == 3
    asking.use_link(token=token, told={pool.pk: Told("full", 1), other.pk: Told("other", 1, 1)}, at=AT)
    assert [figures(each)[:2] for each in (pool, other, third)] == [(0, AT), (1, AT), (3, AT - DAY)]
    asking.undo(token=token, at=AT)
    assert [figures(each)[:2] for each in (pool, other)] == [(3, AT - 5 * DAY), (3, AT - DAY)]


def test_stopping_needs_no_open_link_and_touches_no_other_address(pool):
    preference = AskingPreference.objects.create(
        service=pool.service, channel="email", address="fir@example.org", changed_at=AT, confirmed_at=AT
    )
    _, token = link_to(pool)
    use(token, pool)
    asking.stop(token=token, at=AT + 30 * DAY)
    preference.refresh_from_db()
    assert preference.stopped_at == AT + 30 * DAY
    asking.start(token=token, at=AT + 31 * DAY)
    AskingPreference.objects.update(address="new@example.org")
    asking.stop(token=token, at=AT + 32 * DAY)
    preference.refresh_from_db()
    assert preference.stopped_at is None
    assert asking.stop_from(channel="email", sender="NEW@example.org", at=AT) == 1
    with pytest.raises(NotFound):
        asking.stop(token="B" * 32, at=AT)


def test_only_its_provider_and_curators_take_links_back(pool, provider, referrer, curator):
    link_to(pool)
    for by in (provider, referrer):
        with pytest.raises(NotAllowed):
            asking.revoke(service_id=pool.service_id, by=by, at=AT)
    assert asking.revoke(service_id=pool.service_id, by=curator, at=AT) == 1


def test_the_next_link_goes_where_the_first_went_and_nowhere_else(pool):
    _, token = link_to(pool)
    with pytest.raises(NotFound):
        preferences.ask_again(token=token, at=AT)
    AskingPreference.objects.create(service=pool.service, channel="email", address="fir@example.org", changed_at=AT, confirmed_at=AT)
    use(token, pool)
    ask = preferences.ask_again(token=token, at=AT + DAY)
    assert (ask.sent_to, ask.why) == ("fir@example.org", Ask.Why.REQUEST)
    with pytest.raises(Conflict):
        preferences.ask_again(token=token, at=AT + DAY + MINUTE)
