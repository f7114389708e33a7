"""The first page after signing in: what to do next."""

from django.http import HttpResponse
from django.shortcuts import render

from frontend.views.access import SignedIn

from .access import for_roles


@for_roles()
def home(request: SignedIn) -> HttpResponse:
    return render(request, "home.jinja")
