"""Diagnoses and guidelines that a service can be for, or rule out: SNOMED CT concepts and NICE guidelines, one small tree.

Each falls under its parent: Alzheimer's disease under dementia, and dementia under the guideline about it. A service that takes people with
the one above takes them with all below it, and one that rules it out rules those out. Curators may add terms; no bit limits their number.
A code is `system|code`, as FHIR writes a token.

What each code means was looked up in public sources (lists of codes in published software, links to guidelines); `docs/eligibility.md` says
how. One of which they say nothing, or different things, is `unconfirmed`: screens say so until a clinician has looked.
"""

from typing import Any, NamedTuple

from core.ids import derived

_TAXONOMY = "condition"
#: The systems of codes, and how their ids begin as a CURIE or an address.
URIS = {"snomed": "SNOMEDCT:{code}", "nice": "https://www.nice.org.uk/guidance/{small}"}


class Condition(NamedTuple):
    code: str
    name: str
    parent: str = ""
    synonyms: tuple[str, ...] = ()
    #: Reference set of the Primary Care Domain whose codes mean it.
    refset: str = ""
    unconfirmed: bool = False

    @property
    def system(self) -> str:
        return self.code.split("|")[0]

    @property
    def uri(self) -> str:
        code = self.code.split("|")[1]
        return URIS[self.system].format(code=code, small=code.lower())


#: Parents stand before what falls under them.
CONDITIONS = (
    Condition("nice|NG97", "Dementia (NICE NG97)"),
    Condition("snomed|52448006", "Dementia", "nice|NG97"),
    Condition("snomed|26929004", "Alzheimer's disease", "snomed|52448006"),
    Condition("snomed|429998004", "Vascular dementia", "snomed|52448006"),
    Condition("snomed|312991009", "Lewy body dementia", "snomed|52448006", unconfirmed=True),
    Condition("nice|CG103", "Delirium (NICE CG103)"),
    Condition("snomed|2776000", "Delirium", "nice|CG103", ("acute confusion",)),
    Condition("nice|NG236", "Stroke rehabilitation (NICE NG236)"),
    Condition("snomed|230690007", "Stroke", "nice|NG236", ("CVA",)),
    Condition("nice|NG71", "Parkinson's disease (NICE NG71)"),
    Condition("snomed|49049000", "Parkinson's disease", "nice|NG71"),
    Condition("nice|NG220", "Multiple sclerosis (NICE NG220)"),
    Condition("snomed|24700007", "Multiple sclerosis", "nice|NG220", ("MS",)),
    Condition("nice|NG42", "Motor neurone disease (NICE NG42)"),
    Condition("snomed|37340000", "Motor neurone disease", "nice|NG42", ("MND",), unconfirmed=True),
    Condition("nice|NG217", "Epilepsies (NICE NG217)"),
    Condition("snomed|84757009", "Epilepsy", "nice|NG217", ("seizures", "fits")),
    Condition("snomed|127295002", "Traumatic brain injury", "", ("head injury", "TBI")),
    Condition("nice|NG115", "COPD (NICE NG115)"),
    Condition("snomed|13645005", "Chronic obstructive pulmonary disease", "nice|NG115", ("COPD", "emphysema")),
    Condition("snomed|195967001", "Asthma"),
    Condition("nice|NG106", "Chronic heart failure (NICE NG106)"),
    Condition("snomed|84114007", "Heart failure", "nice|NG106"),
    Condition("nice|NG196", "Atrial fibrillation (NICE NG196)"),
    Condition("snomed|49436004", "Atrial fibrillation", "nice|NG196", ("AF",)),
    Condition("nice|NG136", "Hypertension (NICE NG136)"),
    Condition("snomed|38341003", "Hypertension", "nice|NG136", ("high blood pressure",), refset="999006611000230105"),
    Condition("snomed|73211009", "Diabetes", "", ("diabetes mellitus",), refset="999004691000230108"),
    Condition("nice|NG17", "Type 1 diabetes (NICE NG17)", "snomed|73211009"),
    Condition("snomed|46635009", "Type 1 diabetes", "nice|NG17"),
    Condition("nice|NG28", "Type 2 diabetes (NICE NG28)", "snomed|73211009"),
    Condition("snomed|44054006", "Type 2 diabetes", "nice|NG28"),
    Condition("nice|NG203", "Chronic kidney disease (NICE NG203)"),
    Condition("snomed|709044004", "Chronic kidney disease", "nice|NG203", ("CKD", "kidney failure")),
    Condition("snomed|363346000", "Cancer", "", ("malignancy", "tumour")),
    Condition("nice|CG124", "Hip fracture (NICE CG124)"),
    Condition("snomed|5913000", "Fracture of the neck of femur", "nice|CG124", ("hip fracture", "broken hip")),
    Condition("nice|NG226", "Osteoarthritis (NICE NG226)"),
    Condition("snomed|396275006", "Osteoarthritis", "nice|NG226"),
    Condition("nice|NG100", "Rheumatoid arthritis (NICE NG100)"),
    Condition("snomed|69896004", "Rheumatoid arthritis", "nice|NG100"),
    Condition("snomed|64859006", "Osteoporosis"),
    Condition("nice|NG193", "Chronic pain (NICE NG193)"),
    Condition("snomed|82423001", "Chronic pain", "nice|NG193"),
    Condition("snomed|203082005", "Fibromyalgia", "snomed|82423001"),
    Condition("snomed|248279007", "Frailty"),
    Condition("snomed|399912005", "Pressure ulcer", "", ("pressure sore", "bed sore")),
    Condition("nice|NG222", "Depression in adults (NICE NG222)"),
    Condition("snomed|35489007", "Depression", "nice|NG222"),
    Condition("snomed|197480006", "Anxiety disorder", "", ("anxiety",)),
    Condition("nice|CG178", "Psychosis and schizophrenia (NICE CG178)"),
    Condition("snomed|58214004", "Schizophrenia", "nice|CG178"),
    Condition("nice|CG185", "Bipolar disorder (NICE CG185)"),
    Condition("snomed|13746004", "Bipolar disorder", "nice|CG185"),
    Condition("nice|NG116", "Post-traumatic stress disorder (NICE NG116)"),
    Condition("snomed|47505003", "Post-traumatic stress disorder", "nice|NG116", ("PTSD", "trauma")),
    Condition("nice|NG69", "Eating disorders (NICE NG69)"),
    Condition("snomed|72366004", "Eating disorder", "nice|NG69"),
    Condition("nice|CG142", "Autism in adults (NICE CG142)"),
    Condition("snomed|35919005", "Autism spectrum disorder", "nice|CG142"),
    Condition("nice|NG87", "Attention deficit hyperactivity disorder (NICE NG87)"),
    Condition("snomed|406506008", "Attention deficit hyperactivity disorder", "nice|NG87", ("ADHD",)),
    Condition("nice|CG115", "Harmful drinking and alcohol dependence (NICE CG115)"),
    Condition("snomed|66590003", "Alcohol dependence", "nice|CG115"),
    Condition("snomed|75544000", "Opioid dependence", "", ("heroin",), unconfirmed=True),
    Condition("nice|NG188", "Long-term effects of COVID-19 (NICE NG188)"),
    Condition("snomed|1119303003", "Post-COVID-19 syndrome", "nice|NG188", ("long COVID",)),
    Condition("nice|NG206", "ME or chronic fatigue syndrome (NICE NG206)"),
    Condition("snomed|52702003", "Chronic fatigue syndrome", "nice|NG206", ("ME",)),
    Condition("nice|NG31", "Care of dying adults in the last days of life (NICE NG31)"),
    Condition("nice|NG74", "Intermediate care including reablement (NICE NG74)", unconfirmed=True),
)


#: Names of those that Lune ships, by code.
NAMES = {condition.code: condition.name for condition in CONDITIONS}


def load(apps: Any) -> None:
    """Write the taxonomy into the database: add what is missing, delete nothing, leave alone what a curator changed."""
    taxonomy, _ = apps.get_model("catalogue", "Taxonomy").objects.get_or_create(
        slug=_TAXONOMY,
        defaults={
            "id": derived("taxonomy", _TAXONOMY),
            "name": "Diagnoses and guidelines",
            "description": "SNOMED CT concepts and NICE guidelines that a service is for, or rules out.",
        },
    )
    term_model = apps.get_model("catalogue", "TaxonomyTerm")
    term_model.objects.bulk_create(
        [
            term_model(
                id=_id(condition.code),
                taxonomy=taxonomy,
                code=condition.code,
                name=condition.name,
                description=condition.name,
                group="NICE guidelines" if condition.system == "nice" else "Diagnoses",
                parent_id=_id(condition.parent) if condition.parent else None,
                term_uri=condition.uri,
                synonyms=list(condition.synonyms),
            )
            for condition in CONDITIONS
        ],
        ignore_conflicts=True,
    )
    if any(field.name == "unconfirmed" for field in term_model._meta.get_fields()):  # not yet there in early migrations
        shipped = term_model.objects.filter(taxonomy=taxonomy, edited_at=None)
        shipped.filter(code__in=[condition.code for condition in CONDITIONS if condition.unconfirmed]).update(unconfirmed=True)
        for condition in CONDITIONS:
            if condition.refset:
                shipped.filter(code=condition.code, snomed_refset="").update(snomed_refset=condition.refset)


def _id(code: str) -> Any:
    return derived("term", _TAXONOMY, code)
