"""The deployment's key of personal data, from settings alone: who only computes and compares tables needs no port."""

from logcache_assets.adapters.personal_data_key import PersonalDataKey, find_key, read_or_make_key
from logcache_assets.errors import BadInput
from logcache_assets.local_platform.world_files import WorldFiles
from logcache_assets.ports import Tell
from logcache_assets.settings import PII_KEY_VARIABLE, Settings


def deployment_key(settings: Settings) -> PersonalDataKey:
    """The key of personal data, which hashes PII columns and makes the tokens in reports.

    It is the configured one, or else the local world's own, which is made when first needed.
    """
    file = WorldFiles(settings.home_folder).pii_key
    return read_or_make_key(settings.pii_key, variable=PII_KEY_VARIABLE, file=file, vault=settings.vault)


def require_deployment_key(settings: Settings) -> PersonalDataKey:
    """The deployment's key of personal data on a cluster, which never makes one of its own."""
    if settings.pii_key is None:
        raise BadInput(
            f"the cluster has no key of personal data: {PII_KEY_VARIABLE} is not set there; name it in "
            "LOGCACHE_DATABRICKS_PII_KEY"
        )
    return deployment_key(settings)


def find_deployment_key(settings: Settings, tell: Tell) -> bytes | None:
    """The key of personal data, or None if there is none yet; reports when the local world's own key is used."""
    file = WorldFiles(settings.home_folder).pii_key
    return find_key(settings.pii_key, variable=PII_KEY_VARIABLE, file=file, tell=tell, vault=settings.vault)
