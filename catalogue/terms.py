"""What curators do with the words of the vocabulary: add, describe, retire, merge; and merges undone.

Records with a retired term keep working and say so. A merged term's code stays as another name for the term that is kept: whoever still
sends it, or stored it long ago, gets that one. A bit is never given to another term.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Count, Max, Q, QuerySet
from django.utils.text import slugify

from catalogue import vocabulary
from catalogue.models import Service, Taxonomy, TaxonomyTerm, TermMerge, User
from catalogue.models.taxonomy import CARE_TYPE
from catalogue.search import forget_vocabulary
from core.errors import Conflict, Invalid, NotAllowed, NotFound

EDITABLE = frozenset({"name", "description", "group", "synonyms", "term_uri", "snomed_refset"})
MOST_SYNONYMS = 40
#: Where a bit that was ever given is found: a term that is gone has left its history.
_EVER = ("TaxonomyTerm", "TaxonomyTermEvent")
_REFSET = re.compile(r"\d{6,18}")


def search(text: str = "", *, taxonomy: str = "", state: str = "") -> QuerySet[TaxonomyTerm]:
    """Terms whose name, code or synonym holds the text; `state` is "used", "retired" or empty for both. For curators."""
    found = TaxonomyTerm.objects.select_related("taxonomy", "replaced_by")
    if text:
        found = found.filter(Q(name__icontains=text) | Q(code__icontains=text) | Q(synonyms__icontains=text) | Q(term_uri__icontains=text))
    if taxonomy:
        found = found.filter(taxonomy__slug=taxonomy)
    if state:
        found = found.filter(retired_at__isnull=state == "used")
    return found.order_by("taxonomy__name", "group", "name", "pk")


def used_by(term: TaxonomyTerm) -> int:
    """How many services carry the term, in whatever way."""
    services = set(term.services.values_list("pk", flat=True))
    for relation in _relations():
        columns = {field.name for field in relation.related_model._meta.concrete_fields}
        if relation.related_model._meta.model_name == "service":
            services |= set(relation.related_model.objects.filter(**{relation.field.name: term}).values_list("pk", flat=True))
        elif "service" in columns:
            rows = relation.related_model._default_manager.filter(**{relation.field.name: term})
            services |= set(rows.values_list("service_id", flat=True))
    return len(services)


@transaction.atomic
def add_term(*, taxonomy: str, name: str, by: User, at: datetime, code: str = "", **fields: Any) -> TaxonomyTerm:
    """A new word in a list. Of needs, funding, languages and who refers, ranking decides on it at once."""
    _require(by)
    found = Taxonomy.objects.filter(slug=taxonomy).first()
    if found is None:
        raise Invalid("Choose a list.", errors={"taxonomy": ["Choose a list."]})
    if taxonomy == CARE_TYPE:
        message = "Ranking decides on kinds of care, so a new one comes with a new version of Lune. Add a synonym to one of them instead."
        raise Invalid(message, errors={"taxonomy": [message]})
    term = TaxonomyTerm(taxonomy=found, code=code.strip() or slugify(name)[:100], bit=_next_bit(found), edited_at=at)
    return _write(term, {"name": name, **fields})


@transaction.atomic
def edit_term(*, term_id: UUID, by: User, at: datetime, **fields: Any) -> TaxonomyTerm:
    """Change a term's words; its code and bit stay. Imports and new versions leave alone what a curator has changed."""
    _require(by)
    term = _lock(term_id)
    term.edited_at = at
    return _write(term, fields)


@transaction.atomic
def confirm_term(*, term_id: UUID, by: User, at: datetime) -> TaxonomyTerm:
    """Say that a clinician has looked at the code, and that it means what the term is called."""
    _require(by)
    term = _lock(term_id)
    if not term.unconfirmed:
        raise Conflict("This code was confirmed already. Load the page again.", code="already-confirmed")
    term.unconfirmed, term.edited_at = False, at
    term.save(update_fields=["unconfirmed", "edited_at"])
    return term


@transaction.atomic
def retire_term(*, term_id: UUID, reason: str, by: User, at: datetime) -> TaxonomyTerm:
    """Offer a term no more. Records with it keep it, and say that it is no longer used."""
    _require(by)
    term = _lock(term_id)
    if not reason.strip():
        raise Invalid("Say why it is retired.", errors={"reason": ["Say why it is retired."]})
    if len(reason) > 300:
        raise Invalid("Keep the reason to 300 characters.", errors={"reason": ["Keep the reason to 300 characters."]})
    if term.retired_at is not None:
        raise Conflict("This term is retired already. Load the page again.", code="already-retired")
    term.retired_at, term.retired_reason, term.edited_at = at, reason.strip(), at
    term.save(update_fields=["retired_at", "retired_reason", "edited_at"])
    return term


@transaction.atomic
def restore_term(*, term_id: UUID, by: User, at: datetime) -> TaxonomyTerm:
    """Offer a retired term again."""
    _require(by)
    term = _lock(term_id)
    if term.replaced_by_id is not None:
        raise Conflict("This term was merged into another. Undo the merge instead.", code="merged")
    term.retired_at, term.retired_reason, term.edited_at = None, "", at
    term.save(update_fields=["retired_at", "retired_reason", "edited_at"])
    return term


@transaction.atomic
def merge_terms(*, gone_id: UUID, kept_id: UUID, by: User, at: datetime) -> TermMerge:
    """Make two terms of one list one: records of the first get the second, which is also found by the first one's words."""
    _require(by)
    if gone_id == kept_id:
        raise Invalid("Choose another term: one cannot be merged with itself.", errors={"kept": ["Choose another term."]})
    locked = {
        term.pk: term for term in TaxonomyTerm.objects.select_for_update(of=("self",)).filter(pk__in=[gone_id, kept_id]).order_by("pk")
    }
    if len(locked) < 2:
        raise NotFound("There is no such term. Search again.", code="no-such-term")
    gone, kept = locked[gone_id], locked[kept_id]
    if gone.taxonomy_id != kept.taxonomy_id:
        raise Invalid("Both terms must be of the same list.", errors={"kept": ["Choose a term of the same list."]})
    if gone.replaced_by_id is not None:
        raise Conflict("This term was merged already. Load the page again.", code="already-merged")
    if kept.retired_at is not None:
        raise Invalid("The term that is kept must be in use.", errors={"kept": ["Choose a term that is in use."]})
    known = {word.lower() for word in (kept.name, *kept.synonyms)}
    new = [word for word in (gone.name, *gone.synonyms) if word.lower() not in known and len(word) <= 100]
    merge = TermMerge(gone=gone, kept=kept, merged_by=by, merged_at=at)
    merge.moved = {
        "rows": _move(gone, kept),
        "synonyms": new,
        "retired": [gone.retired_at and gone.retired_at.isoformat(), gone.retired_reason],
    }
    kept.synonyms = [*kept.synonyms, *new]
    kept.edited_at = at
    kept.save(update_fields=["synonyms", "edited_at"])
    gone.replaced_by, gone.retired_at, gone.retired_reason, gone.edited_at = kept, at, f"Merged into “{kept.name}”."[:300], at
    gone.save(update_fields=["replaced_by", "retired_at", "retired_reason", "edited_at"])
    merge.save()
    forget_vocabulary()
    return merge


@transaction.atomic
def undo_merge(*, merge_id: UUID, by: User, at: datetime) -> TermMerge:
    """Take two merged terms apart again: what was moved goes back, unless somebody has changed it since."""
    _require(by)
    merge = TermMerge.objects.select_for_update(of=("self",)).select_related("gone", "kept").filter(pk=merge_id).first()
    if merge is None:
        raise NotFound("There is no such merge.", code="no-such-merge")
    gone, kept = merge.gone, merge.kept
    if merge.undone_at is not None or gone.replaced_by_id != kept.pk:
        raise Conflict("This merge was undone already, or another followed it. Load the page again.", code="already-undone")
    _move_back(merge.moved["rows"], gone, kept)
    added = set(merge.moved["synonyms"])
    kept.synonyms = [word for word in kept.synonyms if word not in added]
    kept.edited_at = at
    kept.save(update_fields=["synonyms", "edited_at"])
    retired_at, reason = merge.moved["retired"]
    gone.replaced_by, gone.retired_at, gone.retired_reason = None, retired_at and datetime.fromisoformat(retired_at), reason
    gone.edited_at = at
    gone.save(update_fields=["replaced_by", "retired_at", "retired_reason", "edited_at"])
    merge.undone_by, merge.undone_at = by, at
    merge.save(update_fields=["undone_by", "undone_at"])
    forget_vocabulary()
    return merge


@transaction.atomic
def follow_merges() -> int:
    """Give records that got a merged term since, from a feed for example, the one that is kept. Returns how many rows were moved."""
    moved = 0
    for merge in TermMerge.objects.filter(undone_at=None).select_related("gone", "kept").select_for_update(of=("self",)):
        rows = _move(merge.gone, merge.kept)
        for name, ids in rows["moved"].items():
            merge.moved["rows"]["moved"].setdefault(name, []).extend(ids)
            moved += len(ids)
        for name, values in rows["dropped"].items():
            merge.moved["rows"]["dropped"].setdefault(name, []).extend(values)
            moved += len(values)
        merge.save(update_fields=["moved"])
    return moved


def merges_of(term: TaxonomyTerm) -> QuerySet[TermMerge]:
    """Merges in which a term took part, the newest first."""
    return TermMerge.objects.filter(Q(gone=term) | Q(kept=term)).select_related("gone", "kept", "merged_by", "undone_by")


def taxonomies() -> QuerySet[Taxonomy]:
    """All lists, each with how many terms it has in use."""
    return Taxonomy.objects.annotate(used=Count("terms", filter=Q(terms__retired_at=None))).order_by("name")


def _require(by: User) -> None:
    if not (by.is_curator or by.is_administrator):
        raise NotAllowed("Only a curator of the directory changes its words.")


def _next_bit(taxonomy: Taxonomy) -> int | None:
    """A bit that no term of the list has or ever had; None for a list that is not compared by masks."""
    bits = vocabulary.OWN_BITS.get(taxonomy.slug)
    if bits is None:
        return None
    Taxonomy.objects.select_for_update().get(pk=taxonomy.pk)  # two curators are not given the same one
    own = {"taxonomy": taxonomy.pk, "bit__gte": bits.start}
    given = [apps.get_model("catalogue", name).objects.filter(**own).aggregate(most=Max("bit"))["most"] for name in _EVER]
    bit = max((each + 1 for each in given if each is not None), default=bits.start)
    if bit not in bits:
        message = f"This list has its {len(bits)} words of your own. Make this one a synonym of another."
        raise Invalid(message, errors={"taxonomy": [message]})
    return bit


def _lock(term_id: UUID) -> TaxonomyTerm:
    term = TaxonomyTerm.objects.select_for_update(of=("self",)).select_related("taxonomy").filter(pk=term_id).first()
    if term is None:
        raise NotFound("There is no such term. Search again.", code="no-such-term")
    return term


def _write(term: TaxonomyTerm, fields: dict[str, Any]) -> TaxonomyTerm:
    if unknown := sorted(fields.keys() - EDITABLE):
        raise Invalid(f"A term's {', '.join(unknown)} cannot be changed.")
    for name, value in fields.items():
        setattr(term, name, tidy(value) if name == "synonyms" else value.strip())
    errors: dict[str, list[str]] = {}
    if len(term.synonyms) > MOST_SYNONYMS:
        errors["synonyms"] = [f"Keep it to {MOST_SYNONYMS} synonyms; these are {len(term.synonyms)}."]
    if term.snomed_refset and not _REFSET.fullmatch(term.snomed_refset):
        errors["snomed_refset"] = ["A SNOMED CT identifier has 6 to 18 digits and nothing else."]
    try:
        term.full_clean(exclude=["parent", "replaced_by"])
    except ValidationError as error:
        errors = {**error.message_dict, **errors}
    if errors:
        raise Invalid("Some of this cannot be saved. Correct it and try again.", errors=errors)
    term.save()
    forget_vocabulary()
    return term


def tidy(words: Sequence[str]) -> list[str]:
    """Synonyms without empty ones and without the same word twice, in the order given."""
    kept: dict[str, str] = {}
    for word in words:
        if text := " ".join(word.split()):
            kept.setdefault(text.lower(), text)
    return list(kept.values())


def _relations() -> list[Any]:
    """Every column of every table that names a term, but for histories, the merges themselves, and what a term has only once."""
    found = []
    for relation in TaxonomyTerm._meta.get_fields(include_hidden=True):
        if not (relation.auto_created and relation.one_to_many):
            continue
        if hasattr(relation.related_model, "pgh_tracked_model") or relation.related_model is TermMerge:
            continue
        found.append(relation)
    return found


def _move(gone: TaxonomyTerm, kept: TaxonomyTerm) -> dict[str, dict[str, list[Any]]]:
    """Let every row that names the one name the other. A record that has both keeps its own word on the one that is kept."""
    moved: dict[str, list[Any]] = {}
    dropped: dict[str, list[Any]] = {}
    for relation in _relations():
        model, column = relation.related_model, relation.field.attname
        name = f"{model._meta.label}.{column}"
        rows = model._base_manager.filter(**{column: gone.pk})
        if model is TaxonomyTerm:
            rows = rows.exclude(pk=kept.pk)  # a term is not its own parent
        for other in _beside(model, relation.field):
            twice = model._base_manager.filter(**{column: kept.pk}).values(other)
            doubled = rows.filter(**{f"{other}__in": twice})
            dropped.setdefault(name, []).extend(
                {field.attname: _plain(getattr(row, field.attname)) for field in model._meta.concrete_fields} for row in doubled
            )
            doubled.delete()
        ids = [_plain(pk) for pk in rows.values_list("pk", flat=True)]
        if ids:
            moved[name] = ids
            rows.update(**{column: kept.pk})
    return {"moved": moved, "dropped": {name: rows for name, rows in dropped.items() if rows}}


def _move_back(rows: dict[str, dict[str, list[Any]]], gone: TaxonomyTerm, kept: TaxonomyTerm) -> None:
    models_by_name = {f"{relation.related_model._meta.label}.{relation.field.attname}": relation for relation in _relations()}
    for name, ids in rows["moved"].items():
        relation = models_by_name[name]
        column = relation.field.attname
        relation.related_model._base_manager.filter(pk__in=ids, **{column: kept.pk}).update(**{column: gone.pk})
    for name, values in rows["dropped"].items():
        model = models_by_name[name].related_model
        there = set(Service.objects.filter(pk__in=[row["service_id"] for row in values]).values_list("pk", flat=True))
        # Those of a service that is gone by now, or that somebody has given the term again, stay away.
        model._base_manager.bulk_create([model(**row) for row in values if UUID(row["service_id"]) in there], ignore_conflicts=True)


def _beside(model: type[models.Model], field: Any) -> list[str]:
    """Columns that, together with this one, a row may have only once."""
    sets: list[Sequence[str]] = [
        constraint.fields for constraint in model._meta.constraints if isinstance(constraint, models.UniqueConstraint)
    ]
    sets += list(model._meta.unique_together)
    return [name for names in sets if field.name in names and len(names) == 2 for name in names if name != field.name]


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, UUID) else value.isoformat() if isinstance(value, datetime) else value
