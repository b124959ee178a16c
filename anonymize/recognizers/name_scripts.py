"""Names in scripts other than Latin: by their titles, their endings, or standing alone in English.

Chinese, Japanese and Korean names are found by what follows them (先生, 様, 씨) and, in English
text, by a family name before one or two more characters. Cyrillic and Greek family names have
endings of their own. In Arabic, Hebrew and Indic text titles say it; in English text a run of two
or three words of another script is hardly anything but a name or a place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

Span = tuple[int, int, float]

_OTHER = re.compile(r"[\u0370-\u1fff\u3040-\ud7af]")
_HAN_SURNAMES = (
    "王李张張刘劉陈陳杨楊赵趙黄黃周吴吳徐孙孫胡朱高林何郭马馬罗羅梁宋郑鄭谢謝韩韓唐冯馮于董萧蕭程曹袁邓鄧许許"
    "傅沈曾彭吕呂苏蘇卢盧蒋蔣蔡贾賈丁魏薛叶葉阎閻余潘杜戴夏钟鍾汪田任姜范方石姚谭譚廖邹鄒熊金陆陸郝孔白崔康毛邱"
    "秦江史顾顧侯邵孟龙龍万萬段钱錢汤湯尹黎易常武乔喬贺賀赖賴龚龔文欧歐"
)
_HAN = "\u4e00-\u9fff々ヶ"
_KANA = "\u3040-\u30ff"
_CJK_TITLED = re.compile(
    rf"([{_HAN}]{{1,5}}(?:[ 　・]?[{_HAN}{_KANA}]{{1,5}})?|[\u30a1-\u30ff]{{2,10}})"
    r"(?=[ 　]?(?:様|さま|さん|殿|先生|女士|小姐|太太|经理|經理|くん|ちゃん|"
    r"氏[はがのをにと、]))"
)
_CJK_LABELLED = re.compile(
    r"(?:姓名|名前|氏名|お名前|联系人|聯絡人|收件人|客户|客戶|担当|我叫|我是|私は)"
    r"[ 　]?(?:[:：は为是])?[ 　]?"
    rf"([{_HAN}]{{2,4}}(?:[ 　][{_HAN}]{{1,3}})?)"
)
_HANGUL_TITLED = re.compile(
    r"([\uac00-\ud7af]{2,4})(?= ?(?:씨|님|선생님|고객님|과장|부장|대리|사장|교수))"
)
_HANGUL_LABELLED = re.compile(
    r"(?:이름|성명|고객명|담당자)(?:은|는|이)?[ :：]{1,2}([\uac00-\ud7af]{2,4})"
)
_CJK_ALONE = re.compile(
    rf"(?<![{_HAN}{_KANA}\uac00-\ud7af])(?:[{_HAN_SURNAMES}][{_HAN}]{{1,2}}|"
    rf"[{_HAN}]{{1,3}}[ 　・][{_HAN}{_KANA}]{{1,4}}|[{_HAN}]{{4}}|"
    r"[\uac00-\ud7af]{2,4}(?: [\uac00-\ud7af]{2,3})?|"
    rf"[\u30a1-\u30ff]{{2,8}}[ 　・][\u30a1-\u30ff]{{2,8}})(?![{_HAN}{_KANA}\uac00-\ud7af])"
)
_CYR = "\u0400-\u052f"
#: Words begin where no letter stands before them: text without spaces is read once.
_CYR_WORD = rf"(?<![{_CYR}])[\u0400-\u042f][{_CYR}'’ʼ]{{1,30}}(?:-[\u0400-\u042f][{_CYR}]{{1,30}})?"
_CYR_TITLED = re.compile(
    r"(?:г-н|г-жа|господин[уа]?|госпож[аеуи]|гражданин|д-р|доктор|пан|пані|товарищ|меня зовут|"
    r"зовут|уважаем(?:ый|ая)|дор(?:огой|огая)|шановн(?:ий|а)|"
    r"здравствуйте,?|привет,?|мене звати)"
    rf",? ({_CYR_WORD}(?: {_CYR_WORD}){{0,2}})",
    re.IGNORECASE,
)
_CYR_ENDS = (
    r"(?:ов|ова|ову|овым|овой|ев|ева|еву|ёв|ёва|ин|ина|ину|ин|ын|ына|ский|ская|ского|скому|цкий|цкая|"
    r"енко|ко|ук|юк|чук|ич|вич|вна|ична|ян|дзе|швили|ых|ський|ська|ець|ак|як)"
)
_CYR_PAIR = re.compile(rf"({_CYR_WORD}(?: {_CYR_WORD}){{1,2}})")
_CYR_FAMILY = re.compile(rf"{_CYR_ENDS}(?=$|[ -])")
_GREEK = "\u0370-\u03ff\u1f00-\u1fff"
_GREEK_WORD = rf"(?<![{_GREEK}])[\u0386-\u03ab\u1f08-\u1fff][{_GREEK}]{{1,30}}"
_GREEK_TITLED = re.compile(
    r"(?:κύρι[εα]|κυρία|κύριος|κ\.|κα|αγαπητ[έή]|με λένε|ονομάζομαι) "
    rf"({_GREEK_WORD}(?: {_GREEK_WORD}){{0,2}})",
    re.IGNORECASE,
)
_GREEK_PAIR = re.compile(rf"({_GREEK_WORD}(?: {_GREEK_WORD}){{1,2}})")
_GREEK_FAMILY = re.compile(
    r"(?:όπουλος|οπούλου|ίδης|ίδου|άδης|άδου|άκης|άκη|άκος|ίου|ιάδης|έας|άτος|άτου|ούδης|ούδη|λής|λή|"
    r"ής|ου|ας|ης)(?=$| )"
)
_ARABIC = "\u0600-\u06ff\u0750-\u077f"
_ARABIC_TITLED = re.compile(
    r"(?:السيد|السيدة|الأستاذ|الأستاذة|الدكتور|الدكتورة|اسمي|آقای|خانم|جناب) "
    rf"([{_ARABIC}]++(?: [{_ARABIC}]++){{0,2}})"
)
_HEBREW_TITLED = re.compile(
    r"(?:מר|גברת|גב['׳]|ד[\"״]ר|שמי|קוראים לי) ([\u0590-\u05ff]+(?: [\u0590-\u05ff]+)?)"
)
_INDIC = "\u0900-\u0dff"
_INDIC_TITLED = re.compile(rf"(?:श्री|श्रीमती|डॉ\.?|मेरा नाम) ([{_INDIC}]+(?: [{_INDIC}]+)?)")
_FOREIGN_RUN = re.compile(
    rf"(?<![{_ARABIC}])[{_ARABIC}]++(?: [{_ARABIC}]++){{1,2}}(?![ ]?[{_ARABIC}])|"
    r"(?<![\u0590-\u05ff])[\u0590-\u05ff]++(?: [\u0590-\u05ff]++){1,2}(?![ ]?[\u0590-\u05ff])|"
    rf"(?<![{_INDIC}])[{_INDIC}]++(?: [{_INDIC}]++){{1,2}}(?![ ]?[{_INDIC}])|"
    r"(?<![\u0e00-\u0eff])[\u0e00-\u0eff]{3,}+(?: [\u0e00-\u0eff]{3,}+){1,2}"
    r"(?![ ]?[\u0e00-\u0eff])|"
    r"(?<![\u10a0-\u10ff])[\u10a0-\u10ff]++(?: [\u10a0-\u10ff]++){1,2}(?![ ]?[\u10a0-\u10ff])|"
    r"(?<![\u0530-\u058f])[\u0530-\u058f]++(?: [\u0530-\u058f]++){1,2}(?![ ]?[\u0530-\u058f])|"
    rf"{_CYR_WORD}(?: {_CYR_WORD}){{1,2}}|{_GREEK_WORD}(?: {_GREEK_WORD}){{1,2}}"
)
_TITLED = (_CJK_TITLED, _CJK_LABELLED, _HANGUL_TITLED, _HANGUL_LABELLED, _CYR_TITLED,
           _GREEK_TITLED, _ARABIC_TITLED, _HEBREW_TITLED, _INDIC_TITLED)  # fmt: skip
_LONGEST = 4_000


def other_scripts(text: str) -> Iterator[Span]:
    """Spans of names with a score."""
    if text.isascii() or not _OTHER.search(text):
        return
    for pattern in _TITLED:
        for match in pattern.finditer(text):
            yield *match.span(1), 0.7
    for pattern, ends in ((_CYR_PAIR, _CYR_FAMILY), (_GREEK_PAIR, _GREEK_FAMILY)):
        for match in pattern.finditer(text):
            words = match.group(1).split(" ")
            if any(ends.search(word) and len(word) > 4 for word in words):
                yield *match.span(1), 0.6
    words = text[:_LONGEST].split()
    foreign = sum(_OTHER.search(word) is not None for word in words)
    if len(words) - foreign > 2 * foreign or (foreign < 4 and foreign + 1 < len(words)):
        for pattern in (_FOREIGN_RUN, _CJK_ALONE):
            for match in pattern.finditer(text):
                yield *match.span(), 0.55
