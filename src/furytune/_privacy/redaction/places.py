"""Postal addresses: streets with their numbers, and the towns behind them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from furytune._privacy.redaction.lazy import Lazy
from furytune._privacy.redaction.shape import Shape, before

__all__ = ["SHAPES"]

_CAP: Final = r"[A-ZÀ-ÖØ-ÞŁŚŻ][\w'’.-]{1,24}"
_TOWN: Final = (
    rf"{_CAP}(?:[ -]{_CAP}|[ -](?:am|an der|upon|sur|de|del|la|le|les|der|den|im|of|on)\b[ -]{_CAP}){{0,3}}"
)
_UK_CODE: Final = r"[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}"
_US_END: Final = r"[A-Z]{2}\.? \d{5}(?:-\d{4})?"
_UNIT: Final = r"(?:,? (?:Apt|Apartment|Unit|Suite|Ste|Flat|Floor|Fl|Room|Rm|#)\.? ?#?\w{1,6})?"
_REST: Final = rf"(?:,? ?\n? ?(?:{_TOWN},? )?(?:{_US_END}|{_UK_CODE}|[A-Z]{{2,3}} \d{{4}}|[A-Z]\d[A-Z] ?\d[A-Z]\d)|, {_TOWN}(?:, {_UK_CODE}|,? \d{{4,6}})?)?(?:,? (?:USA?|UK|Canada|Australia|Ireland))?"
_STREET: Final = (
    r"(?:Street|Avenue|Road|Lane|Boulevard|Terrace|Crescent|Highway|Parkway|St\.?|Ave\.?|Rd\.?|Ln\.?|Blvd\.?|Hwy\.?|Pkwy\.?|Dr\.?|"
    r"Drive|Court|Ct\.?|Way|Place|Pl\.?|Square|Sq\.?|Close|Circle|Cir\.?|Trail|Row|Walk|Hill|Gardens|Grove|Mews|Rise|Green|Park|Quay|Wharf|Alley|Path|Loop)"
)
_ENGLISH: Final = Lazy(
    rf"(?<![\w.,#/-])(?:(?:Apt|Unit|Flat|Suite)\.? \w{{1,5}},? )?\d{{1,5}}[A-Za-z]?(?:-\d{{1,4}})? (?:(?:N|S|E|W|NE|NW|SE|SW|North|South|East|West)\.? )?"
    rf"(?P<street>(?:(?:{_CAP}|\d{{1,3}}(?:st|nd|rd|th)) ){{1,4}}?{_STREET})(?![\w-]){_UNIT}{_REST}(?!\w)"
)
_SURE_STREET: Final = Lazy(
    r"(?:Street|Avenue|Road|Lane|Boulevard|Terrace|Crescent|Parkway|Ave\.?|Rd\.?|Blvd\.?|Ln\.?)\b"
)
_POSTCODE: Final = Lazy(
    rf"(?<!\w)(?:{_US_END}|{_UK_CODE}|[A-Z]{{2,3}} \d{{4}}|[A-Z]\d[A-Z] ?\d[A-Z]\d|\d{{5}})(?!\w)"
)
_HOME: Final = Lazy(
    r"(?i)(?:live[sd]? (?:at|in|on)|living at|located at|resid(?:e|ing) (?:at|in)|moved to|my (?:home )?address|(?:home|postal|mailing|street|shipping|delivery|billing) address|"
    r"(?<![a-z\[])address\W{0,3}(?:is\s)?|ship(?:ping|ped)? (?:it |them )?to|deliver(?:ed|y)? (?:it |them )?to|send (?:it |them |the [\w ]{1,24} |\w+ )?to|come (?:over )?to|visit (?:me|us) at|find (?:me|us) at|post to|mail to|"
    r"adresse|anschrift|wohn(?:e|haft)|lieferung an|habite|vis à|adresse postale|dirección|direccion|vivo en|indirizzo|abito|spedi(?:re|to|zione)|morada|endereço|moro|adres|woon|mieszkam|адрес|живу)"
)
_NO_ADDRESS: Final = Lazy(
    r"(?i)(?:59 temple place|51 franklin|675 mass|123 main|1234 (?:main|elm)|742 evergreen|221b? baker|1600 (?:amphitheatre|pennsylvania)|1 infinite|4 privet|12 grimmauld|10 downing|1 hacker|one microsoft|1 microsoft|123 (?:fake|any|example|your|some|sesame|test|elm|oak))"
)


def _is_english(match: re.Match[str]) -> bool:
    if _NO_ADDRESS.match(match[0]):
        return False
    tail = match[0][match.end("street") - match.start() :]
    end = match.string[match.end() : match.end() + 1]
    return (
        (
            _SURE_STREET.search(match["street"]) is not None
            and (not end or end in ",.;:!?)\n\"'" or len(tail) > 0)
        )
        or _POSTCODE.search(tail) is not None
        or _HOME.search(before(match, 60)) is not None
    )


_ZIP_TOWN: Final = rf"(?:,? ?(?:(?:[A-Z]{{1,2}}-)?\d{{4,6}}(?:-\d{{3}})?(?: ?[A-Z]{{2}}(?![A-Za-z]))?|\d{{3}} \d{{2}}|\d{{2}}-\d{{3}}|\d{{4}}-\d{{3}}) {_TOWN}|, {_TOWN})?(?:,? \((?:[A-Z]{{2}})\))?"
_GERMANIC: Final = Lazy(
    r"(?<![\w.-])(?:(?:[A-ZÄÖÜÅØ][\w.-]{1,24}[ -]){0,2}(?:[A-ZÄÖÜÅØ][a-zäöüßåøæé-]{1,24}(?:straße|strasse|str\.|weg|platz|allee|gasse|damm|ufer|ring|graben|steig|chaussee|straat|laan|plein|gracht|kade|dijk|singel|gatan|vägen|gata|veien|vegen|vej|gade|katu)"
    r"|(?:Straße|Strasse|Str\.|Weg|Platz|Allee|Am|Im|An der|Auf der|Zum|Zur|Unter den|Alte|Neue)(?: (?:des|der|dem) )?(?: ?[A-ZÄÖÜ][a-zäöüß-]{2,24})?(?<=[a-zß.]))"
    rf") \d{{1,4}} ?[a-z]?(?:-\d{{1,4}})?(?![\w-])(?P<town>{_ZIP_TOWN})(?!\w)"
)
_SURE_GERMANIC: Final = Lazy(
    r"(?:straße|strasse|str\.|gasse|allee|straat|gracht|gatan|vägen|veien|gade|laan|platz)(?= \d)"
)
_FRENCH: Final = Lazy(
    r"(?<![\w.,#/-])\d{1,4}(?: ?(?:bis|ter|quater))?,? (?P<street>[Rr]ue|[Aa]venue|[Aa]v\.|[Bb]oulevard|[Bb]d\.?|[Pp]lace|[Cc]hemin|[Aa]llée|[Ii]mpasse|[Qq]uai|[Cc]ours|[Rr]oute|[Ss]quare|[Vv]oie)"
    rf" (?:de la |de l['’]|des |du |de |d['’]|aux? )?{_CAP}(?: (?:de |du |des |la |le )?{_CAP}){{0,4}}(?P<town>{_ZIP_TOWN})(?!\w)"
)
_SURE_FRENCH: Final = Lazy(r"(?i)rue|boulevard|impasse|allée|chemin|quai")
_ROMANCE: Final = Lazy(
    r"(?<![\w.-])(?P<street>Via|Viale|Piazza|Piazzale|Corso|Vicolo|Largo|Strada|Calle|C/|Avenida|Avda\.?|Av\.|Plaza|Paseo|Carrer|Rua|Travessa|Praça|Alameda|ul\.|ulica|al\.|aleja|ulice|utca|Rúa|Calea|Str\.|ул\.|улица|проспект)"
    rf" ?(?:(?:dei|della|delle|del|degli|dell['’]|di|de la|de las|de los|de|da|das|do|dos|la|el|los|las|Gen\.|San|Santa|św\.) ?){{0,2}}(?:{_CAP}|[А-ЯЁ][а-яё]+)(?: (?:e |y |de |del |di |da |do )?(?:{_CAP}|[А-ЯЁ][а-яё]+)){{0,4}},? ?(?:n[º°.]? ?|nr\.? ?|д\. ?|№ ?)?\d{{1,4}}(?:/\d{{1,4}}| ?[a-zA-Z](?!\w))?(?P<town>(?:,? \d{{1,2}}[ºª°](?:,? ?\d?[A-Z])?)?{_ZIP_TOWN})(?!\w)"
)
_SURE_ROMANCE: Final = Lazy(
    r"Viale|Vicolo|Calle|C/|Avenida|Avda|Carrer|Rua|Travessa|ul\.|ulica|ул\.|улица|проспект"
)
_HAS_ZIP: Final = Lazy(r"\d{4}|\d{2}-\d{3}|\d{3} \d{2}")


def _is_street(sure: Lazy) -> Callable[[re.Match[str]], bool]:
    """Returns the check of addresses in a language; names of streets that match `sure` need no town and no context."""

    def check(match: re.Match[str]) -> bool:
        return (
            sure.search(match[0]) is not None
            or _HAS_ZIP.search(match["town"]) is not None
            or _HOME.search(before(match, 60)) is not None
        )

    return check


_ANY_ADDRESS: Final = Lazy(
    rf"(?P<keep>(?i:live at|living at|my (?:home |postal |mailing )?address is|(?:home|postal|mailing|shipping|delivery) address(?: is)?|ship(?:ping)? to|adresse(?: ist)?|anschrift(?: ist)?|indirizzo|dirección|endereço|adres|address)\s?:?\s{{1,2}})"
    rf"(?=[^\n]{{0,80}}\d)(?:[\w'’./-]{{1,24}},? ){{1,8}}?(?:{_US_END}|{_UK_CODE}|\d{{4,6}} {_CAP}|{_CAP},? \d{{5,6}})(?!\w)"
)
_PO_BOX: Final = Lazy(
    r"(?<!\w)(?i:p\.? ?o\.? box|postfach|bo[iî]te postale|apartado(?: postal)?|postbus)\s\d{1,6}"
    + _ZIP_TOWN
    + r"(?!\w)"
)


SHAPES: Final = (
    Shape(
        "addresses",
        pattern=_ENGLISH,
        check=_is_english,
        core=Lazy(rf"[A-Z]\w{{0,24}}\.? {_STREET}(?![\w-])|th {_STREET}"),
        digit=True,
    ),
    Shape(
        "addresses",
        pattern=_GERMANIC,
        check=_is_street(_SURE_GERMANIC),
        core=Lazy(r"[a-zß.] \d{1,4} ?[a-z]?(?![\w])"),
        digit=True,
    ),
    Shape(
        "addresses",
        words=(
            "rue",
            "avenue",
            "av",
            "boulevard",
            "bd",
            "place",
            "chemin",
            "allée",
            "impasse",
            "quai",
            "cours",
            "route",
            "square",
            "voie",
        ),
        pattern=_FRENCH,
        check=_is_street(_SURE_FRENCH),
        core=Lazy(r"\d(?: ?(?:bis|ter|quater))?,? [RrAaBbPpCcIiQqSsVv][uvodlhmqa]"),
        digit=True,
    ),
    Shape(
        "addresses",
        hints=("c/",),
        words=(
            "via",
            "viale",
            "piazza",
            "piazzale",
            "corso",
            "vicolo",
            "largo",
            "strada",
            "calle",
            "avenida",
            "avda",
            "av",
            "plaza",
            "paseo",
            "carrer",
            "rua",
            "rúa",
            "travessa",
            "praça",
            "alameda",
            "ul",
            "ulica",
            "ulice",
            "al",
            "aleja",
            "utca",
            "calea",
            "str",
            "ул",
            "улица",
            "проспект",
        ),
        pattern=_ROMANCE,
        check=_is_street(_SURE_ROMANCE),
        digit=True,
    ),
    Shape(
        "addresses",
        words=(
            "live",
            "living",
            "address",
            "ship",
            "shipping",
            "adres",
            "adresse",
            "anschrift",
            "indirizzo",
            "dirección",
            "endereço",
        ),
        pattern=_ANY_ADDRESS,
        digit=True,
    ),
    Shape(
        "addresses", words=("box", "postfach", "postale", "apartado", "postbus"), pattern=_PO_BOX, digit=True
    ),
)
