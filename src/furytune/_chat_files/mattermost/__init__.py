"""Bulk exports of Mattermost."""
