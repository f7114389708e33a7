"""Every address of the site."""

from allauth.account import urls as account_urls
from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.http import HttpRequest, HttpResponsePermanentRedirect
from django.templatetags.static import static
from django.urls import include, path
from django.views.decorators.http import require_safe

from core import mail
from matching.api import cds
from notifications.api import hooks

#: Of allauth's pages, those that Lune has: nobody signs up, and an administrator alone changes an e-mail address.
ACCOUNT_PAGES = {
    "account_login", "account_logout", "account_inactive", "account_signup", "account_change_password",
    "account_reset_password", "account_reset_password_done", "account_reset_password_from_key", "account_reset_password_from_key_done",
}  # fmt: skip

# One door: the administrator's site has no sign-in of its own, which would know no limit on guesses.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]


@require_safe
def favicon(request: HttpRequest) -> HttpResponsePermanentRedirect:
    """For pages that name no icon of their own, such as the administrator's."""
    return HttpResponsePermanentRedirect(static("images/lune.svg"))


urlpatterns = [
    path("favicon.ico", favicon, name="favicon"),
    # Without its shortcut to a record's own page: no record has one, and history rows are no records.
    path("admin/", ([page for page in admin.site.get_urls() if getattr(page, "name", "") != "view_on_site"], "admin", "admin")),
    path("account/", include([page for page in account_urls.urlpatterns if page.name in ACCOUNT_PAGES])),
    path("api/v1/", include("config.api_urls")),
    # Without a slash at the end, as CDS Hooks has them.
    path("api/cds-services", cds.HooksView.as_view(), name="cds-services"),
    path("api/cds-services/<slug:hook>", cds.HookView.as_view(), name="cds-service"),
    path("fhir/", include("capacity.api.fhir_urls")),
    path("hooks/sms/", hooks.sms_in, name="hook-sms"),
    path("hooks/mail-receipts/", mail.receipts, name="hook-mail-receipts"),
    path("hooks/mail/", hooks.mail_in, name="hook-mail"),
    path("api/oruk/", include("catalogue.api.oruk.urls")),
    path("", include("frontend.urls")),
]

handler400 = "frontend.views.errors.bad_request"
handler403 = "frontend.views.errors.permission_denied"
handler404 = "frontend.views.errors.not_found"
handler429 = "frontend.views.errors.too_many_requests"
handler500 = "frontend.views.errors.server_error"
