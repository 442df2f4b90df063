"""Models that answer: a tuned one, or the base model that it is compared with."""

from furytune._network.stop import Stop
from furytune.models.answering import apieces, pieces
from furytune.models.chat import ChatService
from furytune.models.service import Call, ModelService, Permission, Role, Sharing, Telling
from furytune.models.tuned import TunedModel

__all__ = [
    "Call",
    "ChatService",
    "ModelService",
    "Permission",
    "Role",
    "Sharing",
    "Stop",
    "Telling",
    "TunedModel",
    "apieces",
    "pieces",
]
