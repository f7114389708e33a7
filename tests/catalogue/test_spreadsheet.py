"""Many entries by spreadsheet: what comes back, what is refused, and that nothing changes before somebody says so."""

import io
from datetime import UTC, datetime, time

import pytest
from openpyxl import load_workbook
from procrastinate.contrib.django.models import ProcrastinateJob

from catalogue.entry import batches, content, sheet_files, spreadsheet
from catalogue.entry.columns import Vocabulary, columns
from catalogue.models import Organization, ProposedChange, Service, Sheet, User
from catalogue.tasks import work_on_sheet
from core.errors import Conflict, Invalid, NotAllowed, NotFound
from tests import factories
from tests.factories import AreaFactory, OutcodeFactory, PostcodeFactory, ServiceFactory, UserFactory

pytestmark = pytest.mark.django_db
AT = datetime(2026, 3, 2, 10, tzinfo=UTC)
Status = ProposedChange.Status


@pytest.fixture
def services(provider):
    made = [ServiceFactory(organization=provider.organization, name=f"Service {n}") for n in range(3)]
    factories.EligibilityFactory(service=made[0], minimum_age=18, sex="female", notes="Ring first.")
    factories.CriterionFactory(service=made[0])
    factories.CriterionFactory(service=made[0], term=factories.term("need", "wheelchair"))
    factories.CriterionFactory(service=made[0], term=factories.term("need", "oxygen"), rule="excluded")
    factories.CriterionFactory(service=made[0], term=factories.term("language", "ur"))
    made[0].phones.create(number="01772 000000", description="mornings")
    Service.objects.filter(pk=made[0].pk).update(price_week="12.50", description="Soup.\nAnd bread.")
    return made


@pytest.fixture
def told(services):
    """They say more: times, areas, places and prices, some of them more than a cell can hold."""
    services[0].schedules.create(byday="TU,TH", opens_at="10:00", closes_at="12:00", interval=2, dtstart="2026-01-06", term="term-time",
                             description="ring (the bell), twice; then wait")  # fmt: skip
    services[0].schedules.create(freq="MONTHLY", byday="1FR,-1SA", opens_at="09:30", valid_to="2026-12-31")
    services[0].cost_options.create(option="Meal", amount="4.50", amount_description="a day")
    services[0].cost_options.create(amount_description="Bring: cake; and tea")
    town = AreaFactory(name="Ashton")
    services[0].service_areas.create(area=town, name="Ashton")
    OutcodeFactory()
    PostcodeFactory()
    services[0].service_areas.create(uri="outcode:PR1", name="PR1")
    for name, street in (("The hall", "1 High Street"), ("", "2 Low Street")):
        place = factories.LocationFactory(name=name)
        place.addresses.create(address_1=street, city="Preston", postal_code="PR1 2HE")
        services[0].service_at_locations.create(location=place, description="Upstairs")
    services[1].service_areas.create(name="Drawn", extent=factories.AreaFactory().outline)
    services[1].phones.create(number="01772; or so")
    return services


def changed(user, *edits):
    """The user's download with some cells written: (row, heading, value); a row below the last is a new service."""
    book = load_workbook(io.BytesIO(sheet_files.download(user)))
    sheet = book[spreadsheet.SHEET]
    headings = {cell.value: cell.column for cell in sheet[1]}
    for row, heading, value in edits:
        column = 1 if heading == "Id" else headings[heading]
        sheet.cell(row=row, column=column).value = value
    return saved(book)


def saved(book):
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def rows(user, batch, state=""):
    return list(batches.rows_of(user, batch, state))


@pytest.mark.req("R103")
def test_what_was_downloaded_and_sent_back_changes_nothing(provider, told):
    batch = sheet_files.upload(data=changed(provider), by=provider, at=AT)
    assert [(row.content, row.faults) for row in rows(provider, batch)] == [({}, {})] * 3
    with pytest.raises(NotFound):
        batches.apply(batch=batch, by=provider, at=AT)


@pytest.mark.req("R040")
def test_rows_are_looked_at_then_applied_then_undone(provider, services):
    data = changed(
        provider,
        (2, "Name", "Renamed"), (2, "Can meet", "Dementia; Stroke"), (2, "Phone numbers", "01772 111111; 01772 222222 (evenings)"),
        (3, "Lowest age", "old"),
        (5, "Name", "Quite new"), (5, "Kind", "befriending"), (5, "Languages", "English; Urdu"),
    )  # fmt: skip
    batch = sheet_files.upload(data=data, by=provider, at=AT)
    assert [row.row for row in rows(provider, batch, "changed")] == ["2"]
    assert [row.row for row in rows(provider, batch, "new")] == ["5"]
    assert [row.row for row in rows(provider, batch, "unchanged")] == ["4"]
    assert [row.faults for row in rows(provider, batch, "faults")] == [
        {"Lowest age": "Write a whole number from 0 to 125, or leave it empty."}
    ]
    assert sorted(Service.objects.values_list("name", flat=True)) == ["Service 0", "Service 1", "Service 2"]
    counts = batches.apply(batch=batch, by=provider, at=AT)
    assert (counts.made, counts.waiting, counts.left) == (2, 0, 0)
    assert sorted(Service.objects.values_list("name", flat=True)) == ["Quite new", "Renamed", "Service 1", "Service 2"]
    renamed = Service.objects.get(name="Renamed")
    assert set(renamed.criteria.filter(rule="accepts").values_list("term__code", flat=True)) == {"dementia", "stroke", "ur"}
    assert dict(renamed.phones.values_list("number", "description")) == {"01772 111111": "", "01772 222222": "evenings"}
    with pytest.raises(NotFound):
        batches.apply(batch=batch, by=provider, at=AT)
    assert batches.undo(batch=batch, by=provider, at=AT).made == 2
    assert sorted(Service.objects.values_list("name", "status")) == [
        ("Quite new", "inactive"), ("Service 0", "active"), ("Service 1", "active"), ("Service 2", "active"),
    ]  # fmt: skip
    with pytest.raises(NotFound):
        batches.undo(batch=batch, by=provider, at=AT)


@pytest.mark.req("R103")
def test_times_areas_places_and_prices_are_changed_in_cells(provider, told):
    data = changed(
        provider,
        (2, "Times", "Mon-Wed 9am to 5.30pm (term time only); first Tuesday of the month 14:00"), (2, "Areas", "pr1"),
        (2, "Postcode", "PR1 2HE; PR9 9ZZ"), (2, "Prices", "Meal: £5"),
        (4, "Building and street", "3 New Road"), (4, "Town", "Leyland"), (4, "Postcode", "pr12he"), (4, "Areas", "Ashton; PR1"),
    )  # fmt: skip
    batch = sheet_files.upload(data=data, by=provider, at=AT)
    assert [row.faults for row in rows(provider, batch, "faults")] == []
    assert batches.apply(batch=batch, by=provider, at=AT).made == 2
    first, _, third = told
    assert list(first.schedules.order_by("freq").values_list("freq", "byday", "opens_at", "closes_at", "term")) == [
        ("MONTHLY", "1TU", time(14), None, "always"), ("WEEKLY", "MO,TU,WE", time(9), time(17, 30), "term-time"),
    ]  # fmt: skip
    assert [str(each) for each in first.service_areas.all()] == ["PR1"]
    told = first.service_at_locations.values_list("location__addresses__address_1", "location__addresses__postal_code", "description")
    assert sorted(told) == [("1 High Street", "PR1 2HE", "Upstairs"), ("2 Low Street", "PR9 9ZZ", "Upstairs")]
    assert [str(each.amount) for each in first.cost_options.all()] == ["5.00"]
    assert third.service_at_locations.get().location.point is not None
    assert sorted(map(str, third.service_areas.all())) == ["Ashton", "PR1"]


def test_an_empty_cell_changes_nothing_and_a_word_takes_away(provider, told):
    headings = [column.heading for column in columns(Vocabulary())]
    batch = sheet_files.upload(data=changed(provider, *((2, each, None) for each in headings)), by=provider, at=AT)
    assert [row.content for row in rows(provider, batch)] == [{}] * 3
    cleared = [each for each in headings if each not in ("Name", "Kind", "State")]
    batch = sheet_files.upload(data=changed(provider, *((2, each, "Clear") for each in cleared)), by=provider, at=AT)
    assert batches.apply(batch=batch, by=provider, at=AT).made == 1
    live = content.read(Service.objects.get(pk=told[0].pk))
    kept = {"name", "care_type", "status", "sex_reason"}
    assert {name for name, value in live.items() if value != content.FIELDS[name].empty} - kept == set()


def test_a_long_sheet_is_done_in_steps_that_can_be_stopped_and_gone_on_with(provider, monkeypatch):
    """What a worker does, while it does it: each step is there for everybody, Stop keeps what is done, and no row is made twice."""
    monkeypatch.setattr(batches, "STEP", 2)
    for n in range(7):
        ServiceFactory(organization=provider.organization, name=f"S{n}")
    batch = sheet_files.upload(data=changed(provider, *((row, "Name", f"New {row}") for row in range(2, 9))), by=provider, at=AT)
    sheet = batches.apply(batch=batch, by=provider, at=AT)
    job = ProcrastinateJob.objects.get(task_name="catalogue.tasks.work_on_sheet")
    assert (sheet.status, sheet.made, sheet.total, job.args) == ("running", 2, 7, {"batch": str(batch)})
    for verb in (batches.apply, batches.undo, batches.resume):
        with pytest.raises(Conflict):
            verb(batch=batch, by=provider, at=AT)
    with pytest.raises(Invalid, match="being worked on now"):
        sheet_files.upload(data=b"", by=provider, at=AT)
    assert batches._next(batch, AT).dealt_with == 4
    assert batches.stop(batch=batch, by=provider, at=AT).status == "stopped"
    assert batches.carry_on(batch=batch, at=lambda: AT) == "stopped"
    assert Service.objects.filter(name__startswith="New").count() == 4
    batches.resume(batch=batch, by=provider, at=AT)
    assert batches.carry_on(batch=batch, at=lambda: AT) == "done"
    assert (Sheet.objects.get().made, Service.objects.filter(name__startswith="New").count()) == (7, 7)
    with pytest.raises(Conflict):
        batches.stop(batch=batch, by=provider, at=AT)
    assert batches.undo(batch=batch, by=provider, at=AT).status == "running"
    assert work_on_sheet(str(batch)) == "done"
    assert Service.objects.filter(name__startswith="New").count() == 0


@pytest.fixture
def many(provider, monkeypatch):
    """So many services that their spreadsheet is a worker's job, two rows at a time."""
    monkeypatch.setattr(sheet_files, "SMALL", 2)
    monkeypatch.setattr(sheet_files, "STEP", 2)
    return [ServiceFactory(organization=provider.organization, name=f"S{n}") for n in range(5)]


def steps(monkeypatch, name, stop_after):
    """Somebody stops the work after so many rows, which the worker hears at its next step."""
    real = sheet_files._move

    def move(sheet, at, **changes):
        real(sheet, at, **changes)
        if changes.get("made", 0) >= stop_after:
            batches.stop(batch=sheet.pk, by=User.objects.get(pk=sheet.asked_by_id), at=at)

    monkeypatch.setattr(sheet_files, name, move)


def test_a_long_sheet_is_looked_at_by_a_worker_that_can_be_stopped(provider, many, monkeypatch):
    data = changed(provider, *((row, "Name", f"New {row}") for row in range(2, 7)))
    batch = sheet_files.upload(data=data, by=provider, at=AT)
    assert ProcrastinateJob.objects.filter(args={"batch": str(batch)}).count() == 1
    with monkeypatch.context() as stopped:
        steps(stopped, "_move", 2)
        assert work_on_sheet(str(batch)) == "stopped"
    assert (Sheet.objects.get().made, len(rows(provider, batch))) == (2, 2)
    with pytest.raises(Conflict, match="not all been looked at"):
        batches.apply(batch=batch, by=provider, at=AT)
    assert batches.resume(batch=batch, by=provider, at=AT).status == "running"
    assert work_on_sheet(str(batch)) == "ready"
    sheet = Sheet.objects.get()
    assert (sheet.made, sheet.total, sheet.file, len(rows(provider, batch, "changed"))) == (5, 5, None, 5)
    assert work_on_sheet(str(batch)) == "ready"
    assert len(rows(provider, batch)) == 5
    assert batches.apply(batch=batch, by=provider, at=AT).made == 5


def test_what_is_wrong_in_a_far_row_of_a_long_sheet_is_told_and_a_newer_file_takes_its_place(provider, many, monkeypatch):
    data = changed(provider)
    monkeypatch.setattr(spreadsheet, "MOST_ROWS", 4)
    batch = sheet_files.upload(data=data, by=provider, at=AT)
    assert work_on_sheet(str(batch)) == "failed"
    assert "more than 4 rows" in Sheet.objects.get().problem
    for verb in (batches.resume, batches.apply):
        with pytest.raises(Conflict):
            verb(batch=batch, by=provider, at=AT)
    monkeypatch.undo()
    sheet_files.upload(data=data, by=provider, at=AT)
    assert Sheet.objects.get(pk=batch).problem == "A newer file was sent since."


def test_a_long_sheet_is_made_by_a_worker_for_whom_asked_and_nobody_else(provider, many, monkeypatch):
    sheet = sheet_files.make(by=provider, at=AT)
    assert sheet_files.make(by=provider, at=AT).pk == sheet.pk
    assert sheet_files.made_file(provider, sheet.pk) is None
    with monkeypatch.context() as stopped:
        steps(stopped, "_move", 4)
        assert work_on_sheet(str(sheet.pk)) == "stopped"
    batches.resume(batch=sheet.pk, by=provider, at=AT)
    assert work_on_sheet(str(sheet.pk)) == "done"
    made = sheet_files.made_file(provider, sheet.pk)
    assert [row.texts["Name"] for row in spreadsheet.read(made)] == [f"S{n}" for n in range(5)]
    colleague = UserFactory(provider=True, organization=provider.organization)
    assert sheet_files.made_file(colleague, sheet.pk) is None
    assert batches.sheet_of(colleague, sheet.pk) is None
    with pytest.raises(NotFound):
        batches.resume(batch=sheet.pk, by=colleague, at=AT)
    assert sheet_files.make(by=provider, at=AT).pk != sheet.pk
    assert sheet_files.made_file(provider, sheet.pk) is None


def test_a_worker_that_fails_says_so_and_another_goes_on(provider, services, monkeypatch):
    monkeypatch.setattr(batches, "STEP", 1)
    batch = sheet_files.upload(data=changed(provider, (2, "Name", "One"), (3, "Name", "Two")), by=provider, at=AT)
    batches.apply(batch=batch, by=provider, at=AT)
    with monkeypatch.context() as broken:
        broken.setattr(batches, "settle", None)
        with pytest.raises(TypeError):
            batches.carry_on(batch=batch, at=lambda: AT)
    assert (Sheet.objects.get().status, Service.objects.filter(name="Two").count()) == ("failed", 0)
    assert batches.resume(batch=batch, by=provider, at=AT).status == "done"
    assert Service.objects.filter(name="Two").exists()


def test_who_may_no_longer_sign_in_applies_nothing_more(provider, services, monkeypatch):
    monkeypatch.setattr(batches, "STEP", 1)
    batch = sheet_files.upload(data=changed(provider, (2, "Name", "One"), (3, "Name", "Two")), by=provider, at=AT)
    batches.apply(batch=batch, by=provider, at=AT)
    User.objects.filter(pk=provider.pk).update(is_active=False)
    assert batches.carry_on(batch=batch, at=lambda: AT) == "failed"
    assert not Service.objects.filter(name="Two").exists()


def test_only_the_chosen_rows_are_applied(provider, services):
    batch = sheet_files.upload(data=changed(provider, (2, "Name", "One"), (3, "Name", "Two")), by=provider, at=AT)
    chosen = [row.pk for row in rows(provider, batch) if row.row == "3"]
    assert batches.apply(batch=batch, by=provider, at=AT, rows=chosen).made == 1
    assert sorted(Service.objects.values_list("name", flat=True)) == ["Service 0", "Service 2", "Two"]


def test_a_service_that_changed_meanwhile_is_left_alone_and_said_so(provider, services):
    batch = sheet_files.upload(data=changed(provider, (2, "Name", "One"), (3, "Name", "Two")), by=provider, at=AT)
    Service.objects.filter(pk=services[0].pk).update(name="By an import")
    counts = batches.apply(batch=batch, by=provider, at=AT)
    assert (counts.made, counts.left) == (1, 1)
    assert Service.objects.get(pk=services[0].pk).name == "By an import"
    assert "changed in the directory" in rows(provider, batch, "faults")[0].faults["Row"]


def test_undo_leaves_what_somebody_changed_since(provider, services):
    batch = sheet_files.upload(data=changed(provider, (2, "Name", "One")), by=provider, at=AT)
    batches.apply(batch=batch, by=provider, at=AT)
    Service.objects.filter(pk=services[0].pk).update(name="Later")
    assert batches.undo(batch=batch, by=provider, at=AT).left == 1
    assert Service.objects.get(pk=services[0].pk).name == "Later"


def test_rows_wait_where_the_policy_asks_for_approval(provider, services):
    Organization.objects.filter(pk=provider.organization_id).update(edits_need_approval=True)
    batch = sheet_files.upload(data=changed(provider, (2, "Name", "One")), by=provider, at=AT)
    counts = batches.apply(batch=batch, by=provider, at=AT)
    assert (counts.made, counts.waiting) == (0, 1)
    assert ProposedChange.objects.get(status=Status.WAITING).content == {"name": "One"}


def test_another_organisations_service_cannot_be_reached(provider, services):
    other = UserFactory(provider=True)
    batch = sheet_files.upload(data=changed(provider, (2, "Name", "Mine")), by=other, at=AT)
    assert all("not one of your services" in row.faults["Id"] for row in rows(other, batch))
    with pytest.raises(NotFound):
        batches.apply(batch=batch, by=other, at=AT)
    assert rows(provider, batch) == []
    with pytest.raises(NotFound):
        batches.undo(batch=batch, by=provider, at=AT)


def test_others_send_none(referrer):
    with pytest.raises(NotAllowed):
        sheet_files.upload(data=b"", by=referrer, at=AT)


FAULTS = [
    ("Name", "clear", "Say what the service is called"),
    ("Kind", "clear", "A service is of one kind"),
    ("Times", "Blursday 10:00", "“blursday” is no day of the week"),
    ("Times", "Monday (every 2 weeks)", "give the first day"),
    ("Areas", "Atlantis", "We know no area “Atlantis”"),
    ("Areas", "Twice", "Several areas are called “Twice”"),
    ("Postcode", "nowhere", "“nowhere” is no postcode"),
    ("Postcode", "PR1 2HE; PR1 2HE", "equally many places"),
    ("Prices", "Meal: £1.2.3", "Write the price in pounds"),
    ("Name", "x" * 256, "Keep this to 255 characters"),
    ("Name", "=1+1", "holds a formula"),
    ("What it offers", '=HYPERLINK("http://evil.example","x")', "holds a formula"),
    ("Website", "javascript:alert(1)", "valid URL"),
    ("E-mail", "nobody", "valid email"),
    ("Kind", "Spaceship", "is not in the list"),
    ("State", "asleep", "Write one of"),
    ("Can meet", "Dementia; Flying", "“Flying” is not in the list"),
    ("Cannot take people with", "Dementia", "stands in two columns"),
    ("Highest age", 12, "cannot be below the lowest"),
    ("Price a week in pounds", "lots", "Write the price in pounds"),
    ("Price a week in pounds", "1e999", "Write the price in pounds"),
    ("Id", "7", "That is no id of ours"),
]


def test_a_fault_names_its_column_and_what_to_do(provider, services):
    for _ in range(2):
        AreaFactory(name="Twice")
    good = {
        "Name": "New",
        "Kind": "befriending",
        "Can meet": "Dementia",
        "Lowest age": 18,
        "Building and street": "1 Road",
        "Town": "Ashton",
    }
    good["Postcode"] = "PR1 2HE"
    edits = [(5 + n, name, text) for n, fault in enumerate(FAULTS) for name, text in (good | {fault[0]: fault[1]}).items()]
    batch = sheet_files.upload(data=changed(provider, *edits), by=provider, at=AT)
    told = [row.faults for row in rows(provider, batch, "faults")]
    assert len(told) == len(FAULTS)
    assert [fault for fault, said in zip(FAULTS, told, strict=True) if fault[2] not in said.get(fault[0], "")] == []


def test_every_rule_of_every_list_has_its_column(provider, services):
    edits = {
        "Only people paid for by": "Council funded", "Cannot work in": "Urdu; Polish", "Languages": "English",
        "Takes first people referred by": "Pharmacy", "Only these diagnoses": "Stroke",
    }  # fmt: skip
    batch = sheet_files.upload(data=changed(provider, *((2, name, text) for name, text in edits.items())), by=provider, at=AT)
    [row] = rows(provider, batch, "changed")
    assert {name: row.content[name] for name in ("funding", "languages", "referral_sources", "conditions")} == {
        "funding": {"council": "required"}, "languages": {"en": "accepts", "pl": "excluded", "ur": "excluded"},
        "referral_sources": {"pharmacy": "preferred"}, "conditions": {"snomed|230690007": "required"},
    }  # fmt: skip


def test_the_same_service_in_two_rows_is_a_fault(provider, services):
    batch = sheet_files.upload(data=changed(provider, (5, "Id", str(services[0].pk)), (5, "Name", "Again")), by=provider, at=AT)
    assert "earlier row" in rows(provider, batch, "faults")[0].faults["Id"]


@pytest.mark.parametrize("evil", ["=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(A1)", "\t=1"])
def test_no_text_becomes_a_formula_and_it_comes_back_as_it_was(provider, services, evil):
    Service.objects.filter(pk=services[0].pk).update(name=evil)
    sheet = load_workbook(io.BytesIO(sheet_files.download(provider)))[spreadsheet.SHEET]
    cells = [cell for row in sheet for cell in row if cell.value is not None]
    assert [cell.value for cell in cells if cell.data_type == "f" or str(cell.value).startswith(("=", "+", "-", "@", "\t"))] == []
    batch = sheet_files.upload(data=changed(provider), by=provider, at=AT)
    assert rows(provider, batch, "changed") == [] or evil.startswith("\t")  # outer space is taken off


def test_letters_that_no_text_holds_are_left_out(provider, services):
    data = changed(provider, (2, "What it offers", "So_x0000_up_xD800_"))
    batch = sheet_files.upload(data=data, by=provider, at=AT)
    assert [row.content for row in rows(provider, batch, "changed")] == [{"description": "Soup"}]


def test_a_new_file_replaces_one_that_was_not_applied(provider, services):
    first = sheet_files.upload(data=changed(provider, (2, "Name", "One")), by=provider, at=AT)
    sheet_files.upload(data=changed(provider, (2, "Name", "Two")), by=provider, at=AT)
    assert rows(provider, first) == []
