"""French names of fields, and the everyday words of French.

Used where the policy's ``language`` is ``fr``: what :mod:`anonymize.fields.meaning` knows comes
first.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache
from importlib import resources

from anonymize.fields.meaning import normal
from anonymize.fields.plausible import plausible
from anonymize.recognizers.lexicon import lexicon
from anonymize.surrogates import fold

_WORD = re.compile(r"[^\W\d_]+(?:['’\-][^\W\d_]+)*")
_FIELDS = {
    "PERSON": """
        nom_famille nom_naissance nom_jeune_fille nom_usage nom_prenom prenom_nom prenoms titulaire
        nom_titulaire nom_client nom_patient nom_complet nom_du_client prenom_client civilite_nom
        beneficiaire conseiller conseillere interlocuteur locataire assure abonne salarie passager
        voyageur destinataire expediteur signataire medecin docteur gestionnaire contact
        proprietaire
    """,
    "POSTAL_CODE": "cp code_postal codepostal cpostal",
    "PHONE_NUMBER": """
        tel telephone portable mobile numero_telephone num_tel numero_tel telephone_fixe fixe
        tel_fixe
        tel_mobile tel_portable numero_portable numero_mobile telephone_portable telephone_mobile
    """,
    "EMAIL_ADDRESS": "courriel mel adresse_mail adresse_email adresse_courriel adresse_e_mail",
    "STREET_ADDRESS": """
        adresse adresse_postale adresse_ligne_1 adresse_ligne1 adresse_ligne_2 adresse_ligne2
        adresse1
        adresse2 voie rue nom_voie numero_voie domicile adresse_livraison adresse_facturation
        complement_adresse adresse_complete adresse_domicile lieu_dit
    """,
    "DATE_OF_BIRTH": "date_naissance date_de_naissance ddn ne_le nee_le naissance dob anniversaire",
    "GOVERNMENT_ID": """
        nir numero_securite_sociale num_securite_sociale securite_sociale numero_secu num_secu nss
        numero_ss permis numero_permis permis_de_conduire num_permis passeport numero_passeport cni
        carte_identite numero_cni numero_carte_identite numero_fiscal spi numero_identite
    """,
    "ACCOUNT_ID": """
        numero_client num_client no_client id_client identifiant_client ref_client reference_client
        matricule numero_adherent numero_abonne numero_assure numero_allocataire numero_compte rib
        numero_patient id_patient ipp numero_salarie numero_etudiant ine
    """,
    "USERNAME": "identifiant pseudo pseudonyme nom_utilisateur utilisateur id_utilisateur",
    "SECRET": "mot_de_passe motdepasse mdp code_secret code_confidentiel cle_api jeton cle_secrete",
    "IP_ADDRESS": "adresse_ip ip_client",
    "CREDIT_CARD": "numero_carte carte_bancaire numero_cb cb num_carte",
}
_BY_NAME = {fold(name): entity for entity, names in _FIELDS.items() for name in names.split()}
_PERSONAL = frozenset("prenom prenoms courriel email tel telephone adresse cp naissance".split())
_NOT_PERSONS = frozenset("gestionnaire contact conseiller proprietaire".split())


@lru_cache(1)
def words() -> frozenset[str]:
    """Everyday words, folded."""
    file = resources.files("anonymize.recognizers").joinpath("words_fr.txt")
    text = file.read_text(encoding="utf-8")
    lines = (line for line in text.splitlines() if not line.startswith("#"))
    return frozenset(word for line in lines for word in line.split())


def field_rule(path: tuple[str, ...], value: str, siblings: Collection[str]) -> str:
    """What a French field name says, ``""`` if nothing; see :func:`.meaning.rule_for`."""
    if not path:
        return ""
    name = fold(normal(path[-1]))
    entity = _BY_NAME.get(name, "")
    text = value.strip()
    if name == "nom" and not entity:
        beside = {fold(normal(key)) for key in siblings}
        if beside & _PERSONAL and _can_be_name(text):
            return "PERSON"
        return ""
    if not entity or not text or not plausible(entity, text):
        return ""
    if entity == "PERSON" and not _can_be_name(text):
        return ""
    if name in _NOT_PERSONS and not _has_name(text):
        return ""
    if entity == "STREET_ADDRESS" and name in ("rue", "voie") and not text[:1].isalnum():
        return ""
    return entity


def _can_be_name(text: str) -> bool:
    folded = [fold(word) for word in _WORD.findall(text)]
    return bool(folded) and len(folded) < 7 and not all(word in words() for word in folded)


def _has_name(text: str) -> bool:
    return any(lexicon().is_name(fold(word)) for word in _WORD.findall(text))
