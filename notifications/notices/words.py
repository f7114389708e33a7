"""Words of what people are told. On the site: what it is about, as far as the reader may see it. Outside: only that there is something."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from email.utils import format_datetime
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMessage
from django.urls import reverse

from catalogue.models import User
from flow.models import ReferralTask
from flow.workflow import REFERRER_WORDS, Status
from notifications.models import Delivery, Notice
from notifications.notices import stopping
from notifications.notices.kinds import BY_CODE, Kind

#: The page of the one thing: of which kind of notice, by what in its data, for whom. Empty: of any kind, for anybody.
_PAGES: tuple[tuple[str, str, str, str], ...] = (
    ("message", "task", "", "task-messages"),
    ("follow-up", "follow_up", "", "follow-up"),
    ("hub", "entry", "", "hub-entry"),
    ("break-glass", "opening", User.Role.MANAGER, "glass-review"),
    ("", "task", User.Role.PROVIDER, "task"),
    ("", "referral", User.Role.REFERRER, "referral"),
)
#: Where there is no page for the one thing: where such things are listed, or where somebody in this role begins.
_LISTS: dict[tuple[str, str], str] = {
    ("request", User.Role.PROVIDER): "requests", ("", User.Role.PROVIDER): "inbox", ("", User.Role.REFERRER): "worklist",
    ("", User.Role.MANAGER): "dashboard",
}  # fmt: skip
_ANSWERED: dict[str, str] = {Status.ACCEPTED: "said yes", Status.REJECTED: "said no", Status.CANCELLED: "took its yes back"}
#: What has stopped, and the page on which it is mended.
_STOPPED = {
    "email": "E-mails to you come back, so we send no more. Look at your settings",
    "sms": "Text messages do not reach your number, so we send no more. Look at your settings",
    "webhook": "A webhook of your organisation was switched off, because its address takes no messages",
}
_MENDED = {"email": "notices-settings", "sms": "notices-settings", "webhook": "webhooks"}


@dataclass(frozen=True, slots=True)
class Line:
    """A notice for its reader."""

    notice: Notice
    words: str
    kind: str


def lines(notices: Iterable[Notice], user: User) -> list[Line]:
    """Notices in words. Services are named as far as the reader sees the referral today; people never are."""
    shown = list(notices)
    named = _services(shown, user)
    return [Line(notice, inside(notice, named.get(_task(notice), "")), BY_CODE[notice.kind].label) for notice in shown]


def inside(notice: Notice, service: str) -> str:
    """What stands on the site."""
    if notice.kind == "grant" and notice.data.get("agreement"):
        return "An agreement to share records with you has ended. What was shared under it is open to you no longer"
    status = str(notice.data.get("status", ""))
    said = BY_CODE[notice.kind].inside.format(
        service=service or "a service",
        answered=_ANSWERED.get(status, "answered"),
        status=REFERRER_WORDS.get(status, "it has moved on"),
        what=_STOPPED.get(str(notice.data.get("what")), ""),
    )
    return said[:1].upper() + said[1:]


def link(notice: Notice, user: User) -> str:
    """The page of what a notice is about, or of the list in which it is. Whether it may be opened is the page's to say."""
    if (mended := _MENDED.get(str(notice.data.get("what")))) is not None:
        return reverse(mended)
    for kind, name, role, page in _PAGES:
        if notice.data.get(name) and kind in ("", notice.kind) and role in ("", user.role):
            return reverse(page, args=[notice.data[name]])
    found = _LISTS.get((notice.kind, user.role)) or _LISTS.get(("", user.role), "home")
    return reverse(found)


# --- outside


def counted(kinds: Sequence[str]) -> list[str]:
    """One sentence for each kind: what there is, and of how much."""
    count = Counter(kinds)
    return [kind.outside if count[kind.code] == 1 else kind.several.format(count=count[kind.code]) for kind in _in_order(count)]


def letter(delivery: Delivery, kinds: Sequence[str], notices: Sequence[UUID], *, to: str) -> EmailMessage:
    """The e-mail. Its only words are those of the kinds, the site's name, and links, which need a sign-in."""
    sentences = counted(kinds)
    subject = sentences[0] if len(sentences) == 1 else f"{len(kinds)} things wait for you"
    stop = f"{settings.SITE_URL}{reverse('notices-stop', args=[stopping.token(delivery.user_id, 'email')])}"
    body = "\n\n".join(
        [
            "\n".join(sentences),
            f"Sign in to read more:\n{where(notices)}",
            "This message says no more on purpose: others may read it.",
            f"Choose what you are told, and when: {settings.SITE_URL}{reverse('notices-settings')}",
            f"No more of these e-mails? One press: {stop}",
            settings.SITE_NAME,
        ]
    )
    headers = {
        "Message-ID": message_id(delivery),
        "Date": format_datetime(delivery.created_at),
        "Auto-Submitted": "auto-generated",
        "List-Unsubscribe": f"<{stop}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }
    return EmailMessage(subject=f"{settings.SITE_NAME}: {subject}", body=body + "\n", to=[to], headers=headers)


def text_message(kinds: Sequence[str], notices: Sequence[UUID]) -> str:
    """The text message."""
    return f"{settings.SITE_NAME}: {' '.join(counted(kinds)[:3])} {where(notices)} Reply STOP to stop."


def where(notices: Sequence[UUID]) -> str:
    """The page of the one notice, or the list of all."""
    path = reverse("notice", args=[notices[0]]) if len(notices) == 1 else reverse("notices")
    return f"{settings.SITE_URL}{path}"


def message_id(delivery: Delivery) -> str:
    """The same at each try, so that a mailbox that got it already shows it once; and what a bounce says who bounced by."""
    host = settings.SITE_URL.split("://")[-1].split("/")[0].split(":")[0]
    return f"<lune-{delivery.pk}@{host}>"


def _in_order(count: Counter[str]) -> list[Kind]:
    return [kind for code, kind in BY_CODE.items() if count[code]]


def _task(notice: Notice) -> UUID | None:
    try:
        return UUID(notice.data["task"])
    except (KeyError, ValueError, TypeError):
        return None


def _services(notices: Sequence[Notice], user: User) -> dict[UUID | None, str]:
    tasks = {pk for pk in map(_task, notices) if pk is not None}
    if not tasks:
        return {}
    found = ReferralTask.objects.visible_to(user).filter(pk__in=tasks).order_by()
    return dict(found.values_list("pk", "pool__service__name"))
