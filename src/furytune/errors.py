"""Every exception that furytune raises on purpose.

::

    FurytuneError
    ├── ConfigError                 wrong arguments, refused before any work
    │   ├── TemplateError           a template that could not be read back
    │   ├── MissingExtraError       an optional package is not installed
    │   └── PluginError             an entry point that cannot be loaded
    ├── SourceError                 input that cannot be used
    │   ├── SourceFormatError       ... with file, line and column
    │   └── DiscordError            Discord refused, or did not answer
    │       ├── DiscordLoginError   the token, or what the bot may do at all
    │       ├── DiscordForbiddenError  one place that the bot may not read
    │       └── DiscordGoneError    one place that is no longer there
    ├── TextError                   a text that no prompt or file can carry
    │   └── EmptyTextError          nothing is left of it, as of a message that only mentions the bot
    ├── BudgetError
    │   ├── QuestionTooLongError    the question alone exceeds the token budget
    │   └── VocabularyUnavailableError  tiktoken cannot load its vocabulary
    ├── KnowledgeError              an index or corpus that cannot serve
    │   └── SnapshotError           the pinned snapshot is gone or differs
    ├── CurationError               a curation step that broke its rules
    ├── ContractError               a contract file that cannot be read
    │   └── ContractMismatchError   something that shapes the prompt has changed
    ├── ExportError                 a data set that could not be written whole
    ├── ConservationError           records in and records out do not add up
    └── TuningError                 a tuning job that could not be made or followed
        ├── TuningUnavailableError  the service offers no tuning for this
        └── ServiceError            the service refused, or did not answer

Messages say what is wrong, where, and what to do next. They hold identifiers and positions,
never the text of a message and never a secret.
"""

from __future__ import annotations

__all__ = [
    "BudgetError",
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
    "FurytuneError",
    "KnowledgeError",
    "MissingExtraError",
    "PluginError",
    "QuestionTooLongError",
    "ServiceError",
    "SnapshotError",
    "SourceError",
    "SourceFormatError",
    "TemplateError",
    "TextError",
    "TuningError",
    "TuningUnavailableError",
    "VocabularyUnavailableError",
]


class FurytuneError(Exception):
    """Base of every error of this library."""


class ConfigError(FurytuneError):
    """Arguments that cannot work, found before any work is done."""


class TemplateError(ConfigError):
    """A template whose prompts could not be taken apart again, or text that is not its output."""


class MissingExtraError(ConfigError):
    """A feature needs a package that is not installed.

    Args:
        feature: What was asked for, in the user's words.
        extra: Name of the extra that brings the package.
    """

    def __init__(self, feature: str, extra: str) -> None:
        super().__init__(
            f"{feature} needs a package that is not installed: run `pip install 'furytune[{extra}]'`, "
            f"or `pip install '.[{extra}]'` in a clone of furytune's repository"
        )
        self.extra = extra


class PluginError(ConfigError):
    """An entry point is unknown, or failed to load."""


class SourceError(FurytuneError):
    """Input that cannot be used: absent, unreadable, of no known kind."""


class SourceFormatError(SourceError):
    """Input that breaks the rules of its format.

    Args:
        problem: What is wrong.
        path: File it is wrong in, as the caller named it.
        line: Line, counted from 1; None where the format has no lines.
        column: Column in characters, counted from 1.
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
    """Discord refused a request, or did not answer it.

    Args:
        message: What happened, where, and what to do next.
        status: HTTP status of the answer, None where there was none.
    """

    def __init__(self, message: str, *, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class DiscordLoginError(DiscordError):
    """The token is refused, is no bot's, or the bot lacks something without which nothing can be read."""


class DiscordForbiddenError(DiscordError):
    """The bot may not read this channel, thread or list."""


class DiscordGoneError(DiscordError):
    """The channel or thread is no longer there."""


class TextError(FurytuneError):
    """A text that cannot be carried: empty, or holding a lone surrogate."""


class EmptyTextError(TextError):
    """Nothing is left of a text: it is blank, or holds only mentions of the bot. No model was asked."""


class BudgetError(FurytuneError):
    """The token budget cannot be kept."""


class QuestionTooLongError(BudgetError):
    """Template and question alone are over the budget; nothing is ever cut."""


class VocabularyUnavailableError(BudgetError):
    """tiktoken has no vocabulary at hand and cannot fetch it."""


class KnowledgeError(FurytuneError):
    """A corpus or an index cannot serve passages."""


class SnapshotError(KnowledgeError):
    """The pinned state of the knowledge is gone or is not what it was."""


class CurationError(FurytuneError):
    """A curation step broke its rules, for one by editing a question."""


class ContractError(FurytuneError):
    """A contract file is damaged, or of a version that this library does not read."""


class ContractMismatchError(ContractError):
    """Something that shapes the prompt is not what it was when the contract was made.

    Args:
        part: Which part differs: "template", "normalizer", "augmenter", "budget", "dialects",
            "snapshot", "library", "file" or "fingerprint".
        detail: What differs and what to do next.
    """

    def __init__(self, part: str, detail: str) -> None:
        super().__init__(f"{part} differs from the contract: {detail}")
        self.part = part


class ExportError(FurytuneError):
    """A data set could not be written; the files of an earlier run stand untouched."""


class ConservationError(FurytuneError):
    """Records in are not records out plus drops with a reason: a defect, please report it."""


class TuningError(FurytuneError):
    """A tuning job could not be made, found or followed."""


class TuningUnavailableError(TuningError):
    """The service tunes no model, or not this one; the message names the way that is open."""


class ServiceError(TuningError):
    """A service refused a request, or gave no answer.

    Args:
        doing: What was asked of it, such as "asking for the job".
        code: HTTP status; None when there was no answer.
        status: The service's own word, such as "PERMISSION_DENIED".
        hint: What to do next.
        said: The service's sentence. It may quote what was sent, so it is kept out of the message.
    """

    def __init__(
        self, doing: str, *, code: int | None = None, status: str = "", hint: str = "", said: str = ""
    ) -> None:
        answer = "no answer" if code is None else f"the answer {code}"
        super().__init__(f"{doing}: {answer}{f' {status}' * bool(status)}{f'; {hint}' * bool(hint)}")
        self.doing = doing
        self.code = code
        self.status = status
        self.hint = hint
        self.said = said

    @property
    def transient(self) -> bool:
        """Whether the same request may succeed later, as after no answer, 408, 429 or 5xx."""
        return self.code is None or self.code in {408, 429} or self.code >= 500

    @property
    def lost(self) -> bool:
        """Whether the request may have been carried out although this is all that came back."""
        return self.transient and self.code != 429
