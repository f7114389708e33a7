"""What a person finds behind the link in a message about an appointment: when and where, and two buttons. No name, nothing of care.

Looking changes nothing, because programs that check messages for harm open every link: only a press of a button does.
"""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from core.clock import now
from core.errors import LuneError, NotFound
from flow.letters.wording import direction
from flow.reminders import answers, operations
from flow.reminders.wording import TEXTS, moment
from frontend.by_link import by_link

#: A guesser of tokens needs more than all time; a person answers once.
A_MINUTE = 30


@by_link("my-time", a_minute=lambda: A_MINUTE, spent="my_time/spent.jinja")
@require_http_methods(["GET", "HEAD", "POST"])
def my_time(request: HttpRequest, token: str) -> HttpResponse:
    """When and where, and what the person answers."""
    at = now()
    problem: LuneError | None = None
    if request.method == "POST":
        try:
            if request.POST.get("do") == "end":
                operations.end(token=token, at=at)
            else:
                operations.answer(token=token, said=request.POST.get("do", ""), at=at)
            return redirect("my-time", token=token)
        except NotFound:
            raise
        except LuneError as error:
            problem = error
    found = answers.page(token, at=at)
    said = TEXTS.words(found.language)
    message = found.message
    context = {
        "token": token,
        "found": found,
        "message": message,
        "said": said["page"],
        "when": moment(message.starts_at, said) if message.starts_at else None,
        "instead": moment(found.offered.starts_at, said) if found.offered is not None and found.offered.starts_at else None,
        "problem": problem,
        "direction": direction(found.language),
        "only_english": found.speaks not in ("", found.language),
        "over": message.starts_at is not None and message.starts_at <= at,
    }
    return render(request, "my_time/my_time.jinja", context, status=problem.http_status if problem else 200)
