"""The addresses of source code on the sites that host git repositories."""

from __future__ import annotations

import re
from urllib.parse import quote, unquote

from furytune.errors import ConfigError

__all__ = ["lines_of"]

_FORGES = {
    "github.com": (r"tree/(?P<revision>[^/]+)", "blob/{}", "#L{start}-L{end}"),
    "gitlab.com": (r"-/tree/(?P<revision>[^/]+)", "-/blob/{}", "#L{start}-{end}"),
    "codeberg.org": (r"src/(?:tag|commit|branch)/(?P<revision>[^/]+)", "src/{kind}/{}", "#L{start}-L{end}"),
    "bitbucket.org": (r"src/(?P<revision>[^/]+)", "src/{}", "#lines-{start}:{end}"),
}
"""For each site: how it addresses a revision, a file of it, and lines of a file."""

_NAME = r"[A-Za-z0-9._\-]+"
_COMMIT = re.compile(r"[0-9a-f]{40}")
_UNQUOTED = "/._-~+@"


def lines_of(repository: str) -> str:
    """Returns a pattern for the addresses of lines, from a repository's address as a browser shows it.

    Raises:
        ConfigError: It is not an address of a site that is known.
    """
    site, _, rest = repository.removeprefix("https://").removesuffix("/").partition("/")
    form = _FORGES.get(site.lower())
    owners = f"{_NAME}(?:/{_NAME}){{1,6}}?" if site == "gitlab.com" else f"{_NAME}/{_NAME}"
    found = form and re.fullmatch(
        rf"(?P<name>{owners})(?:\.git)?(?:/{form[0]}(?P<folder>(?:/[^/?#{{}}]+)*))?", rest
    )
    if not form or not found or not repository.startswith("https://") or len(repository) > 500:
        raise ConfigError(
            "repository must be the address of a repository as your browser shows it, such as "
            "https://github.com/fury-gl/fury or https://github.com/fury-gl/fury/tree/v0.12.0/src; known sites are "
            f"{', '.join(_FORGES)}, and for others, url= takes a pattern"
        )
    given = unquote(found["revision"] or "")
    revision = quote(given, _UNQUOTED) or "{revision}"
    if "{" in given or "}" in given:
        raise ConfigError("repository must name a revision without braces, such as v0.12.0")
    kind = "commit" if _COMMIT.fullmatch(given) else "branch" if "/src/branch/" in repository else "tag"
    folder = quote(unquote(found["folder"] or ""), _UNQUOTED)
    name = found["name"].removesuffix(".git")
    file = form[1].replace("{kind}", kind).replace("{}", revision)
    return f"https://{site.lower()}/{name}/{file}{folder}/{{path}}{form[2]}"
