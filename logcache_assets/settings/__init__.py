"""All settings, read from LOGCACHE_… environment variables.

Nothing else reads the environment, except workers, which read secrets from variables that adapters/ names. A module
per outside system has the settings of that system. They inherit from each other in a row, because a Struct can have
one base only; Settings, the last one, has them all.
"""

from logcache_assets.settings.deployment import Settings
from logcache_assets.settings.environment import (
    ChildEnvironment,
    child_environment,
    cluster_environment,
    load_settings,
    public_environment,
)
from logcache_assets.settings.secrets import PII_KEY_VARIABLE, SECRETS, variable_of

__all__ = [
    "PII_KEY_VARIABLE",
    "SECRETS",
    "ChildEnvironment",
    "Settings",
    "child_environment",
    "cluster_environment",
    "load_settings",
    "public_environment",
    "variable_of",
]
