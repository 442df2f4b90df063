"""Finds text that was never an answer: grades, refusals of a model, parts of a prompt; and answers that break off."""

from __future__ import annotations

import re
from typing import Final

from furytune.curation._lint.blocks import LINK, plain, prose

__all__ = ["closed_early", "cut_off", "grading_text", "moving_link", "prompt_text", "refusal", "time_bound"]

_GRADE: Final = re.compile(
    r"^\W{0,4}(?:(?:final |overall |total )?(?:score|grade|rating|marks?)\W{0,4}[:=]\W{0,4}\d+(?:\.\d+)?\s*(?:/|out of)\s*\d+"
    r"|verdict\W{0,4}[:=]\W{0,4}(?:correct|incorrect|pass|fail|yes|no)\b|\[\[(?:\d+(?:\.\d+)?|[A-Z])\]\])",
    re.IGNORECASE | re.MULTILINE,
)
_JUDGED: Final = re.compile(
    r"\W{0,4}(?:"
    r"(?:the|this|your|an|a correct|a good|the correct|the model'?s?|the assistant'?s?) (?:answer|response|reply|output|completion|solution|code|explanation) "
    r"(?:correctly|accurately|adequately|successfully|partially|fully|clearly|fails? to|does not (?:address|answer|mention|explain)|doesn't (?:address|answer|mention|explain)"
    r"|must|should (?:mention|include|contain|explain|state|say|suggest|recommend|point|name|list|tell|provide|use|refer)|needs? to (?:mention|include|contain|explain|state)"
    r"|is (?:correct|incorrect|accurate|inaccurate|partially|relevant|irrelevant|complete|incomplete)\b)"
    r"|(?:must|should) (?:mention|include|contain|explain|state|suggest|say|recommend|point out|name|list|refer to)\b"
    r"|(?:rubric|criteri(?:on|a)|grading (?:criteri(?:on|a)|notes?)|evaluation criteri(?:on|a)|ground truth|reference answer|expected answer|acceptance criteria)\W{0,4}[:=]"
    r")",
    re.IGNORECASE,
)
_REFUSAL: Final = re.compile(
    r"\b(?:as an? (?:ai|artificial intelligence|large language|language)(?: language)?(?: model| assistant)?,? (?:i|my|developed|created|trained)\b"
    r"|as an? (?:ai|large|ai large) language model\b|i(?:'|\u2019)?m (?:just |only )?an? (?:ai|large) (?:language )?(?:model|assistant)\b|i am (?:just |only )?an? (?:ai|large) (?:language )?(?:model|assistant)\b"
    r"|my (?:knowledge cut-?off|training data (?:only )?(?:goes|ends|includes))\b|as of my (?:last|latest) (?:knowledge|training)(?: update| cut-?off)?\b)",
    re.IGNORECASE,
)
_SORRY: Final = re.compile(
    r"\W{0,3}(?:i(?:'|\u2019)?m (?:very |really |so )?sorry|i am sorry|i apologi[sz]e|sorry|unfortunately),? ?(?:but )?,? ?i (?:can(?:'|\u2019)?t|cannot|can not|am unable to|am not able to|(?:'|\u2019)?m (?:unable|not able) to)"
    r" (?:assist|help (?:you )?with (?:that|this)|fulfil|fulfill|comply|provide (?:that|assistance)|answer (?:that|this)|engage|browse|access (?:external|the internet|real-time))",
    re.IGNORECASE,
)
_SIGNS_OF_REFUSAL: Final = (
    "model",
    " ai ",
    "knowledge cut",
    "my training",
    "as of my",
    "sorry",
    "apolog",
    "unfortunately",
)
_SIGNS_OF_PROMPT: Final = (
    "<|",
    "inst]",
    "sys>",
    "_of_turn",
    "#",
    "system prompt",
    "you are a",
    "answer the",
    "{",
)
_PROMPT: Final = re.compile(
    r"<\|(?:im_start|im_end|endoftext|system|user|assistant|begin_of_text|eot_id|start_header_id|end_header_id|end_of_turn)\|?>"
    r"|\[/?INST\]|<</?SYS>>|<(?:start|end)_of_turn>"
    r"|^#{1,4} ?(?:instructions?|response|input|human|assistant|system(?: prompt)?|context)\s*:?\s*$"
    r"|^(?:system prompt|you are an? (?:helpful|senior|expert|friendly|knowledgeable)(?: \w+){0,4} (?:assistant|developer|engineer|bot|expert)\b)"
    r"|^\W{0,4}answer the (?:users?'?s? )?question (?:based on|using) the (?:following )?context"
    r"|\{(?:context|question)\}",
    re.IGNORECASE | re.MULTILINE,
)
_ROLES: Final = re.compile(
    r"^[ \t>*_#]{0,6}(question|context|answer|user|human|assistant|instruction|response|q|a)[*_]{0,2}[ \t]?:",
    re.IGNORECASE | re.MULTILINE,
)
_PAIRS_OF_ROLES: Final = (
    {"question", "context"},
    {"question", "answer"},
    {"user", "assistant"},
    {"human", "assistant"},
    {"instruction", "response"},
    {"q", "a"},
)

_CUT: Final = re.compile(
    r"(?:\[(?:truncated|continued|cut|cut off|more)\]|\((?:truncated|continued|cont(?:'d|d)?\.?|message too long)\)|\b(?:read|show|see) more(?:\.{3}|\u2026)?)\s*\Z",
    re.IGNORECASE,
)
_ANNOUNCED: Final = re.compile(
    r"\b(?:this|these|that|those|following|follows|here|below|example|examples|code|command|commands|snippet|error|steps|way|now|run|type|do|try|use)[ \t]?:\s*\Z",
    re.IGNORECASE,
)
_HANGING: Final = re.compile(r"\s(?:the|a|an|and|because|your|my|into|such as)\s*\Z")

_MOVING: Final = re.compile(
    r"(?:github\.com/[^/\s]+/[^/\s]+/(?:blob|tree|raw|blame|edit)/(?:master|main|dev|devel|develop|trunk|head|nightly)\b"
    r"|raw\.githubusercontent\.com/[^/\s]+/[^/\s]+/(?:refs/heads/)?(?:master|main|dev|devel|develop|trunk|head)/"
    r"|/-/(?:blob|tree|raw)/(?:master|main|dev|devel|develop|trunk|head)\b"
    r"|bitbucket\.org/[^/\s]+/[^/\s]+/src/(?:master|main|dev|default)\b"
    r"|//(?:dev|nightly|latest|devdocs|master|main)\.[\w.-]+/"
    r"|(?<!/releases)/(?:latest|nightly|nightlies|unstable|snapshot|devdocs)(?=[/?#]|$)"
    # These are parts of many other addresses.
    r"|(?:/docs?|/en|/manual|/reference|//docs?\.[\w.-]+|github\.io/[\w.-]+)/(?:dev|devel|main|master|trunk)(?=[/?#]|$))",
    re.IGNORECASE,
)
_TIME: Final = re.compile(
    r"\b(?:today|tomorrow|tonight|yesterday|this (?:morning|afternoon|evening|week|weekend|month|year)|(?:next|last) (?:week|weekend|month|year|monday|tuesday|wednesday|thursday|friday)"
    r"|in (?:a few|the next few|the coming|a couple of|\d+) (?:minutes|hours|days|weeks|months)|just (?:released|merged|pushed|fixed|deployed|updated)|right now|at the moment|as of now|currently|(?<!as )soon(?! as)"
    r"|gsoc ?(?:20)?\d\d|for now|not yet|any day now|upcoming)\b"
)

_CLOSING: Final = re.compile(
    r"(?:(?:i )?(?:really )?hope (?:this|that|it)(?: all)?(?: can| will|ll)? ?(?:helps?|helped|works?|makes sense|clarifies|answers your question|solves?(?: it| your problem| the problem)?)(?: (?:you|u|out|a bit|a little|some|at all|guys|anyone|someone|others|with that|with this))*(?: out)?"
    r"|is (?:this|it|that) (?:what|something like what) (?:you|u) (?:need|needed|want|wanted|meant|mean|are looking for|were looking for|are after|were after|expected|had in mind)"
    r"|(?:please |pls )?let (?:me|us) know(?: please)? (?:if|whether|how) (?:this|that|it|you|u|there)(?: (?:this|that|it|is|are|have|has|need|needs|still|any|more|further|additional|other|works?|worked|helps?|helped|goes|went|doesnt|does not|solves|solved|makes|sense|for|you|with|questions?|help|else|anything|problems?|issues?|out|your|the|problem|issue|assistance|stuck|or|not|run|into|can|i))*"
    r"|(?:does|did) (?:this|that|it) (?:help|work|make sense|answer your question|solve it|solve your problem)(?: for you| you)?"
    r"|(?:any|if you have any) (?:other |more |further )?questions(?: (?:feel free to ask|just ask|let me know|please ask))?"
    r"|feel free to ask(?: (?:if|more|any|anything|questions|you|have|other|further|else|me))*"
    r"|good luck(?: with (?:it|that|this))?|happy (?:coding|hacking)|cheers|have (?:a|fun)(?: (?:nice|great|good|day|one|weekend))*)"
)
_ENDING: Final = (
    " \t.!?\u2026:;)(-DP\U0001f642\U0001f600\U0001f60a\U0001f44d\U0001f609\U0001f604\U0001f603\u263a\ufe0f"
)
_BEFORE_LAST: Final = re.compile(r"[.!?\u2026:;)](?=[ \t])|\n")
_LONGEST_CLOSING: Final = 200
_LONGEST_CUT: Final = 40
_LEAST_LEFT: Final = 2


def grading_text(answer: str) -> bool:
    """Returns whether an answer is a grade, or says what an answer must contain."""
    text = prose(answer)
    return _JUDGED.match(text.lstrip()) is not None or _GRADE.search(text) is not None


def refusal(answer: str) -> bool:
    """Returns whether an answer is what a model says about itself, or its refusal."""
    text = prose(answer)
    low = text.lower()
    # Most answers have none of these, and the patterns take longer.
    if not any(word in low for word in _SIGNS_OF_REFUSAL):
        return False
    return _REFUSAL.search(text) is not None or _SORRY.match(text.lstrip()) is not None


def prompt_text(answer: str) -> bool:
    """Returns whether an answer contains marks that only prompts have, outside code."""
    text = prose(answer)
    low = text.lower()
    if any(sign in low for sign in _SIGNS_OF_PROMPT) and _PROMPT.search(text) is not None:
        return True
    if ":" not in text:
        return False
    roles = {role.lower() for role in _ROLES.findall(text)}
    return any(pair <= roles for pair in _PAIRS_OF_ROLES)


def cut_off(answer: str) -> bool:
    """Returns whether an answer breaks off: it announces something that does not come, or ends within a sentence."""
    text = prose(answer).rstrip()[-_LONGEST_CUT:]
    return any(pattern.search(text) is not None for pattern in (_CUT, _ANNOUNCED, _HANGING))


def moving_link(answer: str) -> bool:
    """Returns whether an answer links to a branch, or to documentation that changes with each release."""
    # An archived page stays as it is.
    return any(
        _MOVING.search(link.rstrip(">.,)")) is not None and "web.archive.org/" not in link
        for link in LINK.findall(answer)
    )


def time_bound(answer: str) -> bool:
    """Returns whether an answer says something of its own day, such as "currently" or "next week"."""
    return _TIME.search(prose(answer).casefold()) is not None


def closed_early(answer: str) -> str:
    """Returns an answer without sentences at its end such as "Hope this helps!" and "Is it what you need?"."""
    while (rest := _without_last(answer)) != answer:
        answer = rest
    return answer


def _without_last(text: str) -> str:
    """Returns a text without its last sentence if that only closes it, and enough is left."""
    whole = text.rstrip()
    tail = whole[-_LONGEST_CLOSING:]
    ends = len(tail.rstrip(_ENDING))
    start = max((found.end() for found in _BEFORE_LAST.finditer(tail, 0, ends)), default=-1)
    if start < 0 or not _CLOSING.fullmatch(plain(tail[start:])):
        return text
    rest = whole[: len(whole) - len(tail) + start].rstrip()
    # A line of code is never touched, and an answer of nothing but such a sentence is for another rule.
    return text if rest.count("```") % 2 or len(plain(rest).split()) < _LEAST_LEFT else rest
