"""Finds answers that say nothing themselves: they point at something that the model will not see, or only thank."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from furytune.curation._lint.blocks import LINK, prose, sentences
from furytune.pairing.signals import signals

__all__ = [
    "leans_on_file",
    "leans_on_talk",
    "lost_file",
    "no_text",
    "only_asks",
    "only_links",
    "only_promises",
    "only_thanks",
    "points_back",
    "same_trouble",
]

_FILLER: Final = re.compile(
    r"(?:(?:hi|hello|hey|hiya|dear|ok|okay|oh|ah|aha|hm+|well|lol|haha+|sorry|np|yw|wow|cool|nice|great|awesome|perfect|please|pls"
    r"|all|there|everyone|guys|again|too|also|thanks|thank you|thx|ty|thank u|cheers|many|much|so|very|a lot|for that|for this|no problem"
    r"|no worries|youre welcome|you are welcome|welcome|my pleasure|glad to help|glad it helped|anytime|any time|regards|best regards"
    r"|kind regards|good luck|have a nice day|good morning|good evening|good night|bye|see you|hope this helps|hope it helps|hope that helps"
    r"|i hope this helps|[+]1|x?d+|\^+)(?: |$))+"
)
_FILE: Final = (
    r"(?:screen ?shots?|screen ?caps?|screen ?grabs?|images?|pictures?|pics?|photos?|gifs?|videos?|clips?|attachments?|attached files?"
    r"|files?|pdfs?|diagrams?|zips?|zip files?|documents?|logs?|recordings?)"
)
_ATTACHED: Final = rf"(?:the|this|that|my|these|attached|following|enclosed|above|below|a|an|some|{_FILE})"
_LOST_FILE: Final = re.compile(
    rf"(?:(?:yes|no|please|pls|just|so|and|you can|also|just|i have|ive|have|hi|kindly) )*"
    rf"(?:(?:see|check|look at|look into|refer to|find|view|open|have a look at|take a look at|as in|like in|as per|as shown in|shown in)"
    rf"(?: (?:out|the|this|that|my|these|attached|following|enclosed|a|an|above|below|for|your|reference|here))* {_FILE}"
    rf"(?: (?:above|below|attached|here|for details|for reference|for more details|for more info|for your reference|please|and you will see"
    rf"|in attachment))*"
    rf"|(?:here|heres|here is|here are|here you go|this is|attaching|attached|uploading|posting|sending|sharing|i attached|i have attached"
    rf"|ive attached|im attaching|attached is|attached are|attached please find|find attached|please find attached|i uploaded|ive uploaded)"
    rf"(?: {_ATTACHED})*(?: {_FILE})(?: (?:above|below|attached|here|please|as requested|for reference|for your reference))*"
    rf"|(?:see )?attached|(?:see|in) attachment|see below|like this|looks like this|it looks like this|here you go"
    rf"|(?:please )?(?:find|see)? ?(?:attached|attaching|uploaded|uploading|adding)(?: [\\w/-]+){{0,3}} {_FILE}"
    rf"|{_FILE} (?:attached|below|above|here|enclosed)"
    r"|[\w -]{1,60} (?:pdf|png|jpe?g|gif|webp|svg|bmp|mp4|mov|webm|zip|rar|7z|gz|docx?|xlsx?|pptx?|txt|log|csv|json|ipynb) \d{1,6} ?(?:bytes|b|kb|mb))"
)
_LINKS: Final = re.compile(
    r"(?:(?:LINK|and|or|also|see|check|checkout|check out|check this|look|look at|read|read this|try|try this|here|this|this one|this link|that"
    r"|the|link|links|page|docs?|documentation|article|guide|tutorial|post|thread|issue|answer|faq|wiki|manual|info|more|at|on|in|for|to|from|it|its|is"
    r"|heres|here is|here are|here you go|this is|you can|you could|you should|please|pls|just|maybe|perhaps|a|an|some|of|have a look|take a look"
    r"|go|visit|follow|refer|find|ref|source|example|examples|details|via|out|as|well|hope|helps|may|might|will|help|helpful|useful|i|think|yes|no"
    r"|yeah|yep|ok|or|using|use|with|about|one|same|these|those|might be|worth|reading|question|similar|related|below|following|blog|two|could|can|found|possibly|useful|good|great|nice|also|perhaps|very)(?: |$))+"
)
_BACK: Final = re.compile(
    r"(?:(?:yes|no|ok|yeah|again|just|please|pls|so|and|but|well|also|like|i think) )*"
    r"(?:(?:see|as|read|check|same as|look at|refer to|scroll up to|scroll) (?:the |my |his |her |their |your |it |mentioned |said |stated |written |described |explained )*"
    r"(?:above|up|(?:previous|earlier|last|first|above|other|prior) (?:message|messages|post|posts|answer|answers|reply|replies|comment|comments|question|questions|thread|response)"
    r"|(?:message|messages|post|posts|answer|answers|reply|replies|comment|comments) (?:above|before|earlier|up there))"
    r"|(?:same|just|exactly)? ?(?:as|like) (?:i|we|he|she|they) (?:said|mentioned|wrote|stated|explained|told you|suggested|posted)(?: (?:above|before|earlier|already|previously|yesterday))?"
    r"|(?:what|like|as) [\w.|-]+ (?:said|says|wrote|suggested|mentioned)(?: (?:above|before|earlier))?"
    r"|(?:i|we) told you(?: (?:already|before|that|so))?|(?:i|we) (?:already|just) (?:told you|said that|said it|said so|answered that|answered this|answered it|explained that|explained it|explained this|posted it|posted that|posted the link|sent you)(?: (?:above|before|earlier))?"
    r"|same(?: (?:as before|as above|as last time|answer|answer as before|answer as above))?|as before|as above|see above|(?:read|scroll) up|scroll up|ditto|this|\^+(?: this)?|this \^+"
    r"|(?:already )?answered (?:above|before|earlier|already)|(?:the )?above|(?:the )?(?:link|answer|message|post) (?:is )?above)"
)
_POLITE: Final = re.compile(r"(?: (?:thanks|thank you|thx|please|pls|sorry|for you|for now|first))+$")
_WILL: Final = (
    r"(?:(?:(?:i|we) )?(?:will|am going to|are going to|can|plan to)|ill|im going to|im gonna|were going to|well|let me|let us|lemme|gonna|going to)"
    r"(?: (?:also|just|now|still|definitely|try and|try to|have to|a|take a|have a))*"
    r" (?:look|check|investigate|try|test|get back|let you know|keep you (?:updated|posted)|work on|report back|update|post an update"
    r"|reply|respond|find out|figure|do|see|ask|think)"
)
_DOING: Final = (
    r"(?:(?:i am|im|we are|were|currently|still|now|just|hi|ok|and) )*"
    r"(?:looking|checking|investigating|getting back|working on|will do|will reply|will let you know|will get back|will update|will check|will look"
    r"|hold on|hang on|one sec(?:ond)?|one moment|a moment|wait a|brb|be right back|stay tuned|give me a)"
)
# What comes later is taken once and for all, as by `*+`. That cannot be written here, because the `re` of Python 3.11.0 to 3.11.4
# gets a possessive repeat of a group with choices wrong.
_SOON: Final = (
    r"(?=(?P<SOON>(?: (?:(?:when|if|once|until|as soon as|as) (?:i|we) (?:can|have|know|hear|find|get|am)"
    r"|it|this|that|into|in|on|at|to|you|your|out|up|back|again|later|tomorrow|today|tonight|soon|shortly|asap|now|then|for"
    r"|more|info|information|something|anything|a|an|the|my|our|issue|problem|question|team|sec|second|minute|minutes|moment|bit|few"
    r"|while|day|week|monday|tuesday|wednesday|thursday|friday|weekend|morning|afternoon|evening|by|with|home|ready|done|time|there|from)\b)*))(?P=SOON)"
)
_PROMISE: Final = re.compile(
    rf"(?:(?:yes|yeah|sure|ok|but|and|so|well) )*(?:{_WILL}|{_DOING}){_SOON.replace('SOON', 'first')}"
    rf"(?: (?:{_WILL}|{_DOING}){_SOON.replace('SOON', 'next')})*"
)
_TROUBLE: Final = r"(?:problems?|issues?|errors?|troubles?|bug|thing|question|situation|boat)"
_SAME: Final = re.compile(
    rf"(?:(?:yes|yeah|but|and|so|well|also) )*"
    rf"(?:same (?:here|for me|{_TROUBLE})|me too|me as well|me either|[+]1|it does (?:that|this) (?:to|for) me"
    rf"|(?:(?:i|im|i am|ive|we|were|we are|am) )*(?:also |still |just )*(?:in|have|having|facing|get|getting|got|see|seeing|experiencing|had|hit|hitting|running into|ran into)"
    rf" (?:the |this |that |exactly |exact |very )*same(?: exact)? {_TROUBLE}"
    rf"|(?:is |are )?(?:there )?any (?:news|updates?|progress|luck|solutions?|fix)"
    rf"|(?:did|have) (?:you|any(?:one|body)) (?:ever |already )?(?:find|found|get|got|solved?|resolved?|fix(?:ed)?|figured?)(?: (?:a|any|the|it|this|that|out|anything|solution|fix|answer|resolved|solved|working))+"
    rf"|how did you (?:resolve|solve|fix|get around) (?:it|this|that)|anyone else|(?:i )?(?:also )?need help|can (?:any(?:one|body)|someone) (?:please )?help)"
    rf"(?: (?:here|too|as well|also|on|about|with|for|this|that|it|the|my|in|{_TROUBLE}|and|yet|please|pls|laptop|machine|me|us|i|am|afraid|a|any|solution|did|you|find|found|how|solve|resolve|fix|it))*"
)
# Advice in the form of a question.
_HINT: Final = re.compile(
    r"\b(?:have|did) you (?:not |ever |already |even )?(?:tried|try|checked|check|looked|look|considered|consider|seen|run|ran"
    r"|install|installed|read|use|used|using|set|enabled?|added?|allow|allowed|restart|restarted|reboot|rebooted)\b"
    r"|\bwhat (?:happens )?if\b|\bwhy not\b|\b(?:how|what) about\b|\bmaybe\b|\bperhaps\b"
)
_WORDLESS: Final = re.compile(
    r"[\W_]*+(?:none|nan|null|nil|n/?a|undefined|unknown|todo|tbd|\(?no (?:answer|reply|response|text|content)\)?|"
    r"\[?(?:message |comment |original message was |answer )?(?:deleted|removed)(?: by (?:user|author|moderator))?\]?)?[\W_]*+",
    re.IGNORECASE,
)
_SHORT: Final = 25
_LONGEST_WORDLESS: Final = 60
_LONGEST_END: Final = 12
_AFTER_MARK: Final = re.compile(r"(?<=[.!?\u2026\u3002\uff01\uff1f\u061f])\s+|\n")
_ASKING: Final = re.compile(r"[?\uff1f\u061f][\s)!]*\Z")
_QUESTION_FILE: Final = re.compile(
    rf"\b(?:(?:see|in|as in|like in|on|from|look at|check) (?:the |this |that |my |these )?(?:attached |following |above |below )?(?:screen ?shots?|images?|pictures?|pics?|photos?|gifs?|attachments?)"
    rf"|(?:attached|following) {_FILE}|{_FILE} (?:attached|below|above)|(?:see|as) attached|as shown (?:above|below))\b"
)
_QUESTION_TALK: Final = re.compile(
    r"\b(?:you (?:suggested|said|mentioned|told|wrote|recommended)|as (?:you|we) (?:said|discussed|mentioned)|(?:your|my|the) (?:previous|last|earlier) (?:answer|message|post|reply|suggestion|comment|question)"
    r"|like you said|mentioned above|discussed (?:above|earlier|before)|as above|see above)\b"
)


def _only(answer: str, wanted: Callable[[str], object], *, links: bool) -> bool:
    """Returns whether each sentence is of the wanted kind or says nothing, and at least one is of the wanted kind."""
    text = _short_prose(answer)
    if text is None:
        return False
    found = False
    for sentence in sentences(text):
        if wanted(_POLITE.sub("", sentence)):
            # A link may be all that there is to say.
            if "LINK" in sentence and not links:
                return False
            found = True
        elif not _FILLER.fullmatch(sentence):
            return False
    return found


def only_links(answer: str) -> bool:
    """Returns whether nothing but links is left once words that only introduce a link are left out."""
    return LINK.search(answer) is not None and _only(answer, _LINKS.fullmatch, links=True)


def lost_file(answer: str) -> bool:
    """Returns whether an answer only points at a file, an image or an attachment, which a pair does not have."""
    return _only(answer, _LOST_FILE.fullmatch, links=False)


def points_back(answer: str) -> bool:
    """Returns whether an answer only refers to earlier messages."""
    return _only(answer, _BACK.fullmatch, links=False)


def only_thanks(answer: str) -> bool:
    """Returns whether an answer is thanks, a greeting or an interjection, and nothing else."""
    text = _short_prose(answer)
    said = sentences(text) if text is not None else ()
    return bool(said) and all(map(_FILLER.fullmatch, said))


def no_text(answer: str) -> bool:
    """Returns whether an answer has no letter and no digit, or is a word that stands for a missing value."""
    if len(answer) > _LONGEST_WORDLESS:
        return not any(map(str.isalnum, answer))
    return _WORDLESS.fullmatch(answer) is not None


def only_asks(answer: str) -> bool:
    """Returns whether an answer only asks back: "Which version is it?"."""
    if not any(mark in answer[-_LONGEST_END:] for mark in "?\uff1f\u061f") or _is_long(answer):
        return False
    found = signals(answer)
    return (
        found.ends_asking
        and found.asks_back
        and found.words <= _SHORT
        and not (found.tells_what_to_do or found.states_how_it_is or found.code or found.links)
        and _HINT.search(answer.lower()) is None
        and all(_ASKING.search(line) for line in _sentences_with_marks(answer))
    )


def only_promises(answer: str) -> bool:
    """Returns whether an answer only promises one: "Let me check that, I will get back to you."."""
    return _only(answer, _PROMISE.fullmatch, links=False)


def same_trouble(answer: str) -> bool:
    """Returns whether an answer is someone with the same trouble: "Same here, any news?"."""
    return _only(answer, _SAME.fullmatch, links=False)


def _is_long(answer: str, *, than: int = 40) -> bool:
    """Returns whether an answer has so many words that it says something. It is quicker than to read them."""
    return len(answer.split()) > than


def _short_prose(answer: str) -> str | None:
    """Returns the prose of an answer without code and with few words, None if it has code or more words."""
    if _is_long(answer):
        return None
    text = prose(answer)
    return None if "\ufffc" in text else text


def _sentences_with_marks(answer: str) -> list[str]:
    return [
        line
        for line in _AFTER_MARK.split(prose(answer))
        if not _FILLER.fullmatch(" ".join(sentences(line)) or "ok")
    ]


def leans_on_file(question: str) -> bool:
    """Returns whether a question refers to a file or an image."""
    return any(_QUESTION_FILE.search(sentence) for sentence in sentences(prose(question)))


def leans_on_talk(question: str) -> bool:
    """Returns whether a question refers to what was said before it."""
    return any(_QUESTION_TALK.search(sentence) for sentence in sentences(prose(question)))
