"""What each address answers to each role. An address without a line here fails the build."""

OWN, ELSEWHERE = "own referrer", "referrer elsewhere"
ACCEPTED, ASKED, NOT_ASKED = "provider that said yes", "provider asked", "provider not asked"
MANAGER, TRUST, CURATOR, ADMINISTRATOR, ANONYMOUS = "manager", "trust manager", "curator", "administrator", "anonymous"
REFERRERS, PROVIDERS, MANAGERS, KEEPERS = {OWN, ELSEWHERE}, {ACCEPTED, ASKED, NOT_ASKED}, {MANAGER, TRUST}, {CURATOR, ADMINISTRATOR}
SIGNED_IN = REFERRERS | PROVIDERS | MANAGERS | KEEPERS
ROLES = sorted(SIGNED_IN | {ANONYMOUS})

Answers = dict[str, int]


def page(roles: set[str] | str, status: int = 200, *, others: dict[str, int] | None = None) -> Answers:
    """A page for one kind of work: 403 for other work, to the sign-in page (302) for nobody. `others` says who gets something else."""
    allowed = {roles} if isinstance(roles, str) else roles
    return {role: status if role in allowed else 302 if role == ANONYMOUS else 403 for role in ROLES} | (others or {})


def api(status: int, *, others: dict[str, int] | None = None) -> Answers:
    """For whoever is signed in; 403 for nobody."""
    return {role: 403 if role == ANONYMOUS else status for role in ROLES} | (others or {})


def all_get(status: int, *, others: dict[str, int] | None = None) -> Answers:
    return dict.fromkeys(ROLES, status) | (others or {})


def of(roles: set[str], status: int) -> Answers:
    return dict.fromkeys(roles, status)


NOT_THERE = all_get(405)
NOT_IN_API = api(405)
#: A record of a referrer's organisation: 404 for a referrer of another.
OURS = page(OWN, others={ELSEWHERE: 404})
FOREIGN_TO_MOST = api(404)
#: What is kept about a person: for the sender and for the provider that said yes.
KNOWN = page({OWN, ACCEPTED}, others=of({ELSEWHERE, ASKED, NOT_ASKED}, 404))
MATCHING = dict.fromkeys(ROLES, 403)

#: An entry is kept by its provider and by those who keep the directory.
ENTRY = page(KEEPERS | {ACCEPTED}, others=of({ASKED, NOT_ASKED}, 404))
NO_ENTRY = page(KEEPERS | PROVIDERS, 404)

ORUK_1_LISTS = ("services", "organizations", "locations", "reviews", "taxonomies", "vocabularies")

#: Name of an address: what GET answers, and what a POST with nothing in it does.
POLICY: dict[str, tuple[Answers, Answers]] = {
    "favicon": (all_get(301), NOT_THERE),
    "home": (page(SIGNED_IN), NOT_THERE),
    "map-areas": (all_get(200), NOT_THERE),
    "directory": (all_get(200), NOT_THERE),
    "service": (all_get(200), all_get(422)),
    "service-ask": (all_get(200), all_get(422)),
    "service-asked": (all_get(200), NOT_THERE),
    "my-request": (all_get(404), all_get(404)),
    # Sent to the service of the provider that said yes; a curator sees those for services of which nobody signs in.
    "requests": (page(PROVIDERS | {CURATOR}), NOT_THERE),
    "request": (page(ACCEPTED, others=of({ASKED, NOT_ASKED, CURATOR}, 404)), NOT_THERE),
    "request-step": (NOT_THERE, page(ACCEPTED, 422, others=of({ASKED, NOT_ASKED, CURATOR}, 404))),
    "notices": (page(SIGNED_IN), NOT_THERE),
    "notices-bell": (page(SIGNED_IN), NOT_THERE),
    "notices-read": (page(SIGNED_IN, 405), page(SIGNED_IN, 302)),
    "notices-settings": (page(SIGNED_IN), page(SIGNED_IN, 422)),
    "notices-mobile": (page(SIGNED_IN, 405), page(SIGNED_IN, 302)),
    "notices-defaults": (page(MANAGERS), page(MANAGERS, 422)),
    # The policy's token is nobody's, and so are its notice and its message.
    "notices-stop": (all_get(404), all_get(404)),
    "notice": (page(SIGNED_IN, 404), NOT_THERE),
    "notice-read": (page(SIGNED_IN, 405), page(SIGNED_IN, 404)),
    "notices-failed": (page({ADMINISTRATOR} | REFERRERS | PROVIDERS), NOT_THERE),
    "notices-people-again": (page(ADMINISTRATOR, 405), page(ADMINISTRATOR, 302)),
    "notices-person-do": (page(REFERRERS | PROVIDERS, 405), page(REFERRERS | PROVIDERS, 404)),
    "notices-failed-do": (page(ADMINISTRATOR, 405), page(ADMINISTRATOR, 404)),
    # Managers connect systems, and of providers whoever keeps the keys.
    "webhooks": (page(MANAGERS | PROVIDERS), page(MANAGERS | {ACCEPTED}, 422)),
    "webhook-do": (page(MANAGERS | PROVIDERS, 405), page(MANAGERS | PROVIDERS, 404)),
    "webhook-replay": (page(MANAGERS | PROVIDERS, 405), page(MANAGERS | {ACCEPTED}, 404, others=of({ASKED, NOT_ASKED}, 403))),
    "caught": (page(SIGNED_IN), NOT_THERE),
    "worklist": (page(REFERRERS), NOT_THERE),
    "worklist-csv": (page(REFERRERS), NOT_THERE),
    **dict.fromkeys(("worklist-search", "worklist-view-save"), (page(REFERRERS, 405), page(REFERRERS, 302))),
    # The policy's view and change are nobody's.
    "worklist-view": (page(REFERRERS, 405), page(REFERRERS, 302)),
    # With nothing chosen there is nothing to do.
    "batch-new": (page(REFERRERS | PROVIDERS, 405), page(REFERRERS | PROVIDERS, 302)),
    "batch": (page(REFERRERS | PROVIDERS, 404), NOT_THERE),
    "batch-undo": (page(REFERRERS | PROVIDERS, 405), page(REFERRERS | PROVIDERS, 404)),
    "patient-new": (page(REFERRERS), page(REFERRERS, 422)),
    "patient": (OURS, NOT_THERE),
    "patient-changes": (OURS, NOT_THERE),
    **dict.fromkeys(("patient-edit", "patient-consent", "around-new", "stay-new", "stay"), (OURS, OURS | {OWN: 422})),
    # Nobody is noted around the policy's person.
    **dict.fromkeys(("around-edit", "around-record"), (page(REFERRERS, 404), page(REFERRERS, 404))),
    "patient-pairs": (page(REFERRERS), NOT_THERE),
    "patient-pair": (OURS, OURS | {OWN: 422}),
    "patient-merges": (page(REFERRERS), NOT_THERE),
    "patient-unmerge": (page(REFERRERS, 405), page(REFERRERS, 404)),
    # Around one person: whoever may know them, and nobody who is only asked.
    "patient-story": (KNOWN, NOT_THERE),
    **dict.fromkeys(("patient-notes", "patient-documents", "patient-follow-ups"), (KNOWN, KNOWN | of({OWN, ACCEPTED}, 422))),
    "note": (KNOWN, KNOWN | of({OWN, ACCEPTED}, 422)),
    # That of the sender.
    "follow-up": (KNOWN | {ACCEPTED: 404}, KNOWN | {OWN: 422, ACCEPTED: 404}),
    # Its file is erased.
    "document": (KNOWN | of({OWN, ACCEPTED}, 409), NOT_THERE),
    "document-step": (NOT_THERE, page(REFERRERS | PROVIDERS, 404)),
    "task-messages": (KNOWN | {ASKED: 200}, KNOWN | of({OWN, ACCEPTED, ASKED}, 422)),
    "messages": (page(REFERRERS | PROVIDERS), NOT_THERE),
    **dict.fromkeys(("follow-ups", "follow-ups-csv"), (page(REFERRERS | PROVIDERS), NOT_THERE)),
    "patient-hub": (OURS, OURS | {OWN: 422}),
    "patient-share": (OURS, OURS | {OWN: 422}),
    # Nobody in the small world works at a hub.
    "hub": (page(REFERRERS), NOT_THERE),
    "hub-csv": (page(REFERRERS), NOT_THERE),
    "hub-entry": (page(REFERRERS, 404), NOT_THERE),
    "hub-route": (page(REFERRERS, 404), page(REFERRERS, 404)),
    "hub-step": (page(REFERRERS, 405), page(REFERRERS, 404)),
    "glass": (page(REFERRERS | PROVIDERS), page(REFERRERS | PROVIDERS, 422)),
    # The policy's opening is nobody's.
    "glass-record": (page(REFERRERS | PROVIDERS, 404), NOT_THERE),
    "glass-reviews": (page(MANAGERS), NOT_THERE),
    "glass-review": (page(MANAGERS, 404), page(MANAGERS, 404)),
    "looks": (page(MANAGERS), page(MANAGERS, 422)),
    "looks-all": (page(MANAGERS), NOT_THERE),
    "looks-all-csv": (page(MANAGERS), NOT_THERE),
    "looks-csv": (page(MANAGERS, 404), NOT_THERE),
    "sharing": (page(MANAGERS | {ADMINISTRATOR}), NOT_THERE),
    "sharing-agreement-new": (page(MANAGERS | {ADMINISTRATOR}), page(MANAGERS | {ADMINISTRATOR}, 422)),
    "sharing-agreement-end": (page(MANAGERS | {ADMINISTRATOR}, 405), page(MANAGERS | {ADMINISTRATOR}, 404)),
    "sharing-grant": (page(MANAGERS, 404), NOT_THERE),
    "sharing-revoke": (page(REFERRERS | MANAGERS, 405), page(REFERRERS | MANAGERS, 404)),
    "team-new": (page(MANAGERS), page(MANAGERS, 422)),
    "team": (page(MANAGERS, 404), page(MANAGERS, 404)),
    "pathways": (page(ADMINISTRATOR), NOT_THERE),
    "pathway-new": (page(ADMINISTRATOR), page(ADMINISTRATOR, 422)),
    "pathway": (page(ADMINISTRATOR, 404), NOT_THERE),
    "pathway-edit": (page(ADMINISTRATOR, 404), page(ADMINISTRATOR, 404)),
    "pathway-step": (page(ADMINISTRATOR, 405), page(ADMINISTRATOR, 404)),
    "find": (page(REFERRERS), page(REFERRERS, 422)),
    "match": (OURS, NOT_THERE),
    "match-again": (page(REFERRERS, 405), OURS | {OWN: 302}),
    # With nothing chosen there is nothing to compare.
    "match-compare": (OURS | {OWN: 422}, NOT_THERE),
    "match-why-not-search": (OURS, NOT_THERE),
    "match-why-not": (OURS, NOT_THERE),
    "send": (OURS | {OWN: 302}, OURS | {OWN: 302}),
    "referral": (OURS, NOT_THERE),
    "referral-edit": (OURS, OURS | {OWN: 422}),
    "referral-list": (page(REFERRERS, 405), OURS | {OWN: 302}),
    "referral-step": (page(REFERRERS, 405), OURS | {OWN: 302}),
    # Signed by a record system: nobody else is believed, signed in or not.
    "launch": (NOT_THERE, all_get(403)),
    # The policy's token is of no launch.
    "launch-open": (page(REFERRERS, 403), page(REFERRERS, 403)),
    # Without a person there is nobody to refer.
    "refer": (page(REFERRERS, 404), page(REFERRERS, 404)),
    "refer-paper": (page(REFERRERS), page(REFERRERS, 422)),
    "refer-choose": (page(REFERRERS, 404), NOT_THERE),
    "refer-send": (page(REFERRERS, 404), page(REFERRERS, 404)),
    "letter-new": (OURS, OURS | {OWN: 422}),
    # The policy's letter is nobody's.
    **dict.fromkeys(("letter", "letter-text"), (page(REFERRERS, 404), NOT_THERE)),
    "plan": (page(REFERRERS | MANAGERS), NOT_THERE),
    "plan-csv": (page(REFERRERS | MANAGERS), NOT_THERE),
    "plan-draw": (page(REFERRERS | MANAGERS, 405), page(REFERRERS | MANAGERS, 302)),
    # No plan is being drawn up.
    "plan-stop": (page(REFERRERS | MANAGERS, 405), page(REFERRERS | MANAGERS, 404)),
    # No plan is suggested instead.
    "plan-take-over": (page(REFERRERS | MANAGERS, 405), page(REFERRERS | MANAGERS, 302)),
    "patient-plan": (OURS, OURS | {OWN: 422}),
    "plan-line": (OURS, OURS | {OWN: 422}),
    "what-if": (page(MANAGERS), NOT_THERE),
    "what-if-new": (page(MANAGERS), page(MANAGERS, 422)),
    **dict.fromkeys(("what-if-answer", "what-if-csv"), (page(TRUST, others={MANAGER: 404}), NOT_THERE)),
    **dict.fromkeys(("what-if-stop", "what-if-go-on"), (page(MANAGERS, 405), page(TRUST, 302, others={MANAGER: 404}))),
    "holds": (page(REFERRERS), NOT_THERE),
    # Without a place one is sent to find one.
    "hold-new": (page(REFERRERS, 302), page(REFERRERS, 302)),
    "hold-extend": (page(REFERRERS, 405), OURS | {OWN: 302}),
    "hold-let-go": (page(REFERRERS, 405), OURS | {OWN: 302}),
    "inbox": (page(PROVIDERS), NOT_THERE),
    "task": (page({ASKED, ACCEPTED}, others={NOT_ASKED: 404}), NOT_THERE),
    "task-step": (page(ASKED, others={ACCEPTED: 302, NOT_ASKED: 404}), page({ASKED, ACCEPTED}, 422, others={NOT_ASKED: 404})),
    "places": (page(PROVIDERS), NOT_THERE),
    # Without a figure there is nothing to confirm.
    "places-same": (page(PROVIDERS, 405), page(PROVIDERS, 422)),
    "place": (page(ACCEPTED, others=of({ASKED, NOT_ASKED}, 404)), page(ACCEPTED, 409, others=of({ASKED, NOT_ASKED}, 404))),
    "place-public": (page(PROVIDERS, 405), page(ACCEPTED, 302, others=of({ASKED, NOT_ASKED}, 404))),
    "place-change": (page(ACCEPTED, others=of({ASKED, NOT_ASKED}, 404)), page(ACCEPTED, 422, others=of({ASKED, NOT_ASKED}, 404))),
    "places-file": (page(PROVIDERS), page(PROVIDERS, 422)),
    "places-export": (page(PROVIDERS | MANAGERS), NOT_THERE),
    "service-place-new": (page(ACCEPTED, others=of({ASKED, NOT_ASKED}, 404)), page(ACCEPTED, 422, others=of({ASKED, NOT_ASKED}, 404))),
    # Without a pool there is nothing to keep.
    "place-waiting": (page(PROVIDERS, 405), page(PROVIDERS, 422)),
    # Of those who run services, whoever keeps the keys makes one.
    "place-keys": (page(PROVIDERS), page(ACCEPTED, 422)),
    # The policy's key is nobody's.
    "place-key-revoke": (page(PROVIDERS, 405), page(PROVIDERS, 404)),
    "service-correct": (page(PROVIDERS, 405), page(ACCEPTED, 302)),
    "place-history": (page(SIGNED_IN), NOT_THERE),
    **{name: (page(MANAGERS), NOT_THERE) for page_ in ("history", "dashboard", "unmet") for name in (page_, f"{page_}-csv")},
    "board": (page(MANAGERS | REFERRERS | PROVIDERS), NOT_THERE),
    "board-screens": (page(MANAGERS | PROVIDERS), page(MANAGERS | PROVIDERS, 422)),
    "board-screen-revoke": (page(MANAGERS | PROVIDERS, 405), page(MANAGERS | PROVIDERS, 404)),
    "board-screen": (all_get(404), NOT_THERE),
    # A manager reads, an administrator switches.
    "letter-words": (page(MANAGERS), page(MANAGERS, 422)),
    "letter-words-sheet": (page(MANAGERS), NOT_THERE),
    "letter-word-version": (page(MANAGERS, 404), page(MANAGERS, 404)),
    "rules": (page(MANAGERS | {ADMINISTRATOR}), NOT_THERE),
    "rule-new": (page(MANAGERS | {ADMINISTRATOR}), page(MANAGERS | {ADMINISTRATOR}, 422)),
    "rule": (page(MANAGERS | {ADMINISTRATOR}, 404), page(MANAGERS | {ADMINISTRATOR}, 404)),
    "acceptance": (page(MANAGERS | {ADMINISTRATOR}), page(ADMINISTRATOR, 422)),
    "acceptance-csv": (page(MANAGERS | {ADMINISTRATOR}), NOT_THERE),
    "quality": (all_get(200), NOT_THERE),
    "robots": (all_get(200), NOT_THERE),
    "sitemap": (all_get(200), NOT_THERE),
    "sitemap-part": (all_get(200), NOT_THERE),
    "quality-csv": (all_get(200), NOT_THERE),
    "directory-csv": (all_get(200), NOT_THERE),
    "service-reported": (all_get(200), NOT_THERE),
    "service-calendar": (all_get(200), NOT_THERE),
    "diary": (all_get(200), NOT_THERE),
    # Without a place there is no diary to follow.
    "diary-calendar": (all_get(404), NOT_THERE),
    "still-correct-done": (all_get(200), NOT_THERE),
    # The policy's token belongs to no letter.
    "still-correct": (all_get(404), all_get(404)),
    "still-correct-change": (all_get(404), all_get(404)),
    "still-correct-closed": (all_get(404), all_get(404)),
    "still-correct-letters": (all_get(404), all_get(404)),
    # Nor to a message that asks what is free.
    "tell": (all_get(404), all_get(404)),
    "tell-thanks": (all_get(404), all_get(404)),
    "tell-again": (NOT_THERE, all_get(404)),
    "tell-stop": (all_get(404), all_get(404)),
    # Nor to a request that somebody without an account answers.
    "reply": (all_get(404), all_get(404)),
    "reply-again": (NOT_THERE, all_get(404)),
    "reply-contact": (
        page(KEEPERS | {ACCEPTED}, others=of({ASKED, NOT_ASKED}, 404)),
        page(KEEPERS | {ACCEPTED}, 422, others=of({ASKED, NOT_ASKED}, 404)),
    ),
    "referral-call": (OURS, page(OWN, 422, others={ELSEWHERE: 404})),
    # Of a provider that signs in.
    "referral-code": (OURS, page(OWN, 409, others={ELSEWHERE: 404})),
    "register": (page(PROVIDERS), NOT_THERE),
    "register-report": (page(PROVIDERS), NOT_THERE),
    "register-report-csv": (page(PROVIDERS), NOT_THERE),
    "register-book": (page(ACCEPTED, others=of({ASKED, NOT_ASKED}, 404)), page(ACCEPTED, 422, others=of({ASKED, NOT_ASKED}, 404))),
    # The policy's session and booking are nobody's.
    "register-session": (page(PROVIDERS, 404), page(PROVIDERS, 404)),
    "register-cancel": (NOT_THERE, page(PROVIDERS, 404)),
    "register-call-off": (page(PROVIDERS, 404), page(PROVIDERS, 404)),
    "register-call-off-undo": (NOT_THERE, page(PROVIDERS, 404)),
    # Nor is the token to a message about an appointment.
    "my-time": (all_get(404), all_get(404)),
    "asking": (page(PROVIDERS), NOT_THERE),
    "asking-service": (page(ACCEPTED, others=of({ASKED, NOT_ASKED}, 404)), page(ACCEPTED, 422, others=of({ASKED, NOT_ASKED}, 404))),
    "asking-failing": (page(KEEPERS), NOT_THERE),
    "replies": (page(KEEPERS), NOT_THERE),
    # Signed by gateways: nobody else is believed, signed in or not.
    "hook-sms": (NOT_THERE, all_get(403)),
    "hook-mail": (NOT_THERE, all_get(403)),
    # Of a provider that this site has not chosen.
    "hook-mail-receipts": (all_get(404), all_get(404)),
    "duplicates": (page(KEEPERS), NOT_THERE),
    "duplicates-csv": (page(KEEPERS), NOT_THERE),
    "duplicate": (page(KEEPERS), page(KEEPERS, 422)),
    "merges": (page(KEEPERS), NOT_THERE),
    "merge-change": (page(KEEPERS, 405), page(KEEPERS, 404)),
    "usage": (page(KEEPERS | MANAGERS), NOT_THERE),
    "usage-csv": (page(KEEPERS | MANAGERS), NOT_THERE),
    "service-pressed": (NOT_THERE, all_get(204)),
    "terms": (page(KEEPERS), NOT_THERE),
    "term-new": (page(KEEPERS), page(KEEPERS, 422)),
    "term": (page(KEEPERS), page(KEEPERS)),
    "assurance-queue": (page(KEEPERS), page(KEEPERS, 302)),
    "assurance-queue-csv": (page(KEEPERS), NOT_THERE),
    "assurance-round": (page(KEEPERS), NOT_THERE),
    "entries": (page(PROVIDERS | KEEPERS), NOT_THERE),
    "entry-new": (page(PROVIDERS | KEEPERS), page(PROVIDERS, 302, others=of(KEEPERS, 422))),
    "entry": (ENTRY, NOT_THERE),
    "entry-part": (ENTRY, ENTRY | of({ACCEPTED, *KEEPERS}, 422)),
    "entry-publish": (NOT_THERE, ENTRY | of({ACCEPTED, *KEEPERS}, 409)),
    "entry-discard": (NOT_THERE, ENTRY | of({ACCEPTED, *KEEPERS}, 409)),
    "entry-take-back": (NOT_THERE, ENTRY | of({ACCEPTED, *KEEPERS}, 409)),
    "entry-check": (NOT_THERE, ENTRY | of({ACCEPTED, *KEEPERS}, 302)),
    "entry-preview": (ENTRY, NOT_THERE),
    "entry-history": (ENTRY, NOT_THERE),
    "entry-undo": (NO_ENTRY, NO_ENTRY),
    "entry-files": (ENTRY, ENTRY | of({ACCEPTED, *KEEPERS}, 422)),
    "entry-file-remove": (NOT_THERE, NO_ENTRY),
    "entry-sheet": (page(PROVIDERS | KEEPERS), page(PROVIDERS | KEEPERS, 422)),
    "entry-sheet-download": (page(PROVIDERS | KEEPERS), page(PROVIDERS | KEEPERS)),
    "entry-sheet-file": (NO_ENTRY, NOT_THERE),
    "entry-sheet-review": (NO_ENTRY, NO_ENTRY),
    "attachment": (all_get(404), NOT_THERE),
    "group-add": (all_get(200), all_get(422)),
    "group-added": (all_get(200), NOT_THERE),
    "proposals": (page(KEEPERS), NOT_THERE),
    "proposal": (page(KEEPERS, 404), page(KEEPERS, 404)),
    "imports": (page(KEEPERS), NOT_THERE),
    "import-run": (page(KEEPERS), NOT_THERE),
    "import-stop": (NOT_THERE, page(KEEPERS, 302)),
    "sources": (page(KEEPERS), NOT_THERE),
    "source-new": (page(KEEPERS), page(KEEPERS, 422)),
    "source-template": (page(KEEPERS), NOT_THERE),
    # The policy's source has no address to read.
    "source": (page(KEEPERS), page(KEEPERS, 422)),
    "source-edit": (page(KEEPERS), page(KEEPERS, 422)),
    "account_login": (all_get(302, others={ANONYMOUS: 200}), all_get(302, others={ANONYMOUS: 200})),
    "account_logout": (all_get(200, others={ANONYMOUS: 302}), all_get(302)),
    "account_inactive": (all_get(200), NOT_THERE),
    "account_signup": (all_get(302, others={ANONYMOUS: 200}), all_get(302, others={ANONYMOUS: 200})),
    "account_change_password": (page(SIGNED_IN), page(SIGNED_IN)),
    "account_reset_password": (all_get(200), all_get(200)),
    "account_reset_password_done": (all_get(200), NOT_THERE),
    "account_reset_password_from_key": (all_get(200), all_get(200)),
    "account_reset_password_from_key_done": (all_get(200), NOT_THERE),
    "openapi": (all_get(200), NOT_THERE),
    "api-docs": (all_get(200), NOT_THERE),
    "oruk": (all_get(200), NOT_THERE),
    "oruk-openapi": (all_get(200), NOT_THERE),
    "oruk-changes": (all_get(200), NOT_THERE),
    **{f"oruk-{name}s": (all_get(200), NOT_THERE) for name in ("service", "service-at-location", "organization", "taxonomy-term")},
    **{f"oruk-{name}": (all_get(404), NOT_THERE) for name in ("service", "service-at-location", "organization", "taxonomy-term")},
    "oruk-taxonomies": (all_get(200), NOT_THERE),
    "oruk-taxonomy": (all_get(404), NOT_THERE),
    **{f"oruk-v1-{name}": (all_get(200), NOT_THERE) for name in ORUK_1_LISTS},
    **{f"oruk-v1-{name}": (all_get(404), NOT_THERE) for name in ("service", "organization", "location", "review", "taxonomy")},
    "oruk-unknown": (all_get(404), NOT_THERE),
    "api-services": (api(200), NOT_IN_API),
    "api-service": (api(200), NOT_IN_API),
    "api-taxonomy-terms": (api(200), NOT_IN_API),
    "api-capacities": (api(200), NOT_IN_API),
    "api-capacity": (api(200), NOT_IN_API),
    "api-capacity-history": (api(200), NOT_IN_API),
    "api-capacity-reports": (api(405), api(422)),
    "fhir-metadata": (all_get(200), NOT_THERE),
    "fhir-capacity-figures": (all_get(200), NOT_THERE),
    "fhir-services": (api(200), NOT_IN_API),
    "fhir-service": (api(200), NOT_IN_API),
    "api-match-runs": (MATCHING | of(REFERRERS, 405), MATCHING | of(REFERRERS, 400)),
    "api-match-run": (MATCHING | {OWN: 200, ELSEWHERE: 404}, MATCHING | of(REFERRERS, 405)),
    "api-match-why-not": (MATCHING | {OWN: 200, ELSEWHERE: 404}, MATCHING | of(REFERRERS, 405)),
    "cds-services": (all_get(200), NOT_THERE),
    "cds-service": (MATCHING | of(REFERRERS, 405), MATCHING | of(REFERRERS, 400)),
    "api-patients": (api(200), api(400)),
    "api-patient": (api(404, others={OWN: 200, ACCEPTED: 200}), NOT_IN_API),
    **dict.fromkeys(
        ("api-patient-episodes", "api-patient-consents"),
        (api(404, others=of({OWN, ACCEPTED}, 200)), api(404, others=of({OWN, ACCEPTED}, 400))),
    ),
    "api-episode": (api(404, others={OWN: 200}), NOT_IN_API),
    "api-episode-end": (NOT_IN_API, api(404, others={OWN: 200})),
    "api-referrals": (api(200), api(400)),
    "api-referral": (api(404, others={OWN: 200}), NOT_IN_API),
    "api-referral-step": (NOT_IN_API, api(404, others={OWN: 428})),
    "api-tasks": (api(200), NOT_IN_API),
    "api-task-messages": (api(404, others={OWN: 200, ASKED: 200, ACCEPTED: 200}), api(404, others={OWN: 400, ASKED: 400, ACCEPTED: 400})),
    "api-task-messages-read": (NOT_IN_API, api(404, others={OWN: 400, ASKED: 400, ACCEPTED: 400})),
    "api-patient-documents": (api(404, others={OWN: 200, ACCEPTED: 200}), api(404, others={OWN: 400, ACCEPTED: 400})),
    "api-document": (api(404, others={OWN: 200, ACCEPTED: 200}), NOT_IN_API),
    "api-document-file": (api(404, others={OWN: 409, ACCEPTED: 409}), NOT_IN_API),
    "api-document-withdraw": (NOT_IN_API, api(404, others={OWN: 400, ACCEPTED: 400})),
    "api-follow-ups": (api(200), api(400)),
    "api-follow-up": (api(404, others={OWN: 200}), NOT_IN_API),
    "api-follow-up-end": (NOT_IN_API, api(404)),
    "api-task": (api(404, others={OWN: 200, ASKED: 200, ACCEPTED: 200}), NOT_IN_API),
    "api-task-step": (NOT_IN_API, api(404, others=of({OWN, ASKED, ACCEPTED}, 428))),
    # Nobody in the small world works at a hub.
    "api-hub-entries": (api(200), NOT_IN_API),
    "api-hub-entry": (api(404), NOT_IN_API),
    "api-hub-entry-step": (NOT_IN_API, api(404)),
    "api-pathways": (api(200), NOT_IN_API),
    "api-holds": (api(200), api(400)),
    "api-hold": (api(404, others={OWN: 200, ASKED: 200, TRUST: 200}), NOT_IN_API),
    "api-hold-extend": (NOT_IN_API, api(404, others={OWN: 200, ASKED: 403, TRUST: 403})),
    "api-hold-release": (NOT_IN_API, api(404, others={OWN: 200, ASKED: 403, TRUST: 403})),
    "api-notices": (api(200), NOT_IN_API),
    "api-notices-read": (NOT_IN_API, api(200)),
    "api-notice-read": (NOT_IN_API, api(404)),
    "api-webhooks": (api(200), api(403, others=of(MANAGERS | {ACCEPTED}, 400))),
    "api-webhook": (api(404), NOT_IN_API),
    "api-webhook-rotate": (NOT_IN_API, api(404)),
    "api-webhook-try": (NOT_IN_API, api(404)),
    "api-dashboard": (api(200, others={ADMINISTRATOR: 403}), NOT_IN_API),
}
#: Where the person may be named, and to whom.
NAMES_THE_PERSON = {
    OWN: {
        "patient-story", "patient-notes", "patient-documents", "patient-follow-ups", "note", "follow-up", "document", "task-messages",
        "api-task-messages", "api-patient-documents", "api-document", "api-follow-ups", "api-follow-up",
        "patient-hub", "patient-share", "letter-new",
        "worklist", "worklist-csv", "plan", "plan-csv", "plan-line", "holds", "patient", "patient-plan", "referral", "referral-edit",
        "api-referral", "api-patients", "api-patient",
        "patient-edit", "patient-changes", "patient-consent", "around-new", "stay-new", "stay", "patient-pair",
        "patient-pairs", "api-patient-episodes", "api-episode", "api-episode-end",
    },
    ACCEPTED: {"requests", "request", "request-step", "task", "api-task", "api-patients", "api-patient", "patient-story", "patient-notes",
        "patient-documents", "patient-follow-ups", "note", "document", "task-messages", "messages", "api-task-messages",
        "api-patient-documents", "api-document",
    },
}  # fmt: skip

PERSON = ("Zebedee", "Quillfeather", "9434765919", "PR1 9ZQ", "PR19ZQ", "07700900123", "1941-05-17", "17 May 1941", "Canary")
