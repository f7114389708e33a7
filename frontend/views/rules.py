"""Process rules: written and tried by managers and administrators, switched on with a reason, and what each did."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from catalogue.models import User
from core.clock import now
from core.errors import LuneError
from flow.models import ProcessRule, RuleDeed, RuleVersion
from flow.rules import operations, words
from frontend.forms.rules import RuleForm, values_of
from frontend.forms.tell import tell
from frontend.presenters.query import Query
from frontend.views.access import SignedIn, for_roles

SETTERS = (User.Role.MANAGER, User.Role.ADMINISTRATOR)
PAGE_SIZE = 25


@require_GET
@for_roles(*SETTERS)
def rules(request: SignedIn) -> HttpResponse:
    """Each rule in a line: what it does, and whether it is on."""
    mine = ProcessRule.objects.visible_to(request.user).select_related("live").prefetch_related("versions")
    return render(request, "rules/rules.jinja", {"rules": list(mine), "span": words.span})


@require_http_methods(["GET", "POST"])
@for_roles(*SETTERS)
def rule_new(request: SignedIn) -> HttpResponse:
    """Write a rule. It does nothing yet: the next page shows what it would have done."""
    form = RuleForm(request.POST or None) if request.method == "GET" else RuleForm(request.POST)
    if request.method == "POST" and (version := _written(request, form)):
        return redirect("rule", version.rule_id)
    return render(request, "rules/write.jinja", {"form": form}, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "POST"])
@for_roles(*SETTERS)
def rule(request: SignedIn, pk: UUID) -> HttpResponse:
    """One rule: what it would have done in 30 days, its versions, its switch, and what it did."""
    found = get_object_or_404(ProcessRule.objects.visible_to(request.user).select_related("live"), pk=pk)
    versions = list(found.versions.select_related("rule", "by"))
    form, problem = RuleForm(initial=values_of(versions[0])), ""
    if request.method == "POST":
        if "write" in request.POST:
            form = RuleForm(request.POST)
            if _written(request, form, pk):
                return redirect("rule", pk)
        else:
            problem = _switched(request, pk)
            if not problem:
                return redirect("rule", pk)
    deeds = RuleDeed.objects.visible_to(request.user).filter(rule=found)
    context: dict[str, Any] = {
        "rule": found,
        "versions": versions,
        "newest": versions[0],
        "trial": operations.dry_run(versions[0], at=now()),
        "switches": list(found.switches.select_related("version", "by")),
        "page": Paginator(deeds, PAGE_SIZE).get_page(request.GET.get("page")),
        "query": Query(request.GET),
        "reference": words.reference,
        "span": words.span,
        "deed": words.deed(versions[0]),
        "conditions": words.conditions(versions[0]),
        "form": form,
        "problem": problem,
    }
    return render(request, "rules/rule.jinja", context, status=422 if request.method == "POST" else 200)


def _written(request: SignedIn, form: RuleForm, rule_id: UUID | None = None) -> RuleVersion | None:
    if not form.is_valid():
        return None
    try:
        version = operations.write(by=request.user, at=now(), rule_id=rule_id, **form.said())
    except LuneError as error:
        tell(form, error)
        return None
    messages.success(request, f"Version {version.number} is written. It does nothing until somebody switches it on.")
    return version


def _switched(request: SignedIn, pk: UUID) -> str:
    """Switch the newest version on, or the rule off. Returns what is wrong; empty when it is done."""
    reason, by, at = request.POST.get("reason", ""), request.user, now()
    try:
        if "off" in request.POST:
            operations.switch_off(rule_id=pk, reason=reason, by=by, at=at)
            messages.success(request, "The rule is switched off. What it did stays done.")
        else:
            operations.switch_on(version_id=_uuid(request.POST.get("on", "")), reason=reason, by=by, at=at)
            messages.success(request, "The rule is switched on. It acts on what happens from now on.")
    except LuneError as error:
        return error.message
    return ""


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        return UUID(int=0)
