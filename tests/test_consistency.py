"""The house rules that a linter cannot see. Each test derives what it looks at, so that new code is covered by itself."""

import ast
import io
import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import models

from catalogue.models import Organization

BASE_DIR = Path(__file__).parents[1]
PROJECT = tomllib.loads((BASE_DIR / "pyproject.toml").read_text())
#: Lowest last, as the import contract has them: one list for imports and for foreign keys.
LAYERS: list[str] = PROJECT["tool"]["importlinter"]["contracts"][0]["layers"]
OWN_MODELS = [model for model in apps.get_models() if model._meta.app_label in LAYERS]
#: History tables are written by triggers and read through the record that they belong to.
KEPT_BY_HAND = [model for model in OWN_MODELS if not hasattr(model, "pgh_tracked_model")]
LONGEST_MODULE = 450


def python_files(*folders: str) -> Iterator[Path]:
    """Python files of the repository, without migrations."""
    for folder in folders:
        for file in sorted((BASE_DIR / folder).rglob("*.py")):
            if not {"migrations", "node_modules"} & set(file.parts):
                yield file


def place(file: Path, node: ast.AST | None = None) -> str:
    name = str(file.relative_to(BASE_DIR))
    return f"{name}:{node.lineno}" if node is not None and hasattr(node, "lineno") else name


def syntax(file: Path) -> ast.Module:
    return ast.parse(file.read_text(), filename=str(file))


# --- the API's document


def test_the_api_document_is_whole() -> None:
    """Each address has types, each list of codes a name of its own: anything less is a warning, and fails."""
    out = io.StringIO()
    call_command("spectacular", validate=True, fail_on_warn=True, stdout=out)
    assert "/api/v1/referrals/" in out.getvalue()


# --- models


def test_foreign_keys_point_down() -> None:
    """String references escape the import contract: the tables obey it all the same."""
    upward = [
        f"{model._meta.label}.{field.name} -> {field.related_model._meta.label}"
        for model in OWN_MODELS
        for field in [*model._meta.concrete_fields, *model._meta.many_to_many]
        if isinstance(field.related_model, type)
        and field.related_model._meta.app_label in LAYERS
        and LAYERS.index(field.related_model._meta.app_label) < LAYERS.index(model._meta.app_label)
    ]
    assert upward == []


def belongs_to_an_organization(model: type[models.Model]) -> bool:
    """Whether a row says itself whose it is: a foreign key to the organisation that owns it."""
    return any(field.related_model is Organization for field in model._meta.concrete_fields)


#: Rows that name an organisation but are nobody's secret, with the reason.
PUBLIC: dict[str, str] = {
    "catalogue.User": "never listed by a page; the admin site shows users to administrators only",
    "catalogue.Contact": "a public part of the public directory, read through its service",
    "catalogue.Phone": "a public part of the public directory, read through its service",
    "catalogue.Location": "a public part of the public directory, read through its service",
    "catalogue.Practice": "published by NHS ODS",
}
#: Rows that are read only through the record that they are part of, which decides: model and field.
PARTS: dict[str, str] = {"flow.Transition": "task", "flow.HubStep": "entry"}


def test_each_model_of_a_tenant_says_who_may_see_it() -> None:
    silent = [
        model._meta.label
        for model in KEPT_BY_HAND
        if belongs_to_an_organization(model)
        and model._meta.label not in {**PUBLIC, **PARTS}
        and not hasattr(model._default_manager, "visible_to")
    ]
    assert silent == [], "Give each a QuerySet with visible_to(user), or say in PUBLIC why everybody may see it."


def test_what_is_public_or_part_of_another_record_exists() -> None:
    """A renamed model must not leave its exemption behind for another."""
    by_label = {model._meta.label: model for model in KEPT_BY_HAND}
    assert set(PUBLIC) <= set(by_label)
    wholes = [by_label[label]._meta.get_field(field).related_model for label, field in PARTS.items()]
    assert all(hasattr(whole._default_manager, "visible_to") for whole in wholes)


@pytest.mark.parametrize("model", [m for m in KEPT_BY_HAND if hasattr(m._default_manager, "visible_to")], ids=lambda m: m._meta.label)
def test_visible_to_is_the_models_own_decision(model: type[models.Model]) -> None:
    """The inherited answer is "nothing", which is safe but means that somebody forgot."""
    queryset = type(model._default_manager.all())
    assert queryset.visible_to.__qualname__ != "VisibleQuerySet.visible_to"


def test_checks_have_a_message_for_people() -> None:
    """A check that a form may break must not answer with the constraint's name."""
    mute = [
        f"{model._meta.label}: {constraint.name}"
        for model in KEPT_BY_HAND
        if hasattr(model._default_manager, "visible_to")
        for constraint in model._meta.constraints
        if isinstance(constraint, models.CheckConstraint)
        and constraint.violation_error_message == constraint.default_violation_error_message
    ]
    assert mute == [], "Add violation_error_message: what is wrong, and what to do."


# --- code


def translators() -> list[Path]:
    """Files that only translate between people or machines and the domain."""
    consumers = BASE_DIR / "notifications" / "consumers.py"
    api = [file for file in python_files(*LAYERS) if "api" in file.parent.relative_to(BASE_DIR).parts]
    return [*python_files("frontend/views"), *api, *([consumers] if consumers.exists() else [])]


def manager_calls(tree: ast.Module) -> Iterator[tuple[ast.AST, str]]:
    """Every use of a manager other than `visible_to` (and `none`, which asks nothing)."""
    blessed = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in {"visible_to", "none"} and isinstance(node.value, ast.Attribute)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in {"objects", "_default_manager", "_base_manager"} and id(node) not in blessed:
            yield node, ast.unparse(node)
        shortcut = (
            isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"get_object_or_404", "get_list_or_404"}
        )
        if shortcut and node.args and isinstance(node.args[0], ast.Name) and node.args[0].id[:1].isupper():
            yield node, ast.unparse(node)


def test_views_serializers_and_consumers_ask_only_what_is_visible() -> None:
    found = [f"{place(file, node)} {text}" for file in translators() for node, text in manager_calls(syntax(file))]
    assert found == [], "Views may call .objects.visible_to(user) and nothing else; move the question to queries.py."


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ("Service.objects.visible_to(user).filter(x=1)", 0),
        ("Service.objects.none()", 0),
        ("Service.objects.filter(x=1)", 1),
        ("get_object_or_404(Service, pk=1)", 1),
        ("get_object_or_404(Service.objects.visible_to(user), pk=1)", 0),
        ("Service._default_manager.all()", 1),
    ],
)
def test_the_search_for_manager_calls_finds_them(source: str, count: int) -> None:
    assert len(list(manager_calls(ast.parse(source)))) == count


def holds_verbs(file: Path) -> bool:
    """An app's `operations`, what that hands on from a module beside it, and what loads many rows at once."""
    if {"operations", "importers", "demo"} & {file.stem, file.parent.name}:
        return True
    operations, package = file.parent / "operations.py", ".".join(file.parent.relative_to(BASE_DIR).parts)
    return operations.exists() and f"from {package}.{file.stem} import" in operations.read_text()


def test_events_are_published_by_operations_alone() -> None:
    """An event belongs to a verb: one place to read what a change tells the world."""
    found = [
        place(file, node)
        for file in python_files(*LAYERS)
        if not holds_verbs(file) and file != BASE_DIR / "core" / "events.py"
        for node in ast.walk(syntax(file))
        if isinstance(node, ast.ImportFrom) and node.module == "core.events" and any(name.name == "publish" for name in node.names)
    ]
    assert found == []


#: What the framework begins or ends, and tells in no other way: a migration, a connection, a request; a receipt of mail (django-anymail).
OF_THE_FRAMEWORK = {"post_migrate", "connection_created", "request_started", "tracking"}


def test_no_django_signals() -> None:
    found = [
        place(file, node)
        for file in python_files(*LAYERS)
        for node in ast.walk(syntax(file))
        if (
            isinstance(node, ast.ImportFrom)
            and node.module
            and (node.module == "django.dispatch" or node.module.split(".")[-1] == "signals")
            and not (file.name in ("apps.py", "serving.py") and {name.name for name in node.names} <= OF_THE_FRAMEWORK)
        )
        or (isinstance(node, ast.ImportFrom) and any(name.name == "signals" for name in node.names))
    ]
    assert found == [], "Publish an event instead."


def test_no_module_is_two() -> None:
    lengths = {place(file): len(file.read_text().splitlines()) for file in python_files(*LAYERS, "tests")}
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_MODULE} == {}, "Split it by idea."


# --- pages

INLINE = {
    "a script in the page": re.compile(r"<script(?![^>]*\bsrc=)(?![^>]*type=\"application/(ld\+)?json\")", re.I),
    "a style sheet in the page": re.compile(r"<style\b", re.I),
    "a style attribute": re.compile(r"<[^>{]*\sstyle\s*=", re.I),
    "an event handler": re.compile(r"\s(on[a-z]+|hx-on[:\w.-]*)\s*=\s*[\"']", re.I),
    "a script address": re.compile(r"javascript:", re.I),
}
TEMPLATES = sorted(
    file.relative_to(BASE_DIR).as_posix()
    for file in (BASE_DIR / "frontend" / "templates").rglob("*")
    if file.suffix in {".jinja", ".html", ".svg"}
)


@pytest.mark.parametrize("template", TEMPLATES)
def test_templates_hold_nothing_that_the_content_policy_refuses(template: str) -> None:
    text = (BASE_DIR / template).read_text()
    found = [
        f"line {text[: match.start()].count(chr(10)) + 1}: {what}" for what, sought in INLINE.items() for match in sought.finditer(text)
    ]
    assert found == []


def test_no_lettering_of_nhs_england() -> None:
    """Only a deployment that is entitled to it may show a body's name, by its own setting."""
    files = [file for file in (BASE_DIR / "frontend").rglob("*") if file.suffix in {".jinja", ".html", ".py", ".js", ".scss", ".svg"}]
    shown = [file for file in files if not {"node_modules", "build"} & set(file.parts)]
    assert [place(file) for file in shown if "NHS England" in file.read_text()] == []


# --- dependencies


def test_each_dependency_says_what_it_is_for() -> None:
    lines = (BASE_DIR / "pyproject.toml").read_text().splitlines()
    declared = [*PROJECT["project"]["dependencies"], *PROJECT["dependency-groups"]["dev"]]
    silent = [dependency for dependency in declared if not any(f'"{dependency}"' in line and re.search(r"# \w+", line) for line in lines)]
    assert silent == []


def test_locks_name_no_registry() -> None:
    locks = sorted((BASE_DIR / "config" / "requirements").glob("*.txt"))
    assert [place(file) for file in locks if "://" in file.read_text()] == []
    packages = json.loads((BASE_DIR / "frontend" / "package-lock.json").read_text())["packages"]
    assert [name for name, package in packages.items() if "resolved" in package] == []
    assert all("integrity" in package for name, package in packages.items() if name)
