"""Which language a question is in."""

from __future__ import annotations

import linear_time
import pytest
from hypothesis import given
from hypothesis import strategies as st

from furytune.pairing.languages import language

QUESTIONS = {
    "en": ["How do I rotate the camera?", "my sphere does not show up", "is this a known bug", "why?"],
    "es": [
        "¿Cómo puedo girar la cámara?",
        "alguien sabe donde esta el archivo",
        "no funciona la instalación",
    ],
    "pt": ["Como faço para girar a câmera?", "não consigo abrir o arquivo", "alguém sabe onde fica isso"],
    "fr": ["Comment tourner la caméra ?", "la fenêtre ne s'affiche pas", "est-ce que quelqu'un l'utilise"],
    "de": ["Wie drehe ich die Kamera?", "das geht bei mir nicht", "hat jemand eine Idee", "es heißt so"],
    "it": ["Come posso ruotare la camera?", "non riesco ad aprire il file", "qualcuno sa dove si trova"],
    "nl": ["Hoe kan ik de camera draaien?", "het venster blijft zwart", "weet iemand waar dit staat"],
    "pl": ["Jak obrócić kamerę?", "okno nie działa", "czy ktoś wie gdzie to jest"],
    "tr": ["Kamerayı nasıl döndürebilirim?", "bu neden oluyor", "bilen var mı"],
    "ru": ["Как повернуть камеру?", "у меня не работает окно", "кто пробовал новую версию"],
    "uk": ["Як повернути камеру?", "вікно не працює", "чи можна сховати осі"],
    "ja": ["カメラを回すには?", "球が表示されません", "どうすればいいですか"],
    "zh": ["怎么旋转相机?", "窗口是黑色的", "有人知道嗎"],
    "ko": ["카메라를 어떻게 돌리나요?", "창이 안 열려요"],
    "ar": ["كيف أدير الكاميرا؟", "النافذة لا تعمل"],
    "he": ["איך מסובבים את המצלמה?"],
    "el": ["Πώς περιστρέφω την κάμερα;"],
    "th": ["หมุนกล้องอย่างไร"],
    "hi": ["कैमरा कैसे घुमाएँ?"],
}


@pytest.mark.parametrize("code", QUESTIONS)
def test_the_language_of_a_question_is_told(code):
    assert {text: language(text) for text in QUESTIONS[code]} == dict.fromkeys(QUESTIONS[code], code)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "?",
        "1.2.3",
        "ImportError vtk 9.3",
        "https://example.org/how/do/i",
        "```\nfor x in the_list: is not\n```",
        "`is not in`",
        "<@123> <:what_is_this:456>",
        "como",  # Spanish and Portuguese
    ],
)
def test_a_text_without_a_clear_language_has_none(text):
    assert language(text) == ""


@pytest.mark.parametrize(
    "text",
    [
        "Hur kan jag vrida kameran på min dator?",
        "Hvordan drejer jeg kameraet på min skærm?",
        "Jak mám otočit kameru? Nějak to nejde, že ne, a už vůbec ne ve středu",
        "làm thế nào để xoay máy ảnh",
        "چگونه دوربین را بچرخانم؟ پنجره کار نمی‌کند",
        "Како да окренем камеру? Није ми јасно, љубим вас",
    ],
)
def test_a_language_that_no_one_looks_for_is_none_of_its_neighbours(text):
    assert language(text) == ""


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("怎么用 actor.sphere 设置 opacity?", "zh"),
        ("actor.sphere の opacity を変えるには?", "ja"),
        ("actor.sphere 에서 opacity 를 어떻게 바꾸나요?", "ko"),
        ("как задать opacity у actor.sphere", "ru"),
        ("What does 错误 mean in this window?", "en"),
        ("Why is the angle θ not in Å?", "en"),
        ("Wie kann ich `how do I do this` ausschalten?", "de"),
        ("```\n# 这是一个很长的注释\n```\nWhy does this not work?", "en"),
        ("Comment faire ? https://example.org/what-is-this-and-how-do-you-do-it", "fr"),
    ],
)
def test_names_code_and_quotes_do_not_hide_the_language(text, code):
    assert language(text) == code


@given(st.text())
def test_any_text_has_a_code_of_two_letters_or_none(text):
    assert language(text) in {*QUESTIONS, ""}


@given(st.sampled_from([q for texts in QUESTIONS.values() for q in texts]), st.text(alphabet="abc ._=\n"))
def test_code_changes_no_language(question, code):
    assert language(f"```{code}```\n{question}") == language(question)


@pytest.mark.parametrize(
    "unit", ["`", "```", "how do I ", "<@", "<:a", "http://", "怎么", "ção ", "ся на ", "\u0130", "a\n"]
)
def test_long_texts_take_linear_time(unit):
    assert linear_time.grows_too_fast(language, lambda n: unit * (n // len(unit)), (1_000, 40_000)) == ""
