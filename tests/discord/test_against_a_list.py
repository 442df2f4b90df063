"""After a run, the journal equals a plain list, whatever happened on the server and when."""

from __future__ import annotations

import shutil
import tempfile
import time
from datetime import timedelta
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
)

from furytune import Consent, DiscordCollector, JournalCollector, Secret
from furytune.collectors.discord import Patience
from furytune.errors import DiscordError
from furytune.testing.fake_discord import FakeDiscord

TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
LONG_AGO = timedelta(days=36_000)
PEOPLE = ["ann", "bob", "cyd"]


class Server(RuleBasedStateMachine):
    """Posts, edits, deletes and archives at random; the oracle is a dictionary of lists."""

    channels = Bundle("channels")
    messages = Bundle("messages")

    def __init__(self):
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        start = int(time.time() * 1000) - 86_400_000
        self.discord = FakeDiscord(start=start, tick=7)
        self.people = {name: self.discord.add_member(name) for name in PEOPLE}
        self.said = {}  # channel id -> {message id: (author, text)}
        self.known = {}  # the same, as of the last run
        self.parents = {}
        self.unreadable = set()
        self.opted_out = set()

    def teardown(self):
        self.discord.close()
        shutil.rmtree(self.folder)

    @initialize(target=channels)
    def first(self):
        self.opened(self.discord.add_channel("lobby"))
        return self.opened(self.discord.add_channel("general"))

    def opened(self, channel):
        self.parents[channel.id] = channel.parent.id if channel.parent else channel.id
        self.said[channel.id] = {m.id: (m.author.name, m.content) for m in channel.messages if m.type == 0}
        return channel

    @rule(target=channels, kind=st.sampled_from(["text", "announcement", "voice"]))
    def add_channel(self, kind):
        return self.opened(self.discord.add_channel("more", kind))

    @rule(target=channels, text=TEXT, who=st.sampled_from(PEOPLE), archived=st.booleans())
    def add_post(self, text, who, archived):
        forums = [c for c in self.discord.channels.values() if c.kind == "forum"]
        forum = forums[0] if forums else self.discord.add_channel("forum", "forum", tags=["solved"])
        return self.opened(
            self.discord.add_thread(
                forum, "t", author=self.people[who], content=text, tags=["solved"], archived=archived
            )
        )

    @rule(target=channels, message=messages, text=TEXT, who=st.sampled_from(PEOPLE))
    def add_thread(self, message, text, who):
        where = message.channel
        if message.deleted or message.thread or where.id not in self.said or where.is_thread:
            return multiple()
        if where.kind == "voice":
            return multiple()
        thread = self.discord.add_thread(where, "t", author=self.people[who], starter=message, content=text)
        return self.opened(thread)

    @rule(target=messages, channel=channels, text=TEXT, who=st.sampled_from(PEOPLE), again=st.integers(1, 3))
    def post(self, channel, text, who, again):
        if channel.id not in self.said:
            return multiple()
        made = []
        for n in range(again):
            message = self.discord.post(channel, self.people[who], text + str(n))
            self.said[channel.id][message.id] = (who, text + str(n))
            made.append(message)
        return multiple(*made)

    @rule(channel=channels, text=TEXT)
    def post_over_a_page(self, channel, text):
        if channel.id in self.said and len(self.said[channel.id]) < 300:
            for n in range(101):
                message = self.discord.post(channel, self.people["ann"], text + str(n))
                self.said[channel.id][message.id] = ("ann", text + str(n))

    @rule(message=messages, text=TEXT)
    def edit(self, message, text):
        if not message.deleted and message.channel.id in self.said:
            self.discord.edit(message, text)
            self.said[message.channel.id][message.id] = (message.author.name, text)

    @rule(message=consumes(messages))
    def delete(self, message):
        if message.channel.id in self.said:
            self.discord.delete(message)
            self.said[message.channel.id].pop(message.id, None)

    @rule(channel=channels, archived=st.booleans())
    def archive(self, channel, archived):
        if channel.is_thread and channel.id in self.said:
            self.discord.archive(channel, archived=archived)

    @rule(channel=consumes(channels))
    def delete_channel(self, channel):
        self.discord.delete_channel(channel)
        there = {c.id for c in self.discord.channels.values()}
        self.said = {uid: said for uid, said in self.said.items() if uid in there}

    @rule(channel=channels, permission=st.sampled_from(["READ_MESSAGE_HISTORY", "VIEW_CHANNEL"]))
    def deny(self, channel, permission):
        if not channel.is_thread and channel.id in self.said:
            self.discord.deny(channel, permission)
            self.unreadable |= {channel.id}

    @rule(who=st.sampled_from(PEOPLE))
    def opt_out(self, who):
        self.opted_out.add(who)

    @rule(
        mode=st.sampled_from(["status", "local", "global", "shared", "reset", "truncate", "html"]),
        skip=st.integers(0, 12),
        status=st.sampled_from([500, 502, 503, 504]),
    )
    def trouble(self, mode, skip, status):
        self.discord.fail("", status, mode=mode, skip=skip, wait=0.01)

    @rule(everything=st.booleans())
    def run(self, everything):
        self.collect(everything=everything)

    def collect(self, *, everything):
        collector = DiscordCollector(
            guild=self.discord.guild,
            token=Secret(self.discord.token),
            permission="a test",
            journal=self.folder / "journal",
            consent=Consent(opt_out=[self.people[who].id for who in self.opted_out]),
            recheck=LONG_AGO,
            patience=Patience(first=0.001, most=0.01),
            endpoint=self.discord.url,
        )
        try:
            collector.refresh() if everything else collector.update()
        except DiscordError:
            return  # more trouble in a row than patience bears; a later run makes up for it
        there = {c.id for c in self.discord.channels.values()}
        for uid, parent in self.parents.items():
            if parent in self.unreadable & there:
                continue  # what was read before it was closed stays
            self.known[uid] = dict(self.said.get(uid, {}))
        for said in self.known.values():
            for uid in [uid for uid, (who, _) in said.items() if who in self.opted_out]:
                del said[uid]
        self.check()

    @invariant()
    def nothing_against_the_limits(self):
        assert self.discord.violations == []

    def check(self):
        held = {}
        journal = JournalCollector(self.folder / "journal")
        for message in journal.messages():
            if message.type in ("Default", "Reply"):
                held.setdefault(message.channel, {})[message.id] = message.content
        wanted = {uid: {i: text for i, (_, text) in said.items()} for uid, said in self.known.items()}
        assert held == {uid: said for uid, said in wanted.items() if said}


Server.TestCase.settings = settings(
    max_examples=settings().max_examples // 10, stateful_step_count=50, deadline=None
)
TestServer = Server.TestCase
