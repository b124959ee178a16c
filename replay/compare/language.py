"""The language of a text, told cheaply: by its script, or by its most common small words.

Enough to see that a German customer is suddenly answered in English; no library is loaded for it.
"""

from __future__ import annotations

import re

#: Small words, without those that stand in running text of a neighbour as well ("an", "on", "son").
_WORDS = {
    "en": """the and you your is are to of for with have has been this that we can not please
    will my i where what it be by they if from but than when there which their would could should
    before after does how most yet any were into up they're it's""",
    "de": """der die das und ist nicht sie ihre ihr wir haben wurde mit für auf ein eine
    bitte zu den im ich können wo mein meine was aber auch als bei dem durch einen einem einer hat
    ihnen ihrem kann kein keine mehr noch nur oder sich sind über um vom von vor werden wie wird
    zum zur diese dieser dieses wenn dass bis nach aus""",
    "fr": """le la les de et est vous votre nous avons été pour avec une dans pas des du je
    merci sur ma mon mes où aux ce ces cette elle ils elles par qui sera être leur leurs tout tous
    très ont ne sont""",
    "es": """el la los de y es usted su sus hemos ha sido para con una no por que del se gracias
    en mi dónde está qué las pero muy ya han hay cuando desde hasta sin también puede tiene más
    este ese fue""",
    "it": """il la gli e è il suo abbiamo stato per con una non di che del grazie sono nel
    alla mio mia dove della dei delle degli più anche questo questa dal dalla nella nei ha hanno
    dopo prima ogni""",
    "pt": """o a os de e é você seu sua foi para com uma não por que do da obrigado em está
    minha meu onde um ao aos dos das pelo pela mas também são ser tem muito já isso até""",
    "nl": """de het en is u uw we hebben voor met een niet van dat op bedankt zijn wordt te
    ik je deze dit maar ook om bij uit aan naar als nog geen meer kan kunt heeft worden tot""",
    "pl": """i jest nie się na do to że w z pan pani twoje zostało dla proszę jak dziękuję""",
    "sv": """och är inte du din vi har för med en ett på att som tack av det den""",
}
#: Language -> its small words.
STOP = {lang: frozenset(words.split()) for lang, words in _WORDS.items()}
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
#: Code is English in every country, and no language at all.
_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]+`|https?://\S+", re.S)
_MAX_TEXT = 3_000
#: So many small words, and so many letters, tell a language.
LEAST_HITS = 3
LEAST_LETTERS = 12


def language_of(text: str) -> str | None:
    """A language code, or ``None`` where the text is too short or too mixed to tell."""
    head = text[:_MAX_TEXT]
    if "`" in head or "://" in head:
        head = _CODE.sub(" ", head)
    letters = sum(c.isalpha() for c in head)
    if letters < LEAST_LETTERS:
        return None
    for name, script in _SCRIPTS:
        # A third is enough: names and ids are often in Latin letters.
        if len(script.findall(head)) * 3 > letters:
            return "ja" if name == "zh" and _KANA.search(head) is not None else name
    words = [w.lower() for w in _WORD.findall(head)]
    hits = sorted(((sum(w in stop for w in words), lang) for lang, stop in STOP.items()))
    (second, _), (first, best) = hits[-2:]
    if first < LEAST_HITS or first * 8 < len(words) or first < 1.5 * second:
        return None
    return best


#: Letters and pieces that hardly any other language of the list has.
_MARKS = {
    "de": re.compile("[äöüß]|\\b(ich|mir|wann|wie|bitte|eine[nmr]?)\\b", re.I),
    "fr": re.compile("[çèêœ]|\\b\\w['’](?=[aeéêiouh])|\\b(je|vous|pouvez|quel(le)?s?)\\b", re.I),
    "es": re.compile("[¿¡ñ]|\\b(quiero|cuándo|puede|necesito|una?)\\b", re.I),
    "it": re.compile("\\b(vorrei|può|quando|quanto|il|che|per)\\b", re.I),
    "pt": re.compile("[ãõ]|\\b(você|quero|quando|não)\\b", re.I),
    "nl": re.compile("ij|\\b(ik|wanneer|kunt|graag|mijn)\\b", re.I),
    "pl": re.compile("[ąęłńśźż]", re.I),
    "sv": re.compile("[å]|\\b(jag|när|kan|min)\\b", re.I),
}


def evidence(text: str, language: str) -> int:
    """How much speaks for ``language`` in a text that may be too short to tell: a count of small
    words, of telling letters, or of letters of its script."""
    head = text[:_MAX_TEXT]
    script = dict(_SCRIPTS).get("zh" if language == "ja" else language)
    if script is not None:
        return len(script.findall(head))
    words = [w.lower() for w in _WORD.findall(head)]
    marks = _MARKS.get(language)
    found = sum(w in STOP.get(language, ()) for w in words)
    return found + (len(marks.findall(head)) if marks is not None else 0)
