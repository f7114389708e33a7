"""What goes in and out of the matching API."""

from rest_framework import serializers

from catalogue.marks import WISHES
from matching.engine.times import DAYS, PARTS
from matching.models import NeedProfile, Pathway
from matching.profiles import MOST_MINUTES


class NeedSerializer(serializers.Serializer):
    """What somebody needs, without a name or number. Codes are those of the taxonomies `care-type`, `need`, `funding`, `language`,
    `referral-source` and `condition`; `operations.profile_from` checks them."""

    age = serializers.IntegerField(min_value=0, max_value=125)
    postcode = serializers.CharField(max_length=12, help_text="A postcode, or its first half.")
    care_types = serializers.ListField(child=serializers.CharField(), min_length=1, help_text="Any of these will do.")
    sex = serializers.ChoiceField(choices=NeedProfile.Sex.choices, default=NeedProfile.Sex.UNKNOWN)
    needs = serializers.ListField(child=serializers.CharField(), default=list, help_text="May be met or not known.")
    must_haves = serializers.ListField(child=serializers.CharField(), default=list, help_text="Must be stated by the service.")
    preferences = serializers.ListField(child=serializers.CharField(), default=list, help_text="Only raise the score.")
    languages = serializers.ListField(child=serializers.CharField(), default=list)
    funding = serializers.ListField(child=serializers.CharField(), default=list, help_text="Any of these; empty: not said.")
    referral_source = serializers.CharField(default="", allow_blank=True)
    budget_week = serializers.DecimalField(max_digits=8, decimal_places=2, min_value=0, allow_null=True, default=None)
    max_miles = serializers.FloatField(min_value=0.1, max_value=600, allow_null=True, default=None)
    max_minutes = serializers.IntegerField(
        min_value=1, max_value=MOST_MINUTES, allow_null=True, default=None, help_text="Longest travel time, by car or not (`drives`)."
    )
    drives = serializers.BooleanField(allow_null=True, default=None)
    times = serializers.ListField(
        child=serializers.ChoiceField(choices=(*DAYS, *PARTS)), default=list, help_text="When it would suit; it only raises the score."
    )
    pathway = serializers.ChoiceField(choices=Pathway.choices, allow_blank=True, default="", help_text="By whose weights to rank.")
    needed_by = serializers.DateField(allow_null=True, default=None)
    conditions = serializers.ListField(
        child=serializers.CharField(), default=list, help_text="Diagnoses and guidelines: `snomed|44054006`, `nice|NG28`."
    )
    practice = serializers.CharField(
        default="", allow_blank=True, max_length=200, help_text="ODS code, or the name, of the general practice of the person."
    )
    marks = serializers.ListField(
        child=serializers.ChoiceField(choices=WISHES), default=list, help_text="Marks of quality that only raise the score."
    )
    carried_only = serializers.BooleanField(default=False, help_text="List only services that say they take one of `conditions`.")
    activation_level = serializers.IntegerField(
        min_value=1, max_value=4, allow_null=True, default=None, help_text="Of the Patient Activation Measure: the level alone."
    )
    all_wanted = serializers.BooleanField(default=False, help_text="One service of each of `care_types` is wanted, not one of any.")


class LinesSerializer(serializers.Serializer):
    """Which lines of a ranking are told: the best ten, unless others are asked for."""

    page = serializers.IntegerField(min_value=1, max_value=100, default=1)
    per_page = serializers.IntegerField(min_value=1, max_value=50, default=10, help_text="Lines at once: 10, at most 50.")


class TermSerializer(serializers.Serializer):
    code = serializers.CharField()
    points = serializers.IntegerField()
    most = serializers.IntegerField(help_text="The most that this factor can give.")
    words = serializers.CharField()


class FindingSerializer(serializers.Serializer):
    code = serializers.CharField()
    sentence = serializers.CharField()
    change = serializers.CharField(help_text="What would make it fit; empty unless it failed.")


class TravelSerializer(serializers.Serializer):
    """The way to a service. The order of the list reckons with the straight line, whatever a route planner says."""

    minutes = serializers.IntegerField(allow_null=True)
    metres = serializers.IntegerField(allow_null=True, help_text="By the roads, where a route planner says so.")
    mode = serializers.CharField(help_text="By car, by public transport or on foot.")
    how = serializers.CharField(help_text="How it is known: road, straight-line, no-journey, or empty: not known.")
    words = serializers.CharField()


class LineSerializer(serializers.Serializer):
    rank = serializers.IntegerField()
    pool_id = serializers.UUIDField()
    pool_name = serializers.CharField()
    unit = serializers.CharField()
    service_id = serializers.UUIDField()
    service_name = serializers.CharField()
    organization_id = serializers.UUIDField()
    organization_name = serializers.CharField()
    care_type = serializers.CharField()
    score = serializers.IntegerField()
    out_of = serializers.IntegerField()
    distance_m = serializers.IntegerField(allow_null=True)
    miles = serializers.FloatField(allow_null=True)
    met = serializers.ListField(child=serializers.CharField())
    unknown = serializers.ListField(child=serializers.CharField())
    places = serializers.CharField()
    free = serializers.IntegerField(allow_null=True)
    told_s = serializers.IntegerField(allow_null=True, help_text="Age of the figure in seconds.")
    terms = TermSerializer(many=True)
    better = serializers.CharField(help_text="What would raise the score most; empty when nothing would.")
    travel = TravelSerializer()
    overdue = serializers.CharField(help_text="Why the record may be out of date; empty when it was checked lately.")


class MissSerializer(serializers.Serializer):
    pool_id = serializers.UUIDField()
    service_id = serializers.UUIDField()
    service_name = serializers.CharField()
    miles = serializers.FloatField(allow_null=True)
    failed = FindingSerializer(many=True)


class OpeningSerializer(serializers.Serializer):
    code = serializers.CharField()
    opens = serializers.IntegerField()
    words = serializers.CharField()


class MissesSerializer(serializers.Serializer):
    lines = MissSerializer(many=True)
    openings = OpeningSerializer(many=True)


class PartSerializer(serializers.Serializer):
    """A ranking that belongs to another: one kind of a package, or help with the first step. Its lines: `match-runs/<id>/`."""

    id = serializers.UUIDField()
    part = serializers.CharField(help_text="`package`, or which help with the first step it is.")
    care_types = serializers.ListField(child=serializers.CharField())
    because = serializers.CharField(help_text="Why it is suggested; empty for a part of a package.")


class MatchRunSerializer(serializers.Serializer):
    """A ranking as it was at `at`."""

    id = serializers.UUIDField()
    at = serializers.DateTimeField()
    profile = serializers.UUIDField(source="profile_id")
    considered = serializers.IntegerField()
    weights_version = serializers.IntegerField()
    engine_version = serializers.CharField()
    count = serializers.IntegerField(help_text="How many lines the ranking has, on all its pages.")
    lines = LineSerializer(many=True)
    nearest_misses = MissesSerializer()
    parts = PartSerializer(many=True)


class ExplanationSerializer(serializers.Serializer):
    pool_id = serializers.UUIDField()
    pool_name = serializers.CharField()
    service_id = serializers.UUIDField()
    service_name = serializers.CharField()
    rank = serializers.IntegerField(allow_null=True)
    score = serializers.IntegerField(allow_null=True)
    summary = serializers.CharField()
    failed = FindingSerializer(many=True)
    unknown = FindingSerializer(many=True)
    met = FindingSerializer(many=True)
    terms = TermSerializer(many=True)
