"""Names of nobody and nothing: two-part words for organisations, ordinary names for people, numbers kept for drama."""

import random

_FIRST = (
    "Alder Amber Ash Bracken Bramble Brindle Burnet Catkin Clover Copper Curlew Dapple Drift Ember Fallow Fern Flax Foxglove Gorse "
    "Harebell Haw Heron Hollin Ivy Juniper Kestrel Lamb Lark Ling Linnet Lupin Mallow Merle Moor Moss Oat Osier Otter Ouzel Pebble "
    "Plover Quill Reed Rowan Rush Saffron Sedge Shale Siskin Sorrel Sparrow Swift Tansy Teal Thistle Thrush Tawny Twill Vetch Wag "
    "Whin Wicker Willow Wren Yarrow"
).split()
_LAST = (
    "acre barrow beck brae brook clough combe cote croft dale dene fall fell field fold ford garth gill glade hay haugh holme how "
    "keld knoll lea ley loft mead mere moss nook pike pool rigg scar shaw shore slack sike stead stile thorn thwaite wath wick wold worth"
).split()
GIVEN = {
    "female": (
        "Agnes Aisha Alice Amina Ann Anita Barbara Beata Betty Brenda Carol Catherine Christine Deborah Doris Dorothy Edith Elaine "
        "Elizabeth Ethel Fatima Freda Gladys Grace Hazel Helen Hilda Irene Iris Jacqueline Janet Jean Joan Joyce Judith June Kathleen "
        "Khadija Linda Lilian Margaret Marjorie Mary Maureen Mavis Muriel Nasreen Nora Olive Pamela Patricia Pauline Phyllis Rita Ruth "
        "Safia Sandra Sheila Shirley Sylvia Teresa Vera Veronica Violet Winifred Yvonne Zofia"
    ).split(),
    "male": (
        "Abdul Alan Albert Andrzej Arthur Barry Brian Cecil Clifford Colin David Dennis Derek Donald Douglas Edward Eric Ernest Francis "
        "Frank Fred Geoffrey George Gordon Graham Harold Harry Herbert Hussain Imran Jack James John Joseph Keith Kenneth Kevin Leonard "
        "Leslie Malcolm Maurice Michael Mohammed Neil Norman Patrick Peter Philip Ralph Raymond Reginald Robert Roger Ronald Roy Samuel "
        "Sidney Stanley Stephen Terence Thomas Tariq Victor Walter William Yusuf Zbigniew"
    ).split(),
}
FAMILY = (
    "Ainscough Airey Akhtar Alderson Ali Ashworth Aspinall Atherton Barton Baxendale Begum Bibby Birtwistle Bleasdale Bolton Bradshaw "
    "Briggs Calvert Catterall Clegg Cottam Cowell Cronshaw Cross Crossley Culshaw Dawson Dewhurst Duckworth Eastham Eccles Entwistle "
    "Fairclough Farnworth Fielding Fishwick Foster Gardner Gerrard Gornall Greenhalgh Gregson Grimshaw Hacking Halsall Hargreaves "
    "Haworth Heaton Hesketh Higson Hindle Hodgson Holden Holt Houghton Howarth Hussain Iddon Ingham Iqbal Jackson Jepson Kay Kellet "
    "Kenyon Kershaw Khan Kowalski Leyland Livesey Lomax Mahmood Marsden Mason Mayor Mistry Moss Nowak Nuttall Ormerod Parker Parkinson "
    "Patel Pickup Pilkington Pollard Porter Procter Rawcliffe Rigby Riley Rothwell Rushton Sagar Sanderson Seed Sharples Shaw Shorrock "
    "Singleton Slater Smalley Southworth Standish Sutcliffe Swarbrick Tattersall Taylor Thistlethwaite Threlfall Turner Unsworth "
    "Walmsley Walsh Wareing Whalley Whitehead Whittaker Wilding Wilkinson Wolstenholme Worthington Yates"
).split()


class Words:
    """Invented place-like words, each given once: "Larkgarth", "Otterwath"."""

    def __init__(self, rng: random.Random) -> None:
        pairs = [first + last for first in _FIRST for last in _LAST if not first.lower().endswith(last) and first[-1] != last[0]]
        rng.shuffle(pairs)
        self._left = iter(pairs)

    def next(self) -> str:
        return next(self._left)


def phone(rng: random.Random) -> str:
    """A number from Ofcom's ranges for television and radio drama: it rings nowhere."""
    return f"01632 960{rng.randint(0, 999):03d}" if rng.random() < 0.8 else f"07700 900{rng.randint(0, 999):03d}"


def nhs_number(serial: int) -> str | None:
    """The synthetic NHS number 999sssssSx of that serial (0–999,999); None when its check digit would be ten."""
    digits = f"999{serial:06d}"
    check = 11 - sum(int(d) * weight for d, weight in zip(digits, range(10, 1, -1), strict=True)) % 11
    return None if check == 10 else f"{digits}{0 if check == 11 else check}"
