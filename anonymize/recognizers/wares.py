"""Whether a word that could be a name is a firm's or a product's: ``a Makita drill``, ``by Dyson,
91.02 EUR``, ``the Levi's Garden Hose``, ``Trailblazer Hiking Boots``, ``Acme Inc``, ``Lisinopril``.

What stands beside the word decides, not a list of brands. Linear: every look is of bounded length.
"""

from __future__ import annotations

import re
from functools import lru_cache

from anonymize.recognizers.lexicon import lexicon
from anonymize.surrogates import fold

#: What shops sell, and what is made rather than owned by whoever is named before it.
_NOUNS = """
boots? shoes? sneakers? sandals? slippers? jeans jacket jackets coat shirt shirts t-shirt hoodie
sweater trousers shorts socks dress skirt belt cap gloves scarf watch watches sunglasses glasses
backpack bag bags wallet suitcase luggage tent headphones headset earbuds earphones speaker speakers
soundbar phone smartphone tablet laptop notebook monitor display keyboard mouse mousepad webcam
camera lens tripod printer scanner toner cartridge router modem console controller gamepad charger
adapter cable battery drive ssd projector television tv e-reader reader smartwatch thermostat
doorbell lamp bulb fan heater humidifier purifier vacuum cleaner mop iron kettle toaster blender
mixer grinder fryer oven stove microwave fridge refrigerator freezer dishwasher washer dryer
machine drill saw sander screwdriver wrench hammer hose mower trimmer blower grill chair desk
table bicycles? sofa mattress pillow blanket shelf bookshelf rack mat dumbbells? treadmill bike
scooter skateboard helmet racket puzzle toy doll stroller crib perfume cologne shampoo lotion cream
soap razor toothbrush guitar piano violin drums? car suv truck sedan pickup engine tires? tyres?
bottle mug pan skillet knife cookware salad sauce soup beer wine whiskey whisky vodka cheese
chocolate coffee tea trainers sneaker bookcase bookcases cabinet wardrobe dresser sideboard
nightstand stool bench armchair recliner couch ottoman rug curtains? duvet cushion towels?
knife knives fork spoon pot kettles? wok grater peeler corkscrew opener thermos flask tumbler
lights? lantern torch chandelier pendant sconce candles? clock mirror vase frame
puddings? biscuits? cookies? crisps chips cereal sauce ketchup mustard mayonnaise jam honey noodles
pasta pizza burger sausages? ham bacon yoghurt yogurt cheese ice-cream chocolates? sweets gum
loafers clogs moccasins heels pumps flats blazer cardigan jumper pullover parka raincoat vest
leggings chinos tights bra pyjamas pajamas robe tie bow-tie scarves handbag tote satchel briefcase
holdall duffel necklace bracelet earrings? ring pendant ukulele banjo cello trumpet saxophone
amplifier turntable subwoofer projector dashcam tripod binoculars telescope microscope drone
stapler sharpener highlighters? markers? pens? pencils? crayons easel notebook planner
crowbar spanner pliers screwdriver chisel sandpaper ladder wheelbarrow shovel rake spade
carseat pram highchair pacifier diapers nappies rattle teddy lego puzzle
thing brand model version edition app website store shop catalogue catalog
language compiler runtime notebook notebooks package library framework server cluster file files
format syntax code script scripts tablets? capsules? dose generic
"""
_NOUN = "|".join(_NOUNS.split())
_AHEAD = 72
#: Around a cell, an entry, a value.
_EDGES = frozenset(("", "|", ",", ";", "\t", "\n", '"', "'"))
#: Of these, what people have files, apps and stores of: nothing that is named after them.
_NO_GOODS = frozenset(
    """
    thing brand model version edition app website store shop catalogue catalog language compiler
    runtime notebook notebooks package library framework server cluster file files format syntax
    code script scripts dose generic salad engine phone card desk table frame ring file
    """.split()
)
#: Hiking Boots, size 42 (capitalised); drill (small); DHP-485, V15 (a model).
_TITLED = re.compile(
    rf"(?:[ \u00a0][^\W_a-z][\w\-]{{0,20}}){{0,3}}[ \u00a0](?i:{_NOUN})\b(?=[^a-z]|\s[a-z])"
)
_SMALL = re.compile(rf"(?:[ \u00a0][a-z\-]{{2,14}})?[ \u00a0](?:{_NOUN})\b")
#: With so many words they are slow, and the same few characters follow in text that repeats.
_titled, _small = lru_cache(1 << 10)(_TITLED.match), lru_cache(1 << 10)(_SMALL.match)
_MODEL = re.compile(
    r"[ \u00a0](?:[A-Z]{1,4}-?\d[\w\-]{0,8}|[A-Z][a-z]+ \d{1,3}\b|\d{1,4}[A-Z]{1,3}\b)"
)
_FIRM = re.compile(
    r",? (?:Inc|LLC|L\.L\.C|Ltd|GmbH|AG|Corp|Corporation|PLC|plc|S\.A|N\.V|B\.V|Pty|KG|Oy|ApS|"
    r"Holdings|Industries|Technologies|Pharmaceuticals|Airlines|Electronics|Motors)\b|[®™]"
)
_PRICE = re.compile(
    r"(?:['’]s)?[,;:]? ?(?:\(|for |at |- )?(?:[$€£¥] ?\d|"
    r"\d[\d.,]{0,12} ?(?:EUR|USD|GBP|CHF|JPY|CAD|AUD|€|\$|£))"
)
_MADE_BY = re.compile(r"(?i)(\w*)[ \u00a0]by[ \u00a0]$")
_OFFER = re.compile(r"(?i)(?:% off|percent off|\bsale\b|discount|\bbrand\b|\bnew in\b)")
_THE = re.compile(
    r"(?i)\b(?:the|an?|this|that|these|those|new|my|your|our)[ \u00a0](?:(?:aunt|uncle|mr|mrs|dr)"
    r"\.?[ \u00a0])?$"
)
_GIVEN_TO = re.compile(
    r"(?i)\b(?:gave|gives?|sends?|sent|bought|buy|gets?|got|offer(?:ed)?|owes?|told|tell|lend|lent|"
    r"shows?|showed|hands?|handed|brings?|brought|mr|mrs|ms|dr|for|to|from|with)\.?[ \u00a0]$"
)
#: Stems that the WHO gives to substances (INN) and that end no name.
_SUBSTANCE = re.compile(
    r"(?:[aeiou]pril|olol|statin|sartan|conazole|prazole|cillin|mycin|tidine|formin|azepam|zolam|"
    r"oxetine|triptan|gliptin|gliflozin|floxacin|cycline|dipine|thiazide|oxaban|parin|lukast|"
    r"setron|tinib|zumab|ximab|mumab|ciclovir|navir|tadine|rizine|profen|traline|epine|barbital)$"
)


def is_ware(text: str, start: int, end: int) -> bool:
    """Whether ``text[start:end]``, taken for a name, is a firm, a product or a substance."""
    after = text[end : end + _AHEAD]
    word = text[start:end]
    if _FIRM.match(after):
        return not _given(word)
    if " " in word:
        return word.count(" ") < 4 and (_sold(word) or _called(text, start, end, after))
    if word[0].islower():
        return _substance(word)
    if _substance(word):
        return True
    before = text[max(0, start - 24) : start]
    by = _MADE_BY.search(before)
    if by is not None:
        verb = by.group(1).lower()
        if not verb.endswith("ed") and verb not in ("sold", "paid", "made", "sent", "taken"):
            return _PRICE.match(after) is not None or (
                _OFFER.search(text, max(0, start - 48), start) is not None
            )
        return False
    owned = after[:2] in ("'s", "’s")
    determined = _THE.search(before) is not None
    rest = after[2:] if owned else after
    if owned and not determined:
        return False
    if _called(text, start, end, after):
        return True
    if _titled(rest):
        return determined or not _given(word)
    if determined:
        return _small(rest) is not None or _MODEL.match(rest) is not None
    return (
        not lexicon().is_first(fold(word))
        and _GIVEN_TO.search(before) is None
        and _small(rest) is not None
    )


def _called(text: str, start: int, end: int, after: str) -> bool:
    """``the Stan Smith trainers``; ``Stella Artois glass`` alone in its text or cell."""
    match = _small(after) or _titled(after)
    if match is None or match.group().split()[-1].lower() in _NO_GOODS:
        return False
    if _THE.search(text, max(0, start - 8), start) is not None:
        return True
    before, behind = text[max(0, start - 3) : start].strip(" *"), after[match.end() :].strip(" *.")
    return before[-1:] in _EDGES and behind[:1] in _EDGES


def _sold(word: str) -> bool:
    """``Brother Air Fryer``, ``Makita Cordless Drill``: a noun of the trade is part of it."""
    if _given(word):
        return False
    first, *others = word.split()
    if any(_noun().fullmatch(other) and other.lower() not in _BORNE for other in others):
        return True
    return _noun().fullmatch(first) is not None and len(others[0]) < 4 and others[0].isupper()


#: Nouns of the trade that families are called.
_BORNE = frozenset(
    """
    cap drums drum pan lamp lampe mixer desk saw brand beer doll sander cable iron tent belt coffee
    store cleaner rice cream fan mat rack coat model case script code drive hammer
    """.split()
)


@lru_cache(1)
def _noun() -> re.Pattern[str]:
    return re.compile(rf"(?i)(?:{_NOUN})")


@lru_cache(4096)
def _substance(word: str) -> bool:
    folded = fold(word)
    return (
        len(folded) > 7 and _SUBSTANCE.search(folded) is not None and (not lexicon().listed(folded))
    )


def _given(word: str) -> bool:
    """Whether the first word is a well-known given name and a second one follows."""
    first = fold(word.split(" ", 1)[0])
    known = lexicon()
    return first in known.firm or (" " in word and known.is_first(first))
