"""Settings files: a `Pipeline` as TOML, and back; and what programs that answer need."""

from furytune.config.deployments import Deployment, deployment_to_toml, load_deployment
from furytune.config.drafting import Draft, draft
from furytune.config.schema import schema
from furytune.config.settings import Settings, load_pipeline, load_settings, pipeline_to_toml
from furytune.config.tables import Serve

__all__ = [
    "Deployment",
    "Draft",
    "Serve",
    "Settings",
    "deployment_to_toml",
    "draft",
    "load_deployment",
    "load_pipeline",
    "load_settings",
    "pipeline_to_toml",
    "schema",
]
