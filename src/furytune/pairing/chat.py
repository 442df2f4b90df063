"""Finds pairs in any conversation: channels, threads and forum posts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from heapq import heapify, heappop, heappush

from attrs import evolve, field, frozen

from furytune._values.checks import at_least, share
from furytune.errors import ConservationError
from furytune.pairing._chat.candidates import questions
from furytune.pairing._chat.conversations import Conversations, Linked, Talk
from furytune.pairing._chat.people import People
from furytune.pairing._chat.question import Candidate
from furytune.pairing._chat.scene import Scene, names_of
from furytune.pairing._chat.turns import Turn, asks, turns_of
from furytune.pairing._chat.worth import Judgement, Ranking, shipped
from furytune.pairing._drops import Drops
from furytune.pairing.linking import Linker
from furytune.pairing.links import Link
from furytune.pairing.posts import LOST, Conversation, Post
from furytune.pairing.signals import Signals, signals
from furytune.records import Dropped, Evidence, QAPair

__all__ = ["ChatPairer"]

_SURE = 0.75
_MARKED = 0.5
"""The lowest confidence of an answer with a solution mark. The models saw few marks, but a mark is what a person says."""


@frozen
class ChatPairer:
    """Pairs from any conversation, each with a confidence and the evidence for it.

    A native reply says for certain who answers whom. For every other message, a small model that comes with furytune says
    which message it answers, or that it starts a conversation. A second model looks at each question of a conversation,
    chooses the messages that answer it, and says how likely a maintainer would train on the pair.

    A solution mark on a message makes it the answer, with a confidence of at least 0.5.

    A thread is one conversation. It is dropped as "no_question_text" if its opening message is missing, withheld or too
    long, because the messages after it would look like answers to something else. If the opening message has no text, so
    are the messages before the opener's first text.

    A pair from a thread takes its id from the first message of its question, and its group is the thread. A pair from a
    channel takes its id from the first message of its question that asks, and its group from the first message of its
    conversation that asks, so a greeting before it changes neither.

    Args:
        window: How many messages of a channel a conversation stays open for the next one; also the most messages of a
            thread that are used.
        min_confidence: Pairs below it are dropped as "low_confidence". The default drops what is hardly ever worth it;
            choose the purity that your training deserves with `MinConfidence`.
    """

    window: int = field(default=50_000, validator=at_least(2))
    min_confidence: float = field(default=0.2, kw_only=True, validator=share)

    def fits(self, place: Conversation) -> bool:  # noqa: ARG002  # the protocol's signature
        """Returns True: every conversation fits."""
        return True

    def pair(self, posts: Iterable[Post], place: Conversation) -> Iterator[QAPair | Dropped]:
        """Yields pairs as their conversations close, then counts of all other posts."""
        return _Chat(self, place).run(posts)


class _Chat:
    """The state of pairing one channel or thread."""

    def __init__(self, settings: ChatPairer, place: Conversation) -> None:
        self.settings = settings
        self.place = place
        self.model = shipped()
        self.drops = Drops()
        self.people = People()
        self.used = 0
        self.read = 0

    def run(self, posts: Iterable[Post]) -> Iterator[QAPair | Dropped]:
        linked = Linker().links(self.counted(posts))
        talks = self.thread(linked) if self.place.is_thread else self.channel(linked)
        for talk in talks:
            yield from self.closed(talk)
        where = self.place.thread or self.place.channel
        # A bug that loses messages must not silently shrink a data set.
        if self.used + self.drops.total != self.read:
            raise ConservationError(
                f"channel {where}: {self.read} messages in, {self.used} used, {self.drops.total} dropped"
            )
        yield from self.drops.items(where=where)

    def counted(self, posts: Iterable[Post]) -> Iterator[Post]:
        for post in posts:
            self.read += 1
            yield post

    def usable(self, post: Post) -> bool:
        """Returns True for a post that may be in a pair, and counts any other."""
        reason = post.drop or ("" if post.text.strip() else "empty")
        if reason:
            self.drops.add(reason, post.id)
        return not reason

    def heard(self, post: Post) -> Signals:
        """Returns what a post signals, and notes that its speaker said it."""
        said = signals(post.text)
        self.people.heard(post.speaker, said)
        return said

    def channel(self, linked: Iterable[tuple[Post, Link]]) -> Iterator[Talk]:
        """Yields the conversations of a channel as they close."""
        open_talks = Conversations(self.settings.window)
        asked: dict[str, str] = {}
        for post, link in linked:
            if self.usable(post):
                said = self.heard(post)
                own = _to_own_question(post, said, link, asked.get(post.speaker, ""))
                yield from open_talks.add(post, own, said)
                if asks(said):
                    asked[post.speaker] = post.id
            else:
                open_talks.left_out(post.id)
        yield from open_talks.rest()

    def thread(self, linked: Iterable[tuple[Post, Link]]) -> Iterator[Talk]:
        """Yields the posts of a thread as one conversation, however they are linked."""
        talk: Talk = []
        at: dict[str, int] = {}
        opening_lost = self.place.opening_missing
        opener = ""
        for number, (post, link) in enumerate(linked):
            # The first message may be there and still be unusable, for example withheld.
            opening_lost = opening_lost or (number == 0 and post.drop in LOST)
            usable = self.usable(post)
            if not post.drop:
                opener = opener or post.speaker
            if not usable:
                continue
            if not talk and post.speaker != opener:
                # It answers a picture without a word.
                self.drops.add("no_question_text", post.id)
                continue
            if len(talk) >= self.settings.window:
                self.drops.add("after_window", post.id)
                continue
            at[post.id] = len(talk)
            said = self.heard(post)
            talk.append(Linked(post, at.get(link.parent, -1), link.confidence, link.native, "", said))
        if opening_lost:
            self.drops.all("no_question_text", (linked.post for linked in talk))
        elif talk:
            yield talk

    def closed(self, talk: Talk) -> Iterator[QAPair]:
        """Yields the pairs of a conversation, and counts its other posts."""
        if len(talk) == 1:
            # The fast path: most messages of a channel.
            alone = "no_answer" if self.place.is_thread else "no_reply"
            self.drops.add(talk[0].lost or alone, talk[0].post.id)
            return
        turns = turns_of(talk)
        scene = Scene(turns, self.people, self.place.is_thread, self.model.vocabulary)
        chosen: list[Judgement] = []
        marked: list[Judgement] = []
        any_mark = any(turn.marked for turn in turns)
        for question in questions(scene):
            ranking = self.model.ranking(question)
            chosen.append(self.model.judgement(ranking))
            # Someone may have marked another answer as the solution.
            if any_mark and (with_mark := ranking.only(question.marked)):
                marked.append(self.model.judgement(with_mark))
        chosen += marked
        why: dict[str, str] = {}
        for found in self.apart(chosen):
            posts = _posts(found.candidate)
            if found.confidence < self.settings.min_confidence:
                why |= dict.fromkeys((post.id for post in posts), "low_confidence")
                continue
            why |= dict.fromkeys((post.id for post in posts), "")
            self.used += len(posts)
            yield self.made(found, turns, talk)
        rest = self.rest(turns, paired="" in why.values(), answered=bool(chosen))
        for linked in talk:
            reason = why.get(linked.post.id, linked.lost or rest)
            if reason:
                self.drops.add(reason, linked.post.id)

    def apart(self, chosen: list[Judgement]) -> Iterator[Judgement]:
        """Yields the judgements that share no message with a better one: the marked ones first, then the surest.

        A question whose best answer is taken gets its best one of what is left.
        """
        taken: set[int] = set()
        waiting = [(not found.candidate.marked, -found.confidence, i, 0) for i, found in enumerate(chosen)]
        heapify(waiting)
        while waiting:
            _, _, i, again = heappop(waiting)
            found = chosen[i]
            if taken.isdisjoint(found.candidate.places):
                taken.update(found.candidate.places)
                least = _MARKED if found.candidate.marked else 0.0
                yield evolve(found, confidence=max(found.confidence, least))
            elif not again and (left := _free(found.ranking, taken)):
                second = self.model.judgement(left)
                # The model prefers another answer, so this one cannot be likelier.
                chosen[i] = evolve(second, confidence=min(second.confidence, found.confidence))
                heappush(waiting, (not second.candidate.marked, -chosen[i].confidence, i, 1))

    def rest(self, turns: list[Turn], *, paired: bool, answered: bool) -> str:
        """Returns why the other posts of a conversation are in no pair."""
        if paired:
            return "chatter"
        helped = any(turn.said.seeks_help or turn.said.shows_failure for turn in turns)
        if any(turn.said.team_talk for turn in turns) and not helped:
            return "team_talk"
        if answered:
            return "chatter"
        if any(asks(turn.said) for turn in turns) or self.place.is_thread:
            return "no_answer"
        return "not_a_question" if len({turn.speaker for turn in turns}) > 1 else "no_reply"

    def made(self, found: Judgement, turns: list[Turn], talk: Talk) -> QAPair:
        candidate = found.candidate
        question = [[linked.post for linked in turn.posts] for turn in candidate.asked]
        answer = [linked.post for turn in candidate.told for linked in turn.posts]
        first = question[0][0] if self.place.is_thread else _first_asking(turns[candidate.opener].posts)
        # A thread was opened on one of these messages, and its pairs belong to the same conversation.
        opened = next((p for turn in question for p in turn if p.id in self.place.starters), None)
        evidence = self.evidence(candidate)
        return self.place.pair(
            question,
            answer,
            uid=first.id,
            group=self.place.thread or (opened or _first_asking(talk)).id,
            method="thread" if self.place.is_thread else "reply" if "native_reply" in evidence else "link",
            confidence=found.confidence,
            evidence=evidence,
        )

    def evidence(self, candidate: Candidate) -> tuple[Evidence, ...]:
        """Returns what speaks for a pair, in the order of `Evidence`."""
        asked = {linked.post.id for turn in candidate.asked for linked in turn.posts}
        told = [linked for turn in candidate.told for linked in turn.posts]
        native = any(linked.post.reply_to in asked for linked in told)
        asker = candidate.asked[0].speaker
        names = names_of(candidate.asked[-1])
        text = "\n".join(linked.post.text for linked in told).casefold()
        reply = candidate.reply.said if candidate.reply else None
        holds: dict[Evidence, bool] = {
            "thread": self.place.is_thread,
            "native_reply": native,
            "addressed": any(asker in linked.post.mentions for linked in told)
            or any(n in text for n in names),
            "linked": not native and not self.place.is_thread,
            "solution_mark": any(turn.marked for turn in candidate.told),
            "solved_tag": self.place.tagged_solved,
            "works_now": reply is not None and reply.works_now,
            "thanked": reply is not None and reply.thanks,
            "self_answer": candidate.told[0].speaker == asker,
            "clarified": candidate.clarified,
        }
        return tuple(name for name, held in holds.items() if held)


def _to_own_question(post: Post, said: Signals, link: Link, asked: str) -> Link:
    """Returns a link to what the speaker asked last, for "solved it: ..." that the linker is not sure about.

    Others have often started to talk about something else by then, and the linker does not know what the words mean.
    """
    if not asked or link.native or link.confidence >= _SURE or not said.solution_by_asker:
        return link
    return Link(post.id, asked, round(1 - link.confidence, 4))


def _first_asking(talk: Talk) -> Post:
    """Returns the first post that asks; if only all together do, the first one."""
    return next((linked.post for linked in talk if asks(linked.said)), talk[0].post)


def _free(ranking: Ranking, taken: set[int]) -> Ranking | None:
    """Returns the options of a question without a turn that is in another pair, None if there is none."""
    return ranking.only(lambda option: taken.isdisjoint(ranking.question.places(option)))


def _posts(candidate: Candidate) -> list[Post]:
    return [linked.post for turn in (*candidate.asked, *candidate.told) for linked in turn.posts]
