"""Many entries by spreadsheet: what comes back, what is refused, and that nothing changes before somebody says so."""

import io
import zipfile
from datetime import UTC, datetime

import pytest
from openpyxl import Workbook, load_workbook

from catalogue.entry import batches, spreadsheet
from catalogue.models import Organization, ProposedChange, Service
from core.errors import Invalid, NotAllowed, NotFound
from tests import factories
from tests.factories import ServiceFactory, UserFactory

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


def changed(user, *edits):
    """The user's download with some cells written: (row, heading, value); a row below the last is a new service."""
    book = load_workbook(io.BytesIO(batches.download(user)))
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
def test_what_was_downloaded_and_sent_back_changes_nothing(provider, services):
    batch = batches.upload(data=changed(provider), by=provider, at=AT)
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
    batch = batches.upload(data=data, by=provider, at=AT)
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


def test_only_the_chosen_rows_are_applied(provider, services):
    batch = batches.upload(data=changed(provider, (2, "Name", "One"), (3, "Name", "Two")), by=provider, at=AT)
    chosen = [row.pk for row in rows(provider, batch) if row.row == "3"]
    assert batches.apply(batch=batch, by=provider, at=AT, rows=chosen).made == 1
    assert sorted(Service.objects.values_list("name", flat=True)) == ["Service 0", "Service 2", "Two"]


def test_a_service_that_changed_meanwhile_is_left_alone_and_said_so(provider, services):
    batch = batches.upload(data=changed(provider, (2, "Name", "One"), (3, "Name", "Two")), by=provider, at=AT)
    Service.objects.filter(pk=services[0].pk).update(name="By an import")
    counts = batches.apply(batch=batch, by=provider, at=AT)
    assert (counts.made, counts.left) == (1, 1)
    assert Service.objects.get(pk=services[0].pk).name == "By an import"
    assert "changed in the directory" in rows(provider, batch, "faults")[0].faults["Row"]


def test_undo_leaves_what_somebody_changed_since(provider, services):
    batch = batches.upload(data=changed(provider, (2, "Name", "One")), by=provider, at=AT)
    batches.apply(batch=batch, by=provider, at=AT)
    Service.objects.filter(pk=services[0].pk).update(name="Later")
    assert batches.undo(batch=batch, by=provider, at=AT).left == 1
    assert Service.objects.get(pk=services[0].pk).name == "Later"


def test_rows_wait_where_the_policy_asks_for_approval(provider, services):
    Organization.objects.filter(pk=provider.organization_id).update(edits_need_approval=True)
    batch = batches.upload(data=changed(provider, (2, "Name", "One")), by=provider, at=AT)
    counts = batches.apply(batch=batch, by=provider, at=AT)
    assert (counts.made, counts.waiting) == (0, 1)
    assert ProposedChange.objects.get(status=Status.WAITING).content == {"name": "One"}


def test_another_organisations_service_cannot_be_reached(provider, services):
    other = UserFactory(provider=True)
    batch = batches.upload(data=changed(provider, (2, "Name", "Mine")), by=other, at=AT)
    assert all("not one of your services" in row.faults["Id"] for row in rows(other, batch))
    with pytest.raises(NotFound):
        batches.apply(batch=batch, by=other, at=AT)
    assert rows(provider, batch) == []
    with pytest.raises(NotFound):
        batches.undo(batch=batch, by=provider, at=AT)


def test_others_send_none(referrer):
    with pytest.raises(NotAllowed):
        batches.upload(data=b"", by=referrer, at=AT)


@pytest.mark.parametrize(
    ("heading", "value", "words"),
    [
        ("Name", None, "Say what the service is called"),
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
    ],
)
def test_a_fault_names_its_column_and_what_to_do(provider, services, heading, value, words):
    data = changed(provider, (2, heading, value))
    batch = batches.upload(data=data, by=provider, at=AT)
    [row] = rows(provider, batch, "faults")
    assert words in row.faults[heading]


def test_the_same_service_in_two_rows_is_a_fault(provider, services):
    batch = batches.upload(data=changed(provider, (5, "Id", str(services[0].pk)), (5, "Name", "Again")), by=provider, at=AT)
    assert "earlier row" in rows(provider, batch, "faults")[0].faults["Id"]


@pytest.mark.parametrize("evil", ["=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(A1)", "\t=1"])
def test_no_text_becomes_a_formula_and_it_comes_back_as_it_was(provider, services, evil):
    Service.objects.filter(pk=services[0].pk).update(name=evil)
    sheet = load_workbook(io.BytesIO(batches.download(provider)))[spreadsheet.SHEET]
    cells = [cell for row in sheet for cell in row if cell.value is not None]
    assert [cell.value for cell in cells if cell.data_type == "f" or str(cell.value).startswith(("=", "+", "-", "@", "\t"))] == []
    batch = batches.upload(data=changed(provider), by=provider, at=AT)
    assert rows(provider, batch, "changed") == [] or evil.startswith("\t")  # outer space is taken off


def test_letters_that_no_text_holds_are_left_out(provider, services):
    data = changed(provider, (2, "What it offers", "So_x0000_up_xD800_"))
    batch = batches.upload(data=data, by=provider, at=AT)
    assert [row.content for row in rows(provider, batch, "changed")] == [{"description": "Soup"}]


def bomb(part="xl/worksheets/sheet1.xml", content=b"0" * 1_000, times=120_000, extra=0):
    """A workbook of which one part unpacks to very much."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/workbook.xml", "<workbook/>")
        with packed.open(part, "w", force_zip64=True) as stream:
            for _ in range(times):
                stream.write(content)
        for number in range(extra):
            packed.writestr(f"xl/media/{number}.png", b"")
    return out.getvalue()


def with_entities():
    book = saved(Workbook())
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book)) as source, zipfile.ZipFile(out, "w") as target:
        for part in source.namelist():
            data = source.read(part)
            if part == "xl/worksheets/sheet1.xml":
                laughs = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>'
                data = data.replace(b"<worksheet", laughs + b"<worksheet", 1)
            target.writestr(part, data)
    return out.getvalue()


HOSTILE = {
    "nothing": lambda: b"",
    "text": lambda: b"Id,Name\n1,2\n",
    "not a zip": lambda: b"PK\x03\x04" + b"\0" * 500,
    "a zip of something else": lambda: _zip({"readme.txt": b"hello"}),
    "half a workbook": lambda: saved(Workbook())[:2_000],
    "a zip bomb": bomb,
    "very many parts": lambda: bomb(times=1, extra=300),
    "an XML bomb": with_entities,
    "no headings": lambda: saved(Workbook()),
    "broken XML": lambda: _zip({"xl/workbook.xml": b"<workbook", "[Content_Types].xml": b"<Types"}),
    "too large": lambda: b"0" * (spreadsheet.LARGEST + 1),
}


def _zip(parts):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        for name, data in parts.items():
            packed.writestr(name, data)
    return out.getvalue()


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_file_is_refused_in_words_and_nothing_is_kept(provider, services, kind):
    with pytest.raises(Invalid):
        batches.upload(data=HOSTILE[kind](), by=provider, at=AT)
    assert not ProposedChange.objects.exists()


def test_too_many_rows_are_refused(provider, monkeypatch):
    monkeypatch.setattr(spreadsheet, "MOST_ROWS", 2)
    book = Workbook()
    for line in (["Id", "Name"], ["", "One"], ["", "Two"], ["", "Three"]):
        book.active.append(line)
    with pytest.raises(Invalid, match="more than 2 rows"):
        batches.upload(data=saved(book), by=provider, at=AT)


def test_a_new_file_replaces_one_that_was_not_applied(provider, services):
    first = batches.upload(data=changed(provider, (2, "Name", "One")), by=provider, at=AT)
    batches.upload(data=changed(provider, (2, "Name", "Two")), by=provider, at=AT)
    assert rows(provider, first) == []
