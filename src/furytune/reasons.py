"""Every reason that furytune gives for leaving something out: what it means, and what you can do about it.

The names are in manifests, so they stay. ``python -m furytune.reasons`` prints the page ``docs/reasons.md``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

from attrs import frozen

from furytune.errors import ConfigError

__all__ = ["REASONS", "Reason", "Unit", "advice", "as_markdown", "check"]

Unit = Literal["message", "record", "pair", "grade", "decision", "file", "channel", "field"]

_OWN = re.compile(r"[^\s:]+:\S+")
_NAME = re.compile(r"[\w.-]{1,40}")


@frozen
class Reason:
    """One reason.

    Attributes:
        name: The word in `Dropped.reason`.
        unit: What it is a reason to leave out. One name can have several units, and then one entry for each.
        meaning: What was left out, and why.
        remedy: What you can do.
    """

    name: str
    unit: Unit
    meaning: str
    remedy: str


_NOTHING: Final = "Nothing."
_REPAIR: Final = "Repair the record."
_OTHER_MODEL: Final = "Run again to ask again, or use another model."
_RUN: Final = "Give it a `preamble` or the packages that it needs, or forgive the exception."
_MORE_REQUESTS: Final = "Run again to grade more pairs, or raise `max_requests`."

_SECTIONS: Final[tuple[tuple[str, Unit, tuple[tuple[str, str, str], ...]], ...]] = (
    (
        "Messages: who takes part",
        "message",
        (
            ("opted_out", "Its author opted out, by id or by a role.", "Nothing; see `Consent`."),
            (
                "not_opted_in",
                "Only people who opted in take part, and its author did not.",
                "Ask the person, or change `opt_in=` and `opt_in_roles=` of `Consent`.",
            ),
            (
                "unknown_author",
                "It forwards a message from somewhere that is not read, so no one knows whether its author takes part.",
                "Collect the channel that the original is in.",
            ),
            ("forgotten", "`forget` removed it, or it comes from a person who is to be forgotten.", _NOTHING),
            ("deleted", "It was deleted on the platform after it had been collected.", _NOTHING),
            ("bot", "A bot or a webhook wrote it.", "`include_bots=True` uses such messages."),
            (
                "bot_words",
                "It belongs to a pair whose answer repeats what a bot said before, such as a person's copy of its answer.",
                "Let a person confirm the bot's answer; see Feedback.",
            ),
            ("system", 'The platform wrote it, such as "Ann pinned a message".', _NOTHING),
            (
                "hidden",
                "A moderator of the forum hid it, for example as spam, off topic or outdated.",
                _NOTHING,
            ),
        ),
    ),
    (
        "Messages: in no pair",
        "message",
        (
            ("empty", "It has no text, such as a message that is just a picture.", _NOTHING),
            (
                "no_reply",
                "No one else answered or continued it.",
                "Nothing; many messages of a channel are like this.",
            ),
            (
                "not_a_question",
                "It belongs to a conversation in which no one asks for help or information.",
                "Most conversations are like this. If the channel is for help, `ReplyPairer(questions_only=False)` uses all native replies.",
            ),
            (
                "team_talk",
                "It belongs to a conversation of a team about its own work, such as reviews, meetings and releases.",
                "Nothing.",
            ),
            (
                "chatter",
                "It belongs to an exchange with a pair, but neither the question nor the answer needs it, such as thanks.",
                _NOTHING,
            ),
            (
                "low_confidence",
                "It is in a pair that is probably not worth training on.",
                "`ChatPairer(min_confidence=...)` lowers the limit.",
            ),
            (
                "no_question_text",
                "The opening message of the thread is missing, was left out or has no text, so there is no question.",
                "Check the reason that is given for the opening message.",
            ),
            (
                "no_answer",
                "No one answered: only the person who asked wrote, or all others just asked back.",
                _NOTHING,
            ),
            (
                "clarification",
                "It only asks back; the person who asked wrote again, and the answer came later.",
                _NOTHING,
            ),
            (
                "before_answer",
                "Someone else wrote it before the message that is marked as the solution.",
                _NOTHING,
            ),
            ("after_answer", "It comes after the answer.", _NOTHING),
            (
                "after_window",
                "The thread has more messages than `window` or than are read, or it replies to a question that is further back than that.",
                "Raise `window`; it costs memory.",
            ),
            (
                "reply_target_missing",
                "It, or the first message of its replies, replies to one that was not read or is more than `window` messages back.",
                "Collect the channel completely, or raise `window`.",
            ),
            (
                "reply_to_dropped",
                "It, or the first message of its replies, replies to a message that was left out.",
                "Check the reason that is given for that message.",
            ),
            (
                "thread_starter_missing",
                "It stands for the message that a thread was opened on, which was not read, was left out or has no text.",
                "Collect the channel that the thread belongs to.",
            ),
            (
                "no_pairer",
                "No pairer fits its conversation.",
                "Add one to `pairers=`; `ReplyPairer` fits every conversation.",
            ),
        ),
    ),
    (
        "Messages: too much of them",
        "message",
        (
            (
                "message_too_long",
                "Its text has more bytes than `max_message`, or all of it more than `max_message_bytes`.",
                "Raise the limit, if people wrote this.",
            ),
            (
                "too_many_messages",
                "Its question or answer is made of more messages than `max_messages`.",
                "Raise `max_messages`.",
            ),
            (
                "pair_too_long",
                "Its question and answer together have more bytes than `max_pair`.",
                "Raise `max_pair`.",
            ),
        ),
    ),
    (
        "Messages: that cannot be read",
        "message",
        (
            (
                "invalid_message",
                "It is JSON, but not a message as the platform or DiscordChatExporter writes it, or not a discussion as GitHub does.",
                "Export again, with a current version of the exporter, or with the query of the documentation.",
            ),
            ("malformed_json", "It is not JSON.", "Export again."),
            ("invalid_utf8", "It holds bytes that are not UTF-8.", "Export again."),
            (
                "lone_surrogate",
                "It holds half of a character, which no UTF-8 file can hold.",
                _NOTHING,
            ),
            ("no_id", "It has no number as its id, so a journal cannot hold it.", "Export again."),
            ("duplicate", "The same message was read before, in this file or another one.", _NOTHING),
        ),
    ),
    (
        "Messages: in files of ready pairs",
        "message",
        (
            (
                "earlier_turn",
                "It is a turn of a chat before the last question and answer.",
                "Nothing; a pair is one question and one answer.",
            ),
            (
                "system_instruction",
                "It is a system instruction beside a pair.",
                "Put what all prompts should say into `PromptTemplate(system=...)`.",
            ),
        ),
    ),
    (
        "Channels and threads",
        "channel",
        (
            ("excluded", "`exclude=` names it, its channel or its category.", "Change `exclude=`."),
            (
                "not_included",
                "`include=` or `channels=` names others, and not this one.",
                "Add it to `include=` or `channels=`.",
            ),
            (
                "not_answerable",
                "It is a category of a forum in which no one can accept an answer, such as Announcements, Polls or Show and tell.",
                "Add it to `channels=`, if people ask there too.",
            ),
            (
                "no_permission",
                "The bot may not read it; the detail names the permission.",
                "Ask an administrator to give the bot that permission.",
            ),
            (
                "hidden",
                "Discord does not show it to the bot, or shows a thread but not its channel.",
                "Ask an administrator to give the bot View Channel there.",
            ),
            ("gone", "It was deleted, or no channel has this id.", "Remove it from `include=`."),
            ("no_messages", "It is a directory of servers, which holds no messages.", _NOTHING),
            (
                "unknown_type",
                "It is of a type that furytune does not know.",
                "Check for a newer version of furytune.",
            ),
            (
                "private_thread",
                "It is a private thread, and private threads are not read unless you ask for them.",
                "`private_threads=True` reads them; ask their members first.",
            ),
            (
                "private_channel",
                "It is a private channel, and private channels are not read unless you ask for them.",
                "`private_channels=True` reads them, and in a forum `channels=` with its name; ask their members first.",
            ),
            (
                "direct_messages",
                "It is a conversation between a few people. Such conversations are never read.",
                _NOTHING,
            ),
            (
                "private_threads",
                "The channel is read, but its archived private threads cannot all be listed.",
                "Give the bot Manage Threads, or accept it.",
            ),
            (
                "archived_threads",
                "The channel is read, but its archived threads cannot all be listed; the detail says why.",
                "Run the collection again; threads that are open then are read.",
            ),
            (
                "failed",
                "Reading it failed; the detail says how. What was read before is kept.",
                "Run the collection again.",
            ),
            (
                "no_content",
                "Most messages that people wrote there are empty. The messages themselves are counted apart.",
                "Switch on the Message Content intent of the bot, and collect again.",
            ),
        ),
    ),
    (
        "Files",
        "file",
        (
            (
                "unreadable",
                "It cannot be read: no permission, a link that leads nowhere, a pipe or a device, or an object that git lacks.",
                "Check its permissions, or fetch the repository completely.",
            ),
            (
                "link",
                "It is a link to a folder, or to a file that is read under its own name or not at all; or a git submodule.",
                "Read what it leads to as a source of its own, if you need it.",
            ),
            (
                "link_outside",
                "It is a link that leads out of what you gave.",
                "Copy what it leads to into the folder, or read that as a source of its own.",
            ),
            ("path_outside", "Its path in the archive leads out of the archive.", "Check where it is from."),
            (
                "bad_name",
                "Its name is not UTF-8 or has a line break, so no source can name it.",
                "Rename it.",
            ),
            (
                "other_suffix",
                "Its name ends in something that is not read; the place is the suffix.",
                "Add the suffix to `suffixes=` of `markup`, if it is documentation.",
            ),
            ("excluded", "A pattern in `exclude=` fits its path.", "Change `exclude=`."),
            ("test_file", "It holds tests.", "`python_package(tests=True)` reads them."),
            ("encrypted", "It is encrypted in its zip archive.", "Unpack the archive, and give the folder."),
            (
                "too_large",
                "It has more bytes than `max_bytes` or, in an export of a chat, than 256 MiB.",
                "Raise `max_bytes`, or export in smaller parts.",
            ),
            ("too_deep", "It is nested too deeply to be read.", _NOTHING),
            ("empty_file", "It holds nothing but white space.", _NOTHING),
            ("not_utf8", "It is not UTF-8; the place names the line.", "Save it as UTF-8."),
            ("binary", "It is not text: it holds NUL bytes.", "Leave it out with `exclude=`."),
            (
                "not_python",
                "It does not parse as Python of the version that runs furytune.",
                "Repair it, or run a newer Python.",
            ),
            (
                "not_notebook",
                "It is not a notebook, or one of an unknown format.",
                "Save it again with Jupyter.",
            ),
            ("not_html", "It cannot be parsed as HTML.", "Repair it."),
            (
                "not_an_export",
                "It is JSON, but no part of an export, or it lies in a media folder beside an export.",
                "Nothing; export from Discord with `--format Json`.",
            ),
            (
                "truncated",
                "The export breaks off; the messages before are used.",
                "Export the channel again.",
            ),
            (
                "malformed_file",
                "From the place that is named, the export cannot be read; the messages before are used.",
                "Export the channel again.",
            ),
            (
                "damaged",
                "Its compressed data are damaged or cut short; what comes before is used.",
                "Fetch it again.",
            ),
            (
                "encoding",
                "From some byte on it is not in its encoding; the records before are used.",
                "Give the right `encoding=`.",
            ),
            ("empty", "It holds no record.", "Check whether it was fetched completely."),
        ),
    ),
    (
        "Records of CSV and JSON lines",
        "record",
        (
            ("encoding", "It holds bytes that are not UTF-8.", "Give the right `encoding=`."),
            (
                "too_long",
                "It has more than 16 Mi characters (CSV) or 16 MiB (JSON lines), or a quote in it is never closed.",
                _REPAIR,
            ),
            ("fields", "It has more or fewer fields than the header.", _REPAIR),
            (
                "quotes",
                "A quote is never closed, or text follows a closed one.",
                "Double the quotes in its text.",
            ),
            ("not_json", "It is not JSON, or has a number that JSON does not allow.", _REPAIR),
            ("not_object", "It is JSON, but not an object.", "Write each record as an object."),
            ("duplicate_key", "An object in it has a key twice.", "Keep one of them."),
            ("too_deep", "It nests more than 64 levels.", "Flatten it."),
            ("surrogate", "It holds half of a character, which no UTF-8 file can hold.", _REPAIR),
            (
                "columns",
                "It has no keys for question and answer.",
                "Name them by `question=` and `answer=`.",
            ),
            ("type", "Question, answer, or another value that is read is not of the right type.", _REPAIR),
            ("not_text", "A turn of the chat has no role or is not plain text, such as a picture.", _NOTHING),
            ("no_question", "No turn of the chat is the user's.", _NOTHING),
            ("no_answer", "The last turn of the chat is not the assistant's.", _NOTHING),
            ("empty_question", "The question is empty.", "Fill it in."),
            ("empty_answer", "The answer is empty.", "Fill it in."),
            (
                "date",
                "Its date is not ISO 8601.",
                'Write it so, or give `asked_at=""` to leave dates out.',
            ),
            (
                "duplicate_id",
                "An earlier record has its id.",
                'Make the ids unique, or give `id=""` to derive them.',
            ),
            (
                "unused_text",
                "Another field may be part of the question, but is not read.",
                'Name all columns of the question, such as `question=["context", "question"]`.',
            ),
            ("not_for_training", "A field says that it is not meant for training.", _NOTHING),
            (
                "pair_too_long",
                "Question and answer together have more bytes than `max_pair`.",
                "Raise `max_pair`.",
            ),
        ),
    ),
    (
        "Fields of CSV and JSON lines",
        "field",
        (
            (
                "unused_field",
                "It holds text that is in no pair; the detail names the columns or keys.",
                "Name it in `question=` or `answer=`, if it belongs there.",
            ),
        ),
    ),
    (
        "Parts of documentation and source",
        "record",
        (
            (
                "private",
                "A name in it begins with an underscore.",
                "`python_package(private=True)` reads it.",
            ),
            (
                "no_docstring",
                "The module has no docstring, so there is no passage on the module as a whole.",
                _NOTHING,
            ),
            (
                "cut_code_block",
                "A part of a code block that has more than `max_tokens` and was cut. Nothing is missing.",
                "Raise `max_tokens` to keep it whole.",
            ),
            (
                "autodoc",
                "A directive that Sphinx replaces by docstrings.",
                "Read them from the source, by `python_package`.",
            ),
            (
                "include",
                "A directive that shows another file.",
                "Read that file as a source of its own, if it is not among the files.",
            ),
            ("toctree", "A table of contents.", _NOTHING),
            ("image", "An image or a video.", _NOTHING),
            ("raw", "Text for one output format only, such as raw HTML.", _NOTHING),
            (
                "metadata",
                "Settings, index entries and names of authors, which no reader sees as text.",
                _NOTHING,
            ),
            ("comment", "A comment.", _NOTHING),
            ("target", "The mark of a place that links lead to.", _NOTHING),
            ("option", "An option of a directive, which says how it looks.", _NOTHING),
            (
                "substitution",
                "The definition of a text to be inserted elsewhere; it is read where it is inserted.",
                _NOTHING,
            ),
            ("front_matter", "The settings at the beginning of a page. Its title is used.", _NOTHING),
            ("output", "An output of a notebook's cell.", _NOTHING),
            ("raw_cell", "A cell of a notebook that is neither code nor Markdown.", _NOTHING),
            (
                "navigation",
                "Something on an HTML page that is not its text: menus, footers, scripts, forms.",
                _NOTHING,
            ),
            ("esm", "An import or export of an MDX page.", _NOTHING),
            ("jsx", "A tag of an MDX page; the text inside is read.", _NOTHING),
        ),
    ),
    (
        "Passages of an index",
        "record",
        (
            ("empty_text", "The passage has no text.", "Check the source that gave it."),
            (
                "lone_surrogate",
                "The passage holds half of a character, which the index cannot hold.",
                "Repair the source.",
            ),
            ("bad_date", "The passage's date does not exist in UTC.", "Repair the date."),
        ),
    ),
    (
        "Pairs: curation",
        "pair",
        (
            (
                "duplicate",
                "An earlier pair asks the same; the detail names it.",
                '`Deduplicate(by="pair")` keeps other answers.',
            ),
            (
                "near_duplicate",
                "A pair that is at least as good asks the same in nearly the same words; the detail names it.",
                '`NearDuplicates(action="group")` keeps both, on one side of the split.',
            ),
            (
                "only_secrets",
                "Nothing but secrets was in the answer.",
                "Choose other `kinds` of `RedactSecrets`.",
            ),
            (
                "stale_code",
                "The answer uses names that the package does not have; the detail lists them.",
                "Correct the answer, or check against another version of the package.",
            ),
            (
                "stale_argument",
                "The answer passes arguments that a function does not take; the detail lists them.",
                "Correct the answer, or check against another version of the package.",
            ),
            (
                "broken_code",
                "A block that is marked as Python is not Python.",
                'Correct it, or give `CheckCode(on_broken="keep")`.',
            ),
            (
                "run_failed",
                "`RunCode` ran the answer's code, which raised an exception; the detail says which, and where.",
                _RUN,
            ),
            (
                "run_timed_out",
                "`RunCode` stopped the answer's code, which was not done in time.",
                "Allow more in `RunLimits`, or forgive it.",
            ),
            (
                "run_out_of_memory",
                "`RunCode` stopped the answer's code, which needed more memory than allowed.",
                "Allow more in `RunLimits`, or forgive it.",
            ),
            (
                "run_crashed",
                "`RunCode` ran the answer's code, whose process ended without an exception.",
                'Forgive "crashed" if the code needs a display.',
            ),
            (
                "old_release",
                "`Fresh` drops answers of releases that are too old; the detail names the release.",
                "Allow older releases, or check the answers against the new release with `CheckCode`.",
            ),
            (
                "answer_short",
                "The answer has fewer characters than `AnswerLength(min=...)`.",
                "Change `min`.",
            ),
            ("answer_long", "The answer has more characters than `AnswerLength(max=...)`.", "Change `max`."),
            (
                "author_cap",
                "A person, or two people, have as many pairs as `CapPerAuthor` allows; the detail names the limit.",
                "Allow more, if you know these people.",
            ),
            (
                "link_cap",
                "A link is in as many answers as `CapPerLink` allows.",
                "Look at the link. If it is your own documentation, name its server in `trusted=`.",
            ),
            (
                "no_role",
                "Not everyone who wrote the answer has one of the roles of `AnsweredBy`.",
                "Give helpers a role on the server, or name more roles.",
            ),
            (
                "unknown_roles",
                "The source does not say which roles the answerer has, and `AnsweredBy` needs one.",
                'Export with a current DiscordChatExporter, or give `AnsweredBy(..., on_unknown="keep")`.',
            ),
            (
                "other_language",
                "It is in a language that `Languages` does not name; the detail has its code.",
                "Add the code, if your bot speaks the language.",
            ),
            (
                "low_confidence",
                "It is probably not worth training on: its confidence is below `MinConfidence`.",
                "Lower the threshold, and read some of the pairs that come with it.",
            ),
            (
                "bot_words",
                "The answer repeats what a bot said before, and no one confirmed it; or it would become a passage for the bot.",
                "Let a person confirm or correct the bot's answer, or accept the pair in a review.",
            ),
            (
                "rejected",
                "A person decided that it is not worth training on.",
                "`Decisions.undo` takes it back.",
            ),
            (
                "merged",
                "A person decided that another pair says the same; the detail names it.",
                "`Decisions.undo` takes it back.",
            ),
            ("judged_poor", "The model of `JudgePairs` graded it poor.", _NOTHING),
            (
                "judged_usable",
                "The model graded it usable, and `JudgePairs` keeps only good pairs.",
                '`JudgePairs(keep="usable")` keeps it.',
            ),
            (
                "no_grade",
                "`JudgePairs` got no grade for it, twice, or nothing is left of a text after normalising. Such pairs are to be dropped.",
                _OTHER_MODEL,
            ),
            (
                "max_requests",
                "`JudgePairs` had sent `max_requests` requests. Pairs without a grade are to be dropped.",
                _MORE_REQUESTS,
            ),
        ),
    ),
    (
        "Pairs: rules of LintAnswers",
        "pair",
        (
            (
                "hidden_text",
                "The answer hides text in invisible characters, or shows its code in another order than it is read.",
                "Look at the answer in an editor that shows such characters. It may be an attack.",
            ),
            (
                "no_text",
                'The answer has no letter and no digit, or stands for a missing value, such as "nan" or "[deleted]".',
                _NOTHING,
            ),
            (
                "only_thanks",
                "The answer is thanks, a greeting or an interjection, and nothing else.",
                _NOTHING,
            ),
            (
                "only_links",
                "The answer is nothing but links, and words that introduce them.",
                'Write what the page says into the answer, or give `LintAnswers(off=["only_links"])`.',
            ),
            (
                "lost_file",
                "The answer only points at a file or an image, which is not in the pair.",
                "Write what the file shows into the answer.",
            ),
            (
                "points_back",
                'The answer only refers to earlier messages, such as "as I said above".',
                "Write what was said before into the answer.",
            ),
            (
                "only_asks",
                'The answer only asks back, such as "Which version is it?".',
                _NOTHING,
            ),
            (
                "only_promises",
                'The answer only promises one, such as "Looking into it".',
                _NOTHING,
            ),
            (
                "same_trouble",
                'The answer comes from someone with the same trouble, such as "Same here, any news?".',
                _NOTHING,
            ),
            (
                "grading_text",
                "The answer is a grade, or says what an answer must mention.",
                "Replace it by an answer. It may come from the file of a benchmark.",
            ),
            (
                "refusal",
                'A model speaks about itself or refuses, such as "As an AI language model".',
                "Do not collect the answers of a model.",
            ),
            (
                "prompt_text",
                'The answer contains marks of a prompt, such as "### Instruction", or "Question:" with "Context:".',
                'Do not collect the prompts or logs of a model. If your users talk about prompts, give `LintAnswers(off=["prompt_text"])`.',
            ),
            (
                "cut_off",
                'The answer breaks off: it ends with "try this:", "[truncated]" or within a sentence.',
                "Complete the answer.",
            ),
            (
                "broken_indentation",
                "The Python of the answer has lost its indentation, and what it was cannot be known.",
                "Indent the code as it was.",
            ),
            (
                "moving_link",
                'The answer links to a branch, or to documentation of "latest", "nightly" or "dev".',
                "Link to a release or a commit, or leave the rule off.",
            ),
            (
                "time_bound",
                'The answer speaks of its own day, such as "currently" or "next week".',
                "Remove what was true of that day only, or leave the rule off.",
            ),
            (
                "question_lost_file",
                "The question refers to a file or an image, which is not in the pair.",
                "Leave the rule off if questions can be understood without their files.",
            ),
            (
                "question_points_back",
                'The question refers to what was said before it, such as "as you suggested".',
                "Leave the rule off if questions can be understood without what was said before.",
            ),
        ),
    ),
    (
        "Grades: of pairs that were kept",
        "grade",
        (
            (
                "no_grade",
                "`JudgePairs` got no grade, twice, or nothing is left of a text after normalising. The pair was kept.",
                _OTHER_MODEL,
            ),
            (
                "max_requests",
                "`JudgePairs` had sent `max_requests` requests. The pair was kept.",
                _MORE_REQUESTS,
            ),
        ),
    ),
    (
        "Decisions: that were not applied",
        "decision",
        (
            (
                "source_changed",
                "Question, answer or messages of the pair have changed since a person decided about it, so the decision is void.",
                "Decide again: `Decisions.to_review` lists it first.",
            ),
            (
                "conflicting",
                "Two files of decisions say different things about the pair. The pair was not touched.",
                "Let the reviewers agree: `Decisions.to_review` lists it first.",
            ),
            (
                "no_such_pair",
                "No pair with this id came to the step.",
                "Put `Decisions` first. If the message was deleted, or the channel is not collected, nothing.",
            ),
            (
                "merge_circle",
                "The pair was merged into one that was merged into this one. The pair was not touched.",
                "Undo one of the decisions.",
            ),
            (
                "no_merge_target",
                "The pair was left out as merged, but the pair that stands for it did not come to the step.",
                "`Decisions.undo` takes it back.",
            ),
            (
                "torn",
                "The last line of the file is cut off, as after a crash, so its decision was never confirmed.",
                "Decide again. The next decision removes the rest of the line.",
            ),
        ),
    ),
    (
        "Decisions: files",
        "file",
        (
            (
                "no_decisions",
                "There is no such file of decisions.",
                "Nothing before the first decision; after it, check the path.",
            ),
        ),
    ),
    (
        "Feedback: answers of the bot, and lines of the log",
        "record",
        (
            (
                "not_confirmed",
                "No one who counts said that the answer helped.",
                'Nothing; or let others confirm, with `FeedbackCollector(confirmed_by=[..., "member"])`.',
            ),
            (
                "not_helpful",
                "People said that the answer did not help, and no one corrected it.",
                "Correct it: `FeedbackCollector.to_review` lists it.",
            ),
            (
                "contradicted",
                "People of equal weight said different things about the answer; the detail counts them.",
                "Decide: `FeedbackCollector.to_review` lists it.",
            ),
            (
                "proposed",
                "A member, and no helper, corrected the answer.",
                "Accept or drop the correction: `FeedbackCollector.to_review` lists it.",
            ),
            (
                "text_not_found",
                "The text of the question or of the answer is neither in the log nor in the chat, or not as the bot read or wrote it.",
                "Collect the channel, or let the log keep texts.",
            ),
            (
                "other_contract",
                "The answer was given under another fingerprint than `FeedbackCollector` is to use.",
                "Leave `fingerprint` out.",
            ),
            (
                "source_changed",
                "The question or the answer was edited after people said what they think of the answer.",
                "Ask them again.",
            ),
            ("deleted", "The question or the answer was deleted.", _NOTHING),
            ("opted_out", "Who asked, or who corrected the answer, opted out.", _NOTHING),
            ("not_opted_in", "Who asked, or who corrected the answer, did not opt in.", _NOTHING),
            ("forgotten", "`forget` removed the question.", _NOTHING),
            (
                "bad_feedback",
                "The line is not feedback, as another program may leave it.",
                "Look at the line. Do not edit the log by hand.",
            ),
            ("torn", "The last line of the log is cut off, as after a crash.", _NOTHING),
        ),
    ),
    (
        "Feedback: files",
        "file",
        (
            (
                "no_feedback",
                "There is no such log.",
                "Nothing before the first feedback; after it, check the path.",
            ),
        ),
    ),
    (
        "Pairs: rendering and erasure",
        "pair",
        (
            (
                "duplicate_id",
                "An earlier pair has its id.",
                "Do not collect a file twice, or make the ids unique.",
            ),
            (
                "unusable_question",
                "Nothing is left of the question after normalising, or it holds half of a character.",
                _NOTHING,
            ),
            (
                "unusable_answer",
                "Nothing is left of the answer after normalising, or it holds half of a character.",
                _NOTHING,
            ),
            (
                "question_too_long",
                "Template and question alone are over the token budget, and no question is ever cut.",
                "Raise the budget.",
            ),
            ("forgotten", "`forget` removed its row from a data set. Only a manifest says so.", _NOTHING),
        ),
    ),
    (
        "Pairs: as passages",
        "pair",
        (
            (
                "undated",
                "It has no `answered_at`, so the passage would be visible to its own question.",
                "Give the pairs dates.",
            ),
            ("answered_before_asked", "It was answered before it was asked.", "Repair the dates."),
            ("empty_text", "Its question or answer has no text.", _NOTHING),
        ),
    ),
)


def _table() -> Mapping[tuple[Unit, str], Reason]:
    found: dict[tuple[Unit, str], Reason] = {}
    for title, unit, rows in _SECTIONS:
        for name, meaning, remedy in rows:
            if (unit, name) in found:
                raise ConfigError(f"{title}: {name!r} is there twice for the unit {unit!r}")
            found[unit, name] = Reason(name, unit, meaning, remedy)
    return MappingProxyType(found)


REASONS: Final = _table()
"""Every reason by unit and name."""


def advice(unit: Unit, reason: str) -> str:
    """Returns what you can do about a reason, "" if nothing, or if it is a plugin's own."""
    known = REASONS.get((unit, reason))
    return "" if known is None or known.remedy.startswith("Nothing") else known.remedy


def check(reason: str, unit: Unit) -> None:
    """Refuses a reason that is not in the table. A plugin's own has a prefix, such as ``myplugin:too_short``.

    Raises:
        ConfigError: There is no such reason for this unit.
    """
    if (unit, reason) in REASONS or (isinstance(reason, str) and _OWN.fullmatch(reason)):
        return
    shown = repr(reason) if isinstance(reason, str) and _NAME.fullmatch(reason) else "what it was given"
    units = sorted(u for u, name in REASONS if name == reason)
    if units:
        raise ConfigError(
            f"Dropped: the reason {shown} is for the unit {' or '.join(units)}, not for {unit!r}"
        )
    raise ConfigError(
        f"Dropped: {shown} is not one of furytune's reasons (python -m furytune.reasons lists them); "
        'a plugin uses a prefix, such as "myplugin:too_short"'
    )


_HEAD = """# Reasons

Why is something not in my data set, and what can I do? Nothing is left out silently: every message, channel, file, record, field
or pair that goes no further, and every grade that is missing, is counted in a `Dropped` with one of these reasons.
`print(report)` and the manifest show the counts. The names are stable.

A part of your own has reasons of its own, with a prefix, so that they are not mistaken for one of these:
`ft.Dropped(reason="myplugin:too_short", ids=(pair.id,))`.

This page is generated from the table in `furytune.reasons` by `python -m furytune.reasons`.
"""


def as_markdown() -> str:
    """Returns the page ``docs/reasons.md``."""
    parts = [_HEAD]
    for title, unit, rows in _SECTIONS:
        parts += [f"## {title}", f'Unit "{unit}".']
        lines = ["| reason | what was left out, and why | what you can do |", "| --- | --- | --- |"]
        lines += [f"| `{name}` | {meaning} | {remedy} |" for name, meaning, remedy in rows]
        parts.append("\n".join(lines) + "\n")
    return "\n".join(part if part.endswith("\n") else f"{part}\n" for part in parts)


if __name__ == "__main__":
    print(as_markdown(), end="")  # noqa: T201  # the page is what it is for
