"""Whether a word is built from names: the parts of handles. Loads the lists only."""

from __future__ import annotations

from anonymize.recognizers.lexicon import lexicon


def strict(part: str) -> bool:
    """Whether a folded part is a name and little else."""
    known = lexicon()
    return known.is_name(part) or part in known.firm


def listed(part: str) -> bool:
    """Whether a folded part is a name of some sort, and no everyday word."""
    known = lexicon()
    return (known.listed(part) or known.shaped(part)) and not known.is_common(part)


def given(part: str) -> bool:
    """Whether a folded part is a given name, and no everyday word."""
    known = lexicon()
    return (part in known.first or part in known.rare_first) and not known.is_common(part)


def built_from_names(word: str) -> bool:
    """Whether folded letters hold a name at either end: ``gunnarssonm``, ``parisateijuilo``."""
    known = lexicon()
    if len(word) < 4 or known.is_common(word):
        return False
    if listed(word):
        return True
    families = (known.last, known.rare_last)
    if len(word) > 4 and any(word[1:] in names or word[:-1] in names for names in families):
        return True
    for cut in range(3, len(word) - 2):
        head, tail = word[:cut], word[cut:]
        if (head in known.first or head in known.last) and known.listed(tail):
            return True
        if known.listed(head) and (tail in known.first or tail in known.last):
            return True
        if cut > 4 and (head in known.firm or (head in known.first and head not in known.words)):
            return True
        if len(tail) > 5 and tail in known.last and tail not in known.words:
            return True
    return False


def _part(part: str) -> bool:
    return not lexicon().is_common(part) or part in lexicon().firm


def glued(word: str, least: int = 3) -> bool:
    """Whether folded letters are a given and a family name, both of ``least`` letters or more."""
    known = lexicon()
    for cut in range(least, len(word) - least + 1):
        head, tail = word[:cut], word[cut:]
        for one, two in ((head, tail), (tail, head)):
            first = one in known.first or (len(one) > 4 and one in known.rare_first)
            if first and known.family(two) and _part(one) and _part(two):
                return True
    return False


def initialled(word: str) -> bool:
    """Whether folded letters are an initial and a family name, in any order."""
    known = lexicon()
    return any(
        len(part) > 2
        and (part in known.last or (len(part) > 4 and known.family(part)))
        and _part(part)
        for part in (word[1:], word[:-1])
    )
