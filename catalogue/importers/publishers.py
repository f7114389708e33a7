"""Publishers of the files that commands load: under which licence, and the words that it asks to be shown."""

from catalogue.models import Source

_OGL = {
    "licence": "Open Government Licence 3.0",
    "licence_url": "https://www.nationalarchives.gov.uk/doc/open-government-licence/version/3/",
}
_LICENSED = "licensed under the Open Government Licence v3.0."
_OS = "Contains OS data © Crown copyright and database right."
POSTCODES = "OS and ONS postcodes"
BOUNDARIES = "ONS boundaries"
#: By kind; what a curator has written instead is left alone.
KNOWN: dict[str, dict[str, str]] = {
    Source.Kind.CQC: _OGL | {"attribution": f"Contains information of the Care Quality Commission, {_LICENSED}"},
    Source.Kind.ODS: _OGL | {"attribution": f"Contains information of NHS England, {_LICENSED}"},
    Source.Kind.POSTCODES: _OGL
    | {"attribution": f"{_OS} Contains Royal Mail data © Royal Mail copyright and database right. Source: Office for National Statistics."},
    Source.Kind.BOUNDARIES: _OGL | {"attribution": f"Source: Office for National Statistics, {_LICENSED} {_OS}"},
}


def source_of(name: str, kind: str, *, url: str = "") -> Source:
    """The source of that name; made when there is none yet. One of a known publisher says its licence, unless somebody wrote another."""
    source, _ = Source.objects.get_or_create(name=name[:100], defaults={"kind": kind, "url": url[:500]})
    terms = KNOWN.get(kind, {})
    if terms and not (source.licence or source.licence_url or source.attribution):
        for field, words in terms.items():
            setattr(source, field, words)
        source.save(update_fields=list(terms))
    return source
