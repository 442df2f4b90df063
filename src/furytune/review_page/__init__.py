"""A page on this machine on which a person reviews pairs: served to one browser, with keys for everything."""

from furytune.review_page.serving import ReviewPage

__all__ = ["ReviewPage"]
