"""A publisher that does everything wrong: the catalogue stays as it was, each fault is named, and what is good comes in all the same."""

import gzip
import io
import json
import threading
import zipfile

import openpyxl
import pytest
from django.urls import reverse

from catalogue.importers import archive, network
from catalogue.importers.crawl import Crawl
from catalogue.importers.fetch import Feed
from catalogue.importers.network import Limits
from catalogue.importers.run import BrokenSource
from catalogue.importers.source import run_source
from catalogue.models import ImportRun, Service, Source, SourceRecord
from tests.catalogue.publisher import Publisher, publishing, reply, service

pytestmark = pytest.mark.django_db

GOOD = {"Group 1", "Group 2", "Group 3", "Group 4", "Group 5", "Group 6"}


@pytest.fixture
def publisher(monkeypatch):
    """Six good services on three pages. Nobody waits before asking again."""
    monkeypatch.setattr("catalogue.importers.fetch.sleep", lambda seconds: None)
    with publishing() as one:
        one.services = [service(number) for number in range(1, 7)]
        yield one


@pytest.fixture
def source(publisher):
    return Source.objects.create(name="Hostile", kind=Source.Kind.ORUK_3, url=publisher.address, allow_private=True)


@pytest.fixture
def this_machine_is_public(monkeypatch):
    """As if the publisher's server stood in the internet, and nothing else here did."""
    real = network.is_public
    monkeypatch.setattr(network, "is_public", lambda address: address == "127.0.0.1" or real(address))


def names() -> set[str]:
    return set(Service.objects.filter(status="active").values_list("name", flat=True))


def told(run: ImportRun) -> str:
    return "\n".join(f"{r.row} | {r.field} | {r.reason} | {r.advice}" for r in run.rejects.all())


def crawl(source: Source, **limits) -> ImportRun:
    return run_source(source, limits=Limits(**limits)).run


def flood(stream) -> None:
    """As much as anybody reads, up to a gigabyte."""
    piece = b'{"contents": [' + b" " * 1_000_000
    for _ in range(1_000):
        stream.write(piece)


def bomb() -> bytes:
    return gzip.compress(b'{"contents": [' + b" " * 20_000_000)


PAGES = {
    "malformed JSON": (reply(b'{"contents": [{"id": "1", '), "not JSON, or cut short"),
    "HTML": (reply(b"<!doctype html><h1>Maintenance</h1>"), "HTML, a page for people"),
    "another document": (reply({"error": "gone"}), "not a page of services"),
    "an error for ever": (reply({}, 500), "answered 500"),
    "deep nesting": (reply(b"[" * 100_000 + b"]" * 100_000), "not JSON"),
    "a length of 1 GB": ((200, {"Content-Length": "1000000000"}, flood), "sent more than"),
    "1 GB without a length": ((200, {"Connection": "close"}, flood), "sent more than"),
    "a gzip bomb": (reply(bomb(), **{"Content-Encoding": "gzip"}), "sent more than"),
    "bad gzip": (reply(b"not gzip", **{"Content-Encoding": "gzip"}), "packed badly"),
    "unasked packing": (reply(b"xyz", **{"Content-Encoding": "br"}), "packed in a way that was not asked for"),
    "a ring of redirects": ((302, {"Location": "/services?page=2&per_page=100", "Content-Length": "0"}, b""), "redirects too often"),
    "redirect to a file": ((302, {"Location": "file:///etc/passwd", "Content-Length": "0"}, b""), "not a web address"),
}


@pytest.mark.parametrize("fault", PAGES)
def test_one_bad_page_is_named_and_the_others_come_in(publisher: Publisher, source: Source, fault: str):
    answer, words = PAGES[fault]
    publisher.wrong["page 2"] = answer
    run = crawl(source, answer_bytes=2_000_000)
    assert names() == GOOD - {"Group 3", "Group 4"}
    assert words in told(run)
    assert "page 2 | " in told(run)
    assert source.capabilities["whole"] is False


@pytest.mark.parametrize("address", ["http://10.0.0.1/", "http://169.254.169.254/latest/", "http://[::1]/", "http://[::ffff:10.1.2.3]/"])
def test_a_redirect_to_a_private_address_is_not_followed(publisher, source, this_machine_is_public, address):
    source.allow_private = False
    publisher.wrong["page 2"] = (302, {"Location": address, "Content-Length": "0"}, b"")
    run = crawl(source)
    assert "is inside a private network" in told(run)
    assert names() == GOOD - {"Group 3", "Group 4"}


def test_a_slow_drip_ends_at_the_limit(publisher, source):
    enough = threading.Event()

    def drip(stream) -> None:
        while not enough.wait(0.02):
            stream.write(b" ")
            stream.flush()

    publisher.wrong["page 2"] = (200, {"Connection": "close"}, drip)
    try:
        run = crawl(source, seconds=0.5)
    finally:
        enough.set()
    assert "took longer than 0.5 s" in told(run)
    assert names() == GOOD - {"Group 3", "Group 4"}


def test_a_name_that_changes_its_address_reaches_only_the_one_that_was_checked(monkeypatch):
    """DNS rebinding: public when it is looked at, private a moment later."""
    answers = iter([["93.184.216.34"], ["127.0.0.1"], ["127.0.0.1"]])
    asked: list[str] = []
    monkeypatch.setattr(network, "resolve", lambda host, port: asked.append(host) or next(answers))
    reached: list[str] = []

    def connect(self, host, port, *args, **kwargs):
        reached.append(host)
        raise network.httpcore.ConnectError("nobody there")

    monkeypatch.setattr(network.httpcore.SyncBackend, "connect_tcp", connect)
    with Feed("http://rebinding.example") as feed, pytest.raises(BrokenSource, match="did not answer"):
        feed.get("http://rebinding.example/services", tries=1)
    assert (asked, reached) == (["rebinding.example"], ["93.184.216.34"])
    with Feed("http://rebinding.example") as feed, pytest.raises(BrokenSource, match="inside a private network"):
        feed.get("http://rebinding.example/services", tries=1)
    assert reached == ["93.184.216.34"]


PRIVATE = """127.0.0.1 10.0.0.1 172.16.0.1 192.168.1.1 169.254.169.254 100.64.0.1 0.0.0.0 224.0.0.1 240.0.0.1 255.255.255.255
    ::1 :: fe80::1%eth0 fc00::1 ff02::1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 2002:7f00:1:: 64:ff9b::7f00:1 64:ff9b::a00:1"""


@pytest.mark.parametrize("address", PRIVATE.split())
def test_addresses_that_are_not_public(address):
    assert not network.is_public(address)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::1", "::ffff:93.184.216.34", "64:ff9b::5db8:d822"])
def test_addresses_that_are_public(address):
    assert network.is_public(address)


def test_credentials_are_never_shown(publisher, source):
    source.url = publisher.address.replace("://", "://user:pass-word@") + "/nothing?key=top-secret"
    with pytest.raises(BrokenSource) as refused:
        crawl(source)
    run = ImportRun.objects.get()
    for words in (refused.value.message, run.error, run.source):
        assert "pass-word" not in words
        assert "top-secret" not in words
    assert "/nothing" in run.error


@pytest.mark.parametrize(("total", "said"), [(500, "it has 500 services, and gave 6"), (3, "it has 3 services, and gave 6")])
def test_wrong_counts_are_named(publisher, source, total, said):
    publisher.total = total
    run = crawl(source)
    assert names() == GOOD
    assert said in told(run)
    assert source.capabilities["counts_right"] is False
    # more than it says may be all; fewer cannot be
    assert source.capabilities["whole"] is (total == 3)


def test_a_page_given_for_ever_is_read_once(publisher, source):
    publisher.wrong["/services"] = lambda query: reply({"contents": publisher.services[:2]})
    run = crawl(source)
    assert names() == {"Group 1", "Group 2"}
    assert "the same services again and again" in told(run)
    assert sum("per_page=100" in call for call in publisher.calls) == 2


def test_endless_pages_have_an_end(publisher, source, monkeypatch):
    monkeypatch.setattr(Crawl.__init__, "__kwdefaults__", {**Crawl.__init__.__kwdefaults__, "max_pages": 5})
    publisher.wrong["/services"] = lambda query: reply({"contents": [service(int(query["page"]))]})
    run = crawl(source)
    assert names() == {"Group 1", "Group 2", "Group 3", "Group 4", "Group 5"}
    assert "The feed has no end: 5 pages were read" in told(run)
    assert source.capabilities["whole"] is False


def test_details_that_are_not_there_take_nothing_away(publisher, source):
    publisher.shallow = True
    crawl(source)
    assert Service.objects.filter(phones__isnull=False).count() == 6
    publisher.services.append(service(7))
    for number in (1, 7):
        publisher.wrong[f"/services/{service(number)['id']}"] = reply({}, 404)
    run = crawl(source)
    assert names() == GOOD | {"Group 7"}
    assert Service.objects.get(name="Group 1").phones.count() == 1
    assert told(run).count("The whole record could not be fetched") == 2
    assert not SourceRecord.objects.filter(missing_since__isnull=False).exists()


BAD = {
    "duplicate": (service(1), "id", "more than once"),
    "no id": (service(8, id=None), "service id", "has no id"),
    "nulls everywhere": (dict.fromkeys(service(8)), "service id", "has no id"),
    "no name": (service(8, name=None), "name", "has no name"),
    "no organisation": (service(8, organization=None), "organization id", "has no id"),
    "no record": ("just text", "", "not a record"),
    "a status of its own": (service(8, status="perhaps"), "status", "not a status"),
    "an endless name": (service(8, name="x" * 300), "name", "at most 255"),
    "deep nesting": (service(8, description=json.loads("[" * 200 + "]" * 200)), "", "nested too deeply"),
}


@pytest.mark.parametrize("fault", BAD)
def test_one_bad_record_is_named_and_the_others_come_in(publisher, source, fault):
    record, field, words = BAD[fault]
    publisher.services.insert(3, record)
    run = crawl(source)
    assert names() == GOOD
    assert run.rejected == 1
    reject = run.rejects.get()
    assert (reject.row, reject.field) in {("page 2, service 2", field), ("page 3, service 1", field)}
    assert words in reject.reason


def test_ids_and_values_of_any_kind_come_in_or_are_left_out(publisher, source):
    odd = {"phones": [None, {"number": None}, 7], "schedules": {"freq": 1}, "contacts": "none", "languages": [[]], "minimum_age": "many"}
    nulls = {"description": None, "url": None, "email": None, "phones": None, "attributes": None, "service_areas": None, "schedules": None}
    places = [
        {"location": {"id": "p", "latitude": "north", "longitude": {}, "addresses": [{"postal_code": None, "address_1": "\x00\ud800"}]}}
    ]
    publisher.services = [
        service(1, id="group no. 1"),
        service(2, id=12345, **nulls),
        service(3, **odd, service_at_locations=places),
        service(4, name="Half a \ud800 letter\x00", email="no address", url="javascript:alert(1)"),
    ]
    run = crawl(source)
    assert run.rejected == 0
    assert names() == {"Group 1", "Group 2", "Group 3", "Half a  letter"}
    last = Service.objects.get(name="Half a  letter")
    assert (last.email, last.url) == ("", "")
    assert set(SourceRecord.objects.values_list("foreign_id", flat=True)) >= {"group no. 1", "12345"}


def test_scripts_in_words_are_shown_as_words(publisher, source, client):
    attack = "<script>alert(1)</script><img src=x onerror=alert(2)>"
    publisher.services = [service(1, name=f"Bad {attack}", description=attack, phones=[{"number": attack[:40]}], alternate_name=attack)]
    crawl(source)
    html = client.get(reverse("service", args=[Service.objects.get().pk])).content.decode()
    assert "&lt;script&gt;alert(1)" in html
    assert "<script>alert" not in html
    assert "<img src=x" not in html
    assert "<script>alert" not in client.get(reverse("directory")).content.decode()


def test_a_feed_of_nothing_but_faults_changes_nothing(publisher, source):
    crawl(source)
    before = list(Service.objects.order_by("pk").values())
    publisher.wrong["/services"] = reply(b"<html>")
    with pytest.raises(BrokenSource, match="HTML, a page for people"):
        crawl(source)
    assert list(Service.objects.order_by("pk").values()) == before
    run = ImportRun.objects.get(status=ImportRun.Status.FAILED)
    assert run.rejects.count() == 3
    source.refresh_from_db()
    assert source.failures == 1


def zipped(**files: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files.items():
            packed.writestr(name.replace("__", "."), content)
    return out.getvalue()


def xml_bomb() -> bytes:
    """A spreadsheet whose sheet names a text ten times in a text, ten times in a text…"""
    book = openpyxl.Workbook()
    out = io.BytesIO()
    book.save(out)
    entities = '<!ENTITY a "ha">' + "".join(f'<!ENTITY {n} "{"&" + chr(ord(n) - 1) + ";"}">' for n in "bcdefg")
    made = io.BytesIO()
    with zipfile.ZipFile(out) as old, zipfile.ZipFile(made, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name.endswith(("sheet1.xml", "workbook.xml")):
                head, _, rest = content.partition(b"?>") if content.startswith(b"<?xml") else (b'<?xml version="1.0"', b"", content)
                content = head + b"?><!DOCTYPE x [" + entities.encode() + b"]>" + rest
            new.writestr(name, content)
    return made.getvalue()


FILES = {
    "a zip bomb by its ratio": (Source.Kind.HSDS_PACKAGE, "x.zip", zipped(services__csv=b"0" * 40_000_000), "made to do harm"),
    "a zip of very many files": (
        Source.Kind.HSDS_PACKAGE,
        "x.zip",
        zipped(**{f"f{n}__csv": b"" for n in range(archive.ZipLimits.entries + 1)}),
        "more than 1,000 files",
    ),
    "no zip": (Source.Kind.HSDS_PACKAGE, "x.zip", b"PK\x03\x04 and then nothing", "not a zip file"),
    "an XML bomb": (Source.Kind.SPREADSHEET, "x.xlsx", xml_bomb(), "made to do harm"),
    "a spreadsheet that is a zip bomb": (Source.Kind.SPREADSHEET, "x.xlsx", zipped(xl__xml=b"0" * 40_000_000), "made to do harm"),
    "no spreadsheet": (Source.Kind.SPREADSHEET, "x.xlsx", zipped(hello__txt=b"hello"), "not a spreadsheet"),
    "another table": (Source.Kind.SPREADSHEET, "x.csv", b"a,b\n1,2\n", "no columns"),
    "a deep file": (Source.Kind.ORUK_3, "x.json", b"[" * 100_000, "not JSON, or is cut short"),
}


@pytest.mark.parametrize("fault", FILES)
def test_a_bad_file_is_refused_and_changes_nothing(tmp_path, fault):
    kind, name, content, words = FILES[fault]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BrokenSource, match=words):
        run_source(Source.objects.create(name="Files", kind=kind), path=tmp_path / name)
    assert not Service.objects.exists()
    assert words in ImportRun.objects.get().error


def test_a_zip_that_unpacks_to_too_much_is_not_opened(tmp_path):
    (tmp_path / "x.zip").write_bytes(zipped(a__csv=b"abc" * 10, b__csv=b"abc" * 10))
    with (
        pytest.raises(BrokenSource, match="unpacks to more than"),
        archive.opened(tmp_path / "x.zip", archive.ZipLimits(total_bytes=50)),
    ):
        pass


def test_a_deep_record_in_a_file_is_left_out_and_the_rest_comes_in(tmp_path):
    deep = json.dumps(service(1)).replace('"What group 1 does."', "[" * 5_000 + "]" * 5_000)
    (tmp_path / "x.json").write_text(f"[{deep}, {json.dumps(service(2))}]")
    run = run_source(Source.objects.create(name="Files", kind=Source.Kind.ORUK_3), path=tmp_path / "x.json").run
    assert names() == {"Group 2"}
    assert "nested too deeply" in told(run)
