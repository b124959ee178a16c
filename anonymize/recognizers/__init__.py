"""What finds personal values: one small file for each family, all of them Presidio recognizers."""

from __future__ import annotations

import importlib
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

    from anonymize.recognizers.dates import BirthDateRecognizer
    from anonymize.recognizers.email import MailboxRecognizer
    from anonymize.recognizers.identity import IdentityRecognizer
    from anonymize.recognizers.names import NameRecognizer
    from anonymize.recognizers.ner import NerRecognizer
    from anonymize.recognizers.network import NetworkRecognizer
    from anonymize.recognizers.payment import PaymentRecognizer
    from anonymize.recognizers.phone import PhoneNumberRecognizer
    from anonymize.recognizers.places import PlaceRecognizer
    from anonymize.recognizers.secret import SecretRecognizer, WalletRecognizer

    language = policy.language
    ours: list[EntityRecognizer] = [
        SecretRecognizer(language),
        WalletRecognizer(language),
        MailboxRecognizer(language),
        PaymentRecognizer(language),
        NetworkRecognizer(language),
        IdentityRecognizer(language),
        BirthDateRecognizer(language),
        PhoneNumberRecognizer(language),
        PlaceRecognizer(language),
        NameRecognizer(language),
    ]
    if policy.model:
        ours.append(NerRecognizer(policy.model, language))
    offline_suffixes()
    theirs = [_load(spec, language) for spec in policy.recognizers]
    return RecognizerRegistry(recognizers=[*ours, *theirs], supported_languages=[language])


def offline_suffixes() -> None:
    """Keep tldextract, which Presidio's own e-mail recognizer uses, from the network.

    It would fetch the public suffix list at the first e-mail; the list it ships is enough.
    """
    from tldextract import tldextract

    tldextract.TLD_EXTRACTOR = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)


def _load(spec: str, language: str) -> EntityRecognizer:
    from presidio_analyzer import EntityRecognizer

    where = "anonymize.recognizers"
    module_name, _, class_name = spec.partition(":")
    try:
        kind = getattr(importlib.import_module(module_name), class_name)
    except (ImportError, AttributeError, ValueError):
        raise UsageError(
            f"the recognizer '{spec}' can't be imported",
            where=where,
            fix='write it as "package.module:Class" and make sure Python can import it here',
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
    return made
