"""The pages that Lune did not write itself keep the content security policy too: `visit` fails a test whose page complains of it."""

from playwright.sync_api import expect

from tests.factories import UserFactory
from tests.journeys.conftest import Visit


def test_a_developer_reads_how_to_use_the_api(visit: Visit, stack):
    page = visit(UserFactory(), "/api/v1/")
    expect(page.locator(".swagger-ui .title")).to_contain_text("Lune API")
    expect(page.locator("#operations-tag-patients, #operations-patients-patients_list, .opblock").first).to_be_visible()


def test_an_administrator_makes_a_user(visit: Visit, stack):
    page = visit(UserFactory(administrator=True), "/admin/catalogue/user/add/")
    expect(page.get_by_label("E-mail address")).to_be_visible()
