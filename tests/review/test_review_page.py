"""The review page over real HTTP: who may ask, what is shown, and what is recorded."""

from __future__ import annotations

import http.client
import json
import threading

import pytest
from attrs import evolve
from journals import begin
from review_world import EXPORTS, Client, pairs, pipeline, reviewed

import furytune as ft
from furytune.errors import ConfigError
from furytune.testing.memory import ListCollector, pair

READS = ["/queue", "/pair?id=discord%3A1000", "/since?revision=0"]


@pytest.fixture
def world(tmp_path):
    with reviewed(tmp_path, pairs()) as (page, client):
        yield page, client, ft.Decisions(tmp_path / "review.jsonl")


class TestWhoMayAsk:
    def test_only_this_machine_is_listened_to(self, world):
        page, client, _ = world
        assert page.url.startswith("http://127.0.0.1:")
        assert client.port > 0

    @pytest.mark.parametrize("path", READS)
    def test_nothing_is_read_without_a_session(self, world, path):
        _, client, _ = world
        assert client.ask("GET", path)[0] == 200
        for cookie in ("", "x=1", f"{client.cookie}x", client.cookie.partition("=")[0] + "=", "\xff=;;,"):
            status, _, content = client.ask("GET", path, Cookie=cookie)
            assert status == 401
            assert b"draw" not in content

    @pytest.mark.parametrize("path", READS)
    def test_a_cookie_alone_is_not_enough(self, world, path):
        # Every server on this machine gets it, on whatever port.
        _, client, _ = world
        for key in ("", "x", client.key[:-1], client.key + " x", "\xff"):
            assert client.ask("GET", path, X_Furytune_Key=key)[0] == 401

    def test_nothing_is_decided_without_a_session(self, world):
        _, client, decisions = world
        client.cookie = ""
        assert client.decide("discord:1000", "accept")[0] == 401
        assert decisions.revision == 0

    @pytest.mark.parametrize(
        "host",
        ["evil.example", "127.0.0.1", "localhost:{port}", "127.0.0.1:1", "127.0.0.1:{port}.evil.example", ""],
    )
    @pytest.mark.parametrize("path", ["/", *READS])
    def test_a_name_that_points_to_this_machine_gets_nothing(self, world, host, path):
        _, client, _ = world
        status, _, content = client.ask("GET", path, Host=host.format(port=client.port))
        assert status == 421
        assert b"draw" not in content
        assert b"<" not in content

    def test_two_hosts_get_nothing(self, world):
        _, client, _ = world
        told = client.raw(
            f"GET /queue HTTP/1.1\r\nHost: {client.host}\r\nHost: evil.example\r\nCookie: {client.cookie}\r\n\r\n".encode()
        )
        assert told.startswith(b"HTTP/1.1 421")

    @pytest.mark.parametrize(
        "origin",
        ["http://evil.example", "null", "https://{host}", "http://127.0.0.1", "http://localhost:{port}"],
    )
    def test_another_site_can_neither_read_nor_decide(self, world, origin):
        _, client, decisions = world
        foreign = origin.format(host=client.host, port=client.port)
        for path in READS:
            assert client.ask("GET", path, Origin=foreign)[0] == 403
        body = json.dumps({"id": "discord:1000", "action": "accept", "revision": 0}).encode()
        assert client.ask("POST", "/decide", body, Origin=foreign)[0] == 403
        assert client.ask("POST", "/session", b'{"token":"x"}', Origin=foreign)[0] == 403
        assert decisions.revision == 0

    def test_a_post_without_an_origin_is_refused(self, world):
        _, client, decisions = world
        body = json.dumps({"id": "discord:1000", "action": "accept", "revision": 0}).encode()
        assert client.ask("POST", "/decide", body, Origin="")[0] == 403
        assert decisions.revision == 0

    @pytest.mark.parametrize("site", ["cross-site", "same-site", "none"])
    def test_a_browser_that_says_who_asks_is_believed(self, world, site):
        _, client, _ = world
        for path in READS:
            assert client.ask("GET", path, Sec_Fetch_Site=site)[0] == 403
            assert client.ask("GET", path, Sec_Fetch_Site="same-origin")[0] == 200

    def test_a_token_works_once(self, tmp_path):
        with ft.ReviewPage(pipeline(tmp_path, pairs())) as page:
            first = Client(page)
            assert page.url == page.url
            first.open()
            body = json.dumps({"token": first.token}).encode()
            assert first.ask("POST", "/session", body)[0] == 403
            assert first.get("/queue")["all"] == 6
            second = Client(page)
            assert second.token != first.token
            for wrong in ("", "x", second.token[:-1], second.token + "x", first.token, "é"):
                assert second.ask("POST", "/session", json.dumps({"token": wrong}).encode())[0] == 403
            second.open()
            assert first.get("/queue")["all"] == second.get("/queue")["all"] == 6

    def test_many_who_have_one_token_get_one_session(self, tmp_path):
        with ft.ReviewPage(pipeline(tmp_path, pairs())) as page:
            client = Client(page)
            body = json.dumps({"token": client.token}).encode()
            found: list[int] = []
            threads = [
                threading.Thread(target=lambda: found.append(client.ask("POST", "/session", body)[0]))
                for _ in range(8)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert sorted(found) == [200, *[403] * 7]

    def test_scripts_and_other_sites_never_get_the_cookie(self, tmp_path):
        with ft.ReviewPage(pipeline(tmp_path, pairs())) as page:
            client = Client(page)
            _, headers, _ = client.ask("POST", "/session", json.dumps({"token": client.token}).encode())
            told = headers["Set-Cookie"].split("; ")
            assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(told)
            assert not any(part.startswith("Domain") for part in told)

    @pytest.mark.parametrize("path", ["/", "/review.css", "/review.js", *READS, "/nothing"])
    def test_every_answer_forbids_what_the_page_does_not_need(self, world, path):
        _, client, _ = world
        _, headers, _ = client.ask("GET", path)
        assert headers["Cache-Control"] == "no-store"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
        policy = dict(part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";"))
        assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert not any(name.startswith("Access-Control") for name in headers)


class TestBadRequests:
    @pytest.mark.parametrize(
        "path",
        [
            "/../desk.py",
            "/..%2fdesk.py",
            "/%2e%2e/%2e%2e/errors.py",
            "//etc/passwd",
            "/page/review.html",
            "/review.js/",
            "/review.js%00",
            "/\\..\\desk.py",
            "http://evil.example/queue",
            "*",
        ],
    )
    def test_only_the_page_is_served(self, world, path):
        _, client, _ = world
        status, _, content = client.ask("GET", path, Cookie="")
        assert status in (401, 404)
        assert b"import" not in content

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"{",
            b"[]",
            b"null",
            b"\xff",
            b'{"id":"discord:1000"}',
            b'{"id":1,"action":"accept","revision":0}',
            b'{"id":"discord:1000","action":"accept","revision":"0"}',
            b'{"id":"discord:1000","action":"accept","revision":0,"by":"ben"}',
            b'{"id":"\\ud800","action":"accept","revision":0}',
            b"[" * 100_000,
        ],
    )
    def test_bad_json_is_refused(self, world, body):
        _, client, decisions = world
        status, _, content = client.ask("POST", "/decide", body)
        assert status == 400
        assert json.loads(content)["problem"]
        assert decisions.revision == 0
        assert client.get("/queue")["all"] == 6

    def test_a_form_of_another_site_is_refused(self, world):
        _, client, decisions = world
        body = b'{"id":"discord:1000","action":"accept","revision":0}'
        for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""):
            assert client.ask("POST", "/decide", body, Content_Type=kind)[0] == 415
        assert decisions.revision == 0

    def test_a_body_that_is_too_long_or_of_unknown_length_is_refused(self, world):
        _, client, _ = world
        head = (
            f"POST /decide HTTP/1.1\r\nHost: {client.host}\r\nOrigin: {client.origin}\r\nCookie: {client.cookie}\r\nX-Furytune-Key: {client.key}\r\n"
            "Content-Type: application/json\r\n"
        )
        for more, status in (
            ("Content-Length: 5000000\r\n", b"413"),
            (f"Content-Length: {'9' * 5000}\r\n", b"413"),
            ("Content-Length: -1\r\n", b"411"),
            ("Content-Length: 1e3\r\n", b"411"),
            ("", b"411"),
            ("Transfer-Encoding: chunked\r\n", b"411"),
            ("Content-Length: 100\r\n", b"400"),
        ):
            told = client.raw(f"{head}{more}\r\n{{}}".encode())
            assert told.startswith(b"HTTP/1.1 " + status), more
            assert told.count(b"HTTP/1.1") == 1  # what follows is not read as another request

    def test_what_is_not_http_gets_an_answer_without_its_words(self, world):
        _, client, _ = world
        for data in (
            b"<script>\r\n\r\n",
            b"PUT / HTTP/1.1\r\n\r\n",
            b"GET / HTTP/9.9\r\n\r\n",
            b"G" * 70_000,
        ):
            told = client.raw(data)
            assert b"<" not in told
            assert b"GGG" not in told
        assert client.get("/queue")["all"] == 6

    def test_a_query_that_makes_no_sense_is_refused(self, world):
        _, client, _ = world
        for path in ("/queue?least=x", "/queue?other=1", "/pair", "/since", "/since?revision=x"):
            assert client.ask("GET", path)[0] == 400
        assert client.ask("GET", "/pair?id=nope")[0] == 422


class TestDeciding:
    def test_each_action_is_recorded_at_once(self, world):
        _, client, decisions = world
        ids = [uid for uid, _, _ in client.get("/queue")["items"]]
        for uid, action, more, status in (
            (ids[0], "accept", {}, "accepted"),
            (ids[1], "drop", {"reason": "off topic"}, "dropped"),
            (ids[2], "answer", {"text": "Call `draw()`."}, "corrected"),
            (ids[3], "question", {"text": "How do I draw?"}, "corrected"),
            (ids[4], "merge", {"into": ids[0]}, "merged"),
        ):
            code, told = client.decide(uid, action, **more)
            assert (code, told["status"]) == (200, status)
            assert decisions.revision == told["revision"] == told["made"]
            assert decisions.of(uid).by == "anna"
        assert decisions.of(ids[1]).reason == "off topic"
        assert decisions.of(ids[2]).answer == "Call `draw()`."
        assert decisions.of(ids[3]).question == "How do I draw?"
        assert decisions.of(ids[4]).into == ids[0]
        assert client.get("/queue", state="todo")["todo"] == 1

    def test_what_is_decided_applies_in_the_next_run(self, tmp_path):
        with reviewed(tmp_path, pairs()) as (_, client):
            ids = [uid for uid, _, _ in client.get("/queue")["items"]]
            client.decide(ids[0], "drop", reason="wrong")
            client.decide(ids[1], "answer", text="Another answer.")
        kept = {p.id: p for p in pipeline(tmp_path, pairs()).pairs()}
        assert ids[0] not in kept
        assert kept[ids[1]].answer == "Another answer."

    @pytest.mark.parametrize(
        ("action", "more"),
        [
            ("accept_all", {}),
            ("drop", {}),
            ("drop", {"reason": "  "}),
            ("answer", {"text": " \n"}),
            ("answer", {"text": "a\x00b"}),
            ("question", {"text": "x" * 300_000}),
            ("merge", {"into": "discord:1000"}),
            ("merge", {"into": "nope"}),
        ],
    )
    def test_a_choice_that_makes_no_sense_is_refused_with_a_reason(self, world, action, more):
        _, client, decisions = world
        code, told = client.decide("discord:1000", action, **more)
        assert code == 422
        assert told["problem"]
        assert decisions.revision == 0

    def test_undo_brings_back_what_held_before(self, world):
        _, client, decisions = world
        uid = "discord:1002"
        held = [None]
        steps = []
        for action, more in (
            ("answer", {"text": "A1"}),
            ("question", {"text": "Q1"}),
            ("drop", {"reason": "wrong"}),
            ("accept", {}),
            ("merge", {"into": "discord:1000"}),
            ("answer", {"text": "A2"}),
        ):
            code, told = client.decide(uid, action, revision=decisions.revision, **more)
            assert code == 200
            steps.append((told["made"], told["before"]))
            held.append(decisions.of(uid).outcome)
        while steps:
            held.pop()
            _, before = steps.pop()
            code, told = client.decide(uid, "restore", before=before, revision=decisions.revision)
            assert code == 200
            now = decisions.of(uid)
            assert (now and now.outcome) == held[-1]
        assert told["status"] == "undecided"

    def test_a_view_that_is_out_of_date_decides_nothing(self, world):
        _, client, decisions = world
        seen = client.get("/pair", id="discord:1001")["revision"]
        other = pairs()[1]
        decisions.drop(other, reason="wrong", by="ben")
        code, told = client.decide(other.id, "accept", revision=seen)
        assert (code, told["revision"]) == (409, 1)
        assert decisions.of(other).by == "ben"
        again = client.get("/pair", id=other.id)
        assert again["decision"]["reason"] == "wrong"
        assert client.decide(other.id, "accept", revision=again["revision"])[0] == 200
        assert [d.by for d in decisions.history(other)] == ["ben", "anna"]

    def test_it_tells_what_others_decided(self, world):
        _, client, decisions = world
        seen = client.get("/queue")["revision"]
        decisions.accept(pairs()[4], by="ben")
        told = client.get("/since", revision=seen)
        assert told["changed"] == [["discord:1004", "accepted"]]
        assert told["todo"] == 5
        assert client.get("/since", revision=told["revision"])["changed"] == []

    def test_a_file_that_is_replaced_by_an_older_copy_is_read_again(self, world):
        _, client, decisions = world
        client.decide("discord:1000", "accept")
        copy = decisions.path[0].read_bytes()
        client.decide("discord:1001", "accept", revision=1)
        assert client.get("/queue")["todo"] == 4
        decisions.path[0].write_bytes(copy)
        assert client.get("/queue")["todo"] == 5
        assert client.get("/pair", id="discord:1001")["decision"] is None

    def test_many_windows_lose_no_decision(self, tmp_path):
        items = pairs(40)
        with reviewed(tmp_path, items) as (page, client):
            clients = [client, *(Client(page).open() for _ in range(3))]
            codes: list[int] = []

            def work(n: int, mine: Client) -> None:
                for k in range(n, 40, 4):
                    codes.append(mine.decide(items[k].id, "answer", text=f"Answer of {n}.")[0])
                    # All of them want the first pair, and each knows only what it saw.
                    seen = mine.get("/pair", id=items[0].id)["revision"]
                    codes.append(mine.decide(items[0].id, "answer", text=f"{n} {k}", revision=seen)[0])

            threads = [threading.Thread(target=work, args=(n, mine)) for n, mine in enumerate(clients)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        decisions = ft.Decisions(tmp_path / "review.jsonl")
        assert set(codes) <= {200, 409}
        assert codes.count(200) == decisions.revision
        for k in range(1, 40):
            assert decisions.of(items[k]).answer == f"Answer of {k % 4}."

    def test_a_file_that_cannot_be_written_is_told_and_nothing_is_lost(self, tmp_path):
        with reviewed(tmp_path, pairs()) as (_, client):
            (tmp_path / "review.jsonl").mkdir()
            code, told = client.decide("discord:1000", "accept")
            assert code == 500
            assert "review.jsonl" in told["problem"]
            (tmp_path / "review.jsonl").rmdir()
            assert client.decide("discord:1000", "accept")[0] == 200


class TestShowing:
    def test_the_most_doubtful_come_first_and_the_decided_last(self, tmp_path):
        items = pairs()
        ft.Decisions(tmp_path / "review.jsonl").accept(items[0])
        with reviewed(tmp_path, items) as (_, client):
            found = client.get("/queue")["items"]
            assert [status for _, status, _ in found] == [*["undecided"] * 5, "accepted"]
            assert found[-1][0] == items[0].id
            assert found[0][0] == items[1].id

    def test_filters_and_words_narrow_the_list(self, world):
        _, client, _ = world
        everything = {uid for uid, _, _ in client.get("/queue")["items"]}
        channels = client.get("/queue")["channels"]
        assert channels == ["#chat", "#help"]
        parts = [{uid for uid, _, _ in client.get("/queue", channel=c)["items"]} for c in channels]
        assert parts[0] | parts[1] == everything
        assert not parts[0] & parts[1]
        assert [uid for uid, _, _ in client.get("/queue", search="NUMBER draw(3)")["items"]] == [
            "discord:1003"
        ]
        assert [uid for uid, _, _ in client.get("/queue", least=0.56, most=0.59)["items"]] == [
            "discord:1002",
            "discord:1003",
        ]
        client.decide("discord:1003", "answer", text="Quite another thing.")
        assert [uid for uid, _, _ in client.get("/queue", search="another thing")["items"]] == [
            "discord:1003"
        ]
        assert [uid for uid, _, _ in client.get("/queue", state="corrected")["items"]] == ["discord:1003"]
        assert len(client.get("/queue", state="todo")["items"]) == 5

    def test_texts_are_those_that_the_model_would_learn(self, tmp_path):
        secret = "sk-proj-" + "Ab3dEf6h" * 6
        raw = pair(
            f"Why is {secret} refused, <@80351110224678912>?",
            f"Ask ana@sphere-makers.net, not with {secret}.",
            confidence=0.1,
        )
        with reviewed(tmp_path, [raw]) as (_, client):
            told = client.get("/pair", id=raw.id)
            assert secret not in json.dumps(told)
            assert "ana@sphere-makers.net" not in told["answer"]
            client.decide(raw.id, "accept", revision=told["revision"])
        (row,) = pipeline(tmp_path, [raw]).rows()
        assert told["prompt"]["text"] == row.prompt.text
        assert told["answer"] == row.answer
        assert told["question"] in row.prompt.text

    def test_a_pair_of_secrets_alone_is_shown_without_them(self, tmp_path):
        raw = pair("Who knows?", "someone@sphere-makers.net")
        with reviewed(
            tmp_path,
            [raw],
            curators=[
                ft.Decisions(tmp_path / "review.jsonl"),
                ft.AnswerLength(min=100),
                ft.RedactSecrets(),
            ],
        ) as (_, client):
            told = client.get("/pair", id=raw.id)
            assert told["left_out"]
            assert "someone@" not in json.dumps(told)

    def test_a_corrected_question_gets_the_prompt_of_the_next_run(self, tmp_path):
        items = pairs()
        passage = ft.Passage(id="a", title="Spheres", text="A sphere is round.")
        ft.build_index(tmp_path / "x.lance", [passage])
        augmenter = ft.RagAugmenter(tmp_path / "x.lance", k=1)
        with reviewed(tmp_path, items, augmenter=augmenter) as (_, client):
            client.decide(items[0].id, "question", text="What is a sphere?")
            told = client.get("/pair", id=items[0].id)
        row = next(r for r in pipeline(tmp_path, items, augmenter=augmenter).rows() if r.id == items[0].id)
        assert told["prompt"]["text"] == row.prompt.text
        assert told["prompt"]["passages"] == 1
        assert told["question"] == "What is a sphere?"

    def test_no_model_is_asked_because_someone_looks(self, tmp_path):
        def guesses(one: ft.QAPair) -> ft.QAPair:
            assert one.reviewed
            return one

        with reviewed(tmp_path, pairs(), curators=[ft.Decisions(tmp_path / "review.jsonl"), guesses]) as (
            _,
            client,
        ):
            assert client.get("/queue")["all"] == 6

    def test_a_decision_about_changed_messages_is_shown_as_void(self, tmp_path):
        items = pairs()
        ft.Decisions(tmp_path / "review.jsonl").accept(evolve(items[2], answer="Earlier."))
        with reviewed(tmp_path, items) as (_, client):
            assert client.get("/queue", state="todo")["items"][0][:2] == [items[2].id, "changed"]
            told = client.get("/pair", id=items[2].id)
            assert (told["void"], told["decision"]) == (True, None)

    def test_texts_that_no_prompt_can_hold_are_shown_with_a_reason(self, tmp_path):
        broken = pair("half \ud800 of it?", "so", id="x:\ud800")
        with reviewed(tmp_path, [broken, *pairs(1)]) as (_, client):
            for uid, _, _ in client.get("/queue")["items"]:
                told = client.get("/pair", id=uid)
                assert bool(told["problem"]) == (uid != "discord:1000")
                assert ("problem" in told["prompt"]) == (uid != "discord:1000")

    def test_pairs_with_the_same_words_are_similar(self, tmp_path):
        items = [
            pair("How do I draw a red sphere?", "So."),
            pair("how can I draw a sphere that is red", "Like this."),
            pair("Where is the changelog?", "In the docs."),
        ]
        with reviewed(tmp_path, items) as (_, client):
            assert [o["id"] for o in client.get("/pair", id=items[0].id)["similar"]] == [items[1].id]
            assert client.get("/pair", id=items[2].id)["similar"] == []

    def test_a_source_without_messages_says_so(self, world):
        _, client, _ = world
        around = client.get("/pair", id="discord:1000")["around"]
        assert around["messages"] == []
        assert "pairs only" in around["problem"]


class TestSurroundings:
    def test_each_pair_has_its_own_messages_and_some_before_and_after(self, tmp_path):
        with reviewed(tmp_path) as (_, client):
            for uid, _, _ in client.get("/queue")["items"]:
                told = client.get("/pair", id=uid)
                parts = [m["part"] for m in told["around"]["messages"]]
                assert {"question", "answer"} <= set(parts), uid
                assert parts.index("question") < parts.index("answer")
                assert len(parts) <= 60
                assert not told["around"]["reading"]

    def test_a_journal_gives_the_messages_around_its_pairs_too(self, tmp_path):
        begin(tmp_path / "journal", "720000000000000001")
        journal = ft.JournalCollector(tmp_path / "journal")
        journal.adopt(EXPORTS)
        before = 0
        with reviewed(tmp_path, collector=journal) as (_, client):
            for uid, _, _ in client.get("/queue")["items"]:
                parts = [m["part"] for m in client.get("/pair", id=uid)["around"]["messages"]]
                assert {"question", "answer"} <= set(parts), uid
                before += parts[0] == ""
        assert before

    def test_people_who_do_not_take_part_are_not_shown(self, tmp_path):
        everyone = list(ft.DiscordExportCollector(EXPORTS).messages())
        counts: dict[str, int] = {}
        raw = [json.loads(p.read_text("utf-8")) for p in sorted(EXPORTS.glob("*.json"))]
        for export in raw:
            for message in export["messages"]:
                counts[message["author"]["id"]] = counts.get(message["author"]["id"], 0) + 1
        out = max(counts, key=counts.__getitem__)
        theirs = {
            m["content"]
            for e in raw
            for m in e["messages"]
            if m["author"]["id"] == out and len(m["content"]) > 25
        }
        assert theirs
        assert len(everyone) > len(theirs)
        collector = ft.DiscordExportCollector(EXPORTS, consent=ft.Consent(opt_out=[out]))
        shown = ""
        with reviewed(tmp_path, collector=collector) as (_, client):
            for uid, _, _ in client.get("/queue")["items"]:
                shown += "\n".join(m["text"] for m in client.get("/pair", id=uid)["around"]["messages"])
        assert shown
        assert not [text for text in theirs if text in shown]

    def test_no_name_and_no_secret_is_shown(self, tmp_path):
        names = {
            str(m["author"][key])
            for p in EXPORTS.glob("*.json")
            for m in json.loads(p.read_text("utf-8"))["messages"]
            for key in ("id", "name", "nickname")
            if len(str(m["author"].get(key) or "")) > 3
        }
        ids = {name for name in names if name.isdigit()}
        with reviewed(tmp_path) as (_, client):
            for uid, _, _ in client.get("/queue")["items"]:
                told = client.get("/pair", id=uid)
                whole = json.dumps(told["around"], ensure_ascii=False)
                assert not [i for i in ids if i in whole]
                speakers = {m["who"] for m in told["around"]["messages"]}
                assert all(
                    who in ("Asker", "Answerer", "Asker and answerer", "Bot") or who.startswith("Person ")
                    for who in speakers
                )

    def test_a_collector_that_fails_to_give_messages_does_not_end_the_review(self, tmp_path):
        class Failing(ListCollector):
            def messages(self):
                raise RuntimeError("secret words")

        with reviewed(tmp_path, collector=Failing(pairs())) as (_, client):
            around = client.get("/pair", id="discord:1000")["around"]
            assert "RuntimeError" in around["problem"]
            assert "secret words" not in around["problem"]


class TestArguments:
    def test_it_says_what_it_needs(self, tmp_path):
        plain = ft.Pipeline(collector=ListCollector(pairs()))
        two = ft.Decisions([tmp_path / "a", tmp_path / "b"])
        for wrong in (
            lambda: ft.ReviewPage(plain),
            lambda: ft.ReviewPage(plain, two),
            lambda: ft.ReviewPage("exports"),
            lambda: ft.ReviewPage(plain, ft.Decisions(tmp_path / "a"), near=2),
            lambda: ft.ReviewPage(plain, ft.Decisions(tmp_path / "a"), port=70_000),
            lambda: ft.ReviewPage(plain, ft.Decisions(tmp_path / "a"), by=3),
        ):
            with pytest.raises(ConfigError):
                wrong()

    def test_a_port_that_is_taken_is_named(self, tmp_path):
        with ft.ReviewPage(pipeline(tmp_path, pairs())) as page:
            port = Client(page).port
            with pytest.raises(ConfigError, match=str(port)):
                ft.ReviewPage(pipeline(tmp_path, pairs()), port=port)

    def test_nothing_answers_after_it_is_closed(self, tmp_path):
        with ft.ReviewPage(pipeline(tmp_path, pairs())) as page:
            client = Client(page).open()
        with pytest.raises(ConnectionError):
            client.get("/queue")
        page.wait()
        page.close()

    def test_a_connection_that_is_still_open_is_refused_after_it_is_closed(self, tmp_path):
        with ft.ReviewPage(pipeline(tmp_path, pairs())) as page:
            client = Client(page).open()
            connection = http.client.HTTPConnection("127.0.0.1", client.port, timeout=10)
            headers = {"Cookie": client.cookie, "X-Furytune-Key": client.key, "Origin": client.origin}
            connection.request("GET", "/queue", headers=headers)
            response = connection.getresponse()
            assert response.status == 200
            response.read()
        body = json.dumps({"id": "discord:1000", "action": "accept", "revision": 0})
        connection.request("POST", "/decide", body, {**headers, "Content-Type": "application/json"})
        assert connection.getresponse().status == 503
        connection.close()
        assert ft.Decisions(tmp_path / "review.jsonl").revision == 0
