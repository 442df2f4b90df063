"""discord.py, for the modules of the bot. Python warns about a module that its voice part imports and the bot does not use."""

from __future__ import annotations

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    from discord.webhook import async_ as webhooks

    import discord
    from discord import app_commands

__all__ = ["app_commands", "discord", "webhooks"]
