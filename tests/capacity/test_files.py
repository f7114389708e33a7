"""Figures by file: looked at row by row, kept as of their own time, once; and given back in the same shape."""

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from openpyxl import Workbook

from capacity import files, operations
from capacity.models import CapacityReport
from core.errors import Invalid
from tests.factories import LocationFactory, PoolFactory, ServiceFactory, UserFactory, term

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 2, 12, tzinfo=UTC)
HEAD = "CQC location ID,Bed Type,Maximum beds,Occupied,Vacant - Reserved,Vacant - Accepting,Last updated\n"


@pytest.fixture
def home(provider):
    """A home of the provider with residential and dementia nursing beds; the first pool says no bed type, but its kind does."""
    at = LocationFactory(cqc_location_id="1-101")
    service = ServiceFactory(organization=provider.organization, name="Fir Grove")
    general = PoolFactory(service=service, location=at, name="Beds", reported_at=AT - timedelta(days=1))
    nursing = PoolFactory(
        service=service, location=at, name="EMI beds", bed_type="dementia-nursing", care_type=term("care-type", "home-dementia-nursing"),
        reported_at=AT - timedelta(days=1),
    )  # fmt: skip
    return general, nursing


def looked_at(text: str | bytes, by, at=AT) -> list[files.Review]:
    data = text if isinstance(text, bytes) else text.encode()
    return files.compare(files.read(data), digest=files.digest_of(data), by=by, at=at)


def keep(reviews, by, at=AT) -> list:
    return files.apply([(r.pool_id, r.row.figures, r.observed_at, r.key) for r in reviews if r.counts], by=by, at=at)


@pytest.mark.req("R024")
def test_a_return_of_each_bed_type_is_kept_as_of_its_own_time_and_once(provider, home):
    general, _ = home
    text = HEAD + "1-101,General residential,10,6,1,2,02/11/2026 09:30\n1-101,Dementia nursing,10,8,0,1,02/11/2026 09:45\n"
    reviews = looked_at(text, provider)
    assert [(r.state, r.where) for r in reviews] == [("changes", "Fir Grove, Beds"), ("changes", "Fir Grove, EMI beds")]
    assert reviews[0].changes == (("occupied", None, 6), ("reserved", None, 1), ("available", 3, 2))
    general.refresh_from_db()
    assert general.available == 3, "looking at it changes nothing"
    keep(reviews, provider)
    general.refresh_from_db()
    told = (general.maximum, general.occupied, general.reserved, general.available, general.reported_via)
    assert told == (10, 6, 1, 2, "import")
    assert general.reported_at == datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
    # the same file again
    again = looked_at(text, provider)
    assert {r.state for r in again} == {"known"}
    keep(reviews, provider)  # a second press on the page of the first
    general.refresh_from_db()
    assert CapacityReport.objects.filter(pool=general).count() == 1
    assert general.version == 2


def test_each_bad_row_says_what_is_wrong_and_the_good_ones_count(provider, home):
    PoolFactory(service__name="Not theirs", name="Beds")
    rows = (
        "1-101,General residential,10,6,1,x,\n",
        "1-999,General residential,10,6,1,2,\n",
        "1-101,Transitional,10,6,1,2,\n",
        "1-101,General residential,10,9,1,2,\n",
        "1-101,General residential,10,6,1,2,32/13/2026\n",
        "1-101,General residential,10,6,1,2,03/11/2026 09:30\n",
        ",General residential,10,6,1,2,\n",
        "1-101,EMI beds,10,,,4,01/11/2026\n",
        "1-101,Dementia nursing,10,,,4,\n",
        "1-101,Beds,,,,3,\n",
    )
    reviews = looked_at(HEAD + "".join(rows), provider)
    said = ["not a whole number", "None of your services", "no places called “Transitional”", "are 12, but there are 10", "not a time",
            "has not come yet", "Say which home", "", "Row 9 tells of the same places", ""]  # fmt: skip
    for review, words in zip(reviews, said, strict=True):
        assert words in review.fault
        assert bool(review.fault) == bool(words), review
    assert [r.state for r in reviews[-3:]] == ["older", "fault", "confirms"]


def test_a_place_that_is_held_is_not_taken_by_a_file(provider, home):
    general, _ = home
    operations.hold(pool_id=general.pk, organization=UserFactory().organization, by=None, at=AT)
    (review,) = looked_at(HEAD + "1-101,General residential,10,10,0,0,\n", provider)
    assert "1 of these places is held" in review.fault


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"Home,Beds\nFir Grove,3\n", "These are missing: Bed type, Vacant accepting"),
        (b"PK\x03\x04 no workbook", "not a spreadsheet"),
        (b"CQC location ID,Bed type,Vacant accepting\n", "no row below"),
        (b"a\0b", "cannot read"),
        (b"x" * (files.LARGEST + 1), "too large"),
        (HEAD.encode() + b"1-101,x,1,1,1,1,\n" * (files.MOST_ROWS + 1), "more than 1,000 rows"),
    ],
)
def test_what_is_no_such_file_is_refused_in_words(data, words):
    with pytest.raises(Invalid, match=words):
        files.read(data)


@pytest.fixture
def signed_in(client, provider):
    client.force_login(provider)
    return client


def sent(client, text: str, name="beds.csv"):
    file = io.BytesIO(text if isinstance(text, bytes) else text.encode())
    file.name = name
    return client.post(reverse("places-file"), {"file": file})


def workbook(*rows) -> bytes:
    book = Workbook()
    for row in rows:
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_a_workbook_is_looked_at_on_a_page_and_kept_by_a_press(signed_in, home):
    general, _ = home
    html = sent(signed_in, workbook(["Service", "Bed type", "Free", "Date"], ["fir grove", "Beds", 7, None]), "beds.xlsx").content.decode()
    assert "Vacant accepting: 3 → <strong>7</strong>" in html
    general.refresh_from_db()
    assert general.available == 3
    looked = html.split('name="looked" value="')[1].split('"')[0]
    assert signed_in.post(reverse("places-file"), {"looked": looked}).url == reverse("places")
    general.refresh_from_db()
    assert general.available == 7
    page = signed_in.post(reverse("places-file"), {"looked": looked + "x"}, follow=True).content.decode()
    assert "nothing has been changed" in page


def test_what_somebody_looked_at_is_for_them_alone(signed_in, client, home):
    looked = sent(signed_in, HEAD + "1-101,Beds,10,6,1,2,\n").content.decode().split('name="looked" value="')[1].split('"')[0]
    client.force_login(UserFactory(provider=True))
    client.post(reverse("places-file"), {"looked": looked})
    home[0].refresh_from_db()
    assert home[0].available == 3


def test_a_file_that_is_none_says_so_on_the_page(signed_in):
    answer = sent(signed_in, "nothing")
    assert answer.status_code == 422
    assert "The first row must name the columns" in answer.content.decode()


@pytest.mark.req("R024")
def test_the_export_is_what_a_return_asks_for_and_reads_back_unchanged(signed_in, provider, manager, home):
    PoolFactory(service__name="Elsewhere", name="Beds")
    PoolFactory(service__name="Refuge", service__is_confidential=True)
    operations.report(pool_id=home[0].pk, by=provider, at=timezone.now(), occupied=6, reserved=1)
    text = signed_in.get(reverse("places-export")).content.decode()
    rows = list(csv.reader(io.StringIO(text)))
    assert rows[0][:8] == [name for name, _ in files.COLUMNS.values()]
    assert rows[1][:7] == ["1-101", "Fir Grove", "General residential", "10", "6", "1", "3"]
    assert [row[2] for row in rows[2:]] == ["Dementia nursing"]
    assert {(r.state, r.changes) for r in looked_at(text, provider, at=timezone.now())} <= {("confirms", ()), ("older", ())}
    # a manager of the region gets all that is no secret
    signed_in.force_login(manager)
    everywhere = signed_in.get(reverse("places-export")).content.decode()
    assert "Elsewhere" in everywhere
    assert "Refuge" not in everywhere
