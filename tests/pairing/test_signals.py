"""What a text signals, in many languages."""

from __future__ import annotations

from importlib.resources import files

import linear_time
import pytest
from hypothesis import given
from hypothesis import strategies as st

from furytune.pairing import is_question
from furytune.pairing.signals import Signals, signals
from furytune.pairing.signals.phrasebook import KINDS, phrasebook, words_of

QUESTIONS = {
    "English": [
        "how do I rotate the camera",
        "hey folks, anyone here used the slicer on a Mac",
        "is there a way to hide the axes",
        "I'm trying to export a mesh but the file stays empty",
        "my sphere does not show up",
        "The colour bar is missing after the update.",
        "I can't figure out the units of this array",
        "window stays black for some reason",
    ],
    "Spanish": [
        "alguien sabe cómo exportar la malla",
        "hola, cómo puedo girar la cámara",
        "la ventana no funciona en Windows",
        "estoy intentando cargar una textura",
    ],
    "Portuguese": [
        "alguém sabe como exportar a malha",
        "como faço para girar a câmera",
        "não consigo abrir o arquivo",
        "o programa não funciona no Linux",
    ],
    "French": [
        "comment faire pour tourner la caméra",
        "est-ce que quelqu'un utilise la version 2",
        "la fenêtre ne s'affiche pas",
        "j'essaie de charger une texture",
    ],
    "German": [
        "wie kann ich die Kamera drehen",
        "hat jemand eine Idee",
        "die Anzeige geht nicht",
        "Ich bekomme den Fehler nicht weg",
        "das Fenster bleibt schwarz",
    ],
    "Italian": [
        "come posso ruotare la camera",
        "qualcuno sa dove si trova il file",
        "la finestra non funziona",
        "non riesco ad aprire il file",
    ],
    "Russian": [
        "как повернуть камеру",
        "подскажите, где лежит файл настроек",
        "у меня не работает окно",
        "кто-нибудь пробовал новую версию",
    ],
    "Ukrainian": [
        "як повернути камеру",
        "чи можна сховати осі",
        "вікно не працює",
        "підкажіть, де лежить файл",
    ],
    "Turkish": [
        "kamerayı nasıl döndürebilirim",
        "bilen var mı",
        "pencere çalışmıyor",
        "bu sürüm eski mi",
    ],
    "Polish": [
        "jak obrócić kamerę",
        "czy ktoś używa nowej wersji",
        "okno nie działa",
        "nie wiem jak ukryć osie",
    ],
    "Dutch": [
        "hoe kan ik de camera draaien",
        "weet iemand waar het bestand staat",
        "het venster werkt niet",
        "ik krijg een foutmelding",
    ],
    "Chinese": ["怎么旋转相机", "有人知道文件在哪里", "窗口打不开", "这个版本支持透明吗", "如何隐藏坐标轴"],
    "Japanese": [
        "カメラを回転させるにはどうすればいいですか",
        "ウィンドウが表示されません",
        "動かない",
        "どなたか教えてください",
        "透明にできますか",
    ],
    "Korean": [
        "카메라를 어떻게 돌리나요",
        "창이 안 떠요",
        "혹시 아시는 분 계신가요",
        "설치 오류가 나요",
    ],
    "Arabic": ["كيف أدير الكاميرا", "هل يوجد مثال", "النافذة لا تظهر", "عندي مشكلة في التثبيت"],
    "Hindi": ["कैमरा कैसे घुमाएं", "क्या कोई उदाहरण है", "विंडो नहीं खुल रही", "मदद चाहिए"],
}

STATEMENTS = {
    "English": [
        "You can use the camera's azimuth for that.",
        "Set the opacity below one and render again.",
        "Good morning everyone",
        "That fixed it, thanks a lot!",
        "No problem, glad I could help.",
        "I wrote a small viewer for molecules.",
        "The meeting starts at nine.",
        "We released version two today.",
        "Everyone is welcome in the call.",
    ],
    "Spanish": [
        "Gracias, ya funciona",
        "Usa la función de la cámara.",
        "Buenos días a todos",
        "La versión dos salió ayer.",
    ],
    "Portuguese": ["Obrigado, agora funcionou", "Bom dia pessoal", "A versão dois saiu ontem."],
    "French": ["Merci, ça marche", "Bonjour à tous", "La version deux est sortie hier."],
    "German": [
        "Danke, jetzt geht es",
        "Guten Morgen zusammen",
        "Die neue Version ist da.",
        "Kein Problem, gerne.",
        "Wie gesagt, die Datei ist alt.",
    ],
    "Italian": ["Grazie, ora funziona", "Buongiorno a tutti", "La nuova versione è uscita ieri."],
    "Russian": ["Спасибо, заработало", "Всем привет", "Новая версия вышла вчера.", "Можно через настройки."],
    "Ukrainian": ["Дякую, запрацювало", "Всім привіт", "Нова версія вийшла вчора."],
    "Turkish": ["Teşekkürler, çalıştı", "Herkese merhaba", "Yeni sürüm dün çıktı."],
    "Polish": ["Dzięki, już działa", "Dzień dobry wszystkim", "Nowa wersja wyszła wczoraj."],
    "Dutch": ["Bedankt, het werkt nu", "Goedemorgen iedereen", "De nieuwe versie kwam gisteren uit."],
    "Chinese": ["谢谢,解决了", "大家好", "新版本昨天发布了", "没什么"],
    "Japanese": [
        "ありがとうございます、動きました",
        "おはようございます",
        "新しいバージョンは昨日公開されました",
    ],
    "Korean": ["감사합니다, 해결했어요", "안녕하세요", "새 버전은 어제 나왔습니다"],
    "Arabic": ["شكرا، تم الحل", "صباح الخير", "صدر الإصدار الجديد أمس"],
    "Hindi": ["धन्यवाद, काम कर गया", "नमस्ते", "नया संस्करण कल आया"],
}

EXAMPLES = {
    "asks": ["is it fast?", "快吗？", "هل هو سريع؟"],
    "ends_asking": ["It fails. Which version?", "see `f()`, ok? **"],
    "asks_without_mark": ["how do I rotate it", "Is it fast", "какой файл нужен"],
    "reports_trouble": [
        "the mesh is empty",
        "Traceback (most recent call last)",
        "geht nicht",
        "我的窗口黑屏",
    ],
    "seeks_help": [
        "does anyone know a library",
        "any idea",
        "ich suche ein Beispiel",
        "помогите",
        "도와주세요",
    ],
    "asks_back": [
        "can you post your code",
        "Which version are you on",
        "what does the log say",
        "paste the traceback",
        "did you try the nightly build",
        "welche Version benutzt du",
        "какая версия",
        "バージョンは",
    ],
    "thanks": ["Thank you so much", "merci beaucoup", "ありがとう", "谢谢", "teşekkürler", "🙏"],
    "works_now": [
        "that fixed it",
        "works, thanks",
        "solved",
        "figured it out",
        "ya funciona",
        "заработало",
        "解决了",
    ],
    "still_fails": ["still the same error", "that didn't help", "sigue sin cargar", "не помогло", "还是黑屏"],
    "solution_by_asker": [
        "solved it: two copies were installed",
        "turns out the file was empty",
        "the fix was to restart",
        "la solución era reiniciar",
        "оказалось, файл пустой",
        "原来是路径错了",
    ],
    "tells_what_to_do": [
        "use `actor` for that",
        "Try a smaller radius",
        "you need to call render first",
        "change radius to 2",
        "du musst neu starten",
        "попробуй другой файл",
        "再起動してください",
        "建议用新版本",
    ],
    "states_how_it_is": [
        "that's a known bug",
        "it is not supported",
        "fixed in 2.1",
        "es ist ein bekannter Fehler",
        "это известный баг",
        "仕様です",
    ],
    "promise_only": ["I'll look into it", "will check tomorrow", "посмотрю завтра", "確認します"],
    "me_too": ["same here", "+1", "me too", "у меня тоже", "我也是"],
    "redirects": ["please open an issue", "ask in <#123>", "see DM", "contact support", "提个issue"],
    "greeting_only": ["hi", "Hello everyone!", "good morning all 👋", "привет", "こんにちは"],
    "team_talk": [
        "shall we release on Monday",
        "can you review my PR",
        "standup at ten",
        "let's merge it",
        "давайте созвонимся",
    ],
    "announcement": [
        "@everyone version two is out",
        "we just released a new version",
        "new blog post about shaders",
    ],
    "leans_on_file": ["see screenshot", "as in the picture", "siehe Screenshot", "на скриншоте", "如图"],
    "leans_on_above": [
        "see above",
        "as I said",
        "like <@12> said",
        "And with two of them",
        "wie gesagt",
        "如上",
    ],
    "says_yes": ["yes, it can", "genau", "да", "はい"],
    "says_no": ["no, sorry", "Unfortunately not", "nein", "нет", "いいえ"],
    "shows_failure": ["```\nValueError: no mesh\n```", "it says error: no such file"],
    "quotes": ["> try two\nno", ">>> all of this"],
    "has_mention": ["<@123> look", "see <#5>"],
    "code": ["`x`", "```py\nx = 1\n```"],
    "link_only": ["https://example.org/a", "<https://example.org> https://example.org/b"],
}

COUNTER = {
    "asks": ["https://example.org/?q=1", "`a ? b : c`", "> really?\nYes."],
    "asks_without_mark": [
        "I can see it",
        "You can use it",
        "what a nice picture",
        "Island life",
        "who knows",
    ],
    "reports_trouble": ["no errors now", "without any problem", "no problem", "kein Problem", "没问题"],
    "seeks_help": ["hope this helps", "happy to help"],
    "thanks": ["thanks in advance", "danke im Voraus"],
    "works_now": [
        "it does not work",
        "not solved yet",
        "if it works, tell me",
        "I hope it works",
        "не работает",
        "没解决",
    ],
    "solution_by_asker": ["what was the solution", "I forgot to mention the version"],
    "tells_what_to_do": ["please help", "can you please share it"],
    "states_how_it_is": ["what is the reason"],
    "promise_only": ["I'll check, but you can use `actor` until then"],
    "leans_on_above": ["The window is black. And it flickers.", "We use it and it runs."],
    "leans_on_file": ["I want to load images from a folder", "the file is empty"],
    "says_yes": ["The flag is set, yes"],
    "says_no": ["It runs. No errors so far."],
    "asks_back": ["I will add it tomorrow", "so I could share the result"],
    "team_talk": ["I'm working on a small game"],
    "me_too": ["it is 1 metre long"],
    "greeting_only": ["hi, my window is black", "hello?", "", "Nice!"],
    "link_only": ["look: https://example.org", "", "`x` https://example.org"],
}


def pairs(table: dict[str, list[str]]) -> list[tuple[str, str]]:
    return [(key, text) for key, texts in table.items() for text in texts]


@pytest.mark.parametrize(("language", "text"), pairs(QUESTIONS))
def test_a_question_needs_no_question_mark(language, text):
    assert is_question(text), language


@pytest.mark.parametrize(("language", "text"), pairs(STATEMENTS))
def test_a_statement_is_not_a_question(language, text):
    assert not is_question(text), language


@pytest.mark.parametrize(("name", "text"), pairs(EXAMPLES))
def test_a_text_signals_what_it_is(name, text):
    assert getattr(signals(text), name)


@pytest.mark.parametrize(("name", "text"), pairs(COUNTER))
def test_a_text_does_not_signal_what_only_looks_like_it(name, text):
    assert not getattr(signals(text), name)


def test_every_signal_has_an_example():
    counts = {"code_lines", "links", "words"}
    assert set(EXAMPLES) == set(Signals.__struct_fields__) - counts


class TestCounts:
    def test_words_of_code_links_and_quotes_do_not_count(self):
        assert signals("> old text\nthree more words\n```\na b c\n``` https://example.org/x").words == 3

    def test_lines_of_fenced_code_and_links_are_counted(self):
        said = signals("```py\na\nb\n``` and ```c``` http://a.example http://b.example")
        assert (said.code_lines, said.links) == (4, 2)

    def test_two_chinese_characters_count_as_a_word(self):
        assert signals("旋转相机").words == 2 + 1


class TestLaws:
    @given(st.text())
    def test_any_text_can_be_read(self, text):
        assert signals(text) == signals(text)
        assert is_question(text) in (True, False)

    @given(
        st.text(st.characters(exclude_characters="`")),
        st.sampled_from([text for _, text in pairs(QUESTIONS)]),
    )
    def test_words_in_code_do_not_count(self, code, text):
        with_code, without = signals(f"{text}\n```\n{code}\n```"), signals(f"{text}\n```\nx\n```")
        for name in set(EXAMPLES) - {"shows_failure", "reports_trouble"}:
            assert getattr(with_code, name) == getattr(without, name)

    @given(
        st.sampled_from([text for _, text in pairs(QUESTIONS)]),
        st.sampled_from(["hi", "Hello all,", "ok so", "<@12>", "hola", "привет,"]),
    )
    def test_a_greeting_before_a_question_does_not_hide_it(self, text, greeting):
        assert is_question(f"{greeting} {text}")

    @given(st.sampled_from([text for _, text in pairs(QUESTIONS)]))
    def test_letter_case_does_not_count(self, text):
        assert signals(text.upper()).asks_without_mark == signals(text.upper().lower()).asks_without_mark


class TestPhrases:
    def test_there_is_a_file_for_each_kind_and_no_other(self):
        folder = files("furytune.pairing.signals").joinpath("phrases")
        assert {file.name for file in folder.iterdir()} == {f"{kind}.txt" for kind in (*KINDS, "opener")}

    @pytest.mark.parametrize("kind", KINDS)
    def test_the_words_of_a_phrase_are_words_of_a_text(self, kind):
        """Otherwise the phrase is never found."""
        text = (
            files("furytune.pairing.signals").joinpath("phrases", f"{kind}.txt").read_text("utf-8").casefold()
        )
        phrases = [p for line in text.splitlines() if not line.startswith("#") for p in line.split(",")]
        words = {
            w
            for p in phrases
            for part in p.strip(" -^$").split()
            for c in part.split("|")
            for w in c.split("_")
        }
        lost = {w for w in words - {"", "*"} if len(words_of(w)) != 3}
        assert not lost

    def test_the_phrases_are_read_once(self):
        assert phrasebook() is phrasebook()


@pytest.mark.parametrize(
    "pump",
    [
        "a",
        "`",
        "```",
        "?",
        ".",
        "<@",
        "<",
        ":",
        ":a",
        ">",
        "> ",
        "\n> ",
        "http://",
        "i ",
        "is it ",
        "did you ",
        "@",
        "か",
        "没",
        "how ",
        "x\n",
    ],
)
def test_the_time_is_in_proportion_to_the_length(pump):
    assert not linear_time.grows_too_fast(signals, lambda n: pump * (n // len(pump)), (4096, 100_000))
