"""Street addresses as people of many countries write them. Cities alone are nobody's."""

from __future__ import annotations

from typing import ClassVar

from anonymize.recognizers.blocks import CUED
from anonymize.recognizers.interface import PatternFamily, Rule
from anonymize.recognizers.street_checks import (
    blocks,
    box,
    capital,
    compound,
    loose,
    named,
    numbered,
    prefixed,
    said,
    second,
    street,
    town_code,
    unit,
    with_code,
)
from anonymize.recognizers.street_words import (
    ENDINGS,
    FIRST,
    HOUSES,
    INDIAN,
    LOOSE_FIRST,
    LOOSE_TYPES,
    SECOND,
    TYPES,
)

_UNIT = (
    r"(?:suite|ste|apt|apartment|unit|flat|room|rm|studio|floor|fl|appt|wohnung|whg|interior|int|"
    r"depto|piso|edif|bldg|building|lot|trlr|spc|level)\.?"
)
#: What may follow a street on the same line and belongs to it.
_TAIL = (
    rf"(?:,? {{1,2}}(?i:{_UNIT}) {{0,2}}#? ?[A-Z]?\d{{0,5}}-?[A-Za-z]?\b|"
    r",? ?# ?[A-Z]?\d{1,5}(?:-\d{1,4})?[A-Za-z]?\b)?"
)
_NAME = r"[\pL\pN][\pL\pN.'’\-]*"
_NUMBER = r"\d{1,4}(?: ?[A-Za-z]\b)?(?:[/\-]\d{1,4}[a-zA-Z]?)?"


class StreetRecognizer(PatternFamily):
    """STREET_ADDRESS."""

    rules: ClassVar[tuple[Rule, ...]] = (
        tuple(
            Rule("STREET_ADDRESS", regex, score, check)
            for regex, score, check in (
                (
                    r"(?i)(?:^|[^\pL\pN.,$€£\-/])((?:\d{1,6}[A-Za-z]?|(?-i:[NSEW]\d{2,5} ?[NSEW]\d{2,5})|"
                    r"one|two|three|four|five|ten)"
                    rf"(?:[\-/]\d{{1,5}}[a-z]?)?,?[ \n](?:{_NAME} ){{0,5}}?(?:{TYPES})\b\.?"
                    rf"(?: (?:N|S|E|W|NE|NW|SE|SW|north|south|east|west)\b)?{_TAIL})",
                    0.75,
                    street,
                ),
                (
                    r"(?:^|[^\pL\pN.,$€£\-/])(\d{1,6}[A-Za-z]?(?:[\-/]\d{1,5})? "
                    rf"(?:\p{{Lu}}[\pL.'’\-]* ){{1,3}}?(?i:{LOOSE_TYPES})\b\.?{_TAIL})",
                    0.65,
                    capital,
                ),
                (
                    r"(?i)(?:^|[^\pL\pN.,$€£\-/])(\d{1,6} (?:(?:n|s|e|w|old|north|south|east|"
                    r"west)\.? )?"
                    r"(?:us|u\.s\.|state|county|farm to market|fm|sr|cr|rural|interstate)?"
                    rf" ?(?:highway|hwy|route|rte|road|rd|fm|cr|sr) [A-Z]?\d{{1,4}}[A-Z]?{_TAIL})",
                    0.7,
                    prefixed,
                ),
                (
                    rf"(?i)(?:^|[^\pL\pN])((?:(?-i:\p{{Lu}})[\pL.'’]+[ \-]"
                    rf"){{0,2}}\pL[\pL\-]{{2,}}(?:{ENDINGS})"
                    rf"\.? {_NUMBER})",
                    0.7,
                    compound,
                ),
                (
                    rf"(?:^|[^\pL\pN])(\p{{Lu}}[\pL.'’\-]+ (?:\pL[\pL.'’\-]+ ){{0,2}}?(?i:{SECOND})"
                    rf"\.? (?:(?i:no|nr)[.:]{{0,2}} ?)?{_NUMBER})",
                    0.7,
                    second,
                ),
                (
                    r"(?:^|[^\pL\pN])((?:\p{Lu}[\pL'’\-]+ ){1,3}(?:Street|Road|Avenue|Boulevard|"
                    r"Lane|Rd|Ave|Blvd)\.? (?:No\.? ?)?\d{1,5}[A-Za-z]?)",
                    0.65,
                    numbered,
                ),
                (
                    r"(?:^|[^\pL\pN])((?:[Aa]venue|[Bb]oulevard|[Bb]oul\.|[Bb]vd|[Cc]ours|[Aa]llée|"
                    r"[Bb]ulevardi?) (?:(?:de|du|des|la|le|les|of) ){0,2}(?:\p{Lu}[\pL.'’\-]+ ){1,3}"
                    r"\d{1,4}[A-Za-z]?(?: (?:bte|boîte|bus|box) ?[0-9A-Z]{1,4})?)",
                    0.65,
                    numbered,
                ),
                (
                    rf"(?:^|[^\pL\pN])((?:The )?(?:\p{{Lu}}[\pL'’\-]+ ){{1,3}}(?:{HOUSES}), "
                    r"(?:\p{Lu}[\pL'’\-]+ ){1,2}(?:Lane|Road|Street|Avenue|Close|Drive|Hill|Green|"
                    r"Row|Terrace|Gardens|Crescent|Square))",
                    0.6,
                    named,
                ),
                (
                    r"(?:^|[^\pL\pN])((?:[Bb]rgy\.?|[Bb]arangay|[Pp]urok|[Ss]itio) "
                    r"(?:\p{Lu}[\pL'’\-]+|\d{1,3})(?: \p{Lu}[\pL'’\-]+){0,2})",
                    0.6,
                    named,
                ),
                (
                    rf"(?i)(?:^|[^\pL\pN])((?:{FIRST}) (?:{_NAME},? ){{1,5}}?(?:# ?|nº ?|"
                    rf"n[r°o]?\.? ?|km )?"
                    rf"{_NUMBER})",
                    0.7,
                    prefixed,
                ),
                (
                    rf"(?i)(?:^|[^\pL\pN])(\d{{1,4}}(?:,| bis| ter| quater)?,? (?:{FIRST}) "
                    rf"(?:(?:de|du|des|la|le|les|d'|l'|de la|"
                    rf"de l') ?){{0,2}}{_NAME}(?: (?-i:\p{{Lu}})[\pL'’\-]+){{0,3}})",
                    0.7,
                    prefixed,
                ),
                (
                    r"(?i)(?:^|[^\pL\pN])(\d{1,4}(?:,| bis| ter)?,? (?:avenue|av\.|boulevard|boul\.|"
                    r"bd\.?|"
                    r"blvd|place|square|cours|passage|route) (?:(?:de|du|des|la|le|les|d'|l') ?){0,2}"
                    r"(?-i:\p{Lu}[\pL'’\-]+)(?-i: \p{Lu}[\pL'’\-]+){0,3})",
                    0.7,
                    prefixed,
                ),
                (
                    rf"(?:^|[^\pL\pN])((?i:{LOOSE_FIRST}) (?:{_NAME} ){{0,2}}\p{{Lu}}[\pL.'’\-]"
                    rf"+,? {_NUMBER})",
                    0.6,
                    loose,
                ),
                (
                    rf"(?:^|[^\pL\pN])((?:\pL[\pL.'’\-]+ ){{0,3}}\pL[\pL.'’\-]+,? {_NUMBER}\.?)"
                    r"[,\n] ?(?:[A-Z]{1,3}-)?(?:\d{3} \d{2}|\d{2}-\d{3}|\d{4,6}(?:-\d{3})?)"
                    r"(?: [A-Z]{2})? \pL{2}",
                    0.65,
                    with_code,
                ),
                (
                    rf"(?:^|[^\pL\pN])((?:\p{{Lu}}[\pL.'’\-]+ ){{0,2}}\p{{Lu}}[\pL.'’\-]+ {_NUMBER}),? "
                    r"\p{Lu}[\pL.'’\-]+(?: \p{Lu}[\pL.'’\-]+){0,2},? \d{4,6}\b",
                    0.6,
                    town_code,
                ),
                (  # Colombia: streets are numbered
                    r"(?i)(?:^|[^\pL\pN])((?:carrera|calle|cra|kra|cl|avenida|av|transversal|"
                    r"diagonal)\.? "
                    r"\d{1,3} ?[a-z]?(?: bis| sur| norte| este)? ?(?:#|"
                    r"n[°ºo]\.?)? ?\d{1,4}[a-z]?(?: ?- ?\d{1,3})?)",
                    0.65,
                    prefixed,
                ),
                (
                    r"(?i)(?:^|[^\pL\pN])((?:blk|"
                    r"block) \d{1,4}[a-z]? (?:\pL[\pL.'’]+ ){1,4}(?:\d{1,3} )?"
                    r"#\d{1,3}-\d{1,4})",
                    0.7,
                    prefixed,
                ),
                (
                    rf"(?i)(?:^|[^\pL\pN])((?:{INDIAN})\.? ?[\w/\-]{{1,8}},?[ \n](?-i:\p{{Lu}}[\pL.]"
                    rf"+|\d{{1,2}}(?:st|nd|rd|th))"
                    r"(?: (?-i:\p{Lu})[\pL.]+){0,3}(?:, (?-i:\p{Lu})[\pL.]+(?: (?-i:\p{Lu})[\pL.]+)"
                    r"{0,2} "
                    r"(?:road|nagar|colony|street|marg|lane|layout|block|phase|enclave|vihar|salai))?)",
                    0.65,
                    prefixed,
                ),
                (
                    rf"(?i)(?:^|[^\pL\pN])({_UNIT}\s?#?\s?(?:[A-Z]?\d{{1,5}}[A-Z]?|[A-Z]-?\d{{1,4}}|"
                    rf"\d{{1,3}}-[A-Z])\b)",
                    0.6,
                    unit,
                ),
                (r"(?:^|[\s,])(# ?(?:[A-Z]?\d{1,5}[A-Z]?|\d{1,3}-\d{1,4}))", 0.6, unit),
                (
                    r"(?i)(?:^|[^\pL\pN])((?:p\.?\s?o\.?\s?b(?:ox)?|post office box|gpo box|"
                    r"locked bag|private bag|"
                    r"postfach|postbus|bo[iî]te postale|casella postale|apartado(?: de correos)?|"
                    r"caixa postal|skr\. poczt\.|psc \d{1,5},? box|unit \d{1,5} box|"
                    r"[rh]\.?[rc]\.? ?\d{1,3},? box)\.?\s?(?:no\.? ?|# ?)?\d{1,7}(?: \d{2,3}\b){0,2})",
                    0.75,
                    box,
                ),
                (
                    r"(?i)\b(?:address(?: is| with| to|:| on file is| as)|lives? (?:at|on|in)|"
                    r"living (?:at|on)|"
                    r"resid(?:es|ing|ent) (?:at|on)|residence(?: is|:)|(?:ship|deliver|send|return|"
                    r"mail|sent|shipped|"
                    r"forward)(?:ed)?(?: it| them| this| to)? (?:to|at)|moved to|located at|based at|"
                    r"wohnt in|wohnhaft in|habite(?: au)?|domicili[ée]e? au?|vive en|abita in|"
                    r"woont (?:op|in))\s{1,2}"
                    rf"(\d{{1,5}}[A-Za-z]?(?:[ \-/]\d{{1,5}})?,? \pL[\pL\pN.'’\-]+(?: [\pL\pN.'’\-]"
                    rf"+){{0,4}}{_TAIL}|"
                    rf"(?:(?-i:\p{{Lu}})[\pL.'’\-]+ ){{1,4}}(?:No\.? ?)?{_NUMBER})",
                    0.6,
                    said,
                ),
                (
                    r"(?:^|[^\pL\pN])((?:\d-chome-)?\d{1,2}-\d{1,3}-\d{1,3}(?:-\d{1,4})?,? "
                    r"\p{Lu}[\pL\-]+"
                    r"(?:-(?:ku|cho|machi|dori))?)",
                    0.6,
                    blocks,
                ),
                (
                    r"((?:東京都|北海道|(?:京都|大阪)府|\p{Han}{2,3}県)[\p{Han}\p{Hiragana}\p{Katakana}ー]{1,24}"
                    r"[0-9０-９一二三四五六七八九十\-－ー丁目番地号の]{1,24}|"
                    r"[\p{Han}]{2,10}(?:路|街|大道|巷)\d{1,5}号(?:[\p{Han}\d\-]{1,12}[室楼号])?|"
                    r"[\p{Hangul}]{1,10}(?:로|길) ?\d{1,4}(?:-\d{1,4})?)",
                    0.75,
                    None,
                ),
                (
                    r"(?:\b(?:on|at|of|to|near|along|off|and|in|down|corner of|"
                    r"refers to)\s)((?:St\.? )?"
                    r"(?:(?:[NSEW]|NE|NW|SE|SW)\.? )?(?:\p{Lu}[\pL.'’]+ |\d{1,3}(?:st|nd|rd|th) ){1,3}"
                    r"(?:Street|St|Road|Rd|Lane|Ln|Avenue|Ave|Boulevard|Blvd|Drive|Terrace|Crescent|"
                    r"Close)\b\.?"
                    r"(?: St\b\.?| Street\b| street\b)?)",
                    0.55,
                    named,
                ),
                (
                    r"\b(?:lives? on|living on|"
                    r"resides on)\s((?:\p{Lu}[\pL.'’]+ ){1,3}street)\b",
                    0.55,
                    named,
                ),
            )
        )
        + CUED
    )


__all__ = ["StreetRecognizer"]
