"""What finds personal values: one small file for each family, all of them Presidio recognizers."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from anonymize.errors import UsageError

if TYPE_CHECKING:
    from presidio_analyzer import EntityRecognizer, RecognizerRegistry

    from anonymize.policy import ScrubPolicy


def build_registry(policy: ScrubPolicy) -> RecognizerRegistry:
    """A Presidio registry with this package's recognizers and those that ``policy`` names.

    Raises:
        UsageError: a recognizer of the policy can't be imported or is not a Presidio recognizer.
    """
    from presidio_analyzer import RecognizerRegistry

    from anonymize.recognizers.credentials import CredentialRecognizer
    from anonymize.recognizers.dates import BirthDateRecognizer
    from anonymize.recognizers.email import MailboxRecognizer
    from anonymize.recognizers.engines import load_engine
    from anonymize.recognizers.handles import HandleRecognizer
    from anonymize.recognizers.identity import IdentityRecognizer
    from anonymize.recognizers.labels import LabelRecognizer
    from anonymize.recognizers.marks import MarkRecognizer
    from anonymize.recognizers.names import NameRecognizer
    from anonymize.recognizers.national import NationalIdRecognizer
    from anonymize.recognizers.ner import NerRecognizer
    from anonymize.recognizers.network import NetworkRecognizer
    from anonymize.recognizers.payment import PaymentRecognizer
    from anonymize.recognizers.phone import PhoneNumberRecognizer
    from anonymize.recognizers.positions import PositionRecognizer
    from anonymize.recognizers.postal import PostalRecognizer
    from anonymize.recognizers.said import SentenceRecognizer
    from anonymize.recognizers.secret import SecretRecognizer
    from anonymize.recognizers.streets import StreetRecognizer
    from anonymize.recognizers.tagger import TaggerRecognizer
    from anonymize.recognizers.usernames import UsernameRecognizer
    from anonymize.recognizers.wallets import WalletRecognizer

    language = policy.language
    ours: list[EntityRecognizer] = [
        MarkRecognizer(language),
        CredentialRecognizer(language),
        SecretRecognizer(language),
        WalletRecognizer(language),
        MailboxRecognizer(language),
        PaymentRecognizer(language),
        NetworkRecognizer(language),
        NationalIdRecognizer(language),
        IdentityRecognizer(language),
        UsernameRecognizer(language),
        LabelRecognizer(language),
        SentenceRecognizer(language),
        BirthDateRecognizer(language),
        PhoneNumberRecognizer(language),
        StreetRecognizer(language),
        PostalRecognizer(language),
        PositionRecognizer(language),
        HandleRecognizer(language),
        NameRecognizer(language),
    ]
    if language == "fr":
        from anonymize.recognizers.french import FrenchRecognizer

        ours.append(FrenchRecognizer(language))
    if policy.nlp_engine:
        ours.append(load_engine(policy.nlp_engine, language))
    elif policy.model:
        ours.append(NerRecognizer(policy.model, language))
    if policy.tagger:
        ours.append(TaggerRecognizer(policy.tagger, language))
    offline_suffixes()
    theirs = [made for spec in policy.recognizers for made in _load(spec, language)]
    return RecognizerRegistry(recognizers=[*ours, *theirs], supported_languages=[language])


def offline_suffixes() -> None:
    """Keep tldextract, which Presidio's own e-mail recognizer uses, from the network.

    It would fetch the public suffix list at the first e-mail; the list it ships is enough.
    """
    from tldextract import tldextract

    tldextract.TLD_EXTRACTOR = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)


def _load(spec: str, language: str) -> list[EntityRecognizer]:
    from presidio_analyzer import EntityRecognizer, PatternRecognizer

    from anonymize.policy import is_file
    from anonymize.recognizers.files import load_recognizers
    from anonymize.recognizers.linear import linear

    where = "anonymize.recognizers"
    if is_file(spec):
        return load_recognizers(Path(spec), language)
    module_name, _, class_name = spec.partition(":")
    try:
        kind = getattr(importlib.import_module(module_name), class_name)
    except (ImportError, AttributeError, ValueError):
        raise UsageError(
            f"the recognizer '{spec}' can't be imported",
            where=where,
            fix='write it as "package.module:Class" that Python can import here, or a file.yaml',
        ) from None
    if not (isinstance(kind, type) and issubclass(kind, EntityRecognizer)):
        raise UsageError(
            f"'{spec}' is not a Presidio recognizer",
            where=where,
            fix="make it a subclass of presidio_analyzer.EntityRecognizer",
        )
    try:
        made: EntityRecognizer = cast(Any, kind)()  # a subclass that needs no arguments
    except Exception as error:  # a constructor of the user's: anything can happen in it
        raise UsageError(
            f"the recognizer '{spec}' can't be made: {type(error).__name__}", where=where
        ) from None
    if made.supported_language != language:
        raise UsageError(
            f"the recognizer '{spec}' is for language '{made.supported_language}'",
            where=where,
            fix=f"it would never run: the policy's language is '{language}'",
        )
    # A check of the user's own is code that can hang: it stays under the deadline.
    if isinstance(made, PatternRecognizer):
        plain = type(made).validate_result is PatternRecognizer.validate_result
        return linear(made) if plain else [made]
    return [made]
