"""The first page after signing in: what to do next."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from .access import for_roles


@for_roles()
def home(request: HttpRequest) -> HttpResponse:
    return render(request, "home.jinja")
