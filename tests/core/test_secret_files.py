"""A secret in a file is read at the moment of use, and never shown."""

from __future__ import annotations

import pytest

import furytune as ft
from furytune.errors import ConfigError


def test_the_file_is_read_at_each_use(tmp_path) -> None:
    secret = ft.Secret.file(tmp_path / "token")
    for value in ("hush", "quiet"):
        (tmp_path / "token").write_text(f"\ufeff  {value}\r\n", encoding="utf-8")
        assert secret.reveal() == value
        assert value not in repr(secret)
    assert secret.place == {"file": (tmp_path / "token").as_posix()}
    assert ft.Secret.env("TOKEN").place == {"env": "TOKEN"}
    assert ft.Secret("hush").place == {}


@pytest.mark.parametrize(
    ("content", "said"), [(None, "cannot be read"), (b" \n", "empty"), (b"\xff\xfehush", "text file")]
)
def test_a_file_without_a_secret_is_named(tmp_path, content, said) -> None:
    if content is not None:
        (tmp_path / "token").write_bytes(content)
    with pytest.raises(ConfigError, match=said) as caught:
        ft.Secret.file(tmp_path / "token").reveal()
    assert str(caught.value).startswith(f"{tmp_path / 'token'}: ")
    assert "hush" not in str(caught.value)
