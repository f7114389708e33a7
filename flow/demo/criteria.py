"""What some services say besides the usual: diagnoses and guidelines, where their people are registered, more needs, marks of quality."""

from datetime import timedelta

from catalogue.models import Eligibility, EligibilityCriterion, QualityMark, RegistrationCriterion, Service
from flow.demo.services import Services
from flow.demo.world import World

_RULE = EligibilityCriterion.Rule
#: Kind of service → taxonomy, code, rule, how likely a service says so.
SAYS: dict[str, tuple[tuple[str, str, str, float], ...]] = {
    "physiotherapy": (
        ("condition", "nice|CG124", _RULE.PREFERRED, 0.4), ("condition", "nice|NG226", _RULE.ACCEPTS, 0.5),
        ("condition", "nice|NG236", _RULE.ACCEPTS, 0.4), ("need", "walks-unaided", _RULE.ACCEPTS, 0.3),
    ),
    "hospital-at-home": (
        ("condition", "nice|NG115", _RULE.ACCEPTS, 0.7), ("condition", "nice|NG106", _RULE.ACCEPTS, 0.6),
        ("condition", "snomed|2776000", _RULE.EXCLUDED, 0.3),
    ),
    "community-bed": (
        ("condition", "nice|CG124", _RULE.ACCEPTS, 0.5), ("condition", "nice|NG236", _RULE.PREFERRED, 0.4),
        ("condition", "snomed|2776000", _RULE.EXCLUDED, 0.2), ("need", "isolation", _RULE.ACCEPTS, 0.4),
        ("need", "risk-to-others", _RULE.EXCLUDED, 0.5),
    ),
    "talking-therapies": (
        ("condition", "nice|NG222", _RULE.ACCEPTS, 0.8), ("condition", "snomed|197480006", _RULE.ACCEPTS, 0.7),
        ("condition", "nice|NG116", _RULE.ACCEPTS, 0.5), ("condition", "nice|CG178", _RULE.EXCLUDED, 0.4),
    ),
    "recovery": (
        ("condition", "nice|CG115", _RULE.ACCEPTS, 0.8), ("condition", "snomed|75544000", _RULE.ACCEPTS, 0.6),
        ("referral-source", "justice", _RULE.ACCEPTS, 0.6), ("need", "homeless", _RULE.ACCEPTS, 0.6),
    ),
    "case-management": (("condition", "snomed|127295002", _RULE.REQUIRED, 0.5), ("condition", "nice|NG236", _RULE.ACCEPTS, 0.4)),
    "reablement": (("condition", "nice|NG74", _RULE.ACCEPTS, 0.5), ("need", "in-bed", _RULE.EXCLUDED, 0.5)),
    "home-dementia-residential": (
        ("condition", "nice|NG97", _RULE.ACCEPTS, 0.8), ("condition", "snomed|312991009", _RULE.EXCLUDED, 0.15),
        ("need", "dols", _RULE.ACCEPTS, 0.7), ("need", "risk-to-others", _RULE.EXCLUDED, 0.5),
    ),
    "home-dementia-nursing": (
        ("condition", "nice|NG97", _RULE.ACCEPTS, 0.8), ("need", "dols", _RULE.ACCEPTS, 0.7), ("need", "in-bed", _RULE.ACCEPTS, 0.6),
    ),
    "home-general-nursing": (
        ("need", "in-bed", _RULE.ACCEPTS, 0.7), ("need", "isolation", _RULE.ACCEPTS, 0.4), ("need", "tracheostomy", _RULE.EXCLUDED, 0.5),
        ("need", "dialysis", _RULE.ACCEPTS, 0.2),
    ),
    "home-mental-health-residential": (
        ("condition", "nice|CG178", _RULE.ACCEPTS, 0.7), ("condition", "nice|CG185", _RULE.ACCEPTS, 0.5),
    ),
    "peer-support": (
        ("condition", "snomed|82423001", _RULE.ACCEPTS, 0.3), ("referral-source", "friend", _RULE.ACCEPTS, 0.4),
        ("need", "isolated", _RULE.ACCEPTS, 0.5), ("need", "accompanied", _RULE.ACCEPTS, 0.4),
    ),
    "lunch-club": (
        ("need", "accompanied", _RULE.ACCEPTS, 0.5), ("need", "walks-unaided", _RULE.PREFERRED, 0.2),
        ("need", "isolated", _RULE.ACCEPTS, 0.5),
    ),
    "social-prescribing": (
        ("referral-source", "receptionist", _RULE.ACCEPTS, 0.6), ("referral-source", "pharmacy", _RULE.ACCEPTS, 0.4),
        ("need", "isolated", _RULE.ACCEPTS, 0.7), ("need", "accompanied", _RULE.ACCEPTS, 0.6),
    ),
    "housing-advice": (("need", "homeless", _RULE.ACCEPTS, 0.8), ("need", "asylum", _RULE.ACCEPTS, 0.4)),
    "befriending": (
        ("referral-source", "friend", _RULE.ACCEPTS, 0.5), ("referral-source", "receptionist", _RULE.ACCEPTS, 0.4),
        ("need", "isolated", _RULE.ACCEPTS, 0.9), ("need", "accompanied", _RULE.ACCEPTS, 0.4),
    ),
    "live-in-care": (("funding", "chc", _RULE.EXCLUDED, 0.2),),
}  # fmt: skip
#: Kinds of which some take only the patients of one network of practices.
FOR_PATIENTS = frozenset({"social-prescribing", "community-nursing", "physiotherapy"})
#: Rules that turn somebody away: a log-in's own services have none, so that its inbox is busy.
_REFUSES = frozenset({_RULE.REQUIRED, _RULE.EXCLUDED})


def say_more(world: World, services: Services, networks: list[tuple[str, str]]) -> None:
    """Add it to the rows of services that are already invented. `networks` are codes and names of networks of practices."""
    rng = world.chance("criteria")
    own = {world.special[key].pk for key in ("home", "homecare", "charity")}
    said = {(row.service_id, row.term_id) for row in world.rows[EligibilityCriterion]}
    for service in world.rows[Service]:
        kind = service.care_type.code
        for slug, code, rule, chance in SAYS.get(kind, ()):
            term = world.terms[slug, code]
            if rng.random() < chance and (service.pk, term.pk) not in said and not (service.organization_id in own and rule in _REFUSES):
                world.add(EligibilityCriterion(id=world.id("criterion"), service=service, term=term, rule=rule))
        if kind in FOR_PATIENTS and rng.random() < 0.35 and service.organization_id not in own:
            code, name = rng.choice(networks)
            world.add(RegistrationCriterion(id=world.id("registration"), service=service, kind="pcn", code=code, name=name))
        if kind == "digital-service" and rng.random() < 0.8:
            _review(world, service, score=rng.randint(45, 96), days=rng.randint(20, 700))
    for eligibility in world.rows[Eligibility]:
        if eligibility.sex == Eligibility.Sex.FEMALE:
            eligibility.sex_reason = Eligibility.SexReason.SAFETY
    _certificates(world)


def _review(world: World, service: Service, *, score: int, days: int) -> None:
    given = world.ago(days=days).date()
    world.add(
        QualityMark(
            id=world.id("mark"), service=service, scheme=QualityMark.Scheme.APP_REVIEW, name="Review of the app (invented)",
            score=score, out_of=100, awarded_on=given, expires_on=given + timedelta(days=730),
        )
    )  # fmt: skip


def _certificates(world: World) -> None:
    """A third of the charities are Trusted Charities, some no longer; few others hold a certificate."""
    rng = world.chance("certificates")
    organizations = {service.organization_id: service.organization for service in world.rows[Service]}
    for organization in organizations.values():
        if organization.is_confidential:
            continue
        charity = organization.kind == organization.Kind.CHARITY
        if rng.random() < (0.35 if charity else 0.08):
            given = world.ago(days=rng.randint(30, 1_400)).date()
            scheme = QualityMark.Scheme.NCVO if charity else QualityMark.Scheme.QISMET
            name = f"Trusted Charity, level {rng.choice((1, 1, 2))}" if charity else "QISMET standard"
            world.add(
                QualityMark(
                    id=world.id("mark"), organization=organization, scheme=scheme, name=name, awarded_on=given,
                    expires_on=given + timedelta(days=1_095),
                )
            )  # fmt: skip
