"""Helps you test a plugin or a bot: strategies, in-memory parts, fake services and conformance suites.

Needs the extra ``testing`` (hypothesis).
"""
