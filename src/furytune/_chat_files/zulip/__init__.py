"""Exports of Zulip organisations."""
