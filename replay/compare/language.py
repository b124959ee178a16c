"""The language of a text, told cheaply: by its script, or by its most common small words.

Enough to see that a German customer is suddenly answered in English; no library is loaded for it.
"""

from __future__ import annotations

import re

_WORDS = {
    "en": """the and you your is are to of for with have has been this that we can not please
    will my i where what""",
    "de": """der die das und ist nicht sie ihre ihr wir haben wurde mit für auf ein eine
    bitte zu den im ich können wo mein meine was""",
    "fr": """le la les et est vous votre nous avons été pour avec une dans pas des du je
    merci sur ma mon mes où""",
    "es": """el la los y es usted su sus hemos ha sido para con una no por que del se gracias
    en mi dónde está qué""",
    "it": """il la gli e è il suo abbiamo stato per con una non di che del grazie sono nel
    alla mio mia dove""",
    "pt": """o a os e é você seu sua foi para com uma não por que do da obrigado em está
    minha meu onde""",
    "nl": """de het en is u uw we hebben voor met een niet van dat op bedankt zijn wordt te""",
    "pl": """i jest nie się na do to że w z pan pani twoje zostało dla proszę jak dziękuję""",
    "sv": """och är inte du din vi har för med en ett på att som tack av det den""",
}
_STOP = {lang: frozenset(words.split()) for lang, words in _WORDS.items()}
_SCRIPTS = (
    ("zh", re.compile("[\u3040-\u30ff\u4e00-\u9fff]")),
    ("ko", re.compile("[\uac00-\ud7af]")),
    ("ru", re.compile("[\u0400-\u04ff]")),
    ("ar", re.compile("[\u0600-\u06ff]")),
    ("he", re.compile("[\u0590-\u05ff]")),
    ("el", re.compile("[\u0370-\u03ff]")),
    ("hi", re.compile("[\u0900-\u097f]")),
    ("th", re.compile("[\u0e00-\u0e7f]")),
)
_KANA = re.compile("[\u3040-\u30ff]")
_WORD = re.compile(r"[^\W\d_]+")
_MAX_TEXT = 3_000
_MIN_HITS = 3


def language_of(text: str) -> str | None:
    """A language code, or ``None`` where the text is too short or too mixed to tell."""
    head = text[:_MAX_TEXT]
    letters = sum(c.isalpha() for c in head)
    if letters < 12:
        return None
    for name, script in _SCRIPTS:
        # A third is enough: names and ids are often in Latin letters.
        if len(script.findall(head)) * 3 > letters:
            return "ja" if name == "zh" and _KANA.search(head) is not None else name
    words = [w.lower() for w in _WORD.findall(head)]
    hits = sorted(((sum(w in stop for w in words), lang) for lang, stop in _STOP.items()))
    (second, _), (first, best) = hits[-2:]
    if first < _MIN_HITS or first * 8 < len(words) or first < 1.5 * second:
        return None
    return best
