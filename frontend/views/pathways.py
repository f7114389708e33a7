"""Pathways as administrators set them up: a list, the versions of each with a preview, and the draft."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from catalogue.models import User
from core.clock import now
from core.errors import LuneError
from flow.models import Hub, Pathway, PathwayVersion
from flow.pathways import operations
from flow.pathways.configuration import MILESTONES, ROLES, SHOWN, area_names, care_type_names, read
from frontend.forms.hub import HubForm
from frontend.forms.pathways import Editor, NewPathwayForm
from frontend.forms.tell import tell

from .access import SignedIn, for_roles

SETTER = User.Role.ADMINISTRATOR


@require_GET
@for_roles(SETTER)
def pathways(request: SignedIn) -> HttpResponse:
    """All pathways, with what is in use."""
    found = Pathway.objects.visible_to(request.user).prefetch_related("versions", "hubs")
    return render(request, "pathways/list.jinja", {"pathways": found})


@for_roles(SETTER)
def pathway_new(request: SignedIn) -> HttpResponse:
    """Begin a pathway; its draft opens."""
    form = NewPathwayForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            version = operations.start(**form.cleaned_data, by=request.user, at=now())
        except LuneError as error:
            tell(form, error)
        else:
            return redirect("pathway-edit", version.pathway_id)
    return render(request, "pathways/new.jinja", {"form": form}, status=422 if request.method == "POST" else 200)


@require_GET
@for_roles(SETTER)
def pathway(request: SignedIn, pk: UUID) -> HttpResponse:
    """One pathway: a version as a sender would meet it, and all its versions."""
    found = get_object_or_404(Pathway.objects.visible_to(request.user), pk=pk)
    versions = list(PathwayVersion.objects.visible_to(request.user).filter(pathway=found).select_related("published_by"))
    wanted = request.GET.get("version", "")
    version = next((each for each in versions if str(each.number) == wanted), versions[0])
    configured = read(version)
    preview = HubForm(hubs=Hub.objects.visible_to(request.user).none(), version=version)
    context = {
        "pathway": found,
        "versions": versions,
        "version": version,
        "configured": configured,
        "questions": [(question, SHOWN[question.shown], preview[f"answer-{question.key}"]) for question in configured.questions],
        "care_types": care_type_names(configured.care_types),
        "milestones": MILESTONES,
        "roles": ROLES,
        "hubs": found.hubs.all(),
        "organizations": found.organizations.all(),
        "areas": area_names(configured),
    }
    return render(request, "pathways/pathway.jinja", context)


@for_roles(SETTER)
def pathway_edit(request: SignedIn, pk: UUID) -> HttpResponse:
    """The draft. Saving keeps it for oneself; senders meet it once it is published."""
    found = get_object_or_404(Pathway.objects.visible_to(request.user), pk=pk)
    version = operations.draft(pathway_id=found.pk, by=request.user, at=now())
    editor = Editor(version, Hub.objects.visible_to(request.user), request.POST or None)
    if request.method == "POST" and editor.is_valid():
        data = editor.form.cleaned_data
        try:
            operations.change(
                version_id=version.pk,
                configuration=editor.configuration(),
                name=data["name"],
                for_whom=data["for_whom"],
                hub_ids=[hub.pk for hub in data["hubs"]],
                organization_ids=[organization.pk for organization in data["organizations"]],
                note=data["note"],
                by=request.user,
                at=now(),
            )
        except LuneError as error:
            tell(editor.form, error)
        else:
            if request.POST.get("do") == "more":
                return redirect("pathway-edit", pk)
            messages.success(request, "The draft is saved. Below is what a sender would meet.")
            return redirect("pathway", pk)
    context = {"pathway": found, "version": version, "editor": editor, "form": editor.form}
    return render(request, "pathways/edit.jinja", context, status=422 if request.method == "POST" else 200)


@for_roles(SETTER)
@require_POST
def pathway_step(request: SignedIn, pk: UUID, action: str) -> HttpResponse:
    """Publish the draft, or take the pathway out of use or bring it back."""
    if action not in ("publish", "use", "leave"):
        raise Http404
    found = get_object_or_404(Pathway.objects.visible_to(request.user), pk=pk)
    try:
        if action == "publish":
            version = operations.draft(pathway_id=found.pk, by=request.user, at=now())
            operations.publish_version(version_id=version.pk, by=request.user, at=now())
            messages.success(request, "Published. Referrals sent from now on carry this version.")
        else:
            operations.set_in_use(pathway_id=found.pk, is_active=action == "use", by=request.user, at=now())
            messages.success(request, "The pathway is in use." if action == "use" else "The pathway is out of use. Referrals on it go on.")
    except LuneError as error:
        messages.error(request, error.message)
    return redirect("pathway", pk)
