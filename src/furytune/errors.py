"""Every exception that furytune raises on purpose.

::

    FurytuneError
    ├── ConfigError                 wrong arguments, found before any work
    │   ├── TemplateError           a template whose prompts could not be parsed
    │   ├── MissingExtraError       an optional package is not installed
    │   └── PluginError             an entry point cannot be loaded
    ├── SourceError                 input cannot be used
    │   ├── SourceFormatError       input breaks the rules of its format, with file, line and column
    │   ├── ForumError              GitHub, or another forum, refused or did not answer
    │   └── DiscordError            Discord refused, or did not answer
    │       ├── DiscordLoginError   the token or the bot's setup does not allow reading
    │       ├── DiscordForbiddenError  the bot may not read a channel, thread or list
    │       └── DiscordGoneError    a channel or thread no longer exists
    ├── TextError                   a text cannot go into a prompt or file
    │   └── EmptyTextError          the text is blank, or only mentions the bot
    ├── BudgetError                 the token budget cannot be applied
    │   ├── QuestionTooLongError    the question alone exceeds the token budget
    │   └── VocabularyUnavailableError  tiktoken cannot load its vocabulary
    ├── KnowledgeError              an index or corpus cannot give passages
    │   └── SnapshotError           the pinned snapshot is missing or differs
    ├── CurationError               a curation step broke its rules, or could not store its results
    │   └── StaleDecisionError      someone else decided about the pair in the meantime
    ├── ContractError               a contract file cannot be read
    │   └── ContractMismatchError   something that shapes the prompt has changed
    ├── AnswerError                 a question cannot be answered here and now
    │   └── BusyError               too many questions are under way
    ├── ExportError                 a data set could not be written
    ├── ConservationError           records in and records out do not add up
    └── TuningError                 a tuning job could not be started or followed
        ├── TuningUnavailableError  the service cannot tune this model
        ├── NoTextError             a model answered without text
        ├── StoppedError            the caller stopped an answer before its end
        └── ServiceError            the service refused, or did not answer

Messages say what is wrong, where, and what to do next. They contain ids and positions, never the text of
a chat message and never a secret.
"""

from __future__ import annotations

__all__ = [
    "AnswerError",
    "BudgetError",
    "BusyError",
    "ConfigError",
    "ConservationError",
    "ContractError",
    "ContractMismatchError",
    "CurationError",
    "DiscordError",
    "DiscordForbiddenError",
    "DiscordGoneError",
    "DiscordLoginError",
    "EmptyTextError",
    "ExportError",
    "ForumError",
    "FurytuneError",
    "KnowledgeError",
    "MissingExtraError",
    "NoTextError",
    "PluginError",
    "QuestionTooLongError",
    "ServiceError",
    "SnapshotError",
    "SourceError",
    "SourceFormatError",
    "StaleDecisionError",
    "StoppedError",
    "TemplateError",
    "TextError",
    "TuningError",
    "TuningUnavailableError",
    "VocabularyUnavailableError",
]


class FurytuneError(Exception):
    """Base class of every error that furytune raises on purpose."""


class ConfigError(FurytuneError):
    """Wrong arguments, found before any work is done."""


class TemplateError(ConfigError):
    """A template whose prompts could not be parsed, or a text that the template did not render."""


class MissingExtraError(ConfigError):
    """A feature needs a package that is not installed.

    Args:
        feature: What needs the package, such as "a token budget".
        extra: Name of the extra that installs the package.
    """

    def __init__(self, feature: str, extra: str) -> None:
        super().__init__(
            f"{feature} needs a package that is not installed: run `pip install 'furytune[{extra}]'`, "
            f"or `pip install '.[{extra}]'` in a clone of furytune's repository"
        )
        self.extra = extra


class PluginError(ConfigError):
    """An entry point is unknown or cannot be loaded."""


class SourceError(FurytuneError):
    """Input cannot be used: it is missing, unreadable, or of an unknown kind."""


class SourceFormatError(SourceError):
    """Input breaks the rules of its format.

    Args:
        problem: What is wrong.
        path: The file, as the caller named it.
        line: The line, counted from 1; None if the format has no lines.
        column: The column in characters, counted from 1.
        hint: What to do next.
    """

    def __init__(
        self,
        problem: str,
        *,
        path: str,
        line: int | None = None,
        column: int | None = None,
        hint: str = "",
    ) -> None:
        place = path if line is None else f"{path}:{line}"
        if line is not None and column is not None:
            place += f":{column}"
        super().__init__(f"{place}: {problem}" + (f"; {hint}" if hint else ""))
        self.problem = problem
        self.path = path
        self.line = line
        self.column = column
        self.hint = hint


class DiscordError(SourceError):
    """Discord refused a request or did not answer it.

    Args:
        message: What happened, where, and what to do next.
        status: HTTP status of the answer; None if there was no answer.
    """

    def __init__(self, message: str, *, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class DiscordLoginError(DiscordError):
    """Discord refused the token, it does not belong to a bot, or the bot lacks a setting that reading needs."""


class DiscordForbiddenError(DiscordError):
    """The bot may not read this channel, thread or list."""


class DiscordGoneError(DiscordError):
    """The channel or thread no longer exists."""


class ForumError(SourceError):
    """GitHub, or another forum, refused a request or did not answer it.

    Args:
        message: What happened, where, and what to do next.
        status: HTTP status of the answer; None if there was no answer.
    """

    def __init__(self, message: str, *, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class TextError(FurytuneError):
    """A text cannot go into a prompt or file: it is empty, or contains a lone surrogate."""


class EmptyTextError(TextError):
    """A text is blank, or contains only mentions of the bot. No model was called."""


class BudgetError(FurytuneError):
    """The token budget cannot be applied."""


class QuestionTooLongError(BudgetError):
    """Template and question alone exceed the budget. furytune never cuts a question."""


class VocabularyUnavailableError(BudgetError):
    """tiktoken has no local vocabulary and cannot download it."""


class KnowledgeError(FurytuneError):
    """A corpus or an index cannot give passages."""


class SnapshotError(KnowledgeError):
    """The pinned state of the knowledge is missing or has changed."""


class CurationError(FurytuneError):
    """A curation step broke its rules, for example by editing a question, or could not store its results."""


class StaleDecisionError(CurationError):
    """Someone decided about a pair after the revision that this decision is based on. Nothing was recorded.

    Args:
        message: What happened, and what to do next.
        revision: The revision of the newer decision.
    """

    def __init__(self, message: str, *, revision: int) -> None:
        super().__init__(message)
        self.revision = revision


class ContractError(FurytuneError):
    """A contract file is damaged, or has a version that this library cannot read."""


class ContractMismatchError(ContractError):
    """Something that shapes the prompt has changed since the contract was made.

    Args:
        part: Which part differs: "template", "normalizer", "augmenter", "budget", "dialects",
            "snapshot", "library", "file" or "fingerprint".
        detail: What differs, and what to do next.
    """

    def __init__(self, part: str, detail: str) -> None:
        super().__init__(f"{part} differs from the contract: {detail}")
        self.part = part


class AnswerError(FurytuneError):
    """A question cannot be answered: there is no model, or the records of answers cannot be written."""


class BusyError(AnswerError):
    """Too many questions are under way. Asking again later helps.

    Args:
        message: What is too much.
        wait: Seconds after which asking again may help.
    """

    def __init__(self, message: str, *, wait: float = 1.0) -> None:
        super().__init__(message)
        self.wait = wait


class ExportError(FurytuneError):
    """A data set could not be written. The files of an earlier run are unchanged."""


class ConservationError(FurytuneError):
    """The records that came in do not equal rows plus drops. This is a bug; please report it."""


class TuningError(FurytuneError):
    """A tuning job could not be started, found or followed."""


class TuningUnavailableError(TuningError):
    """The service cannot tune this model, or any model. The message says what you can do instead."""


class NoTextError(TuningError):
    """A model answered a prompt without text, for example because a filter withheld it."""


class StoppedError(TuningError):
    """The caller stopped an answer before its end."""


class ServiceError(TuningError):
    """A service refused a request or did not answer.

    Args:
        doing: What was requested, such as "asking for the job".
        code: HTTP status; None if there was no answer.
        status: The service's own status, such as "PERMISSION_DENIED".
        hint: What to do next.
        said: The service's own message. It may quote what was sent, so it is not part of this error's message.
        wait: How many seconds the service asks to wait before the next request; 0 if it does not say.
    """

    def __init__(
        self,
        doing: str,
        *,
        code: int | None = None,
        status: str = "",
        hint: str = "",
        said: str = "",
        wait: float = 0.0,
    ) -> None:
        answer = "no answer" if code is None else f"the answer {code}"
        super().__init__(f"{doing}: {answer}{f' {status}' * bool(status)}{f'; {hint}' * bool(hint)}")
        self.doing = doing
        self.code = code
        self.status = status
        self.hint = hint
        self.said = said
        self.wait = wait

    @property
    def transient(self) -> bool:
        """Whether the same request may succeed later, as after no answer, 408, 429 or 5xx."""
        return self.code is None or self.code in {408, 429} or self.code >= 500

    @property
    def lost(self) -> bool:
        """Whether the service may have carried out the request, although it did not confirm it."""
        # A 429 says that the request was not carried out.
        return self.transient and self.code != 429
