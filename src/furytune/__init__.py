"""From a community's chat history to a tuned helper model, with one prompt for training and for asking."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from furytune._chat_files.matrix.text import matrix_text
    from furytune._chat_files.mattermost.text import mattermost_text
    from furytune._chat_files.slack.text import slack_text
    from furytune._chat_files.zulip.text import zulip_text
    from furytune._privacy.consent import Consent
    from furytune._privacy.secret import Secret
    from furytune.augmenters.embedders import LanceEmbedder, OnnxEmbedder, StaticEmbedder
    from furytune.augmenters.identity import IdentityAugmenter
    from furytune.augmenters.rag import Distractors, RagAugmenter, build_index, clean_index
    from furytune.budget import TokenBudget
    from furytune.collectors.discord import DiscordCollector
    from furytune.collectors.discord_export import DiscordExportCollector
    from furytune.collectors.discourse import DiscourseCollector
    from furytune.collectors.forum import ForumCollector
    from furytune.collectors.github_discussions import GitHubDiscussionsCollector
    from furytune.collectors.journal import JournalCollector
    from furytune.collectors.mattermost_export import MattermostExportCollector
    from furytune.collectors.slack_export import SlackExportCollector
    from furytune.collectors.tabular import CsvCollector, JsonlCollector
    from furytune.collectors.zulip_export import ZulipExportCollector
    from furytune.contract import PromptContract
    from furytune.corpora.chat import chat
    from furytune.corpora.markup import markup
    from furytune.corpora.python_package import python_package
    from furytune.curation.caps import CapPerAuthor, CapPerLink
    from furytune.curation.code import CheckCode
    from furytune.curation.confidence import MinConfidence
    from furytune.curation.dedup import Deduplicate
    from furytune.curation.freshness import Fresh
    from furytune.curation.grades import GradeCache
    from furytune.curation.judge import JudgePairs
    from furytune.curation.languages import Languages
    from furytune.curation.length import AnswerLength
    from furytune.curation.lint import LintAnswers
    from furytune.curation.near import NearDuplicates
    from furytune.curation.people import AnsweredBy
    from furytune.curation.releases import Releases
    from furytune.curation.running import CodeRun, RunCode, RunLimits
    from furytune.curation.secrets import RedactSecrets
    from furytune.errors import ContractMismatchError, FurytuneError, SourceFormatError
    from furytune.exporters import load_dataset
    from furytune.exporters.csv import CsvExporter
    from furytune.exporters.jsonl import JsonlExporter
    from furytune.feedback.bot_words import BotWords
    from furytune.feedback.collector import FeedbackCollector
    from furytune.feedback.log import FeedbackLog
    from furytune.forgetting import Forgotten, forget
    from furytune.models.chat import ChatService
    from furytune.normalize import Normalizer
    from furytune.pairing import ChatPairer, Link, ReplyPairer, ThreadPairer
    from furytune.pipeline import Pipeline, Run
    from furytune.protocols import Augmenter, Collector, Exporter, Tuner
    from furytune.publishing import write_card
    from furytune.rechecking import Recheck, recheck
    from furytune.records import (
        Dataset,
        Dropped,
        Message,
        Passage,
        Prompt,
        QAPair,
        Source,
        TrainingRow,
    )
    from furytune.report import ChannelProfile, ChannelProfiles
    from furytune.report.diffing import DatasetDiff, diff_datasets, outline
    from furytune.report.html import write_report
    from furytune.review.decision import Decision
    from furytune.review.decisions import Decisions
    from furytune.review_page import ReviewPage
    from furytune.splitting import GroupSplitter
    from furytune.tables import to_arrow, to_pandas, to_polars
    from furytune.template import PromptTemplate
    from furytune.tuners.gemini.answering import tuned_gemini
    from furytune.tuners.gemini.tuner import GeminiTuner

__all__ = [
    "AnswerLength",
    "AnsweredBy",
    "Augmenter",
    "BotWords",
    "CapPerAuthor",
    "CapPerLink",
    "ChannelProfile",
    "ChannelProfiles",
    "ChatPairer",
    "ChatService",
    "CheckCode",
    "CodeRun",
    "Collector",
    "Consent",
    "ContractMismatchError",
    "CsvCollector",
    "CsvExporter",
    "Dataset",
    "DatasetDiff",
    "Decision",
    "Decisions",
    "Deduplicate",
    "DiscordCollector",
    "DiscordExportCollector",
    "DiscourseCollector",
    "Distractors",
    "Dropped",
    "Exporter",
    "FeedbackCollector",
    "FeedbackLog",
    "Forgotten",
    "ForumCollector",
    "Fresh",
    "FurytuneError",
    "GeminiTuner",
    "GitHubDiscussionsCollector",
    "GradeCache",
    "GroupSplitter",
    "IdentityAugmenter",
    "JournalCollector",
    "JsonlCollector",
    "JsonlExporter",
    "JudgePairs",
    "LanceEmbedder",
    "Languages",
    "Link",
    "LintAnswers",
    "MattermostExportCollector",
    "Message",
    "MinConfidence",
    "NearDuplicates",
    "Normalizer",
    "OnnxEmbedder",
    "Passage",
    "Pipeline",
    "Prompt",
    "PromptContract",
    "PromptTemplate",
    "QAPair",
    "RagAugmenter",
    "Recheck",
    "RedactSecrets",
    "Releases",
    "ReplyPairer",
    "ReviewPage",
    "Run",
    "RunCode",
    "RunLimits",
    "Secret",
    "SlackExportCollector",
    "Source",
    "SourceFormatError",
    "StaticEmbedder",
    "ThreadPairer",
    "TokenBudget",
    "TrainingRow",
    "Tuner",
    "ZulipExportCollector",
    "build_index",
    "chat",
    "clean_index",
    "diff_datasets",
    "forget",
    "load_dataset",
    "markup",
    "matrix_text",
    "mattermost_text",
    "outline",
    "python_package",
    "recheck",
    "slack_text",
    "to_arrow",
    "to_pandas",
    "to_polars",
    "tuned_gemini",
    "write_card",
    "write_report",
    "zulip_text",
]

__version__ = "0.1.0"

_HOME = {
    "AnswerLength": "curation.length",
    "AnsweredBy": "curation.people",
    "Augmenter": "protocols",
    "BotWords": "feedback.bot_words",
    "CapPerAuthor": "curation.caps",
    "CapPerLink": "curation.caps",
    "ChannelProfile": "report",
    "ChannelProfiles": "report",
    "ChatPairer": "pairing",
    "ChatService": "models.chat",
    "CheckCode": "curation.code",
    "CodeRun": "curation.running",
    "Collector": "protocols",
    "Consent": "_privacy.consent",
    "ContractMismatchError": "errors",
    "CsvCollector": "collectors.tabular",
    "CsvExporter": "exporters.csv",
    "Dataset": "records",
    "DatasetDiff": "report.diffing",
    "Decision": "review.decision",
    "Decisions": "review.decisions",
    "Deduplicate": "curation.dedup",
    "DiscordCollector": "collectors.discord",
    "DiscordExportCollector": "collectors.discord_export",
    "Distractors": "augmenters.rag",
    "Dropped": "records",
    "Exporter": "protocols",
    "FeedbackCollector": "feedback.collector",
    "FeedbackLog": "feedback.log",
    "Forgotten": "forgetting",
    "DiscourseCollector": "collectors.discourse",
    "ForumCollector": "collectors.forum",
    "Fresh": "curation.freshness",
    "FurytuneError": "errors",
    "GeminiTuner": "tuners.gemini.tuner",
    "GitHubDiscussionsCollector": "collectors.github_discussions",
    "GradeCache": "curation.grades",
    "GroupSplitter": "splitting",
    "IdentityAugmenter": "augmenters.identity",
    "JournalCollector": "collectors.journal",
    "JsonlCollector": "collectors.tabular",
    "JsonlExporter": "exporters.jsonl",
    "JudgePairs": "curation.judge",
    "LanceEmbedder": "augmenters.embedders",
    "Languages": "curation.languages",
    "Link": "pairing",
    "LintAnswers": "curation.lint",
    "MattermostExportCollector": "collectors.mattermost_export",
    "Message": "records",
    "MinConfidence": "curation.confidence",
    "NearDuplicates": "curation.near",
    "Normalizer": "normalize",
    "OnnxEmbedder": "augmenters.embedders",
    "Passage": "records",
    "Pipeline": "pipeline",
    "Prompt": "records",
    "PromptContract": "contract",
    "PromptTemplate": "template",
    "QAPair": "records",
    "RagAugmenter": "augmenters.rag",
    "Recheck": "rechecking",
    "RedactSecrets": "curation.secrets",
    "Releases": "curation.releases",
    "ReplyPairer": "pairing",
    "ReviewPage": "review_page",
    "Run": "pipeline",
    "RunCode": "curation.running",
    "RunLimits": "curation.running",
    "Secret": "_privacy.secret",
    "SlackExportCollector": "collectors.slack_export",
    "Source": "records",
    "SourceFormatError": "errors",
    "StaticEmbedder": "augmenters.embedders",
    "ThreadPairer": "pairing",
    "TokenBudget": "budget",
    "TrainingRow": "records",
    "Tuner": "protocols",
    "ZulipExportCollector": "collectors.zulip_export",
    "build_index": "augmenters.rag",
    "chat": "corpora.chat",
    "clean_index": "augmenters.rag",
    "diff_datasets": "report.diffing",
    "forget": "forgetting",
    "load_dataset": "exporters",
    "markup": "corpora.markup",
    "matrix_text": "_chat_files.matrix.text",
    "mattermost_text": "_chat_files.mattermost.text",
    "outline": "report.diffing",
    "python_package": "corpora.python_package",
    "recheck": "rechecking",
    "slack_text": "_chat_files.slack.text",
    "to_arrow": "tables",
    "to_pandas": "tables",
    "to_polars": "tables",
    "tuned_gemini": "tuners.gemini.answering",
    "write_card": "publishing",
    "write_report": "report.html",
    "zulip_text": "_chat_files.zulip.text",
}


def __getattr__(name: str) -> Any:
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module 'furytune' has no attribute {name!r}")
    value = getattr(import_module(f"furytune.{home}"), name)
    # The next access finds the name without this function.
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*globals(), *__all__]
