"""What is needed, what was answered, and the packed facts that the ranking query reads."""

import uuid
from typing import Self

from django.contrib.gis.db import models
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.functions import RandomUUID
from django.db.models import Func
from django.db.models.functions import MD5, Cast, Now
from django.utils import timezone

from capacity.models import ServiceCapacity
from catalogue.models import Organization, User
from core.geo import BNG
from core.models import PgCurrentXactId, Xid8Field
from core.scoping import VisibleQuerySet
from matching.engine.check import Ranked


class OwnedQuerySet(VisibleQuerySet):
    """Rows that belong to the organisation that made them."""

    def visible_to(self, user) -> Self:
        if getattr(user, "is_authenticated", False) and user.organization_id and user.is_referrer:
            return self.filter(organization_id=user.organization_id)
        return self.none()


class Pathway(models.TextChoices):
    """Kinds of work that may rank by weights of their own."""

    P0 = "P0", "P0: home, no new support"
    P1 = "P1", "P1: home with support"
    P2 = "P2", "P2: community bed"
    P3 = "P3", "P3: care home"
    COMMUNITY = "C", "Community: waits at home"
    PRIMARY_CARE = "primary-care", "Primary care"
    SOCIAL_PRESCRIBING = "social-prescribing", "Social prescribing"
    MENTAL_HEALTH = "mental-health", "Mental health"


class NeedProfile(models.Model):
    """What somebody needs, with no name or number in it. Still personal data.

    Codes are those of `catalogue.vocabulary`. `needs` may be met or not known; `must_haves` must be stated by the
    service; `preferences` only raise the score.
    """

    class Sex(models.TextChoices):
        FEMALE = "female", "Female"
        MALE = "male", "Male"
        OTHER = "other", "Other"
        UNKNOWN = "unknown", "Not known"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    age = models.PositiveSmallIntegerField()
    sex = models.CharField(max_length=10, choices=Sex.choices, default=Sex.UNKNOWN)
    outcode = models.CharField(max_length=4, help_text="First half of the postcode: all that others are shown.")
    point = models.PointField(srid=BNG, help_text="Centre of the postcode.")
    place_is_approximate = models.BooleanField(default=False, help_text="True when only the outcode's centre was known.")
    care_types = ArrayField(models.CharField(max_length=100), help_text="Any of these kinds of service will do.")
    needs = ArrayField(models.CharField(max_length=100), default=list, blank=True)
    must_haves = ArrayField(models.CharField(max_length=100), default=list, blank=True)
    preferences = ArrayField(models.CharField(max_length=100), default=list, blank=True)
    languages = ArrayField(models.CharField(max_length=10), default=list, blank=True)
    funding = ArrayField(models.CharField(max_length=100), default=list, blank=True, help_text="Any of these; empty: not said.")
    referral_source = models.CharField(max_length=100, blank=True)
    budget_week = models.DecimalField(max_digits=8, decimal_places=2, null=True, blank=True)
    max_distance_m = models.PositiveIntegerField(default=24_140, help_text="15 miles unless said.")
    drives = models.BooleanField(null=True, blank=True)
    needed_by = models.DateField(null=True, blank=True, help_text="A date close by leaves waiting lists out.")
    conditions = ArrayField(
        models.CharField(max_length=100), default=list, blank=True, help_text="Diagnoses and guidelines, as system|code."
    )
    practice = models.CharField(max_length=10, blank=True, help_text="ODS code of the general practice where the person is registered.")
    marks = ArrayField(models.CharField(max_length=20), default=list, blank=True, help_text="Marks of quality that are wished for.")
    max_minutes = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="Longest travel time, in the way that the person travels."
    )
    times = ArrayField(
        models.CharField(max_length=10),
        default=list,
        blank=True,
        db_default=[],
        help_text="When it would suit: days like MO and parts of the day like evening; empty: at any time.",
    )
    pathway = models.CharField(
        max_length=20, choices=Pathway.choices, blank=True, db_default="", help_text="Whose weights rank; empty: the general ones."
    )
    activation_level = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="Of the Patient Activation Measure, 1 to 4: the level alone, none of its questions."
    )
    all_wanted = models.BooleanField(default=False, db_default=False, help_text="One service of each kind is wanted, not one of any.")
    carried_only = models.BooleanField(default=False, db_default=False, help_text="Only services that say they take one of `conditions`.")

    objects = OwnedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(age__lte=125),
                name="age_of_a_person",
                violation_error_message="Give an age from 0 to 125.",
            ),
            models.CheckConstraint(
                condition=models.Q(care_types__len__gte=1),
                name="some_care_type",
                violation_error_message="Choose at least one kind of service.",
            ),
            models.CheckConstraint(
                condition=models.Q(activation_level=None) | models.Q(activation_level__range=(1, 4)),
                name="activation_level_of_four",
                violation_error_message="Give the activation level as a number from 1 to 4.",
            ),
        ]

    def __str__(self) -> str:
        return f"{', '.join(self.care_types)} near {self.outcode}"


class WeightSetQuerySet(models.QuerySet["WeightSet"]):
    def newest(self, pathway: str = "") -> "WeightSet":
        """The newest set for a pathway; where it has none of its own, the newest general one."""
        return self.filter(pathway__in={pathway, ""}).order_by("-pathway", "-version")[0]


class WeightSet(models.Model):
    """How much each factor counts, in points of 1000. Versioned: a change is a new row, so that old runs can be replayed."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    version = models.PositiveIntegerField(unique=True)
    pathway = models.CharField(
        max_length=20, choices=Pathway.choices, blank=True, db_default="", help_text="Empty: for all that have none of their own."
    )
    weights = models.JSONField(help_text='{"distance": 300, "availability": 300, …}; they need not add up to 1000.')
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    note = models.CharField(max_length=200, blank=True)
    chances = models.JSONField(
        default=dict, blank=True, db_default={}, help_text="What `engine.likelihood` takes; empty: nothing learned is switched on."
    )

    objects = WeightSetQuerySet.as_manager()

    class Meta:
        ordering = ["-version"]
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(weights__likelihood__gt=0) | models.Q(chances__has_key="table"),
                name="no_points_for_a_guess",
                violation_error_message="How likely a yes is may count only while a version that was learned is switched on.",
            ),
        ]

    def __str__(self) -> str:
        return f"Weights {self.version}"


class MatchRun(models.Model):
    """One ranking: its inputs, weights and engine version, so that it can be replayed to the same answer."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    profile = models.ForeignKey(NeedProfile, on_delete=models.CASCADE, related_name="runs")
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField(help_text="The instant for which the answer holds.")
    weights = models.JSONField()
    weights_version = models.PositiveIntegerField()
    engine_version = models.CharField(max_length=20)
    problem = models.JSONField(help_text="The profile as the engine saw it.")
    considered = models.PositiveIntegerField(help_text="Pools of the right kind within reach, before hard rules.")
    misses = models.JSONField(default=dict, blank=True, help_text="When nobody fits: the nearest misses and what would open most.")
    took_ms = models.FloatField()
    travel = models.JSONField(
        default=dict, blank=True, db_default={}, help_text="What a route planner said of the best, when one was asked."
    )
    part_of = models.ForeignKey("self", on_delete=models.CASCADE, null=True, blank=True, related_name="parts")
    part = models.CharField(
        max_length=20,
        blank=True,
        default="",
        db_default="",
        help_text="“package”, or a code of `matching.support`; empty: stands by itself.",
    )
    because = ArrayField(
        models.CharField(max_length=20), default=list, blank=True, db_default=[], help_text="Codes of the rules that suggested a support."
    )

    objects = OwnedQuerySet.as_manager()

    #: What was ranked and stored a moment ago, so that whoever asked need not read it back: the lines with the points of each factor, and
    #: the rankings that belong to this one. None for a run that was read.
    just_ranked: list[tuple[Ranked, dict[str, int]]] | None = None
    just_parts: "list[MatchRun] | None" = None

    class Meta:
        ordering = ["-at"]

    def __str__(self) -> str:
        return f"Match of {self.at:%d %b %Y %H:%M}"


class MatchCandidate(models.Model):
    """One line of a ranking, with the facts it was judged by at that instant."""

    id = models.BigAutoField(primary_key=True)
    run = models.ForeignKey(MatchRun, on_delete=models.CASCADE, related_name="candidates")
    rank = models.PositiveSmallIntegerField()
    pool = models.ForeignKey(ServiceCapacity, on_delete=models.CASCADE, related_name="+")
    score = models.IntegerField()
    distance_m = models.PositiveIntegerField(null=True)
    facts = models.JSONField(help_text="The pool's packed facts at that instant.")
    terms = models.JSONField(help_text="What each factor added.")

    class Meta:
        ordering = ["run", "rank"]
        constraints = [models.UniqueConstraint(fields=["run", "rank"], name="one_candidate_per_rank")]

    def __str__(self) -> str:
        return f"{self.rank}. {self.pool_id}"


class PoolFact(models.Model):
    """A pool as the ranking query reads it: one row, masks and small integers. A projection, written only by database triggers.

    Masks use the bits of `catalogue.vocabulary`. A mask of 0 for funding, languages or sources means not stated.
    The index and the fill factor live in migration 0002: nothing that changes with a count is indexed, so that such a
    change stays on its page (HOT).
    """

    pool = models.OneToOneField(ServiceCapacity, on_delete=models.CASCADE, primary_key=True, related_name="fact")
    service_id = models.UUIDField(db_index=True)
    care_type = models.SmallIntegerField()
    is_open = models.BooleanField()
    point = models.PointField(srid=BNG, null=True, spatial_index=False, help_text="Whole metres. Null: online or not placed.")
    online = models.BooleanField(default=False)
    catchment_m = models.IntegerField(help_text="A very large number when no limit is stated.")
    area_ids = ArrayField(models.IntegerField(), null=True, help_text="Areas whose residents are taken; null: not limited.")
    accepts = models.BigIntegerField(default=0)
    requires = models.BigIntegerField(default=0)
    excludes = models.BigIntegerField(default=0)
    prefers = models.BigIntegerField(default=0)
    funding = models.BigIntegerField(default=0)
    languages = models.BigIntegerField(default=0)
    sources = models.BigIntegerField(default=0)
    min_age = models.SmallIntegerField(null=True)
    max_age = models.SmallIntegerField(null=True)
    sex = models.SmallIntegerField(default=0, help_text="0 not stated, 1 female only, 2 male only, 3 any, 4 both 1 and 2: nobody.")
    price_pence = models.IntegerField(null=True, help_text="A week; null: not stated.")
    cqc_rating = models.SmallIntegerField(null=True)
    assured_on = models.DateField(null=True)
    free = models.IntegerField(null=True)
    maximum = models.IntegerField(null=True)
    status = models.SmallIntegerField(help_text="0 capacity, 1 no-capacity, 2 waitlist, 3 assessment first.")
    reported_at = models.DateTimeField(null=True)
    fresh_s = models.IntegerField()
    expire_s = models.IntegerField()
    has_extent = models.BooleanField(default=False, help_text="Has a hand-drawn area: checked against the outline itself.")
    # Said by few: null otherwise, which takes no room in a row.
    coded = models.BooleanField(default=False, help_text="Says something of what follows, but for `marks_until`.")
    conditions_in = ArrayField(models.TextField(), null=True, help_text="Takes only people with one of these diagnoses, as system|code.")
    conditions_out = ArrayField(models.TextField(), null=True)
    conditions_ok = ArrayField(models.TextField(), null=True, help_text="All diagnoses that it says it takes.")
    conditions_first = ArrayField(models.TextField(), null=True)
    registered_in = ArrayField(models.TextField(), null=True, help_text="Takes only people registered with one of these, as kind|code.")
    registered_out = ArrayField(models.TextField(), null=True)
    registered_first = ArrayField(models.TextField(), null=True)
    funding_out = models.BigIntegerField(null=True)
    languages_out = models.BigIntegerField(null=True)
    sources_out = models.BigIntegerField(null=True)
    funding_first = models.BigIntegerField(null=True)
    languages_first = models.BigIntegerField(null=True)
    sources_first = models.BigIntegerField(null=True)
    # Of these a person must have one.
    funding_must = models.BigIntegerField(null=True)
    languages_must = models.BigIntegerField(null=True)
    sources_must = models.BigIntegerField(null=True)
    areas_out = ArrayField(models.IntegerField(), null=True)
    areas_first = ArrayField(models.IntegerField(), null=True)
    drawn = models.SmallIntegerField(null=True, help_text="1: an area drawn by hand is ruled out; 2: people in one go first; 3: both.")
    # The second word of the needs, for those that curators add.
    own_accepts = models.BigIntegerField(null=True)
    own_requires = models.BigIntegerField(null=True)
    own_excludes = models.BigIntegerField(null=True)
    own_prefers = models.BigIntegerField(null=True)
    marks_until = ArrayField(models.DateField(null=True), null=True, help_text="By bit of `catalogue.marks.WISHES`: its last day.")
    wait_days = models.IntegerField(null=True, help_text="How long a newcomer would wait.")
    starts_at = models.DateTimeField(null=True, help_text="Of a session.")
    series = models.UUIDField(null=True, help_text="The same for all sessions of one series: only the next is offered.")
    times = models.IntegerField(null=True, help_text="Parts of the week at which it is open (`matching.engine.times`).")
    # Kept by a trigger on `PoolChance`; null while nothing learned is switched on.
    leaning = models.SmallIntegerField(null=True, help_text="What the service leans to, in thousandths of a logit.")
    said_yes = models.SmallIntegerField(null=True)
    answers = models.SmallIntegerField(null=True)

    def __str__(self) -> str:
        return str(self.pool_id)


class PoolChance(models.Model):
    """What a pool leans to while something learned is switched on: `engine.likelihood`. Written by `matching.chances` alone."""

    pool = models.OneToOneField(ServiceCapacity, on_delete=models.CASCADE, primary_key=True, related_name="chance")
    leaning = models.SmallIntegerField(help_text="In thousandths of a logit.")
    said_yes = models.SmallIntegerField(help_text="Of how many requests for this kind of care the service said yes to; 9,999 at most.")
    answers = models.SmallIntegerField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(said_yes__gte=0, answers__gte=models.F("said_yes"), answers__lte=9_999, leaning__range=(-6_000, 6_000)),
                name="chance_adds_up",
                violation_error_message="A service cannot have said yes more often than it was asked.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pool_id}: {self.leaning}"


class FactChange(models.Model):
    """That a row of `PoolFact` came, changed or went, in which transaction. Written only by a database trigger.

    What a process holds in memory is brought up to date by it (docs/decisions/0012). Rows are kept for a day.
    """

    pk = models.CompositePrimaryKey("xid", "pool_id")
    xid = Xid8Field(db_default=PgCurrentXactId(), editable=False)
    pool_id = models.UUIDField()
    at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"{self.xid}: {self.pool_id}"


class UnmetNeedQuerySet(VisibleQuerySet):
    """Figures for managers: an ICB's sees the whole region, others what their own organisation looked for."""

    def visible_to(self, user) -> Self:
        if not getattr(user, "is_authenticated", False) or not user.is_manager or user.organization is None:
            return self.none()
        return self if user.organization.kind == Organization.Kind.ICB else self.filter(organization_id=user.organization_id)


class UnmetNeed(models.Model):
    """A search that found nobody: kept without any person, so that managers see what is missing and where.

    One row for a need and a day, however often it is searched again. `digest` says that two rows are of the same need, and
    nothing of the need itself: it is keyed.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    at = models.DateTimeField(default=timezone.now)
    # The defaults are for processes of the version before, which go on writing until they are restarted: each row a need of its own.
    on = models.DateField(
        db_default=Func(Now(), template="(%(expressions)s AT TIME ZONE 'Europe/London')::date", output_field=models.DateField())
    )
    digest = models.CharField(max_length=64, db_default=MD5(Cast(RandomUUID(), models.TextField())))
    care_types = ArrayField(models.CharField(max_length=100))
    outcode = models.CharField(max_length=4)
    needs = ArrayField(models.CharField(max_length=100), default=list)
    reason = models.CharField(max_length=100, help_text="The rule that left the fewest: a rule's code.")
    in_hospital = models.BooleanField(
        default=False, db_default=False, help_text="Looked for by a hospital: somebody lies in a bed meanwhile."
    )
    resolved_at = models.DateTimeField(null=True, help_text="When a later search for the same need found somebody.")
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")

    objects = UnmetNeedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "digest", "on"],
                name="unmet_need_once_a_day",
                violation_error_message="This need is in the ledger for that day already.",
            )
        ]
        indexes = [models.Index(fields=["on"], name="unmet_by_day")]

    def __str__(self) -> str:
        return f"{', '.join(self.care_types)} near {self.outcode}"


class Tariff(models.Model):
    """What a week of one kind of care costs, or a day in a hospital bed: set by the operator, for the estimates of the ledger."""

    #: In place of a kind of care.
    BED_DAY = "bed-day"

    code = models.CharField(
        primary_key=True, max_length=100, help_text=f"A code of the care types: pounds a week; or {BED_DAY}: pounds a day."
    )
    pounds = models.DecimalField(max_digits=8, decimal_places=2)
    note = models.CharField(max_length=200, blank=True, help_text="Where the figure is from, and of which year.")

    class Meta:
        ordering = ["code"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(pounds__gte=0),
                name="no_tariff_below_nothing",
                violation_error_message="A tariff cannot be less than nothing.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.code}: £{self.pounds}"
