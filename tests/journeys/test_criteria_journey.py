"""A referrer searches by diagnosis, practice and marks; the list says what decided."""

import re

import pytest
from playwright.sync_api import expect

from catalogue.models import EligibilityCriterion, Practice, QualityMark, RegistrationCriterion
from tests.factories import CriterionFactory, OrganizationFactory, term
from tests.journeys.conftest import Visit
from tests.journeys.pages import assert_accessible, line, press
from tests.journeys.steps import given_home, given_preston, given_referrer


@pytest.fixture
def homes(stack):
    """One for people with heart failure of the practice's network, with a mark; one that rules them out; one that has said nothing."""
    given_preston()
    practice = OrganizationFactory(practice=True, name="Moor Lane Surgery", ods_code="P81001")
    Practice.objects.create(organization=practice, pcn_code="U11111", pcn_name="Lune network")
    fits, out, silent = (
        given_home(name, metres=metres) for name, metres in (("Fir Grove", 900), ("Larch House", 300), ("Otter House", 600))
    )
    rules = EligibilityCriterion.Rule
    CriterionFactory(service=fits.service, term=term("condition", "nice|NG106"), rule=rules.REQUIRED)
    CriterionFactory(service=out.service, term=term("condition", "snomed|84114007"), rule=rules.EXCLUDED)
    RegistrationCriterion.objects.create(service=fits.service, kind="pcn", code="U11111", name="Lune network")
    QualityMark.objects.create(service=fits.service, scheme="qismet", name="QISMET standard")
    return fits, silent


@pytest.mark.req("R013")
def test_diagnosis_practice_and_mark_decide_and_are_said(visit: Visit, homes, console):
    fits, silent = homes
    console.append("status of 422")
    # given a referrer who knows the diagnosis and the practice
    page = visit(given_referrer(), "/find/")
    page.get_by_label("Age", exact=True).fill("84")
    page.get_by_label("Postcode", exact=True).fill("PR1 2HE")
    page.get_by_label(re.compile("^Shorten the list")).fill("general residential")
    page.get_by_role("checkbox", name="Care home: general residential").check()
    page.locator("summary", has_text="GP practice, and who refers").click()
    page.get_by_label("GP practice", exact=True).fill("nowhere at all")
    # when she finds the diagnosis by typing a part of it
    page.get_by_label(re.compile("^Find one by typing")).fill("heart fail")
    page.get_by_role("checkbox", name="Heart failure", exact=True).check()
    page.get_by_label("Can they drive, or be driven?").select_option("No")
    page.get_by_label("How long may the journey take?").select_option("45 minutes")
    page.locator("summary", has_text="Marks of quality").click()
    page.get_by_role("checkbox", name="QISMET certificate").check()
    assert_accessible(page)
    press(page, "Show services")
    # then a practice that is not known is said, with all that was chosen kept and its part open
    expect(page.get_by_role("alert")).to_contain_text("We do not know the practice “nowhere at all”.")
    expect(page.get_by_role("checkbox", name="Heart failure", exact=True)).to_be_checked()
    expect(page.get_by_role("checkbox", name="QISMET certificate")).to_be_checked()
    assert_accessible(page)
    page.get_by_label("GP practice", exact=True).fill("moor lane")
    press(page, "Show services")
    # then the list holds the two that may, the one that is for it first, and says why
    expect(page.locator("form .lune-line h3")).to_have_text([fits.service.name, silent.service.name])
    first = line(page, fits.service.name)
    expect(first).to_contain_text("It is for people with: Chronic heart failure (NICE NG106).")
    expect(first).to_contain_text("reckoned from the distance.")
    first.locator("summary").click()
    expect(first).to_contain_text("Takes people registered with Lune network.")
    expect(first).to_contain_text("+20 for marks of quality: QISMET certificate")
    expect(line(page, silent.service.name)).to_contain_text("Not known: ask about Heart failure.")
    expect(line(page, silent.service.name)).to_contain_text("Its record has never been checked, so it is overdue.")
    # and who nearly fits can be seen, with what stands against it
    page.locator("summary", has_text="1 service that nearly fits").click()
    expect(page.locator(".nhsuk-details .lune-line")).to_contain_text("It cannot take people with: Heart failure.")
    assert_accessible(page)
