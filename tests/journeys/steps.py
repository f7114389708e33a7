"""Given, when and then that several journeys share."""

from typing import Any

from django.utils import timezone
from playwright.sync_api import Page, expect

from capacity import operations
from capacity.models import ServiceCapacity
from catalogue.models import User
from flow.models import Episode, Patient
from tests.factories import EpisodeFactory, OutcodeFactory, PoolFactory, PostcodeFactory, UserFactory, near
from tests.journeys.pages import follow, line, press

#: The person of the journeys. No provider may read these words before it has said yes.
GIVEN_NAME, FAMILY_NAME, NHS_NUMBER, REASON = "Canary", "Featherstonehaugh", "9990000018", "Canary likes strong tea"
PRIVATE = (GIVEN_NAME, FAMILY_NAME, NHS_NUMBER, "999 000 0018", "May 1941", "1941-05-17", "PR1 2HE", REASON)


# --- given


def given_preston() -> None:
    """A postcode to search from."""
    OutcodeFactory()
    PostcodeFactory()


def given_home(name: str, *, free: int | None = 3, metres: float = 500, **fields: Any) -> ServiceCapacity:
    """A care home of an organisation of its own, that far east of the middle of Preston."""
    return PoolFactory(
        service__name=name, service__organization__name=f"{name} Ltd", location__point=near(metres), available=free, maximum=10, **fields
    )


def given_provider(pool: ServiceCapacity) -> User:
    """Somebody who answers for that place."""
    return UserFactory(provider=True, organization=pool.service.organization)


def given_referrer() -> User:
    """A discharge nurse at a hospital of her own."""
    return UserFactory()


def given_patient(by: User, *, family_name: str = FAMILY_NAME, **fields: Any) -> Patient:
    """Somebody who waits in that referrer's hospital for a care home."""
    named = {"given_name": GIVEN_NAME, "family_name": family_name, "nhs_number": NHS_NUMBER} | fields
    episode: Episode = EpisodeFactory(patient__organization=by.organization, **{f"patient__{key}": value for key, value in named.items()})
    return episode.patient


# --- when


def when_somebody_reports(pool: ServiceCapacity, available: int, **fields: Any) -> None:
    """A provider elsewhere tells a new figure."""
    operations.report(pool_id=pool.pk, available=available, by=None, at=timezone.now(), **fields)


def when_services_are_found_for(page: Page, patient: Patient) -> None:
    """From the person's page to the ranked list, by the form as it is filled in already."""
    page.goto(f"/patients/{patient.pk}/")
    follow(page, "Find a service")
    press(page, "Show services")
    expect(page.get_by_role("button", name="Continue to send")).to_be_visible()


def when_chosen(page: Page, *names: str) -> None:
    """Tick services of the ranked list, and go on to the referral."""
    for name in names:
        line(page, name).get_by_role("checkbox", name="Ask this service").check()
    press(page, "Continue to send")
    expect(page.get_by_role("heading", level=1, name="Send one referral to")).to_be_visible()


def when_sent(page: Page, *, hold: str = "", reason: str = REASON) -> None:
    """Fill in the referral and send it; with `hold`, a place is kept at that service."""
    if hold:
        page.get_by_role("radio", name=hold).check()
    page.get_by_label("What should the service know?").fill(reason)
    page.get_by_role("checkbox", name="agrees to this referral").check()
    press(page, "Send the referral")


# --- then


def then_nothing_names_the_person(page: Page) -> None:
    """Not in the words, nor anywhere in the document or the address."""
    document = page.content() + page.url
    assert [word for word in PRIVATE if word in document] == []
