"""Which projects a platform has, by their names."""

from __future__ import annotations

from anonymize.sources.interface import SourceSettings
from anonymize.sources.remote.patience import patiently
from anonymize.sources.remote.platform import package_of, secret

_MOST = 200


def projects_of(name: str, settings: SourceSettings) -> tuple[str, ...]:
    """The projects that the key may see, in the platform's order; ``()`` for Langfuse, whose keys
    belong to one project each.

    Raises:
        SourceError: the key or the vendor's client is missing, or the platform can't be reached.
    """
    where = f"[sources.{name}]"
    asked = {"phoenix": _phoenix, "mlflow": _mlflow, "langsmith": _langsmith}.get(settings.kind)
    if asked is None:
        return ()
    with package_of(settings.kind, where):
        return tuple(asked(settings, where)[:_MOST])


def _phoenix(settings: SourceSettings, where: str) -> list[str]:
    from phoenix.client import Client

    key = secret(settings.key_env, where, needed=False)
    client = Client(base_url=settings.url, api_key=key)
    # Names are read inside of it: a list of another form is told as any answer of one is.
    return patiently(lambda: [str(p["name"]) for p in client.projects.list()], where)


def _mlflow(settings: SourceSettings, where: str) -> list[str]:
    from anonymize.sources.remote.mlflow import client_of

    client = client_of(settings, where)

    def ask() -> list[str]:
        return [str(experiment.name) for experiment in client.search_experiments(max_results=_MOST)]

    return patiently(ask, where)


def _langsmith(settings: SourceSettings, where: str) -> list[str]:
    from anonymize.sources.remote.langsmith import client_of

    client = client_of(settings, where)

    def ask() -> list[str]:
        return [str(p.name) for p in client.list_projects(limit=_MOST)]

    return patiently(ask, where)
