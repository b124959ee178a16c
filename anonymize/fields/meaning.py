"""What a field's name says about its value: ``last_name``, ``lastName``, ``customer.zip``.

Structured data carries no sentences for a model to read, but it carries names. A rule is an
entity, or one of the marks below.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from functools import lru_cache

from anonymize.fields.goods import is_goods
from anonymize.fields.handles import is_handle, perhaps_handle
from anonymize.fields.names import (
    DOCUMENTS,
    ENTITIES,
    HOLDERS,
    NEEDS_ALL,
    PERSONAL,
    ROLES,
    TOWNS,
)
from anonymize.fields.people import names_person, perhaps_person
from anonymize.fields.plausible import NAME_SHAPE, plausible
from anonymize.fields.spots import told
from anonymize.recognizers.lexicon import lexicon
from anonymize.surrogates.places import COUNTRIES
from anonymize.surrogates.words import fold

#: An identifier that is not a person's: patterns only, and random looks are expected.
OPAQUE = "~id"
#: A number: nothing is looked for in it, but it may be equal to a value known as personal.
NUMBER = "~number"
#: A name that agents depend on (tools, roles, models): only what can't be a name by any means.
LABEL = "~label"
#: A town beside a street or postal code: part of that address, and nobody's elsewhere.
TOWN = "~town"
#: Names what finds towns in addresses: they are replaced where they stand, and not learnt.
IN_BLOCK = "Block"
#: A fixed name for a text whose fields a rule of the policy keeps.
KEEP = "~keep"
#: Begins the mark of a field rule of the policy that changes the value, whatever it holds.
ACT = "~act/"

_BY_NAME = {name: entity for entity, names in ENTITIES.items() for name in names.split()}
_OPAQUE = re.compile(
    r"(?:^|_)(?:id|ids|uuid|guid|hash|sha|sha1|sha256|md5|digest|etag|cursor|signature|fingerprint|"
    r"checksum|nonce|token_count|tokens|trace|span|request|run|key|ref|reference|sku|asin|code|"
    r"number|no|version|model|encrypted_content|data|bytes|image|url)$"
)
_NOBODY = frozenset(
    """
    n/a na none null nil unknown undefined anonymous redacted true false yes no string str text
    integer int number float boolean bool object array any value default optional required self me
    user admin root system assistant agent customer guest test tester demo example nobody bot tool
    name email phone address first last dob date - -- . ... ? unspecified other various multiple all
    """.split()
)
#: Scripts that put no spaces between words.
UNSPACED = re.compile(r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_MARKED = re.compile(r"^(?:[<\[{*(].*[>\]}*)]|\*+|x+|\.+|-+|_+|#+)$", re.IGNORECASE | re.DOTALL)


#: ``policyholder_id``, ``health_card_no``: whose number, or which document's.
_NUMBERED = re.compile(
    rf"(?:\w+_)??(?:(?P<holder>{'|'.join(sorted(HOLDERS))})|(?:{'|'.join(sorted(DOCUMENTS))}))"
    r"(?:_(?:card|account|plan|beneficiary))?_?(?:id|ids|number|numbers|num|no|nr|nummer|identifier)$"
)


@lru_cache(1 << 14)
def normal(key: str) -> str:
    """``lastName``, ``Last Name`` and ``last-name`` as ``last_name``."""
    spaced = _CAMEL.sub("_", key[:80])
    return re.sub(r"[\W_]+", "_", spaced).strip("_").lower()


@lru_cache(1 << 14)
def _by_name(name: str) -> str:
    """The rule that a normalised name alone gives, or ``""``."""
    entity = _BY_NAME.get(name)
    if entity is not None:
        return entity
    if name.endswith("_nm"):
        return _by_name(f"{name[:-3]}_name")
    for cut in (1, 2, 3):  # customer_last_name, new_billing_zip
        tail = "_".join(name.split("_")[-cut:])
        if tail != name and tail in _BY_NAME and tail not in NEEDS_ALL:
            return _BY_NAME[tail]
    if name.endswith("s") and name[:-1] in _BY_NAME:
        return _BY_NAME[name[:-1]]
    if name.endswith("_address") or name in ("ship_to", "bill_to", "deliver_to", "sold_to"):
        return "?STREET_ADDRESS"
    if name.endswith("_name") and name[: -len("_name")] in ROLES:
        return "PERSON"
    numbered = _NUMBERED.match(name)
    if numbered:
        return "ACCOUNT_ID" if numbered["holder"] else "GOVERNMENT_ID"
    plural = name[-1:] == "s" and name[:-1] in ROLES
    if name in ("name", "names") or name in ROLES or name.endswith(("ed_by", "_owner")) or plural:
        return "?PERSON"
    return OPAQUE if _OPAQUE.search(name) else ""


def key_entity(name: str) -> str:
    """The entity that the normalised name of a field stands for, or ``""``."""
    rule = _by_name(name)
    return "" if rule.startswith("~") else rule.lstrip("?")


def named_by(values: Mapping[str, object]) -> str:
    """What names the value of an object like ``{"name": "zip", "value": "80279"}``, or ``""``."""
    if not any(key in values for key in _VALUE_KEYS):
        return ""
    for key in _NAME_KEYS:
        name = values.get(key)
        if not isinstance(name, str) or len(name) >= 60:
            continue
        if key_entity(normal(name)) or normal(name) in DOCUMENTS:
            return name
    return ""


def ruled_by(values: Mapping[str, object], value: str, siblings: Collection[str]) -> str:
    """The rule for ``value`` in an object whose other half says what it is, or ``""``."""
    name = named_by(values)
    if not name:
        return ""
    rule = rule_for((name,), value, siblings)
    if normal(name) in DOCUMENTS and plausible("GOVERNMENT_ID", value):
        rule = "GOVERNMENT_ID"  # {"type": "passport", "number": "X1234567"}
    if rule == "STREET_ADDRESS" and not any(c.isdigit() for c in value):
        return ""  # {"title": "Address", "text": "please confirm your address"}
    return "" if rule.startswith("~") else rule


#: Keys of the two halves of such an object.
_VALUE_KEYS = ("value", "val", "answer", "text", "content", "response", "data", "stringValue",
               "new_value", "old_value", "newValue", "oldValue", "number", "no")  # fmt: skip
_NAME_KEYS = (
    "name", "key", "label", "field", "type", "question", "attribute", "id", "system", "title",
    "fieldName", "field_name", "kind", "slot", "prompt", "doc_type", "docType", "document",
    "document_type", "documentType", "id_type", "idType", "column",
)  # fmt: skip


def is_value_key(key: str) -> bool:
    """Whether ``key`` is the second half of such an object."""
    return key in _VALUE_KEYS


#: How a query compares a field with a value.
_OPERATORS = frozenset(
    """
    eq ne neq in nin like ilike contains icontains starts_with startswith istartswith ends_with
    endswith regex equals equal iexact exact term match match_phrase not_eq not_in is_equal_to
    equal_to prefix wildcard
    """.split()
)


#: What is in somebody's name: the name if there are two words, else what it is called by.
_BOOKED = frozenset("booking bookings reservation reservations appointment".split())


#: What identity providers put before a user's address: ``auth0|mei@corp.example``.
_ISSUERS = (
    "auth0|google-oauth2|google|oauth2|oidc|saml|samlp|ldap|ad|adfs|waad|azuread|okta|github|apple|"
    "facebook|cognito|mailto|urn|acct|account|user|users|usr|uid|id|sub|email|customer|client|member"
)
_MAILBOX = re.compile(
    rf"(?P<issuer>(?:(?:{_ISSUERS})[|:/])*)[^\s@\"'<>(),;:/|\\]{{1,64}}@[^\W_][\w.\-]{{0,250}}\.[^\W\d_]{{2,}}",
    re.IGNORECASE,
)


def rule_for(path: tuple[str, ...], value: str, siblings: Collection[str] = ()) -> str:
    """The rule for a leaf ``value`` at ``path`` (its keys, outermost first).

    ``siblings`` are the keys of the object that holds it: "name" beside "email" is a person's.
    Values that are evidently not personal (empty, "N/A", a type name) get no entity.
    """
    rule = _rule_for(path, value, siblings)
    if "@" in value and rule in ("USERNAME", "ACCOUNT_ID", "PAYMENT_ID"):
        # Many users are known by their address; one made up as a handle could be somebody's.
        mailbox = _MAILBOX.fullmatch(value.strip())
        if mailbox is not None:
            return OPAQUE if mailbox["issuer"] else "EMAIL_ADDRESS"
    return rule


def _rule_for(path: tuple[str, ...], value: str, siblings: Collection[str]) -> str:
    if not path:
        return ""
    name = normal(path[-1])
    if name in _OPERATORS and len(path) > 1:
        return _rule_for(path[:-1], value, ())  # {"last_name": {"eq": "Kovacs"}}
    rule = _by_name(name)
    if rule in ("", OPAQUE, "?PERSON") and is_goods(name, path, siblings, normal):
        return OPAQUE  # what shops sell is called like people: "Stan Smith trainers"
    if name in ("family", "given") and len(path) > 1 and normal(path[-2]) in ("name", "names"):
        rule = "PERSON"  # HL7 FHIR
    if name in _BOOKED and " " not in value.strip():
        return OPAQUE  # {"reservations": ["IFOYYZ"]}: a code, and no guest
    if name == "membership" and not any(c.isdigit() for c in value):
        return ""  # a level: gold, regular
    if name == "client_id" and sum(c.isdigit() for c in value) < 5:
        return OPAQUE  # a program's, as OAuth calls it
    if rule in ("", OPAQUE, "?PERSON") and value[:1].isalpha():
        above = normal(path[-2]) if len(path) > 1 else ""
        if names_person(name, above, value, siblings, normal):
            return "PERSON"
    if name in TOWNS and rule == "" and value[:1].isalpha() and _in_address(siblings):
        return TOWN if fold(value.strip()) not in COUNTRIES and len(value) > 2 else ""
    if rule in ("", OPAQUE):
        rule = _by_place(name, path, value, siblings) or rule
        if rule in ("", OPAQUE):
            beside = [normal(key) for key in siblings] if name in ("from", "to") else ()
            return "USERNAME" if perhaps_handle(name, value.strip(), beside) else rule
    text = value.strip()
    if not text or text.casefold() in _NOBODY or _MARKED.match(text):
        return ""
    if rule == "?PERSON":
        above = normal(path[-2]) if len(path) > 1 else ""
        if perhaps_person(name, above, text, {normal(key) for key in siblings}):
            return "PERSON"
        return "USERNAME" if name != "name" and is_handle(name, text) else ""
    if rule == "?STREET_ADDRESS":  # not an e-mail, IP or memory address
        where = UNSPACED.search(text) or (re.search(r"\d", text) and re.search(r"[ ,\n]", text))
        rule = "STREET_ADDRESS"
        return rule if where and re.search(r"[^\W\d_]", text) and plausible(rule, text) else ""
    if rule == "PERSON" and not plausible(rule, text) and is_handle(name, text):
        return "USERNAME"  # {"nickname": "laura_46"}
    return rule if plausible(rule, text) else _instead(rule, text)


def _in_address(siblings: Collection[str]) -> bool:
    return any(
        key_entity(normal(key)) in ("STREET_ADDRESS", "POSTAL_CODE")
        for key in siblings
        if normal(key) not in TOWNS
    )


#: Keys that mean something only with the key above: ``worker.id``, ``card.number``.
_PARTIAL = frozenset("id number no num nr line lines code value".split())
#: Names that are a person's document where digits say so.
_LICENCES = frozenset("license licence doc_number doc_no document_no document_number".split())
_PHONE = re.compile(r"[+(]{0,2}\d[\d ().\-/]{6,20}\d")
#: Where a message or a call goes, or comes from.
_REACHED = frozenset(
    "contact to from recipient recipients destination caller callee dialed dialled sms_to cc "
    "sender send_to number_to call_to reply_to on_behalf_of emergency_contact "
    "contact_details".split()
)
_DATE_LIKE = re.compile(r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}.*|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}")


def _by_place(name: str, path: tuple[str, ...], value: str, siblings: Collection[str]) -> str:
    """What the key above, the keys beside or the value itself add to a name that says little."""
    if name in _LICENCES:
        beside = {normal(key) for key in siblings}
        known = name in ("license", "licence") or bool(
            beside & PERSONAL or beside & {"doc_type", "document_type", "id_type"}
        )
        enough = sum(c.isdigit() for c in value) >= 5 and " " not in value.strip()
        return "GOVERNMENT_ID" if known and enough else ""
    if name in ("registration", "reg", "plate"):
        beside = {normal(key) for key in siblings}
        car = beside & {"vin", "make", "model", "color", "colour", "vehicle", "car", "mileage"}
        return "GOVERNMENT_ID" if car and plausible("GOVERNMENT_ID", value) else ""
    if name in _REACHED or name.endswith("_contact"):
        return "PHONE_NUMBER" if _reached(name, value.strip(), siblings) else ""
    if name == "value" and len(path) > 1 and normal(path[-2]) in ("identifier", "identifiers"):
        fhir = {"system", "use", "assigner"} & {normal(key) for key in siblings}
        return "GOVERNMENT_ID" if fhir and plausible("GOVERNMENT_ID", value) else ""
    found = told(name, value, map(normal, siblings))
    if found:
        return found if plausible(found, value.strip()) else ""
    if name in _PARTIAL and len(path) > 1:
        if name == "id" and _is_payment(path[-2]):
            return "PAYMENT_ID"
        above = normal(path[-2])
        for parent in (above, above[:-1] if above.endswith("s") else above):
            rule = _by_name(f"{parent}_{name}")
            if rule and not rule.startswith(("~", "?")):
                return rule
    return ""


def _reached(name: str, text: str, siblings: Collection[str]) -> bool:
    """Whether ``text`` is a phone number: "to" and "from" are also days, accounts and prices."""
    if _PHONE.fullmatch(text) is None or _DATE_LIKE.fullmatch(text):
        return False
    digits = sum(c.isdigit() for c in text)
    if text.startswith("+") or (text[0] == "0" and digits >= 10):
        return digits >= 8
    message = {"body", "message", "text", "sms", "channel", "template", "duration", "call_id"}
    said = name.endswith("contact") or bool(message & {normal(key) for key in siblings})
    return 9 <= digits <= 15 and (said or not text.isdigit())


def _is_payment(key: str) -> bool:
    return normal(key) in ("payment_methods", "payment_method", "payments")


def _instead(rule: str, text: str) -> str:
    if rule not in ("ACCOUNT_ID", "PAYMENT_ID", "USERNAME"):
        return ""
    if " " not in text:
        return OPAQUE
    # No code: people's names stand in such fields too, and are looked for like in any words.
    words = [fold(word) for word in text.split()]
    known = lexicon()
    named = len(words) <= 4 and known.is_first(words[0]) and known.is_name(words[-1])
    return "PERSON" if named and plausible("PERSON", text) else ""


@lru_cache(1 << 14)
def is_full_name(key: str) -> bool:
    """Whether a key of an object is a person's name and can hardly be anything else."""
    words = key.replace("-", " ").split(" ")
    if not 2 <= len(words) <= 4 or not all(word[:1].isupper() for word in words):
        return False
    if NAME_SHAPE.fullmatch(key) is None or not all(word[1:].islower() for word in words):
        return False
    known = lexicon()
    folded = [fold(word) for word in words]
    return known.is_first(folded[0]) and all(known.is_name(word) for word in folded[1:])
