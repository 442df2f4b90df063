"""For whoever tests a plugin or a bot: strategies, in-memory parts, and conformance suites.

Needs the extra ``testing`` (hypothesis).
"""
