"""Settings of a service: environment variables named FENCELINE_*, or files of the same names (secrets)."""

import os
import sys
from typing import Literal, Self

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.streams import OBSERVATION_SHARDS


class Settings(BaseSettings):
    """What every process needs to know; a service adds its own fields in its `settings.py`."""

    model_config = SettingsConfigDict(env_prefix="FENCELINE_", extra="ignore", frozen=True)

    log_format: Literal["json", "console"] = "json"
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @classmethod
    def load(cls) -> Self:
        """Read the settings, or end the process with one line a fault and exit status 2.

        Files are looked for in the folder that FENCELINE_SECRETS_DIR names (Kubernetes mounts a Secret there).
        """
        try:
            return cls(_secrets_dir=os.environ.get("FENCELINE_SECRETS_DIR") or None)
        except ValidationError as error:
            for fault in error.errors():
                name = "FENCELINE_" + "_".join(str(part) for part in fault["loc"]).upper()
                print(f"{name}: {fault['msg']}. Set it in the environment.", file=sys.stderr)
            raise SystemExit(2) from None


class ServiceSettings(Settings):
    """What every service needs: its stores and the secret that the services share."""

    database_url: SecretStr = Field(description="postgresql://user:password@host:port/database")
    redis_url: SecretStr = Field(description="redis://host:port/0 or unix:///path/to/socket")
    internal_token: SecretStr = Field(min_length=32, description="what services sign their calls with")
    observation_shards: int = Field(default=OBSERVATION_SHARDS, ge=1, le=1024)
    database_pool_size: int = Field(default=8, ge=1, le=200)
