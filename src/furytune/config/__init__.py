"""Settings files: a `Pipeline` as TOML, and back."""

from furytune.config.drafting import Draft, draft
from furytune.config.schema import schema
from furytune.config.settings import Settings, load_pipeline, load_settings, pipeline_to_toml

__all__ = ["Draft", "Settings", "draft", "load_pipeline", "load_settings", "pipeline_to_toml", "schema"]
