"""E-mail addresses, phone numbers, postal addresses, dates of birth, and names of users in paths."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from furytune._privacy.redaction.lazy import Lazy
from furytune._privacy.redaction.shape import Shape, before

__all__ = ["SHAPES"]

# E-mail --------------------------------------------------------------------------------------------------------------

# Top-level domains are all of two letters, and these. Others are attributes in code, as in the product `x@model.bias`.
_DOMAINS: Final = (
    "com|org|net|edu|gov|mil|int|info|biz|name|pro|mobi|asia|jobs|tel|cat|coop|aero|museum|travel|xyz|online|site|website|top|shop|"
    "store|club|app|dev|tech|cloud|page|blog|email|mail|live|life|world|today|news|media|digital|agency|studio|design|systems|solutions|"
    "services|software|company|team|zone|space|host|hosting|fun|icu|wiki|click|works|ltd|gmbh|inc|llc|health|care|school|"
    "academy|university|institute|foundation|science|engineer|engineering|consulting|art|games|network|social|chat|community|"
    "london|berlin|hamburg|koeln|paris|nyc|tokyo|amsterdam|wien|bzh|eus|gal|scot|swiss|africa|ngo|ong|earth|eco|green|energy|"
    "bio|law|legal|bank|finance|capital|ventures|partners|group|global|international|center|city|house|land|farm|photo|photos|"
    "video|music|film|tv|audio|band|radio|cafe|bar|pub|pizza|coffee|beer|wine|rocks|ninja|guru|expert|codes|computer|tools|build|run|"
    "sh|moe|lol|one|vip|plus|ink|rip|gay|dog|baby|family|church|money|tax|doctor|dental|clinic|pharmacy|museum|gallery|events|"
    "tours|reisen|immo|auto|cars|bike|fit|fitness|yoga|run|ski|surf|golf|football|hockey|soccer|tennis|google|microsoft|apple"
)
# RFC 5321, 4.5.3.1: at most 64 characters before the @. Spared: git@host, image@2x.png, and the matrix product a@self.b or
# a@b.f(c) of Python.
_EMAIL: Final = Lazy(
    r"(?<![\w/])(?!git@)\w[\w.+%-]{0,63}@(?!(?:self|cls)\.|\d{1,2}x\.)"
    r"(?:\w(?:[\w-]{0,61}\w)?\.){1,8}"
    rf"(?:(?i:{_DOMAINS})|[a-z]{{2}}|[A-Z]{{2}}|xn--[a-z0-9-]{{2,40}}|[^\W\d_]{{2,24}}(?<=[^\x00-\x7f]))(?![\w(]|-\w|\.\w|[:]~?/)"
)
# RFC 2606 and 6761, and what stands for a domain in examples.
_RESERVED: Final = Lazy(
    r"(?i)@(?:openssh\.com|libssh\.org|(?:[\w-]+\.)*example\.[a-z.]{2,6}|(?:[\w.-]+\.)?(?:test|invalid|localhost|example|local|lan|internal|home|corp|localdomain)"
    r"|(?:[\w-]+\.)*(?:your-?|my-?|some-?|any-?|the-?)?(?:domain|company|mail-?server|organi[sz]ation|email-?provider|website|host|provider|server)\.(?:com|org|net|io|tld|de|xx)"
    r"|your[\w-]*\.[a-z.]{2,6}|(?:foo|bar|baz|foobar|a|b|x|abc|xyz|xxx|test|sample|placeholder|somewhere|nowhere|dummy|fake|acme)\.(?:com|org|net)"
    r"|(?:[\w-]+\.)*(?:noreply|no-reply)\.[\w.]+)\Z"
)
_STANDS_FOR_NAME: Final = Lazy(
    r"(?i)(?:your|my)[._-]?(?:name|e?mail|user(?:name)?|address)?|(?:user|e?mail|name|some(?:one|body)?|me|you|test|foo|bar|example|sample|"
    r"first[._-]?(?:name)?[._-]?last(?:name)?|username|address|xxx+|abc|no-?reply|do-?not-?reply)\d{0,3}"
)
_NO_REPLY: Final = frozenset(["your", "noreply", "no-reply", "no_reply", "donotreply", "do-not-reply"])
_SOME_HOST: Final = Lazy(
    r"(?i)(?:e?mail|gmail|domain|server\w{0,12}|company|test|abc|xyz|host|address|server|site|mysite|website|provider)\.\w{2,5}\Z"
)


def _is_email(match: re.Match[str]) -> bool:
    if _RESERVED.search(match[0]):
        return False
    local, _, domain = match[0].partition("@")
    if (
        local.lower() in _NO_REPLY
        or local.lower() == domain.partition(".")[0].lower()
        or (_STANDS_FOR_NAME.fullmatch(local) and _SOME_HOST.match(domain))
    ):
        return False
    # ssh://git@host and user@host in a command are logins.
    return not before(match, 8).endswith(("ssh ", "scp ", "sftp ", "://"))


_SPELLED: Final = Lazy(
    r"(?<![\w.@])(?i:[a-z0-9][\w.+-]{1,40}(?:\s?(?:\(at\)|\[at\]|\{at\}|<at>|_at_|-at-)\s?|\sat\s))"
    r"(?i:[a-z0-9][a-z0-9-]{1,40}(?:(?:\s?(?:\(dot\)|\[dot\]|\{dot\}|<dot>|\(punkt\)|_dot_|-dot-)\s?|\sdot\s|\.)[a-z][a-z0-9-]{1,20}){1,3})(?!\w)",
    re.ASCII,
)
_MAIL: Final = Lazy(
    r"(?i)(?:gmail|googlemail|hotmail|outlook|yahoo|gmx|web|icloud|aol|proton(?:mail)?|mail|posteo|fastmail|live|msn|yandex|qq|163|me)\W"
)
_BRACKETED_AT: Final = Lazy(r"(?i)[(\[{<_-]at[)\]}>_-]")
_ENDS_IN_DOMAIN: Final = Lazy(rf"(?i)(?<![a-z])(?:{_DOMAINS}|[a-z]{{2}})\Z")


def _is_spelled(match: re.Match[str]) -> bool:
    """Without brackets, "look at example dot com" has the same form."""
    at = _BRACKETED_AT.search(match[0])
    local, _, domain = match[0].partition(at[0] if at else " at ")
    return (
        _ENDS_IN_DOMAIN.search(match[0]) is not None
        and not domain.strip().lower().startswith(("example", "domain", "your"))
        and (at is not None or _MAIL.match(domain.strip()) is not None or not local.isalpha())
    )


# Phone ---------------------------------------------------------------------------------------------------------------

# ITU-T E.164: a plus sign, then at most 15 digits.
_INTERNATIONAL: Final = Lazy(
    r"(?<![\w+\]])\+(?=[1-9](?:[ .()/-]{0,3}\d){7})"
    r"\d{1,4}(?:\d{6,12}(?!\d)|(?:[ ./-]|[ .-]?\(\d{1,5}\)[ .-]?)\d{1,11}(?:[ ./-]{1,3}\d{1,8}){0,6})(?!\w)",
    re.ASCII,
)
_NUMBER: Final = Lazy(
    r"(?<![\w.+:/(-])(?:\d{8,15}|(?:\(\d{2,5}\)\s?)?\d{1,6}(?:(?:[ ./-]|\s?\(\d{1,4}\)\s?|\s[-/]\s)\d{1,8}){1,7})"
    r"(?![\w(]|[-.:/]\w)",
    re.ASCII,
)
_NANP: Final = Lazy(r"(?:1[ .-])?(?:\([2-9]\d\d\) ?|[2-9]\d\d[ .-])[2-9]\d\d[ .-]\d{4}", re.ASCII)
_DATE: Final = Lazy(
    r"(?:19|20)\d\d[-./]\d{1,2}[-./]\d{1,2}|\d{1,2}[-./]\d{1,2}[-./](?:19|20)?\d\d|\d{1,3}(?:\.\d{1,3}){3}|\d+\.\d+",
    re.ASCII,
)
_PHONE: Final = Lazy(
    r"(?i)(?<![a-z_\[])(?:(?:tele)?phone(?: ?(?:number|no|nr|n°|#)\.?)?|mobile(?: ?(?:number|no|nr)\.?)?|cell(?: ?phone)?(?: ?(?:number|no)\.?)?|"
    r"whats ?app|signal|telegram|viber|wechat|tel|ph|fax|hotline|telefon(?:nummer|nr)?|handy(?:nummer|nr)?|mobil(?:nummer|nr)?|festnetz|r[üu]ckruf|rufnummer|"
    r"durchwahl|num[ée]ro(?: de t[ée]l[ée]phone)?|t[ée]l[ée]phone|portable|fixe|tel[ée]fono|m[óo]vil|celular|cellulare|telem[óo]vel|telefone|"
    r"n[úu]mero|numer(?: telefonu)?|telefoon(?:nummer)?|mobiel|puhelin|тел|телефон|моб|номер|電話|电话|手机|office number|home number|"
    r"(?:my|his|her|our|their|work|contact) (?:number|no\.?|nr\.?)|number is)(?![a-z])[^\w\n]{0,4}(?:(?:is|ist|est|es|è|at|on|under|unter|au|al|no|nr|number|:)[\s.:]{1,3}){0,2}[^\d\n(){}=;<>\"+]{0,14}(?:\(|\")?\Z"
)
_CALL: Final = Lazy(
    r"(?i)(?<![a-z_.\[])(?:call|ring|dial|text|sms|reach|phone|contact|ruf|rufen|anrufen|ruft|erreichbar|erreichst|erreiche|appelle[rz]?|joindre|joignable|"
    r"ll[áa]mame|llama|llamar|chiama(?:mi)?|chiamare|liga|ligar|bel|zadzwoń|dzwoń|звони|звоните)(?![a-z])[^\d\n(){}=;<>\".+]{0,24}(?:\(|)?\Z"
)
_CALL_ME: Final = Lazy(
    r"(?i)(?<![a-z])(?:me|us|him|her|them|mich|uns|ihn|moi|nous|le|la|noi|mij|mnie)(?![a-z])[^\d\n]{0,12}\Z"
)
_GROUPS: Final = 6
_AFTER_PHONE: Final = Lazy(
    r"(?i)\s?[,(]?\s?(?:\((?:mobile|whatsapp|cell|home|work|office)|is my (?:phone|cell|mobile|number|whatsapp))"
)
_OTHER_NUMBER: Final = Lazy(r"(?i)(?:isbn|id|serial|part|order|ticket|model|sku|uuid|#)\W{0,6}\Z")
_GROUP: Final = Lazy(r"\d+")
_LEAST: Final = 8
_MOST: Final = 15


def _digits(text: str) -> str:
    return "".join(c for c in text if "0" <= c <= "9")


def _is_sequence(digits: str) -> bool:
    return digits in "01234567890123456789" or digits in "98765432109876543210" or len(set(digits)) <= 2


def _is_national(match: re.Match[str]) -> bool:
    text = match[0]
    digits = _digits(text)
    if not _LEAST <= len(digits) <= _MOST or _DATE.fullmatch(text) or _is_sequence(digits):
        return False
    start = before(match, 48)
    if _PHONE.search(start) or _AFTER_PHONE.match(match.string, match.end()):
        return True
    if _NANP.fullmatch(text) and _OTHER_NUMBER.search(start) is None:
        return text[0] == "(" or text.count("-") >= 2 or _CALL.search(start) is not None
    # "call" has other meanings, so without "me" the number must look like one.
    if len(_GROUP.compiled.findall(text)) > _GROUPS or _CALL.search(start) is None:
        return False
    return (
        digits[0] == "0"
        or text[0] == "("
        or _NANP.fullmatch(text) is not None
        or _CALL_ME.search(start) is not None
    )


# Places --------------------------------------------------------------------------------------------------------------

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

# Dates of birth ------------------------------------------------------------------------------------------------------

_MONTH: Final = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|mär|mai|okt|dez|janv|févr|mars|avr|juin|juil|août|déc|ene|abr|ago|dic|gen|mag|giu|lug|set|ott|out|fev)[a-zéûç]{0,9}\.?"
_ANY_DATE: Final = (
    r"(?:(?:19|20)\d\d[-./]\d{1,2}[-./]\d{1,2}|\d{1,2}[-./ ]{1,2}\d{1,2}[-./ ]{1,2}(?:(?:19|20)\d\d|\d\d)"
    rf"|\d{{1,2}}(?:st|nd|rd|th|er|\.|º)?\s(?:of\s|de\s|di\s)?(?i:{_MONTH}),?\s(?:de\s|del\s)?(?:19|20)\d\d|(?i:{_MONTH})\s\d{{1,2}}(?:st|nd|rd|th)?,?\s(?:19|20)\d\d"
    r"|(?:19|20)\d\d年\d{1,2}月\d{1,2}日|(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01]))"
)
_BIRTH: Final = Lazy(
    r"(?P<keep>(?<![A-Za-z_])(?i:born|birth ?da(?:y|te)s?|b-?day|date of birth|d\.?o\.?b\.?|geboren|geb\.|geburtstag|geburtsdatum|née?|naissance|anniversaire|nacid[oa]|naci|nacimiento|cumpleaños|"
    r"nat[oa]|nascita|compleanno|nascid[oa]|nasci|nascimento|aniversário|geboortedatum|verjaardag|urodzon[ya]|urodzin|född|født|syntynyt|родил(?:ся|ась)|дата рождения|生日|生年月日|出生)"
    r"(?![A-Za-z])[^\d\n\[\]]{0,24}?(?<!\d))" + _ANY_DATE + r"(?!\w)"
)

# Names in paths ------------------------------------------------------------------------------------------------------

_NO_ONE: Final = frozenset(
    [
        "user",
        "users",
        "username",
        "user1",
        "user2",
        "usr",
        "user_name",
        "root",
        "ubuntu",
        "debian",
        "fedora",
        "centos",
        "vscode",
        "runner",
        "runneradmin",
        "pi",
        "app",
        "node",
        "jovyan",
        "shared",
        "public",
        "default",
        "all",
        "administrator",
        "admin",
        "docker",
        "travis",
        "circleci",
        "ec2-user",
        "azureuser",
        "vagrant",
        "me",
        "you",
        "name",
        "yourname",
        "your_name",
        "your-name",
        "youruser",
        "your_username",
        "yourusername",
        "your-username",
        "your_user",
        "myuser",
        "myusername",
        "my_user",
        "someuser",
        "some_user",
        "git",
        "www",
        "www-data",
        "work",
        "worker",
        "dev",
        "developer",
        "codespace",
        "gitpod",
        "appuser",
        "pyodide chroot urname",
        "coder",
        "sandbox",
        "build",
        "builder",
        "jenkins",
        "test",
        "tester",
        "testuser",
        "guest",
        "foo",
        "bar",
        "baz",
        "example",
        "sample",
        "john",
        "johndoe",
        "john.doe",
        "jdoe",
        "joe",
        "alice",
        "bob",
        "person",
        "someone",
        "student",
        "opc",
        "core",
        "steam",
        "deck",
        "linuxbrew",
        "conda",
        "mambauser",
        "condauser",
        "airflow",
        "postgres",
        "mysql",
        "redis",
        "nginx",
        "apache",
        "service",
        "home",
        "local",
        "opt",
        "src",
        "source",
        "project",
        "projects",
        "code",
        "data",
        "workspace",
        "bin",
        "lib",
        "tmp",
        "temp",
        "folder",
        "path",
        "dir",
        "file",
        "index.html",
        "index.php",
        "page",
        "pages",
        "about",
        "assets",
        "static",
        "dashboard",
        "api",
        "images",
        "img",
        "css",
        "js",
        "public_html",
        "products",
        "settings",
        "login",
        "news",
        "profile",
        "main",
        "view",
        "views",
        "component",
        "components",
        "layout",
        "index",
        "desktop",
        "documents",
        "downloads",
        "library",
        "applications",
        "env",
        "venv",
        "username>",
        "container",
        "ci",
        "buildbot",
        "gitlab-runner",
        "github",
        "kali",
        "hduser",
        "hadoop",
        "spark",
        "oracle",
        "ftp",
        "samba",
        "media",
        "server",
        "minecraft",
        "web",
        "site",
        "ansible",
        "deploy",
        "deployer",
        "ec2",
        "cloud",
        "user>",
        "nonroot",
        "default.migrated",
        "defaultuser0",
    ]
)
_NAME: Final = r"[^\s/\\:*?\"'<>|\[\]{}()$%,;&=#`~]{1,40}"
_HOME_PATH: Final = Lazy(
    rf"(?P<keep>(?<![\w.@/\]-])(?:(?:file://)?(?:/(?:mnt|media|run/media|data|export|var|usr|private|net|cygdrive|host_mnt|System/Volumes/Data)(?:/[a-z]\w{{0,8}})?)?/(?:home|Users)/"
    rf"|/(?:c|d|mnt/[a-z])/(?:Users|users)/|[A-Za-z]:(?:\\\\?|/)(?:Users|users|USERS|Documents and Settings)(?:\\\\?|/)|\\\\\\\\?[\w.-]{{1,40}}\\\\?(?:c\$\\\\?)?Users\\\\?))"
    rf"{_NAME}(?=[/\\]|[\s\"'`:),;>]|\Z)"
)
_FILE: Final = Lazy(r"\.(?:html?|php|jsx?|tsx?|css|png|py|csv|json|txt|vue|md)\Z")
_ROUTE: Final = Lazy(
    r"(?i)(?:route|path|url|href|src|get|post|put|delete|patch|link|to|navigate|push)\W{0,4}\Z"
)


def _is_name(match: re.Match[str]) -> bool:
    name = match[0][len(match["keep"]) :].rstrip(".")
    if name.lower() in _NO_ONE or not any(c.isalpha() for c in name) or _FILE.search(name) is not None:
        return False
    if "xx" in name.lower()[:2] or name.lower().startswith(
        ("your", "my_", "my-", "some", "user", "test", "example")
    ):
        return False
    return not (match["keep"] == "/home/" and _ROUTE.search(before(match, 12)))


# `anna@laptop:~/code$ `, the prompt of a shell
_PROMPT: Final = Lazy(
    r"(?<![\w.@/:-])(?P<name>[a-z_][a-z0-9_.-]{1,31})(?=@[A-Za-z0-9][\w.-]{0,40}(?::(?:~|/)[^\n\[\]]{0,80}?[$#%>](?:\s|\Z)|[ :]~?[^\s\[\]]{0,60}\]?\s?[$#%](?:\s|\Z)))"
)


def _is_prompt(match: re.Match[str]) -> bool:
    return match["name"].lower() not in _NO_ONE


SHAPES: Final = (
    Shape("emails", hints=("@",), pattern=_EMAIL, check=_is_email),
    Shape(
        "emails",
        hints=("(at)", "[at]", "{at}", "<at>", "_at_", "-at-"),
        words=("dot",),
        pattern=_SPELLED,
        check=_is_spelled,
        core=Lazy(r"(?i)[(\[{<_-](?:at|dot|punkt)[)\]}>_-]|\sdot\s"),
    ),
    Shape(
        "phones",
        hints=("+",),
        pattern=_INTERNATIONAL,
        check=lambda match: not _is_sequence(_digits(match[0])[1:]),
        digit=True,
    ),
    Shape(
        "phones",
        pattern=_NUMBER,
        check=_is_national,
        core=Lazy(r"(?:\d[ ./()-]{0,3}){7}\d", re.ASCII),
        digit=True,
    ),
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
    Shape(
        "birthdates",
        hints=("b-day", "d.o.b", "生日", "生年", "出生"),
        words=(
            "born",
            "birth",
            "birthday",
            "birthdate",
            "birthdates",
            "birthdays",
            "bday",
            "dob",
            "geboren",
            "geb",
            "geburtstag",
            "geburtsdatum",
            "né",
            "née",
            "naissance",
            "anniversaire",
            "nacido",
            "nacida",
            "naci",
            "nacimiento",
            "cumpleaños",
            "nato",
            "nata",
            "nascita",
            "compleanno",
            "nascido",
            "nascida",
            "nasci",
            "nascimento",
            "aniversário",
            "geboortedatum",
            "verjaardag",
            "urodzony",
            "urodzona",
            "urodzin",
            "född",
            "født",
            "syntynyt",
            "родился",
            "родилась",
            "рождения",
        ),
        pattern=_BIRTH,
        digit=True,
    ),
    Shape(
        "names",
        hints=("/home/", "users/", "users\\", "settings\\", "settings/"),
        pattern=_HOME_PATH,
        check=_is_name,
    ),
    Shape(
        "names", hints=("@",), pattern=_PROMPT, check=_is_prompt, core=Lazy(r"@[\w.-]{1,41}(?::[~/]|[ :])")
    ),
)
