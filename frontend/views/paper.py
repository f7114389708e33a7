"""Referrals that came on paper, by e-mail or by phone: one page each, and the next."""

from datetime import date, datetime
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

import flow.casework.operations as casework
import flow.intake.operations as intake
import matching.operations
from catalogue.models import User
from core import audit, clock
from core.errors import LuneError
from flow.models import Patient
from flow.pathways import choosing
from frontend.forms.need import NeedForm
from frontend.forms.paper import ChosenForm, PaperForm
from frontend.forms.pathway_questions import chosen as chosen_pathway
from frontend.forms.tell import tell
from frontend.presenters import match as presenter
from frontend.presenters.match import chosen
from matching.models import MatchRun

from .access import SignedIn, for_roles
from .find import USUAL_PATHWAY
from .on_pathway import OnPathway, on_pathway
from .patients import already, looked

#: So many services are offered.
OFFERED = 8
#: What stays for the next one: usually it came in the same pile.
STAYS = ("channel", "sector", "sender", "received_on")


@for_roles(User.Role.REFERRER)
def paper(request: SignedIn) -> HttpResponse:
    """One page: who, what and where from; the services that fit; send, or send and enter the next."""
    if request.method != "POST":
        initial = {name: request.GET[name] for name in STAYS if request.GET.get(name)}
        return render(request, "refer/paper.jinja", {"form": PaperForm(initial=initial)})
    at = clock.now()
    form = PaperForm(request.POST)
    run = _run(request)
    rows: list[Any] = []
    picked: ChosenForm | None = None
    on: OnPathway | None = None
    asking = False
    known: list[Patient] = []
    if form.is_valid():
        try:
            if run is None or not _still_asks(run, form):
                run = _rank(request, form, at)
            rows = _rows(request, run, form, at)
            pools = [row.line.pool_id for row in rows]
            on = on_pathway(request, choosing.fitting_one(choosing.current_versions(request.user), pools) if pools else [])
            sending = request.POST.get("do") in ("send", "next")
            asking = sending and not on.lost and on.asks_first
            offered: dict[str, Any] = {"pools": pools, "versions": on.versions, "version": on.version}
            if sending and not asking:
                picked = ChosenForm(request.POST, request.FILES, **offered)
                if picked.is_valid():
                    return _enter(request, form, picked, run, at)
            else:
                given = request.POST.dict() | {"pathway": on.version.pk if on.version else ""}
                picked = ChosenForm(initial=given, **offered)
        except LuneError as error:
            if picked is not None and error.details.get("field") == "file":
                picked.add_error("scan", error.message)
            elif picked is not None and error.details.get("field") == "pathway":
                picked.add_error("pathway", error.message)
            elif error.code == "perhaps-recorded":
                known = already(request, error)
            else:
                tell(form, error)
    context = {"form": form, "run": run, "rows": rows, "picked": picked, "only": _named(rows, form), "known": known}
    context |= {"on": on, "asking": asking}
    status = (
        409 if known or (asking and on is not None and on.is_newer) else 200 if not form.errors and not (picked and picked.errors) else 422
    )
    return render(request, "refer/paper.jinja", context, status=status)


@transaction.atomic
def _enter(request: SignedIn, form: PaperForm, picked: ChosenForm, run: MatchRun, at: datetime) -> HttpResponse:
    said = form.cleaned_data
    referral = intake.enter(
        person=form.person(),
        origin=form.origin(),
        profile_id=run.profile_id,
        match_run_id=run.pk,
        pool_ids=[picked.cleaned_data["pool"]],
        reason=said["reason"],
        consent=said["consent"],
        by=request.user,
        at=at,
        **chosen_pathway(picked, picked.questions),
        **looked(request),
    )
    if scan := picked.cleaned_data["scan"]:
        casework.add_document(
            patient_id=referral.patient_id, referral_id=referral.pk, title=f"Referral of {said['received_on']:%-d %B %Y}", file=scan,
            by=request.user, at=at,
        )  # fmt: skip
    audit.record_read(user=request.user, record_type="patient", record_id=referral.patient_id)
    if request.POST["do"] == "send":
        return redirect("referral", referral.pk)
    messages.success(request, "Sent. Enter the next one.")
    # Only where the pile came from goes on: no word of the person is in an address.
    return redirect(
        f"{reverse('refer-paper')}?channel={said['channel']}&sector={said['sector']}&received_on={said['received_on']:%Y-%m-%d}"
    )


def _run(request: SignedIn) -> MatchRun | None:
    named = chosen([request.POST.get("run", "")])
    return MatchRun.objects.visible_to(request.user).select_related("profile").filter(pk__in=named).first() if named else None


def _still_asks(run: MatchRun, form: PaperForm) -> bool:
    """Whether the list is of what the page says now: somebody may have changed the kind, the age or the place since."""
    said, need = form.cleaned_data, run.profile
    return bool(need.care_types == [said["care"]] and need.age == _age(said["birth_date"]) and said["postcode"].startswith(need.outcode))


def _rank(request: SignedIn, form: PaperForm, at: datetime) -> MatchRun:
    said = form.cleaned_data
    of_work = USUAL_PATHWAY.get(request.user.organization.kind, "") if request.user.organization else ""
    data = {"age": _age(said["birth_date"]), "sex": said["sex"], "postcode": said["postcode"], "care_types": [said["care"]]}
    need = NeedForm(data | {"miles": 15, "pathway": of_work})
    need.full_clean()
    with transaction.atomic():
        profile = matching.operations.profile_from(need.need(timezone.localdate()), by=request.user)
        return matching.operations.match(profile, by=request.user, at=at, nearly=True)


def _rows(request: SignedIn, run: MatchRun, form: PaperForm, at: datetime) -> list[Any]:
    """The services that fit: those that the paper names first."""
    found = presenter.rows(matching.operations.lines(run), user=request.user, at=at)
    name = form.cleaned_data["service"].strip().lower()
    named = [row for row in found if name and name in row.line.service_name.lower()]
    return [*named, *(row for row in found if row not in named)][:OFFERED]


def _named(rows: list[Any], form: PaperForm) -> Any:
    """The place of the one service that the paper names, if it is one."""
    name = form.cleaned_data.get("service", "").strip().lower() if form.is_bound else ""
    named = [row.line.pool_id for row in rows if name and name in row.line.service_name.lower()]
    return named[0] if len(named) == 1 else None


def _age(born: date) -> int:
    today = timezone.localdate()
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))
