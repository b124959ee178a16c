"""What a field's name says about its value: ``last_name``, ``lastName``, ``customer.zip``.

Structured data carries no sentences for a model to read, but it carries names. A rule is an
entity, or one of the marks below.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from functools import lru_cache

from anonymize.recognizers.lexicon import lexicon
from anonymize.surrogates.words import fold

#: An identifier that is not a person's: patterns only, and random looks are expected.
OPAQUE = "~id"
#: A number: nothing is looked for in it, but it may be equal to a value known as personal.
NUMBER = "~number"
#: A name that agents depend on (tools, roles, models): only what can't be a name by any means.
LABEL = "~label"
#: A fixed name for a text whose fields a rule of the policy keeps.
KEEP = "~keep"
#: Replaced by a mark, whatever it holds.
DROP = "~drop"

_ENTITIES: dict[str, str] = {
    "PERSON": """
        first_name firstname given_name givenname forename fname middle_name middlename last_name
        lastname surname sur_name family_name familyname lname full_name fullname maiden_name
        nick_name nickname preferred_name legal_name cardholder cardholder_name card_holder
        card_holder_name name_on_card account_holder account_holder_name holder_name vorname
        nachname prenom nom_de_famille nombre apellido apellidos cognome
    """,
    "EMAIL_ADDRESS": "email e_mail mail email_address emailaddress e_mail_address mailto",
    "PHONE_NUMBER": """
        phone phone_number phonenumber mobile mobile_number mobile_phone cell cell_phone cellphone
        tel telephone telephone_number telefon fax fax_number msisdn whatsapp whatsapp_number
        contact_number contact_phone home_phone work_phone
    """,
    "STREET_ADDRESS": """
        address address_1 address1 address_2 address2 address_line address_line1 address_line_1
        address_line2 address_line_2 addressline1 addressline2 line1 line_1 line2 line_2 street
        street1 street2 street_1 street_2 street_address street_name streetaddress street_line
        street_line_1 addr addr1 addr2 home_address billing_address shipping_address mailing_address
        postal_address delivery_address residence residential_address strasse adresse direccion
        apartment_number house_number
    """,
    "POSTAL_CODE": "zip zip_code zipcode postal_code postalcode postcode post_code plz zip4 cap",
    "DATE_OF_BIRTH": """
        dob birth_date birthdate date_of_birth dateofbirth birthday birth_day born born_on
        geburtsdatum date_naissance fecha_nacimiento
    """,
    "US_SSN": "ssn social_security social_security_number socialsecuritynumber",
    "GOVERNMENT_ID": """
        passport passport_number passport_no passportnumber national_id national_id_number
        identity_number id_card id_card_number drivers_license driver_license drivers_license_number
        driver_license_number license_number licence_number driving_licence tax_id tax_number
        taxpayer_id tin itin nino national_insurance_number nhs_number nhs medicare_number mrn
        medical_record_number health_id health_insurance_number insurance_id insurance_number
        visa_number aadhaar pan_number dni cpf bsn sin known_traveler_number redress_number
    """,
    "CREDIT_CARD": """
        card_number cardnumber card_no credit_card_number creditcard_number creditcardnumber
        cc_number ccnumber debit_card_number pan
    """,
    "IBAN_CODE": "iban iban_number",
    "ACCOUNT_ID": """
        account_number accountnumber account_no bank_account bank_account_number customer_id
        customerid customer_number customer_no client_number member_id memberid member_number
        membership_id membership_number patient_id patientid employee_id employeeid
        employee_number staff_id passenger_id guest_id subscriber_id loyalty_number loyalty_id
        frequent_flyer_number policy_number policy_holder_id contact_id person_id profile_id
        buyer_id seller_id sender_id recipient_id payer_id payee_id routing_number sort_code swift
        cust_id custid
    """,
    "USERNAME": """
        user_id userid user_name username uid login login_name user_login screen_name handle
        user_handle twitter twitter_handle instagram github github_username slack_id telegram
        skype skype_id account_name created_by_user end_user_id enduser_id
    """,
    "PAYMENT_ID": """
        payment_id paymentid payment_method_id payment_methodid paymentmethodid payment_source_id
        card_id gift_card_id certificate_id paypal_id wallet_id bank_account_id upi vpa
    """,
    "SECRET": """
        password passwd pwd passphrase passcode secret api_key apikey api_token access_key
        secret_key access_token refresh_token auth_token id_token session_token bearer_token
        client_secret private_key authorization proxy_authorization cookie set_cookie x_api_key
        credentials security_code cvv cvc cvv2 pin otp one_time_password mfa_code
        security_answer webhook_secret signing_secret connection_string database_url dsn
    """,
    "IP_ADDRESS": "ip ip_address ipaddress ip_addr client_ip remote_ip remote_addr source_ip",
    "COORDINATES": "lat latitude lng lon longitude gps coordinates",
}
_BY_NAME = {name: entity for entity, names in _ENTITIES.items() for name in names.split()}
_ROLES = frozenset(
    """
    applicant approver assignee attendee author beneficiary billing booker buyer caller
    candidate cardholder client contact creator customer doctor driver emergency_contact employee
    friend guarantor guest holder insured legal manager member nurse owner parent participant
    passenger patient payee payer person primary recipient referrer reporter requester reviewer
    sender shipping signer spouse staff student subscriber supervisor teacher technician tenant
    traveler traveller user visitor witness first_passenger representative rep
    """.split()
)
_PERSONAL = frozenset(
    "first_name last_name email phone phone_number dob date_of_birth birth_date ssn address "
    "address1 street zip postal_code mobile user_id customer_id gender age".split()
)
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
_NAME_SHAPE = re.compile(r"[^\W\d_][^\d_@#/\\{}<>\[\]=|:;!?()]{0,60}")
_MARKED = re.compile(r"^(?:[<\[{*(].*[>\]}*)]|\*+|x+|\.+|-+|_+|#+)$", re.IGNORECASE | re.DOTALL)
_TRACKS = re.compile(r"[a-z]+(?:_[a-z]+)+|[a-z]+(?:-[a-z]+)+|[a-z]+[A-Z]\w*")


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
    for cut in (1, 2, 3):  # customer_last_name, new_billing_zip
        tail = "_".join(name.split("_")[-cut:])
        if tail != name and tail in _BY_NAME and tail not in _NEEDS_ALL:
            return _BY_NAME[tail]
    if name.endswith("s") and name[:-1] in _BY_NAME:
        return _BY_NAME[name[:-1]]
    if name.endswith("_address") or name in ("ship_to", "bill_to", "deliver_to", "sold_to"):
        return "?STREET_ADDRESS"
    if name.endswith("_name") and name[: -len("_name")] in _ROLES:
        return "PERSON"
    if name in ("name", "names") or name in _ROLES or (name[-1:] == "s" and name[:-1] in _ROLES):
        return "?PERSON"
    return OPAQUE if _OPAQUE.search(name) else ""


#: Words that mean this only when they are the whole name ("file_handle", "street_cap").
_NEEDS_ALL = frozenset(
    "address handle cap sin pan secret pin line1 line2 lat lon lng ip mail cell mobile tel uid "
    "login cookie nombre born tin nhs credentials token swift twitter github slack_id "
    "authorization upi vpa dsn".split()
)


def rule_for(path: tuple[str, ...], value: str, siblings: Collection[str] = ()) -> str:
    """The rule for a leaf ``value`` at ``path`` (its keys, outermost first).

    ``siblings`` are the keys of the object that holds it: "name" beside "email" is a person's.
    Values that are evidently not personal (empty, "N/A", a type name) get no entity.
    """
    if not path:
        return ""
    name = normal(path[-1])
    rule = _by_name(name)
    if rule in ("", OPAQUE):
        if name == "id" and len(path) > 1 and _is_payment(path[-2]):
            return "PAYMENT_ID"
        return rule
    text = value.strip()
    if not text or text.casefold() in _NOBODY or _MARKED.match(text):
        return ""
    if rule == "?PERSON":
        return "PERSON" if _perhaps_person(name, path, text, siblings) else ""
    if rule == "?STREET_ADDRESS":  # not an e-mail, IP or memory address
        where = UNSPACED.search(text) or (re.search(r"\d", text) and re.search(r"[ ,\n]", text))
        rule = "STREET_ADDRESS"
        return rule if where and re.search(r"[^\W\d_]", text) and _plausible(rule, text) else ""
    return rule if _plausible(rule, text) else _instead(rule)


def _is_payment(key: str) -> bool:
    return normal(key) in ("payment_methods", "payment_method", "payments")


def _instead(rule: str) -> str:
    return OPAQUE if rule in ("ACCOUNT_ID", "PAYMENT_ID", "USERNAME") else ""


def _plausible(rule: str, text: str) -> bool:
    """Whether ``text`` can be an entity of kind ``rule`` at all."""
    digits = sum(c.isdigit() for c in text)
    check = _CHECKS.get(rule)
    return len(text) <= 400 and (check is None or check(text, digits))


def _handle(text: str, digits: int) -> bool:
    if any(c.isspace() for c in text) or len(text) > 80:
        return False
    return not text.isdigit() or len(text) >= 5


_CHECKS: dict[str, Callable[[str, int], bool]] = {
    "PERSON": lambda t, d: _NAME_SHAPE.fullmatch(t) is not None and d == 0,
    "EMAIL_ADDRESS": lambda t, d: t.count("@") == 1 and " " not in t and "," not in t,
    "PHONE_NUMBER": lambda t, d: 5 <= d <= 17 and not re.search(r"[^\W\d_]{4,}", t),
    "STREET_ADDRESS": lambda t, d: (
        len(t) > 2
        and any(c.isalnum() for c in t)
        and "@" not in t
        and not t.startswith(("http", "0x", "/"))
    ),
    "POSTAL_CODE": lambda t, d: d >= 2 and len(t) <= 12,
    "DATE_OF_BIRTH": lambda t, d: d >= 4,
    "US_SSN": lambda t, d: d == 9,
    "GOVERNMENT_ID": lambda t, d: d >= 3 and len(t) <= 40,
    "CREDIT_CARD": lambda t, d: d >= 12,
    "IBAN_CODE": lambda t, d: len(t) >= 15,
    "ACCOUNT_ID": _handle,
    "USERNAME": _handle,
    "PAYMENT_ID": lambda t, d: d >= 3 and not any(c.isspace() for c in t),
    "SECRET": lambda t, d: len(t) >= 3 and not (t.isalpha() and t.lower() in lexicon().words),
    "IP_ADDRESS": lambda t, d: d >= 2 and ("." in t or ":" in t),
    "COORDINATES": lambda t, d: (
        re.fullmatch(r"-?\d{1,3}\.\d+(?:,\s?-?\d{1,3}\.\d+)?", t) is not None
    ),
}


def _perhaps_person(name: str, path: tuple[str, ...], text: str, siblings: Collection[str]) -> bool:
    """Whether a value called "name", "customer" or "assignee" is a person's name."""
    if _NAME_SHAPE.fullmatch(text) is None or _TRACKS.fullmatch(text):
        return False
    known = lexicon()
    tokens = [fold(t) for t in re.findall(r"[^\W\d_]+(?:['’][^\W\d_]+)*", text)]
    if not tokens or len(tokens) > 6:
        return False
    names = [t for t in tokens if t in known.first or t in known.last]
    common = [t for t in tokens if known.is_common(t)]
    if len(common) == len(tokens) and len(names) < len(tokens):
        return False
    if name == "name":
        beside = {normal(key) for key in siblings}
        parent = normal(path[-2]) if len(path) > 1 else ""
        role = parent in _ROLES or (parent[-1:] == "s" and parent[:-1] in _ROLES)
        if role or len(beside & _PERSONAL) >= 1:
            return bool(names) or len(common) < len(tokens)
    # Anything can be called "name": only what the lists know, given name first.
    first = tokens[0] in known.first and (tokens[0] not in known.words or tokens[0] in known.given)
    return (len(tokens) in (2, 3) and first and any(known.is_name(t) for t in tokens[1:])) or (
        len(tokens) <= 4 and name != "name" and len(names) == len(tokens) and not common
    )
