"""Who may sign in to the demonstration region. Shown on the sign-in page and by `make run`; never on a live site."""

from typing import NamedTuple

DOMAIN = "demo.lune.example"
PASSWORD = "lune-demo-2026"  # noqa: S105 - printed for everybody to see


class Login(NamedTuple):
    """One demonstration account."""

    email: str
    role: str
    name: str
    organization: str
    try_this: str


HOSPITAL = "Lune Valley General Hospital"
PRACTICE = "Lanternbeck Surgery"
NETWORK = "Lune and Bay Primary Care Network"
HOME = "Larkgarth Care"
HOMECARE = "Otterwath Homecare"
CHARITY = "Lamplight Lune Together"
BOARD = "Lancashire and South Cumbria Demonstration Care Board"

LOGINS: list[Login] = [
    Login(
        f"discharge@{DOMAIN}", "Discharge nurse", "Noor Ainscough", HOSPITAL,
        "Open your worklist, choose somebody on pathway 3, find places and send one referral to several homes.",
    ),
    Login(
        f"gp@{DOMAIN}", "General practice", "Jan Threlfall", PRACTICE,
        "Look for community nursing near a patient's postcode and see why each service is or is not in the list.",
    ),
    Login(
        f"linkworker@{DOMAIN}", "Social prescribing link worker", "Sam Entwistle", NETWORK,
        "Find befriending or debt advice for somebody who lives alone, and follow the answers as they come.",
    ),
    Login(
        f"home@{DOMAIN}", "Care home manager", "Maureen Rawcliffe", HOME,
        "Change how many beds are free in one tap, then answer a referral in your inbox.",
    ),
    Login(
        f"homecare@{DOMAIN}", "Home care coordinator", "Imran Sharples", HOMECARE,
        "Accept a package of care: the name appears only then, and the other agencies' requests are withdrawn.",
    ),
    Login(
        f"charity@{DOMAIN}", "Charity coordinator", "Ruth Swarbrick", CHARITY,
        "Keep the places of 25 services up to date, and answer what link workers ask.",
    ),
    Login(
        f"manager@{DOMAIN}", "Regional flow manager", "Tariq Hesketh", BOARD,
        "Watch the dashboard move: who waits on which pathway, why, and where places are free.",
    ),
    Login(
        f"trustmanager@{DOMAIN}", "Hospital flow manager", "Helen Catterall", HOSPITAL,
        "See the same dashboard for your own hospital only.",
    ),
    Login(
        f"curator@{DOMAIN}", "Directory curator", "Zofia Bleasdale", BOARD,
        "Look for records that nobody has checked for a year, correct one and mark it as checked.",
    ),
    Login(
        f"admin@{DOMAIN}", "Administrator", "Alex Pilkington", "",
        "Look after users, freshness policies and the pace of the simulator. You see no person's record.",
    ),
]  # fmt: skip
