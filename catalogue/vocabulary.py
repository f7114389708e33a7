"""Lune's own small vocabulary: the terms that matching decides on.

A term's bit is its place in the masks of the ranking query. Bits are only ever added, never reused or moved. Those of `OWN_BITS` are for
terms that curators add.
Where a published list has the same idea, `term_uri` names it: OpenActive's activities and accessibility support (CC BY 4.0). The numbers of
the LGA's lists (esd) could not be looked up, so none is shipped: the operator imports the lists, and curators add the CURIEs.
"""

from typing import Any, NamedTuple

from catalogue import conditions
from core.ids import derived


class Term(NamedTuple):
    bit: int
    code: str
    name: str
    group: str = ""
    term_uri: str = ""
    synonyms: tuple[str, ...] = ()
    description: str = ""


_ACTIVITY = "https://openactive.io/activity-list#"
_SUPPORT = "https://openactive.io/accessibility-support#"

#: How long a capacity figure stays fresh and when it is no longer believed, in hours, by group of care type.
FRESHNESS_HOURS: dict[str, tuple[int, int]] = {
    "Care homes": (24, 72),
    "Hospital and step-down": (6, 24),
    "Care at home": (24, 96),
    "Community health": (48, 168),
    "Mental health": (24, 96),
    "Community and voluntary": (168, 672),
}

CARE_TYPES = (
    # Beds use the Capacity Tracker's words.
    Term(
        0,
        "home-general-residential",
        "Care home: general residential",
        "Care homes",
        synonyms=("residential home", "care home"),
    ),
    Term(1, "home-general-nursing", "Care home: general nursing", "Care homes", synonyms=("nursing home",)),
    Term(2, "home-dementia-residential", "Care home: dementia residential", "Care homes", synonyms=("EMI residential",)),
    Term(3, "home-dementia-nursing", "Care home: dementia nursing", "Care homes", synonyms=("EMI nursing",)),
    Term(4, "home-learning-disability-residential", "Care home: learning disability residential", "Care homes"),
    Term(5, "home-learning-disability-nursing", "Care home: learning disability nursing", "Care homes"),
    Term(6, "home-mental-health-residential", "Care home: mental health residential", "Care homes"),
    Term(7, "home-mental-health-nursing", "Care home: mental health nursing", "Care homes"),
    Term(
        8,
        "home-transitional",
        "Care home: transitional (discharge to assess)",
        "Care homes",
        synonyms=("D2A bed", "respite"),
    ),
    Term(9, "home-young-physically-disabled", "Care home: young physically disabled", "Care homes"),
    Term(10, "assisted-living", "Assisted or extra care living", "Care homes", synonyms=("extra care", "sheltered housing")),
    Term(11, "hospice-inpatient", "Hospice bed", "Hospital and step-down"),
    Term(
        12,
        "community-bed",
        "Community hospital or intermediate care bed",
        "Hospital and step-down",
        synonyms=("step-down bed",),
    ),
    Term(13, "hospital-at-home", "Hospital at home (virtual ward)", "Hospital and step-down", synonyms=("virtual ward",)),
    Term(14, "home-care", "Home care", "Care at home", synonyms=("domiciliary care", "package of care")),
    Term(15, "reablement", "Reablement at home", "Care at home"),
    Term(16, "live-in-care", "Live-in care", "Care at home"),
    Term(17, "meals-at-home", "Meals at home", "Care at home", synonyms=("meals on wheels",)),
    Term(18, "equipment", "Aids, equipment and adaptations", "Care at home", synonyms=("aids", "adaptations", "telecare")),
    Term(19, "community-nursing", "Community nursing", "Community health", synonyms=("district nurse",)),
    Term(20, "physiotherapy", "Physiotherapy", "Community health", synonyms=("physio",)),
    Term(21, "occupational-therapy", "Occupational therapy", "Community health", synonyms=("OT",)),
    Term(22, "speech-therapy", "Speech and language therapy", "Community health"),
    Term(23, "podiatry", "Podiatry", "Community health", synonyms=("chiropody",)),
    Term(24, "outpatient", "Outpatient clinic", "Community health"),
    Term(25, "hospice-at-home", "Hospice at home and bereavement", "Community health", synonyms=("bereavement",)),
    Term(26, "sensory-loss", "Sensory loss support", "Community health", synonyms=("sight loss", "hearing loss")),
    Term(27, "crisis-outreach", "Mental health crisis outreach", "Mental health", synonyms=("crisis team",)),
    Term(28, "talking-therapies", "Talking therapies", "Mental health", synonyms=("counselling", "IAPT")),
    Term(29, "recovery", "Drug and alcohol recovery", "Mental health", synonyms=("addiction",)),
    Term(30, "case-management", "Case management and rehabilitation", "Mental health"),
    Term(31, "peer-support", "Peer support group", "Mental health"),
    Term(
        32,
        "social-prescribing",
        "Social prescribing link worker",
        "Community and voluntary",
        synonyms=("community connector",),
    ),
    Term(33, "befriending", "Befriending", "Community and voluntary", synonyms=("lonely", "loneliness", "isolation")),
    Term(34, "debt-advice", "Debt and money advice", "Community and voluntary", synonyms=("money", "bills")),
    Term(35, "welfare-benefits", "Welfare benefits advice", "Community and voluntary", synonyms=("benefits", "PIP")),
    Term(36, "housing-advice", "Housing advice", "Community and voluntary", synonyms=("homeless", "rent")),
    Term(37, "poverty-crisis", "Food, fuel and crisis help", "Community and voluntary", synonyms=("food bank", "foodbank")),
    Term(38, "transport", "Community transport", "Community and voluntary", synonyms=("lifts",)),
    Term(39, "carer-support", "Support for carers", "Community and voluntary", synonyms=("respite for carers",)),
    Term(
        40,
        "physical-activity",
        "Physical activity",
        "Community and voluntary",
        synonyms=("exercise", "walking group", "badminton", "dancing", "swimming"),
    ),
    Term(
        41,
        "arts-and-nature",
        "Arts, crafts and nature",
        "Community and voluntary",
        synonyms=("gardening", "choir", "allotment", "singing", "painting", "cinema", "film", "drama"),
    ),
    Term(42, "lunch-club", "Lunch club or day centre", "Community and voluntary", synonyms=("day centre",)),
    Term(43, "employment", "Work, training and volunteering", "Community and voluntary", synonyms=("job",)),
    Term(44, "youth-support", "Support for young people", "Community and voluntary"),
    Term(45, "legal-advice", "Legal and immigration advice", "Community and voluntary", synonyms=("immigration",)),
    Term(46, "digital-service", "App or online service", "Community and voluntary", synonyms=("app",)),
    Term(
        47,
        "send-local-offer",
        "SEND Local Offer",
        "Community and voluntary",
        synonyms=("special educational needs", "SEND", "SEN", "local offer"),
        description="For children and young people with special educational needs or disabilities, from birth to 25.",
    ),
)

NEEDS = (
    Term(0, "dementia", "Dementia", "Conditions"),
    Term(1, "nursing-24h", "Nursing day and night", "Care"),
    Term(2, "two-carers", "Two carers for moving", "Care", synonyms=("hoist",)),
    Term(3, "continence", "Continence care", "Care"),
    Term(4, "catheter", "Catheter care", "Care"),
    Term(5, "peg-feeding", "Tube feeding (PEG)", "Care"),
    Term(6, "oxygen", "Oxygen", "Care"),
    Term(7, "bariatric", "Bariatric equipment", "Care"),
    Term(8, "pressure-care", "Pressure-area care", "Care"),
    Term(9, "insulin", "Insulin given by staff", "Care"),
    Term(10, "end-of-life", "End of life care", "Care"),
    Term(11, "medication", "Help with medicines", "Care"),
    Term(12, "behaviour", "Behaviour that challenges", "Conditions"),
    Term(13, "walking-with-purpose", "Walks with purpose", "Conditions", synonyms=("wandering",)),
    Term(14, "learning-disability", "Learning disability", "Conditions", f"{_SUPPORT}67902468-fd49-4238-8650-20a22d7f0e40"),
    Term(15, "autism", "Autism", "Conditions"),
    Term(16, "mental-illness", "Severe mental illness", "Conditions"),
    Term(17, "substance-use", "Drug or alcohol use", "Conditions"),
    Term(18, "physical-disability", "Physical disability", "Conditions", f"{_SUPPORT}dd026873-6713-4ea1-af5a-08901f651d98"),
    Term(19, "sight-loss", "Sight loss", "Conditions", f"{_SUPPORT}1393f2dc-3fcc-4be9-a99f-f1e51f5ad277"),
    Term(20, "hearing-loss", "Hearing loss", "Conditions", f"{_SUPPORT}2bfb7228-5969-4927-8435-38b5005a8771"),
    Term(21, "stroke", "Stroke", "Conditions"),
    Term(22, "parkinsons", "Parkinson's", "Conditions"),
    Term(23, "infection", "Needs infection control", "Conditions"),
    Term(24, "under-section", "Detained or on a legal order", "Circumstances"),
    Term(25, "wheelchair", "Wheelchair access", "Access"),
    Term(26, "ground-floor", "Ground floor or lift", "Access"),
    Term(27, "home-visit", "Visits at home", "Access", synonyms=("housebound",)),
    Term(28, "transport-provided", "Transport provided", "Access"),
    Term(29, "pets", "Bringing a pet", "Preferences"),
    Term(30, "smoking", "Smoker", "Preferences"),
    Term(31, "couple", "Couple together", "Circumstances"),
    Term(32, "carer", "Is a carer", "Circumstances"),
    Term(33, "veteran", "Served in the forces", "Circumstances"),
    Term(34, "lives-alone", "Lives alone", "Circumstances"),
    Term(35, "low-income", "Low income", "Circumstances"),
    Term(36, "anxiety-depression", "Anxiety or low mood", "Conditions", synonyms=("depression", "low mood", "social anxiety")),
    Term(37, "long-term-condition", "Long-term condition", "Conditions"),
    Term(38, "bereaved", "Bereaved", "Circumstances"),
    Term(39, "en-suite", "Own bathroom", "Preferences"),
    Term(40, "garden", "Garden", "Preferences"),
    Term(41, "faith", "Faith or culture catered for", "Preferences"),
    Term(42, "music", "Music and singing", "Interests"),
    Term(43, "gardening", "Gardening", "Interests", f"{_ACTIVITY}5b880e93-4a16-4c37-86ac-ba2ffba68358"),
    Term(44, "sport", "Sport and exercise", "Interests"),
    Term(45, "crafts", "Arts and crafts", "Interests"),
    Term(46, "company", "Company and conversation", "Interests"),
    Term(47, "evenings", "Evening sessions", "Preferences"),
    Term(48, "weekends", "Weekend sessions", "Preferences"),
    Term(49, "accompanied", "Somebody comes with them", "Access", synonyms=("escort", "chaperone")),
    Term(50, "walks-unaided", "Walks without help", "Access", synonyms=("mobile", "independent")),
    Term(51, "in-bed", "Stays in bed", "Care", synonyms=("bedbound",)),
    Term(52, "tracheostomy", "Tracheostomy or help with breathing", "Care", synonyms=("ventilator", "NIV")),
    Term(53, "dialysis", "Dialysis", "Care"),
    Term(54, "isolation", "Isolation room", "Care", synonyms=("side room", "MRSA", "C. diff")),
    Term(55, "risk-to-others", "May be a risk to others", "Circumstances", synonyms=("forensic",)),
    Term(56, "dols", "Deprived of liberty by authorisation (DoLS)", "Circumstances", synonyms=("mental capacity",)),
    Term(57, "asylum", "Seeking asylum, or no recourse to public funds", "Circumstances", synonyms=("refugee", "NRPF")),
    Term(58, "homeless", "No home to go to", "Circumstances", synonyms=("homeless", "rough sleeping")),
    Term(59, "children-too", "Children come with them", "Circumstances", synonyms=("family",)),
    Term(60, "isolated", "Isolated or lonely", "Circumstances", synonyms=("loneliness", "no visitors")),
)

FUNDING = (
    Term(0, "council", "Council funded", synonyms=("local authority",)),
    Term(1, "chc", "NHS continuing healthcare"),
    Term(2, "nhs", "NHS funded (including discharge to assess)"),
    Term(3, "self", "Pays for themselves", synonyms=("self-funder",)),
    Term(4, "direct-payment", "Direct payment or personal budget"),
    Term(5, "free", "Free to the person"),
)

LANGUAGES = (
    Term(0, "en", "English"),
    Term(1, "ur", "Urdu"),
    Term(2, "pa", "Punjabi"),
    Term(3, "gu", "Gujarati"),
    Term(4, "pl", "Polish"),
    Term(5, "ro", "Romanian"),
    Term(6, "bn", "Bengali"),
    Term(7, "ar", "Arabic"),
    Term(8, "bfi", "British Sign Language"),
)

REFERRAL_SOURCES = (
    Term(0, "hospital", "Hospital discharge team"),
    Term(1, "primary-care", "General practice"),
    Term(2, "link-worker", "Social prescribing link worker"),
    Term(3, "social-care", "Council social care"),
    Term(4, "community-health", "Community health team"),
    Term(5, "ambulance", "Ambulance or urgent care"),
    Term(6, "voluntary", "Charity or community group"),
    Term(7, "self", "The person themselves"),
    Term(8, "carer", "A carer or relative"),
    Term(9, "receptionist", "GP receptionist or care navigator"),
    Term(10, "pharmacy", "Pharmacy"),
    Term(11, "care-provider", "Care home or home care agency"),
    Term(12, "housing", "Housing or homelessness team"),
    Term(13, "justice", "Police, probation or prison"),
    Term(14, "school", "School or college"),
    Term(15, "friend", "A friend or neighbour"),
)

#: Kinds of service that come to the person, or need no journey.
COME_TO_PEOPLE = (
    "hospital-at-home", "home-care", "reablement", "live-in-care", "meals-at-home", "equipment", "community-nursing", "hospice-at-home",
    "crisis-outreach", "digital-service", "transport",
)  # fmt: skip
COMES_TO_PEOPLE = sum(1 << term.bit for term in CARE_TYPES if term.code in COME_TO_PEOPLE)
#: Kinds of service that people travel to again and again; into the others they move, or those come to them.
TRAVELLED_TO = sum(1 << term.bit for term in CARE_TYPES if term.bit >= 20) & ~COMES_TO_PEOPLE
#: Needs that, met, save somebody who cannot drive the journey.
SAVES_A_JOURNEY = ("home-visit", "transport-provided")
#: Of these, the one with which there is no journey at all.
VISITS = ("home-visit",)
#: The group of needs that say what somebody likes to do.
INTERESTS = "Interests"

#: Bits of one word of a mask. The needs have a second word, for what curators add: the first is nearly full.
WORD = 62
#: Bits for the terms that curators add, by list: no version of Lune ships a term with one of them.
OWN_BITS = {"need": range(WORD, 2 * WORD), "funding": range(32, WORD), "language": range(32, WORD), "referral-source": range(32, WORD)}

TAXONOMIES: dict[str, tuple[str, str, tuple[Term, ...]]] = {
    "care-type": ("Care types", "What kind of service it is.", CARE_TYPES),
    "need": ("Needs and circumstances", "What a person needs, lives with or likes.", NEEDS),
    "funding": ("Funding", "Who pays.", FUNDING),
    "language": ("Languages", "Languages that a service works in.", LANGUAGES),
    "referral-source": ("Referral sources", "Who may refer.", REFERRAL_SOURCES),
}


def load(apps: Any = None) -> None:
    """Write the vocabulary into the database: add what is missing, correct names, delete nothing. Safe to repeat.

    The words of a term that a curator has changed stay as they are.
    """
    if apps is None:
        from django.apps import apps
    taxonomy_model = apps.get_model("catalogue", "Taxonomy")
    term_model = apps.get_model("catalogue", "TaxonomyTerm")
    edited = set()
    if any(field.name == "edited_at" for field in term_model._meta.get_fields()):  # not yet there in early migrations
        edited = set(term_model.objects.filter(edited_at__isnull=False).values_list("id", flat=True))
    for slug, (name, description, terms) in TAXONOMIES.items():
        taxonomy, _ = taxonomy_model.objects.update_or_create(
            slug=slug,
            defaults={"name": name, "description": description},
            create_defaults={
                "id": derived("taxonomy", slug),
                "name": name,
                "description": description,
            },
        )
        term_model.objects.bulk_create(
            [
                term_model(
                    id=derived("term", slug, term.code),
                    taxonomy=taxonomy,
                    code=term.code,
                    name=term.name,
                    description=term.description or term.name,
                    group=term.group,
                    bit=term.bit,
                    term_uri=term.term_uri,
                    synonyms=list(term.synonyms),
                )
                for term in terms
                if derived("term", slug, term.code) not in edited
            ],
            update_conflicts=True,
            unique_fields=["id"],
            update_fields=["name", "description", "group", "term_uri", "synonyms"],
        )
    conditions.load(apps)


NAMES: dict[str, dict[str, str]] = {slug: {t.code: t.name for t in terms} for slug, (_, _, terms) in TAXONOMIES.items()}
