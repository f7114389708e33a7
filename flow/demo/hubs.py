"""A hub with a queue, agreements to share, teams and three pathways, as the demonstration begins with them."""

from datetime import datetime, timedelta

from catalogue.models import Area, Organization, User
from core.errors import LuneError
from flow.demo.logins import DOMAIN, HOSPITAL, NETWORK, PRACTICE
from flow.hubs import needs, operations
from flow.models import Episode, Hub, PathwayVersion, Patient, SharingAgreement, Team
from flow.pathways import operations as pathways
from flow.pathways.configuration import Configuration, Expected, Question, RoleName, Tool
from flow.sharing import operations as sharing

HUB = "Lune and Bay single point of access"
YEAR = timedelta(days=365)

#: Code, name, for whom, and what the first version says.
PATHWAYS: tuple[tuple[str, str, str, Configuration], ...] = (
    (
        "cancer-support",
        "Cancer support",
        "People who live with cancer, in treatment or after it, and those close to them",
        Configuration(
            questions=(
                Question("stage", "Where are they in their treatment?", "choice", True, "before", ("Before", "In treatment", "After")),
                Question("travels", "Can they travel by themselves?", "yes-no", False, "before"),
                Question("matters", "What matters most to them now?", "text"),
                Question("treatment-on", "When is the next treatment?", "date"),
            ),
            steps=(
                Expected("triaged", 1, "working-days"),
                Expected("accepted", 5, "working-days"),
                Expected("started", 10, "working-days"),
            ),
            care_types=("talking-therapies", "peer-support", "carer-support", "befriending", "welfare-benefits", "social-prescribing"),
            outcome_tools=(Tool("ONS4", (0, 84)), Tool("Distress thermometer", (0, 28, 84))),
            role_names=(RoleName("link-worker", "cancer support worker"),),
        ),
    ),
    (
        "long-covid",
        "Long Covid",
        "People with symptoms for twelve weeks or more after Covid",
        Configuration(
            questions=(
                Question("weeks", "For how many weeks?", "number", True, "before"),
                Question("walks", "How far can they walk?", "choice", True, "before", ("Within a room", "A street", "Half a mile or more")),
                Question("works", "Are they off work because of it?", "yes-no", False, "before"),
                Question("tried", "What have they tried already?", "text"),
            ),
            steps=(
                Expected("triaged", 2, "working-days"),
                Expected("answered", 5, "working-days"),
                Expected("started", 20, "working-days"),
            ),
            care_types=("physiotherapy", "physical-activity", "talking-therapies", "peer-support", "occupational-therapy"),
            outcome_tools=(Tool("C19-YRSm", (0, 42, 180)), Tool("EQ-5D-5L", (0, 180))),
            role_names=(RoleName("link-worker", "recovery coach"),),
        ),
    ),
    (
        "winter-ready",
        "Winter-ready discharge",
        "People who go home from hospital between November and March and may not be warm or fed there",
        Configuration(
            questions=(
                Question("heating", "Is there heating at home that works?", "yes-no", True, "before"),
                Question("food", "Is there food in the house?", "yes-no", True, "before"),
                Question("alone", "Do they live alone?", "yes-no", True, "before"),
                Question("home-on", "When do they go home?", "date", True),
                Question("keys", "How does one get in, and who has a key?", "text"),
            ),
            steps=(Expected("triaged", 2, "hours"), Expected("answered", 8, "hours"), Expected("started", 24, "hours")),
            care_types=("home-care", "meals-at-home", "reablement", "poverty-crisis", "transport", "equipment"),
            outcome_tools=(Tool("ONS4", (14,)),),
            role_names=(RoleName("link-worker", "home-from-hospital worker"),),
        ),
    ),
)


def load(*, seed: int, at: datetime) -> int:
    """Set these up. Returns how many referrals are in the hub. The region must be there."""
    boss = User.objects.filter(email=f"admin@{DOMAIN}").first()
    network = Organization.objects.filter(name=NETWORK).first()
    worker = User.objects.filter(email=f"linkworker@{DOMAIN}").first()
    if boss is None or network is None or worker is None:
        return 0
    colleagues = User.objects.filter(organization=network, role=User.Role.REFERRER, is_active=True).exclude(pk=worker.pk).order_by("pk")[:3]
    team = Team.objects.create(organization=network, name="Single point of access", created_at=at, contact_email=f"hub@{DOMAIN}")
    team.members.set([worker, *colleagues])
    about = "Support at home and in the community"
    hub = Hub.objects.create(organization=network, team=team, name=HUB, about=about, created_at=at)
    hub.pathways.set([_pathway(pathway, boss, at).pathway for pathway in PATHWAYS])
    for name in (HOSPITAL, PRACTICE):
        _agree(name, network, "triage", boss, at)
    shared = _agree(PRACTICE, network, "shared-care", boss, at)
    _safeguarding(at)
    sent = sum(_sent(login, hub, worker, at) for login in ("discharge", "gp"))
    _share(shared, at)
    return sent


def _pathway(told: tuple[str, str, str, Configuration], boss: User, at: datetime) -> PathwayVersion:
    code, name, for_whom, configuration = told
    district = Area.objects.filter(kind=Area.Kind.DISTRICT).order_by("code").values_list("code", flat=True).first()
    names = (*configuration.role_names, RoleName("link-worker", "community connector", district or ""))[: 2 if district else 1]
    whole = Configuration(configuration.questions, configuration.steps, configuration.care_types, configuration.outcome_tools, names)
    draft = pathways.start(code=code, name=name, for_whom=for_whom, by=boss, at=at)
    pathways.change(version_id=draft.pk, configuration=whole, name=name, for_whom=for_whom, hub_ids=[], note="The first", by=boss, at=at)
    return pathways.publish_version(version_id=draft.pk, by=boss, at=at)


def _agree(name: str, network: Organization, purpose: str, boss: User, at: datetime) -> SharingAgreement:
    return sharing.agree(
        organization_id=Organization.objects.get(name=name).pk, with_organization_id=network.pk, pathway_id=None, purpose=purpose,
        legal_basis="direct-care", reference=f"ISA-{at:%Y}-{purpose}", starts_at=at - timedelta(days=30), ends_at=at + YEAR, by=boss, at=at,
    )  # fmt: skip


def _safeguarding(at: datetime) -> None:
    """A team that keeps its records to itself; nobody of the log-ins is in it, so that one sees that one does not see."""
    hospital = Organization.objects.get(name=HOSPITAL)
    Team.objects.create(organization=hospital, name="Safeguarding", keeps_to_itself=True, created_at=at)
    ward = Team.objects.create(organization=hospital, name="Discharge lounge", created_at=at)
    ward.members.set(User.objects.filter(organization=hospital, role=User.Role.REFERRER))


#: Which pathway, how urgent, what was answered, and what the hub has done since.
_ENTRIES = (
    ("winter-ready", "urgent", {"heating": "no", "food": "no", "alone": "yes", "home-on": "{day}", "keys": "The neighbour has one."}, ""),
    ("cancer-support", "routine", {"stage": "In treatment", "travels": "no", "matters": "To see her garden this spring."}, "triage"),
    ("long-covid", "routine", {"weeks": "30", "walks": "A street", "works": "yes"}, "ask"),
)


def _sent(login: str, hub: Hub, worker: User, at: datetime) -> int:
    by = User.objects.filter(email=f"{login}@{DOMAIN}").first()
    if by is None:
        return 0
    stays = Episode.objects.of_ones_own(by).waiting().select_related("patient").order_by("-ready_at", "pk")[: len(_ENTRIES)]
    sent = 0
    for number, (stay, (code, urgency, answers, then)) in enumerate(zip(stays, _ENTRIES, strict=False)):
        version = PathwayVersion.objects.get(pathway__code=code)
        when = at - timedelta(hours=1 + 3 * number)
        typed = {key: value.format(day=f"{at + timedelta(days=1):%Y-%m-%d}") for key, value in answers.items()}
        try:
            need = needs.need_for(stay.patient, version, by=by, at=when)
            entry = operations.send(
                patient_id=stay.patient_id,
                profile_id=need.pk,
                hub_id=hub.pk,
                by=by,
                at=when,
                urgency=urgency,
                reason="Please find what helps at home.",
                consent=True,
                episode_id=stay.pk,
                version_id=version.pk,
                typed=typed,
            )
        except LuneError:  # somebody who said no when the region was made
            continue
        sent += 1
        if then == "triage":
            operations.triage(entry_id=entry.pk, urgency=urgency, by=worker, at=at)
        elif then == "ask":
            operations.ask(entry_id=entry.pk, words="Do they have stairs at home?", by=worker, at=at)
    return sent


def _share(agreement: SharingAgreement, at: datetime) -> None:
    by = User.objects.filter(email=f"gp@{DOMAIN}").first()
    if by is None:
        return
    patient = Patient.objects.visible_to(by).filter(organization=by.organization_id).order_by("pk").first()
    if patient is not None:
        ends_at = at + timedelta(days=90)
        sharing.share(patient_id=patient.pk, agreement_id=agreement.pk, ends_at=ends_at, consent=True, by=by, at=at)
