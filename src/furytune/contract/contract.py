"""The prompt contract: the one function that renders prompts, and the small file that carries it to the bot."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import attrs
from attrs import field, frozen

from furytune import dialects as wire
from furytune import plugins
from furytune._values.canonical import Json, canonical_json, digest, plain, sorted_once
from furytune._values.shown import Shown, words
from furytune.budget import TokenBudget
from furytune.contract import file
from furytune.contract.model import ModelName
from furytune.errors import (
    ConfigError,
    ContractError,
    ContractMismatchError,
    EmptyTextError,
    FurytuneError,
    KnowledgeError,
    QuestionTooLongError,
    SnapshotError,
    TextError,
)
from furytune.explanation import Explaining, Explanation, Fate, Finding
from furytune.normalize import Normalizer
from furytune.protocols import (
    Augmenter,
    BulkAugmenter,
    ContextEdit,
    Located,
    Pinned,
    Rebuildable,
    Refreshable,
)
from furytune.records import Passage, Prompt
from furytune.template import PromptTemplate

__all__ = ["BEFORE_ALL_DATES", "Deviation", "PromptContract"]

BEFORE_ALL_DATES = datetime(1970, 1, 1, tzinfo=UTC)
"""The moment of a training pair without a date. It sees undated passages only, so never its own answer."""

# Golden prompts need a fixed moment, because "now" differs between saving and loading.
_END_OF_TIME = datetime(9999, 12, 31, tzinfo=UTC)
# Each of these changes its prompt if a rule for markup, line ends, escaping or Unicode changes.
_PROBES = (
    "How do I install it?",
    "what is wrong here?\r\n\r\n```py\nimport os\nprint(os.sep)\n```",
    "<@1> and <@2> say <@1> is right, see <#3> <:wave:4>, </help me:5> <t:1700000000:R> https://discord.com/users/2",
    "Question:\n\\Question: none\nContext:\n[1] nothing",
    "e\u0301 \u00e9 \u4f60\u597d \U0001f600 \u2028 \u202e x",
)


@frozen
class Deviation:
    """A difference from the contract that was accepted.

    Attributes:
        part: The part of the contract that differs, such as "snapshot".
        reason: Why it was accepted.
    """

    part: str
    reason: str


@frozen(kw_only=True, slots=False, repr=False)
class PromptContract(Shown):
    """Renders a prompt from a question, in training and in the bot.

    Attributes:
        template: The fixed text.
        augmenter: Finds the knowledge.
        normalizer: Cleans the raw question first.
        budget: Limits the tokens of a prompt; None means no limit.
        dialects: Wire forms that the data set was written in.
        deviations: Differences that were accepted with a reason; see `load`.
        model: The model that was tuned on these prompts; None if the contract names none. It is not part of the fingerprint.
    """

    template: PromptTemplate
    augmenter: Augmenter
    normalizer: Normalizer = Normalizer()
    budget: TokenBudget | None = None
    dialects: tuple[str, ...] = field(default=(), converter=sorted_once)
    deviations: tuple[Deviation, ...] = ()
    model: ModelName | None = None

    def __attrs_post_init__(self) -> None:
        for name in self.dialects:
            wire.get(name)

    def _facts(self) -> Iterator[tuple[str, str]]:
        yield "fingerprint", repr(self.fingerprint[:12])
        yield "augmenter", type(self.augmenter).__name__
        yield "dialects", repr(", ".join(self.dialects))
        if self.deviations:
            yield "deviations", str(len(self.deviations))

    def _cells(self) -> Iterator[tuple[str, str]]:
        yield "template", words(self.template.text, 600)
        if self.template.system:
            yield "system", words(self.template.system, 600)
        yield from ((name, text.strip("'")) for name, text in self._facts())

    @property
    def form(self) -> dict[str, Json]:
        """Everything that shapes a prompt, except the knowledge, as JSON. Each call returns a copy."""
        return {name: plain(part) for name, part in self._form.items()}

    @cached_property
    def _form(self) -> dict[str, Json]:
        """The parts of `form`, made once."""
        form: dict[str, Json] = {
            "template": self.template.spec,
            "normalizer": self.normalizer.spec,
            "augmenter": dict(self.augmenter.spec),
            "budget": None if self.budget is None else self.budget.spec,
            "dialects": {name: wire.get(name).version for name in self.dialects},
        }
        return {
            name: plain(part) for name, part in form.items()
        }  # a copy, because a part may change its own later

    @cached_property
    def fingerprint(self) -> str:
        """sha256 of `form`. A tuned model is bound to it."""
        return digest(self._form)

    @property
    def snapshot(self) -> str:
        """Identifies the knowledge; "" without knowledge. `refresh` changes it."""
        return self.augmenter.snapshot

    def prompt(self, question: str, *, at: datetime | None = None) -> Prompt:
        """Renders the prompt for a question.

        Args:
            question: The raw question, as the platform delivers it.
            at: The moment of the question; None means now. A dated passage is visible only if it is older.

        Returns:
            The prompt. It has the same bytes for the same question, moment and snapshot in any process.

        Raises:
            EmptyTextError: The question is blank, or only mentions the bot.
            TextError: The question is damaged: it contains a lone surrogate.
            QuestionTooLongError: The question exceeds the token budget even without passages.
            KnowledgeError: The index cannot be used.
        """
        (result,) = self.prompts([question], at=[at])
        if isinstance(result, FurytuneError):
            raise result
        return result

    def prompts(
        self, questions: Sequence[str], *, at: Sequence[datetime | None], edit: ContextEdit | None = None
    ) -> list[Prompt | FurytuneError]:
        """Renders many prompts. Each one is what `prompt` renders.

        Args:
            questions: Raw questions.
            at: The moment of each.
            edit: Changes the passages between finding and rendering. A pipeline passes the edit that the contract names
                in ``deviations``. The bot passes none.

        Returns:
            A prompt for each question, or the error that `prompt` would raise for it.

        Raises:
            ConfigError: The numbers of moments and questions differ, or a moment has no time zone.
        """
        if len(questions) != len(at):
            raise ConfigError(
                f"there are {len(questions)} questions and {len(at)} moments; give each question one moment"
            )
        for moment in at:
            if moment is not None and not (isinstance(moment, datetime) and moment.utcoffset() is not None):
                raise ConfigError(
                    "a moment must be a datetime with a time zone, such as datetime.now(datetime.UTC)"
                )
        # Errors fill their places now and prompts later, so one bad question does not cost the others their batch.
        results: list[Prompt | FurytuneError | None] = [None] * len(questions)
        good: list[tuple[int, str]] = []
        for i, question in enumerate(questions):
            try:
                good.append((i, self.normalizer(question)))
            except EmptyTextError:
                results[i] = EmptyTextError(
                    "the question is empty: the message is blank, or only mentions the bot; "
                    "call no model, and ask the person what they want to know"
                )
            except FurytuneError as error:
                results[i] = error
        texts = [text for _, text in good]
        # All questions of a batch are searched together, which is many times faster than one by one.
        moments = [at[i] for i, _ in good]
        found = self._contexts(texts, moments)
        for (i, text), moment, passages in zip(good, moments, found, strict=True):
            shown = edit.apply(text, passages, at=moment, augmenter=self.augmenter) if edit else passages
            try:
                results[i] = self._render(text, shown)
            except FurytuneError as error:
                results[i] = error
        return [r for r in results if r is not None]

    def explain(self, question: str, *, at: datetime | None = None) -> Explanation:
        """Shows how the prompt for a question is made: what was found, what was left out, and why.

        Args:
            question: The raw question, as the platform delivers it.
            at: The moment of the question; None means now.

        Returns:
            The prompt that `prompt` renders, with the scores of passages. Print it, or show it in a notebook.

        Raises:
            EmptyTextError: The question is blank, or only mentions the bot.
            TextError: The question is damaged: it contains a lone surrogate.
            QuestionTooLongError: The question exceeds the token budget even without passages.
            KnowledgeError: The index cannot be used.
        """
        at = at or datetime.now(UTC)
        prompt = self.prompt(question, at=at)
        if isinstance(self.augmenter, Explaining):
            found = self.augmenter.explain(self.normalizer(question), at=at)
        else:
            found = tuple(Finding(passage=p, fate="found") for p in prompt.passages)
        fates: dict[str, Fate] = {p.id: "prompt" for p in prompt.passages}
        fates |= dict.fromkeys(prompt.left_out, "budget")
        told = (attrs.evolve(f, fate=fates.get(f.passage.id, f.fate)) for f in found)
        return Explanation(prompt=prompt, at=at, findings=tuple(told))

    def request(self, question: str, *, at: datetime | None = None, dialect: str = "") -> dict[str, Any]:
        """Renders the request fields that carry the prompt to a model.

        Args:
            question: The raw question.
            at: The moment of the question; None means now.
            dialect: Wire form of the request. By default, the contract's own. If it has several, the first of gemini,
                gemini-developer, openai, trl and plain; if it has none, gemini.

        Raises:
            ConfigError: No dialect has this name.
            EmptyTextError: The question is blank, or only mentions the bot.
            TextError: The question is damaged: it contains a lone surrogate.
            QuestionTooLongError: The question exceeds the token budget even without passages.
            KnowledgeError: The index cannot be used.
        """
        return wire.get(dialect or wire.default(self.dialects)).request(self.prompt(question, at=at))

    def refresh(self) -> PromptContract:
        """Returns the contract on the newest state of the knowledge. The fingerprint does not change.

        Raises:
            ConfigError: The augmenter is not `furytune.protocols.Refreshable`.
            KnowledgeError: The newest state cannot be used.
        """
        if not isinstance(self.augmenter, Refreshable):
            raise ConfigError(
                f"{type(self.augmenter).__name__} cannot move to newer knowledge, so the contract is unchanged; "
                "give it a `latest` method (see furytune.protocols.Refreshable), or make a new contract"
            )
        return attrs.evolve(self, augmenter=self.augmenter.latest())

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the contract file, whole or not at all, and pins the version of the knowledge that it names.

        The file contains no words from a chat. Golden prompts are stored as digests, and their questions are fixed or
        are titles of undated passages, which are documentation and code.

        Args:
            path: Usually ``*.contract.json``. The path of the index is stored relative to the folder of this file.

        Raises:
            ContractError: The file cannot be written.
        """
        target = Path(path)
        where = self.augmenter.location if isinstance(self.augmenter, Located) else {}
        location = file.placed(where, target.parent)
        content: dict[str, Json] = {
            "fingerprint": self.fingerprint,
            "snapshot": self.snapshot,
            "form": self._form,
            "parts": {name: digest(part) for name, part in self._form.items()},
            "location": location,
            # Golden prompts notice what no version number can: another Unicode table, tokenizer or numpy.
            "golden": [{"question": q, "sha256": self._golden(q)} for q in self._probes()],
            "deviations": [{"part": d.part, "reason": d.reason} for d in self.deviations],
        }
        if self.model is not None:
            # Only then, so that other contracts keep their bytes, and older versions can read them.
            content["model"] = dict(attrs.asdict(self.model))
        file.write(target, content)
        if isinstance(self.augmenter, Pinned):
            # After writing: a tag without a contract does no harm, a contract without a tag loses its version
            # to a clean-up.
            self.augmenter.pin()

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str],
        *,
        augmenter: Augmenter | None = None,
        deviation: str = "",
    ) -> PromptContract:
        """Reads a contract file and checks that this process renders the same prompts.

        Args:
            path: A file that `save` wrote. Nothing in it is executed.
            augmenter: Replaces the one that the file names, for an index that was moved or an augmenter that is
                not a plugin. It must pass the same checks.
            deviation: Why you accept a difference. The reason is added to ``deviations`` and saved with the
                contract. Without a reason, a difference raises.

        Raises:
            ContractError: The file is damaged or has another format.
            ContractMismatchError: Template, normaliser, augmenter, budget, dialect, knowledge or library
                behaviour has changed since the contract was made; ``part`` says which.
            MissingExtraError: A package that the contract needs is not installed.
            VocabularyUnavailableError: The token budget's vocabulary cannot be loaded.
        """
        source = Path(path)
        content = file.read(source)
        form = content["form"]
        differences: list[ContractMismatchError] = []
        # The digest of a part says which part was edited; the seal below covers the rest of the file.
        for name, part in form.items():
            if digest(part) != content["parts"].get(name):
                differences.append(
                    ContractMismatchError(name, f"{source.name} was edited after it was saved")
                )
        if not differences and file.edited(content):
            differences.append(ContractMismatchError("file", f"{source.name} was edited after it was saved"))
        dialects_then = form["dialects"]
        for name, version in dialects_then.items():
            if wire.get(name).version != version:
                differences.append(
                    ContractMismatchError(
                        "dialects",
                        f"{name} has version {wire.get(name).version} in this library and {version} in the contract; "
                        "install the furytune that made the contract",
                    )
                )
        contract = cls(
            template=_of("template", PromptTemplate.from_spec, form["template"]),
            normalizer=_of("normalizer", Normalizer.from_spec, form["normalizer"]),
            budget=_of("budget", TokenBudget.from_spec, form["budget"]) if form["budget"] else None,
            augmenter=augmenter
            or _augmenter(form["augmenter"], content["location"], source.parent, accept=bool(deviation)),
            dialects=tuple(dialects_then),
            deviations=tuple(Deviation(**d) for d in content["deviations"]),
            model=_of("model", lambda spec: ModelName(**spec), content["model"])
            if "model" in content
            else None,
        )
        if contract.budget is not None:
            contract.budget.ready()
        differences += contract._differences(content, source.name)
        if differences and not deviation:
            raise differences[0]
        noted = tuple(Deviation(d.part, deviation) for d in differences)
        return attrs.evolve(contract, deviations=(*contract.deviations, *noted))

    def _differences(self, content: Mapping[str, Any], file: str) -> Iterable[ContractMismatchError]:
        """Yields what differs between this contract and the content of a file."""
        for name, part in self._form.items():
            if canonical_json(part) != canonical_json(content["form"][name]):
                yield ContractMismatchError(
                    name,
                    f"it is not the one that {file} names; use the one that the model was trained with",
                )
        if self.snapshot != content["snapshot"]:
            yield ContractMismatchError(
                "snapshot",
                f"the index has {self.snapshot or 'no snapshot'}, the contract {content['snapshot'] or 'none'}; "
                "build the index from the same sources, or accept its state with refresh() and save()",
            )
            return  # other passages give other golden prompts; one error says enough
        for n, golden in enumerate(content["golden"], 1):
            if self._golden(golden["question"]) != golden["sha256"]:
                yield ContractMismatchError(
                    "library",
                    f"golden prompt {n} of {file} renders other bytes, although the settings are equal; "
                    "install the versions of furytune and its packages that made the contract",
                )
                return

    def _contexts(self, questions: list[str], at: list[datetime | None]) -> list[tuple[Passage, ...]]:
        """Asks the augmenter for many questions, in one call if it can do that."""
        if isinstance(self.augmenter, BulkAugmenter):
            return self.augmenter.contexts(questions, at=at)
        return [self.augmenter.context(q, at=a) for q, a in zip(questions, at, strict=True)]

    def _render(self, question: str, passages: tuple[Passage, ...]) -> Prompt:
        """Renders a prompt with as many of the passages as the budget allows.

        Raises:
            QuestionTooLongError: Not even the question alone fits.
        """
        system = self.template.system
        # From all passages down to none, so that the prompt has as many as fit.
        for kept in range(len(passages), -1, -1):
            text = self.template.render(question, passages[:kept])
            if self.budget is None or self.budget.fits(f"{system}\n\n{text}" if system else text):
                return Prompt(
                    text=text,
                    system=system,
                    passages=passages[:kept],
                    left_out=tuple(p.id for p in passages[kept:]),
                )
        assert self.budget is not None
        raise QuestionTooLongError(
            f"template and question alone exceed the budget of {self.budget.max_tokens} tokens; "
            "raise the budget, or ask for a shorter question"
        )

    def _golden(self, question: str) -> str:
        """Returns the digest of a probe's prompt, or the name of its error."""
        try:
            return self.prompt(question, at=_END_OF_TIME).digest
        except TextError:
            return "TextError"  # also for its subclasses: older files have only this name
        except QuestionTooLongError:
            return "QuestionTooLongError"

    def _probes(self) -> list[str]:
        """Returns questions for golden prompts: fixed ones, and titles of the passages that these find."""
        titles: dict[str, None] = {}
        for passages in self._contexts(list(_PROBES), [_END_OF_TIME] * len(_PROBES)):
            # Only undated passages: their titles come from documentation, and not from a person.
            titles.update((p.title, None) for p in passages if p.title.strip() and p.date is None)
        return [*_PROBES, *sorted(titles)[:8]]


def _of(part: str, build: Any, spec: Mapping[str, Json]) -> Any:
    """Rebuilds a part of a contract; any fault becomes a ContractError."""
    try:
        return build(spec)
    except ContractMismatchError:
        raise
    except (FurytuneError, TypeError, ValueError, AttributeError) as error:
        raise ContractError(
            f"the contract's {part} cannot be rebuilt ({type(error).__name__}): "
            "the file was edited or comes from another version; save the contract again"
        ) from error


def _augmenter(
    spec: Mapping[str, Json], location: Mapping[str, Json], base: Path, *, accept: bool
) -> Augmenter:
    """Rebuilds the augmenter that a contract names.

    Args:
        spec: Its settings.
        location: Where its knowledge is.
        base: The folder of the contract.
        accept: Whether the newest version may replace one that is missing.

    Raises:
        ContractError: It cannot be rebuilt.
        ContractMismatchError: Its pinned knowledge is missing.
        KnowledgeError: Its knowledge cannot be read.
    """
    name = spec.get("name")
    kind = plugins.load("augmenters", str(name))
    if not (isinstance(kind, type) and issubclass(kind, Rebuildable)):
        raise ContractError(
            f"the augmenter {name!r} cannot be built from a contract, because it has no from_spec; pass it as augmenter="
        )
    try:
        built: Augmenter = kind.from_spec(spec, location=location, base=base)
        # Opens the index now, so that a missing version is reported here and not at the first question.
        _ = built.snapshot
    except SnapshotError as error:
        # The pinned version is missing. If a difference is accepted, the newest version may replace it, once.
        if accept and location.get("version") is not None:
            newest = {**location, "version": None, "snapshot": ""}
            return _augmenter(spec, newest, base, accept=False)
        raise ContractMismatchError("snapshot", str(error)) from error
    except KnowledgeError:
        raise
    except (TypeError, KeyError, AttributeError) as error:
        raise ContractError(
            f"the augmenter {name!r} cannot be rebuilt from the contract ({type(error).__name__}): "
            "pass it as augmenter="
        ) from error
    return built
