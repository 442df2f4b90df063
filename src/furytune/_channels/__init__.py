"""Channels of any platform: which are read, and how their messages become pairs."""
