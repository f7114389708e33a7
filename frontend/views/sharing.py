"""What an organisation shares with others, under which agreements, and who has looked; its teams; one person's record."""

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST

from catalogue.models import User
from core import audit, clock
from core.errors import Invalid, LuneError
from flow.models import Grant, Pathway, Patient, SharingAgreement, Team
from flow.sharing import operations, queries
from frontend.forms.sharing import AgreementForm, ShareForm, TeamForm
from frontend.forms.tell import tell
from frontend.presenters.query import Query

from .access import SignedIn, for_roles

PAGE = 50
SETTERS = (User.Role.MANAGER, User.Role.ADMINISTRATOR)


@require_GET
@for_roles(*SETTERS)
def sharing(request: SignedIn) -> HttpResponse:
    """Agreements, what is open to whom under them, and teams. No person is named."""
    at, everything = clock.now(), request.GET.get("show") == "all"
    given = queries.grants(request.user, at, all_of_them=everything) if request.user.is_manager else Grant.objects.none()
    context = {
        "agreements": queries.agreements(request.user),
        "page": Paginator(given, PAGE).get_page(request.GET.get("page")),
        "had": queries.grants(request.user, at, given=False).count() if request.user.is_manager else 0,
        "teams": queries.teams_with_sizes(request.user),
        "everything": everything,
        "at": at,
        "query": Query(request.GET),
    }
    return render(request, "sharing/sharing.jinja", context)


@for_roles(*SETTERS)
def agreement_new(request: SignedIn) -> HttpResponse:
    """Record an agreement that was signed."""
    form = AgreementForm(
        request.POST or None,
        user=request.user,
        organizations=queries.organizations(request.user),
        pathways=Pathway.objects.visible_to(request.user),
    )
    if request.method == "POST" and form.is_valid():
        try:
            operations.agree(**form.agreed(), by=request.user, at=clock.now())
        except LuneError as error:
            tell(form, error)
        else:
            messages.success(request, "The agreement is recorded.")
            return redirect("sharing")
    return render(request, "sharing/agreement.jinja", {"form": form}, status=422 if request.method == "POST" else 200)


@for_roles(*SETTERS)
@require_POST
def agreement_end(request: SignedIn, pk: UUID) -> HttpResponse:
    """End one before its time; what is open under it is closed at once."""
    agreement = get_object_or_404(SharingAgreement.objects.visible_to(request.user), pk=pk)
    try:
        operations.end(agreement_id=agreement.pk, by=request.user, at=clock.now())
    except LuneError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, "The agreement has ended. What was open under it is closed.")
    return redirect("sharing")


@require_GET
@for_roles(User.Role.MANAGER)
def grant(request: SignedIn, pk: UUID) -> HttpResponse:
    """One thing that is shared, and who of the other organisation has looked."""
    mine = queries.grants(request.user, clock.now(), all_of_them=True)
    found = get_object_or_404(mine, pk=pk)
    return render(request, "sharing/grant.jinja", {"grant": found, "looks": queries.looks(found), "at": clock.now()})


@for_roles(User.Role.MANAGER, User.Role.REFERRER)
@require_POST
def revoke(request: SignedIn, pk: UUID) -> HttpResponse:
    """Close what is open, at once."""
    found = get_object_or_404(Grant.objects.visible_to(request.user).filter(organization=request.user.organization_id), pk=pk)
    try:
        operations.revoke(grant_id=found.pk, by=request.user, at=clock.now())
    except LuneError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, "Revoked. They see the record no longer.")
    back = request.POST.get("back", "")
    if url_has_allowed_host_and_scheme(back, allowed_hosts=None) and back.startswith("/"):
        return redirect(back)
    return redirect("patient-share", found.patient_id) if request.user.is_referrer and found.patient_id else redirect("sharing")


@for_roles(User.Role.MANAGER)
def team(request: SignedIn, pk: UUID | None = None) -> HttpResponse:
    """Make a team, or change one."""
    found = get_object_or_404(Team.objects.visible_to(request.user), pk=pk) if pk else None
    if request.user.organization is None:
        raise PermissionDenied
    initial = {
        "name": found.name, "members": found.members.all(), "manager": found.manager, "contact_email": found.contact_email,
        "contact_phone": found.contact_phone, "keeps_to_itself": found.keeps_to_itself,
    } if found else {}  # fmt: skip
    form = TeamForm(request.POST or None, initial=initial, people=queries.colleagues(request.user))
    if request.method == "POST" and form.is_valid():
        try:
            operations.save_team(team_id=found.pk if found else None, **form.saved(), by=request.user, at=clock.now())
        except LuneError as error:
            tell(form, error)
        else:
            messages.success(request, "The team is saved.")
            return redirect("sharing")
    context = {"form": form, "team": found}
    return render(request, "sharing/team.jinja", context, status=422 if request.method == "POST" else 200)


@for_roles(User.Role.REFERRER)
def patient_share(request: SignedIn, pk: UUID) -> HttpResponse:
    """With whom one person's record is shared; share it with others; and to which team it belongs."""
    with transaction.atomic():
        people = Patient.objects.visible_to(request.user).filter(organization=request.user.organization_id)
        patient = get_object_or_404(people.select_related("team"), pk=pk)
        audit.record_read(user=request.user, record_type="patient", record_id=patient.pk)
    at = clock.now()
    agreements = queries.agreements_to_share_under(request.user, at)
    form = ShareForm(
        request.POST if request.POST.get("do") == "share" else None,
        agreements=agreements,
        teams=queries.teams_of({agreement.with_organization_id for agreement in agreements}),
    )
    status = 200
    if request.method == "POST":
        status = 422
        try:
            if request.POST.get("do") == "team":
                named = request.POST.get("team")
                teams = {"": None, **{str(each.pk): each.pk for each in Team.objects.visible_to(request.user)}}
                if named not in teams:
                    raise Invalid("Choose one of your teams, or none.", field="team")
                operations.give_to_team(patient_id=patient.pk, team_id=teams[named], by=request.user, at=at)
                messages.success(request, "The record belongs to that team now." if named else "The record belongs to no team now.")
                return redirect("patient-share", pk)
            if form.is_valid():
                operations.share(**form.shared(patient), by=request.user, at=at)
                messages.success(request, "The record is shared. They see it from now on.")
                return redirect("patient-share", pk)
        except LuneError as error:
            tell(form, error) if form.is_bound else messages.error(request, error.message)
    context = {
        "patient": patient,
        "form": form,
        "agreements": agreements,
        "grants": queries.grants(request.user, at).filter(patient=patient),
        "teams": queries.teams_for(request.user),
        "at": at,
    }
    return render(request, "sharing/patient.jinja", context, status=status)
