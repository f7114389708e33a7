"""Which of our fields the chance of a yes may be learned from, and which never, because they are or stand for a protected characteristic.

The nine of the Equality Act 2010, and being a carer, which case law ties to them. A field that is in no list fails a test, so that whoever
adds one has to think of this.
"""

#: Of a request, all that is looked at: when it was sent and how urgently, who answered it, how and when. The profile gives the point
#: that the distance is measured from, and nothing else.
USED: dict[str, frozenset[str]] = {
    "Referral": frozenset({"profile", "urgency", "source"}),
    "ReferralTask": frozenset({"referral", "pool", "requested_at", "respond_by", "status"}),
    "Transition": frozenset({"task", "action", "reason", "at"}),
    "NeedProfile": frozenset({"point"}),
}

#: What says nothing of a person and is not looked at either.
NEITHER: dict[str, frozenset[str]] = {
    "NeedProfile": frozenset(
        {
            "id", "organization", "created_by", "created_at", "place_is_approximate", "care_types", "referral_source", "max_distance_m",
            "max_minutes", "needed_by", "marks", "pathway", "all_wanted", "carried_only",
        }
    ),
    "Patient": frozenset(
        {
            "id", "organization", "team", "nhs_number", "nhs_status", "nhs_checked_how", "nhs_checked_at", "nhs_checked_by", "phone",
            "preferred_contact", "contact_note", "created_at", "created_by", "changed_at", "changed_by", "version", "merged_into",
        }
    ),
}  # fmt: skip

#: Never: the characteristic, and the fields that are or stand for it.
PROTECTED: dict[str, dict[str, frozenset[str]]] = {
    "age": {"NeedProfile": frozenset({"age"}), "Patient": frozenset({"birth_date"})},
    "sex, gender reassignment, pregnancy": {"NeedProfile": frozenset({"sex"}), "Patient": frozenset({"sex", "given_name"})},
    # A name, a language and who pays for somebody without recourse to public funds tell of descent.
    "race": {
        "NeedProfile": frozenset({"languages", "funding"}),
        "Patient": frozenset({"preferred_language", "needs_interpreter", "given_name", "family_name", "email"}),
    },
    # What a person needs is mostly a disability, and sometimes age, faith, marriage (a couple together) or pregnancy.
    "disability, religion, marriage": {
        "NeedProfile": frozenset({"needs", "must_haves", "preferences", "conditions", "drives", "times", "activation_level"}),
        "Episode": frozenset({"discharge_pathway", "ward", "criteria_to_reside"}),
        "Patient": frozenset({"access_needs"}),
    },
    # How well off a neighbourhood is, and who lives there.
    "where somebody lives": {
        "NeedProfile": frozenset({"outcode", "practice", "budget_week"}),
        "Patient": frozenset({"address", "postcode", "point"}),
    },
}


def protected(model: str) -> frozenset[str]:
    """Of a model, the fields that nothing may be learned from."""
    return frozenset().union(*(fields.get(model, frozenset()) for fields in PROTECTED.values()))
