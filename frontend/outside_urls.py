"""Addresses for providers without an account, calls that are written down, the register, and people’s own times."""

from django.urls import path

from .views import calling_off, my_time, outside, outside_staff, register

urlpatterns = [
    path("reply/<str:token>/", outside.reply, name="reply"),
    path("reply/<str:token>/again/", outside.again, name="reply-again"),
    path("directory/<uuid:pk>/replies/", outside_staff.contact, name="reply-contact"),
    path("referrals/<uuid:pk>/calls/<uuid:task_id>/", outside_staff.call, name="referral-call"),
    path("referrals/<uuid:pk>/code/<uuid:task_id>/", outside_staff.read_code, name="referral-code"),
    path("register/", register.day, name="register"),
    path("register/figures/", register.figures, name="register-report"),
    path("register/figures.csv", register.figures_csv, name="register-report-csv"),
    path("register/people/<uuid:pk>/", register.book, name="register-book"),
    path("register/people/<uuid:pk>/cancel/<uuid:booking_id>/", register.cancel, name="register-cancel"),
    path("register/<uuid:pk>/<str:when>/", register.session, name="register-session"),
    path("register/<uuid:pk>/<str:when>/cancel/", calling_off.call_off, name="register-call-off"),
    path("register/<uuid:pk>/<str:when>/undo/", calling_off.undo, name="register-call-off-undo"),
    path("t/<str:token>/", my_time.my_time, name="my-time"),
]
