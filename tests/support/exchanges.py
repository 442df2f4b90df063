"""The same five help exchanges in thirteen languages: question, answer, and what the asker says then. Made up."""

from __future__ import annotations

# Save a picture; window stays black (no question mark); where is it documented; can it run without a window; a known bug.
EXCHANGES = {
    "en": [
        ("How do I save the window as a picture?", "Use `window.snapshot('a.png')`.", "thanks, that works"),
        ("my window stays black since the update", "You have to call `show_object` first.", "thank you!"),
        (
            "Where do I find the list of keyboard shortcuts",
            "In the manual, chapter 3: https://docs.example.org/keys",
            "",
        ),
        (
            "Can I run it without a window?",
            "Yes, start it with `--headless`, then it only writes files.",
            "great, thanks",
        ),
        (
            "I get an error when I open large files",
            "That is a known bug. It is fixed in 2.1, please update.",
            "",
        ),
    ],
    "es": [
        ("¿Cómo guardo la ventana como imagen?", "Usa `window.snapshot('a.png')`.", "gracias, funciona"),
        (
            "mi ventana se queda negra desde la actualización",
            "Tienes que llamar antes a `show_object`.",
            "¡gracias!",
        ),
        (
            "Dónde encuentro la lista de atajos de teclado",
            "En el manual, capítulo 3: https://docs.example.org/keys",
            "",
        ),
        (
            "¿Puedo ejecutarlo sin ventana?",
            "Sí, inícialo con `--headless`, así solo escribe archivos.",
            "genial, gracias",
        ),
        (
            "Me sale un error al abrir archivos grandes",
            "Es un fallo conocido. Está arreglado en 2.1, actualiza.",
            "",
        ),
    ],
    "pt": [
        ("Como salvo a janela como imagem?", "Use `window.snapshot('a.png')`.", "obrigado, funcionou"),
        (
            "minha janela fica preta desde a atualização",
            "Você precisa chamar `show_object` antes.",
            "obrigada!",
        ),
        (
            "Onde encontro a lista de atalhos do teclado",
            "No manual, capítulo 3: https://docs.example.org/keys",
            "",
        ),
        (
            "Posso rodar sem janela?",
            "Sim, inicie com `--headless`, aí ele só grava arquivos.",
            "ótimo, obrigado",
        ),
        (
            "Dá um erro quando abro arquivos grandes",
            "É um bug conhecido. Foi corrigido na 2.1, atualize.",
            "",
        ),
    ],
    "fr": [
        (
            "Comment enregistrer la fenêtre en image ?",
            "Utilise `window.snapshot('a.png')`.",
            "merci, ça marche",
        ),
        ("ma fenêtre reste noire depuis la mise à jour", "Il faut d'abord appeler `show_object`.", "merci !"),
        (
            "Où trouver la liste des raccourcis clavier",
            "Dans le manuel, chapitre 3 : https://docs.example.org/keys",
            "",
        ),
        (
            "Est-ce que je peux le lancer sans fenêtre ?",
            "Oui, lance-le avec `--headless`, il n'écrit alors que des fichiers.",
            "super, merci",
        ),
        (
            "J'ai une erreur quand j'ouvre de gros fichiers",
            "C'est un bug connu. Il est corrigé dans la 2.1, mets à jour.",
            "",
        ),
    ],
    "de": [
        ("Wie speichere ich das Fenster als Bild?", "Nimm `window.snapshot('a.png')`.", "danke, das geht"),
        ("mein Fenster bleibt seit dem Update schwarz", "Du musst vorher `show_object` aufrufen.", "danke!"),
        (
            "Wo finde ich die Liste der Tastenkürzel",
            "Im Handbuch, Kapitel 3: https://docs.example.org/keys",
            "",
        ),
        (
            "Kann ich es ohne Fenster laufen lassen?",
            "Ja, starte es mit `--headless`, dann schreibt es nur Dateien.",
            "super, danke",
        ),
        (
            "Ich bekomme einen Fehler, wenn ich große Dateien öffne",
            "Das ist ein bekannter Fehler. In 2.1 ist er behoben, bitte aktualisieren.",
            "",
        ),
    ],
    "it": [
        ("Come salvo la finestra come immagine?", "Usa `window.snapshot('a.png')`.", "grazie, funziona"),
        ("la mia finestra resta nera dopo l'aggiornamento", "Devi prima chiamare `show_object`.", "grazie!"),
        (
            "Dove trovo l'elenco delle scorciatoie da tastiera",
            "Nel manuale, capitolo 3: https://docs.example.org/keys",
            "",
        ),
        (
            "Posso eseguirlo senza finestra?",
            "Sì, avvialo con `--headless`, così scrive solo file.",
            "ottimo, grazie",
        ),
        (
            "Ricevo un errore quando apro file grandi",
            "È un bug noto. È stato corretto nella 2.1, aggiorna.",
            "",
        ),
    ],
    "ru": [
        ("Как сохранить окно как картинку?", "Используй `window.snapshot('a.png')`.", "спасибо, работает"),
        ("после обновления окно остаётся чёрным", "Сначала нужно вызвать `show_object`.", "спасибо!"),
        ("Где найти список горячих клавиш", "В руководстве, глава 3: https://docs.example.org/keys", ""),
        (
            "Можно запустить без окна?",
            "Да, запусти с `--headless`, тогда он только пишет файлы.",
            "отлично, спасибо",
        ),
        (
            "Получаю ошибку, когда открываю большие файлы",
            "Это известный баг. В 2.1 исправлено, обновись.",
            "",
        ),
    ],
    "pl": [
        ("Jak zapisać okno jako obrazek?", "Użyj `window.snapshot('a.png')`.", "dzięki, działa"),
        (
            "po aktualizacji okno jest czarne i nic nie działa",
            "Musisz najpierw wywołać `show_object`.",
            "dziękuję!",
        ),
        (
            "Gdzie znajdę listę skrótów klawiszowych",
            "W podręczniku, rozdział 3: https://docs.example.org/keys",
            "",
        ),
        (
            "Czy mogę uruchomić to bez okna?",
            "Tak, uruchom z `--headless`, wtedy zapisuje tylko pliki.",
            "super, dzięki",
        ),
        ("Dostaję błąd przy otwieraniu dużych plików", "To znany błąd. Naprawiony w 2.1, zaktualizuj.", ""),
    ],
    "tr": [
        (
            "Pencereyi resim olarak nasıl kaydederim?",
            "`window.snapshot('a.png')` kullan.",
            "teşekkürler, çalıştı",
        ),
        (
            "güncellemeden beri pencerem siyah kalıyor, çalışmıyor",
            "Önce `show_object` çağırman gerekiyor.",
            "teşekkürler!",
        ),
        (
            "Klavye kısayollarının listesini nerede bulabilirim",
            "Kılavuzda, 3. bölümde: https://docs.example.org/keys",
            "",
        ),
        (
            "Penceresiz çalıştırabilir miyim?",
            "Evet, `--headless` ile başlat, o zaman sadece dosya yazar.",
            "harika, teşekkürler",
        ),
        (
            "Büyük dosyaları açınca hata alıyorum",
            "Bu bilinen bir hata. 2.1 sürümünde düzeltildi, güncelle.",
            "",
        ),
    ],
    "zh": [
        ("怎么把窗口保存成图片？", "用 `window.snapshot('a.png')` 就可以。", "谢谢，可以了"),
        ("更新之后窗口一直是黑的，显示不出来", "你需要先调用 `show_object`。", "谢谢！"),
        ("请问在哪里可以找到快捷键列表", "在手册第三章：https://docs.example.org/keys", ""),
        ("可以不开窗口运行吗？", "可以，用 `--headless` 启动，这样它只写文件。", "太好了，谢谢"),
        ("打开大文件的时候报错", "这是已知的问题，2.1 已经修复了，请更新。", ""),
    ],
    "ja": [
        (
            "ウィンドウを画像として保存するにはどうすればいいですか",
            "`window.snapshot('a.png')` を使ってください。",
            "ありがとうございます、できました",
        ),
        (
            "アップデートしてからウィンドウが真っ黒のままです",
            "先に `show_object` を呼び出す必要があります。",
            "ありがとうございます!",
        ),
        (
            "キーボードショートカットの一覧はどこにありますか",
            "マニュアルの第3章にあります: https://docs.example.org/keys",
            "",
        ),
        (
            "ウィンドウなしで実行できますか？",
            "はい、`--headless` で起動すると、ファイルだけを書き出します。",
            "助かりました、ありがとう",
        ),
        (
            "大きなファイルを開くとエラーになります",
            "既知の不具合です。2.1 で修正されたので、更新してください。",
            "",
        ),
    ],
    "ko": [
        (
            "창을 그림으로 저장하려면 어떻게 하나요?",
            "`window.snapshot('a.png')` 를 사용하세요.",
            "감사합니다, 됩니다",
        ),
        (
            "업데이트한 뒤로 창이 계속 검은색이에요, 안 나와요",
            "먼저 `show_object` 를 호출해야 합니다.",
            "감사합니다!",
        ),
        ("단축키 목록은 어디에 있나요", "설명서 3장에 있습니다: https://docs.example.org/keys", ""),
        ("창 없이 실행할 수 있나요?", "네, `--headless` 로 시작하면 파일만 씁니다.", "고맙습니다"),
        ("큰 파일을 열면 오류가 나요", "알려진 버그입니다. 2.1 에서 수정되었으니 업데이트하세요.", ""),
    ],
    "ar": [
        ("كيف أحفظ النافذة كصورة؟", "استخدم `window.snapshot('a.png')`.", "شكرا، يعمل الآن"),
        ("النافذة سوداء ولا تعمل بعد التحديث", "يجب أن تستدعي `show_object` أولا.", "شكرا!"),
        ("أين أجد قائمة اختصارات لوحة المفاتيح", "في الدليل، الفصل 3: https://docs.example.org/keys", ""),
        ("هل يمكن تشغيله بدون نافذة؟", "نعم، شغله مع `--headless` فيكتب الملفات فقط.", "ممتاز، شكرا"),
        ("تظهر لي رسالة خطأ عند فتح ملفات كبيرة", "هذا خطأ معروف. تم إصلاحه في 2.1، قم بالتحديث.", ""),
    ],
}
