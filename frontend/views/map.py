"""The ground of every map: public facts, the same for everybody."""

from django.core.cache import cache
from django.http import HttpRequest, JsonResponse
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_GET

from frontend.presenters.map import areas

#: Outlines change when an operator loads new ones: once a year, say.
KEEP_SECONDS = 3600


@require_GET
def map_areas(request: HttpRequest) -> JsonResponse:
    """Outlines and town names, kept for an hour by us and by the browser."""
    found = cache.get_or_set("map-areas", areas, KEEP_SECONDS)
    answer = JsonResponse(found)
    patch_cache_control(answer, public=True, max_age=KEEP_SECONDS)
    return answer
