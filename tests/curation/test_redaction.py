"""Redaction: what is replaced, what is kept, and that hostile texts take linear time."""

from __future__ import annotations

import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from furytune._privacy.redaction import redact
from furytune.errors import ConfigError

# Put together from parts, so that no scanner takes this file for a leak.
BODY = string.ascii_letters + string.digits  # 62 characters
DISCORD_ID = "MTIzNDU2Nzg5MDEyMzQ1Njc4OQ"

SECRETS = {
    "discord bot, 27 characters at the end": f"{DISCORD_ID}.GabcdE.{BODY[:27]}",
    "discord bot, 38 characters at the end": f"{DISCORD_ID}.GabcdE.{BODY[:38]}",
    "discord bot, 72 characters at the end": f"{DISCORD_ID}.X-hvzA.{BODY}-{BODY[:9]}",
    "discord account with second factor": "mfa." + BODY + BODY[:22],
    "discord webhook": f"https://discord.com/api/webhooks/123456789012345678/{BODY}-_x",
    "discord webhook of the old host": f"https://canary.discordapp.com/api/v10/webhooks/123456789012345678/{BODY}",
    "github classic": "ghp_" + BODY[:36],
    "github server": "ghs_" + BODY[:36],
    "github fine-grained": "github_pat_" + BODY[:22] + "_" + BODY[:59],
    "gitlab": "glpat-" + BODY[:20],
    "google api key": "AIza" + BODY[:35],
    "google access token": "ya29.a0" + BODY,
    "google client secret": "GOCSPX-" + BODY[:28],
    "openai classic": "sk-" + BODY[:48],
    "openai project": "sk-proj-" + BODY[:30] + "_-" + BODY[:20],
    "anthropic": "sk-ant-api03-" + BODY,
    "slack bot": "xoxb-123456789012-1234567890123-" + BODY[:24],
    "slack webhook": "https://hooks.slack.com/services/T00000000/B00000000/" + BODY[:24],
    "aws key id": "AKIA" + "IOSFODNN7EXAMPLE",
    "aws temporary key id": "ASIA" + "IOSFODNN7EXAMPLE",
    "stripe": "sk_live_" + BODY[:24],
    "stripe restricted": "rk_test_" + BODY[:24],
    "pypi": "pypi-AgEIcHlwaS5vcmc" + BODY + BODY,
    "npm": "npm_" + BODY[:36],
    "hugging face": "hf_" + BODY[:34],
    "sendgrid": "SG." + BODY[:22] + "." + BODY[:43],
    "digitalocean": "dop_v1_" + "0123456789abcdef" * 4,
    "docker": "dckr_pat_" + BODY[:27],
    "telegram": "1234567890:AA" + BODY[:33],
    "json web token": f"eyJhbGciOiJIUzI1NiJ9.eyJ{BODY[:20]}.{BODY[:43]}",
    "private key": f"-----BEGIN RSA PRIVATE KEY-----\n{BODY}\n{BODY}\nabc=\n-----END RSA PRIVATE KEY-----",
    "private key with headers": "-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,0\n\n"
    f"{BODY}\n-----END EC PRIVATE KEY-----",
    "private key on one line": rf"-----BEGIN PRIVATE KEY-----\n{BODY}\n{BODY}\n-----END PRIVATE KEY-----",
    "private key without its end": f"-----BEGIN OPENSSH PRIVATE KEY-----\n{BODY}\n{BODY}",
    "pgp": f"-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n{BODY}\n-----END PGP PRIVATE KEY BLOCK-----",
}

AROUND = ["{}", "token: {}", "'{}'", '"{}"', "`{}`", "({}).", "KEY={}\n", "\n{}\n", "<{}>", "令牌{}，好"]


class TestSecrets:
    @pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS.keys())
    @pytest.mark.parametrize("around", AROUND)
    def test_a_known_token_leaves_no_trace(self, secret, around):
        """At any place, a token is replaced completely and once, and the text around it is kept."""
        assert redact(around.format(secret), {"secrets"}) == (around.format("[secret]"), 1)

    @pytest.mark.parametrize(
        ("text", "clean"),
        [
            ("postgresql://joe:hunter2@db.example.org/x", "postgresql://[secret]@db.example.org/x"),
            ("git clone https://joe:p4ss@github.com/a/b", "git clone https://[secret]@github.com/a/b"),
            ("redis://:p4ss@localhost:6379/0", "redis://[secret]@localhost:6379/0"),
            ('password = "hunter2"', 'password = "[secret]"'),
            ("conn(user='joe', password='hunter2')", "conn(user='joe', password='[secret]')"),
            ("DB_PASSWORD: 'correct-horse'", "DB_PASSWORD: '[secret]'"),
            ('{"api_key": "abcdef123456789"}', '{"api_key": "[secret]"}'),
            ('client_secret="a1b2c3d4e5f6g7"', 'client_secret="[secret]"'),
            ('aws_secret_access_key = "wJalrXUtnFEMI/K7MDENG+x"', 'aws_secret_access_key = "[secret]"'),
            ("export API_TOKEN=abcdef0123456789abcdef", "export API_TOKEN=[secret]"),
            ("DB_PASSWORD=hunter2\nDEBUG=1", "DB_PASSWORD=[secret]\nDEBUG=1"),
            ("Authorization: Bearer abcdef0123456789abcdef", "Authorization: Bearer [secret]"),
        ],
    )
    def test_a_secret_is_replaced_and_its_name_is_kept(self, text, clean):
        """A reader still sees which setting was meant."""
        assert redact(text, {"secrets"}) == (clean, 1)

    def test_each_of_two_tokens_is_counted(self):
        """The count is the number of redacted spans."""
        text = f"{SECRETS['npm']} and {SECRETS['hugging face']}"
        assert redact(text, {"secrets"}) == ("[secret] and [secret]", 2)


class TestPersonalData:
    @pytest.mark.parametrize(
        "address",
        [
            "joe@example.org",
            "joe.doe+fury@mail.example.co.uk",
            "j_d@x.io",
            "josé@example.de",
            "joe@exämple.de",
        ],
    )
    def test_an_e_mail_address_is_replaced(self, address):
        assert redact(f"write to <{address}>, please", {"emails"}) == ("write to <[e-mail]>, please", 1)
        assert redact(f"mailto:{address}.", {"emails"}) == ("mailto:[e-mail].", 1)

    @pytest.mark.parametrize(
        "address", ["91.12.7.88", "91.198.174.192", "2001:4860:4860::8888", "2a00:1:2:3:4:5:6:7"]
    )
    def test_a_public_ip_address_is_replaced(self, address):
        assert redact(f"ping {address} now", {"ips"}) == ("ping [ip] now", 1)

    def test_the_port_and_path_after_an_address_are_kept(self):
        assert redact("http://91.12.7.88:8080/x", {"ips"}) == ("http://[ip]:8080/x", 1)

    @pytest.mark.parametrize(
        "number", ["+49 170 1234567", "+1 (555) 123-4567", "+4917012345678", "+33 1 23 45 67 89"]
    )
    def test_an_international_phone_number_is_replaced(self, number):
        assert redact(f"call {number}!", {"phones"}) == ("call [phone]!", 1)

    def test_only_the_chosen_kinds_are_redacted(self):
        text = f"joe@example.org 91.12.7.88 +49 170 1234567 {SECRETS['npm']}"
        assert redact(text, ()) == (text, 0)
        assert redact(text, {"ips"}) == (text.replace("91.12.7.88", "[ip]"), 1)
        assert redact(text, KINDS) == ("[e-mail] [ip] [phone] [secret]", 4)

    def test_an_unknown_kind_is_refused_by_name(self):
        with pytest.raises(ConfigError, match=r"names.*secrets, emails, ips, phones"):
            redact("x", {"names"})


CODE = [
    "fury==0.12.0 vtk==9.2.0.1 numpy>=1.26.4 v1.2.3.4 version 1.2.3.4, 1.2.3.4rc1 1.2.3.4.5",
    "Mozilla/5.0 Chrome/120.0.0.0 Safari/537.36 Driver/31.0.15.3623",
    "release 13.0.0.0, section 8.2.4.44, 7.4.7.1, the resolver 8.8.8.8, vtk==91.12.13.14 v91.12.13.14",
    "127.0.0.1 0.0.0.0 10.0.0.7 192.168.1.20 172.16.0.1 169.254.0.1 239.255.255.250 255.255.255.0 999.1.1.1",
    'Traceback (most recent call last):\n  File "/home/joe/fury/actor.py", line 1234, in sphere\nValueError: 3',
    "<@123456789012345678> <#987654321098765432> 1234567890123456789 https://discord.com/channels/1/2/3",
    "7de66e5aa6e62af7eed6b312ace025aa74f82932 550e8400-e29b-41d4-a716-446655440000",
    "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "git clone git@github.com:fury-gl/fury.git && pip install 'furytune @ git+https://github.com/a/b@main'",
    "y = x@self.weights + q@k.transpose(1, 0) + a @ b.T\n@pytest.fixture\n@app.route('/')",
    "icon@2x.png  /usr/lib/python3.11/site-packages/fury/ui/elements.py  C:\\Users\\joe\\x.py",
    "tokenizer = 'bert-base-uncased-12345678'; pad_token = '[PAD]'; max_tokens = 4096; key = 'abc'",
    "token = os.environ['TOKEN']; password = getpass(); api_key=api_key; TOKEN=os.getenv('X12345678901234567'); TOKEN=abcdef0123456789abcdef.x(); PASSWORD=os.environ['P']",
    'url = f"postgres://{user}:{password}@{host}/x"; password = "${PASSWORD}"; token = "<your token 1234>"',
    "12:34:56 2021-05-12T10:11:12.123+00:00 std::vector a[::2] aa:bb:cc:dd:ee:ff 1:2:3",
    "x = y +12345; z = +1.5e10; @@ -1,7 +1,9 @@; +1 for this; 1 + 2 - 3",
    "<div class='sk-fading-circle sk-folding-cube-container'> hf_hub_download npm_config_registry ghp_",
    "https://docs.python.org/3/library/re.html#re.sub https://fury.gl/latest/?a=1&b=2:3@4",
]


class TestCodeSurvives:
    @pytest.mark.parametrize("text", CODE)
    def test_code_and_names_of_things_are_kept(self, text):
        """None of these is a secret or a person."""
        assert redact(text, KINDS) == (text, 0)

    def test_a_key_inside_a_longer_word_is_kept(self):
        text = "x" + SECRETS["aws key id"] + "Y and " + SECRETS["aws key id"] + "0"
        assert redact(text, KINDS) == (text, 0)


PIECES = st.sampled_from(
    [
        *SECRETS.values(), "joe@example.org", "91.12.7.88", "2001:db8:1::2", "+49 170 1234567", "https://a:b@", "token = '",
        'password: "', "bearer ", "API_KEY=", "version ", "[secret]", "[e-mail]", "[ip]", "@c.de", "_", "-", ".", "=",
        "'", '"', "/", "//", ":", " ", "\n", "a", "1", "eyJ", "ghp_", "-----BEGIN PRIVATE KEY-----", "-----", "]", "[",
    ]
)  # fmt: skip
TEXTS = st.one_of(st.text(max_size=60), st.lists(PIECES, max_size=12).map("".join))
KINDS = ("secrets", "emails", "ips", "phones")
SOME_KINDS = st.sets(st.sampled_from(KINDS))


class TestLaws:
    @given(TEXTS, SOME_KINDS)
    def test_redacting_twice_is_redacting_once(self, text, kinds):
        """redact(redact(x)) == redact(x), and the second pass finds nothing."""
        once, _ = redact(text, kinds)
        assert redact(once, kinds) == (once, 0)

    @given(TEXTS, SOME_KINDS)
    def test_the_count_is_zero_only_for_unchanged_text(self, text, kinds):
        clean, count = redact(text, kinds)
        assert (count == 0) == (clean == text)

    @given(st.sampled_from(sorted(SECRETS.values())), st.text(max_size=20), st.text(max_size=20))
    def test_a_token_between_any_two_words_leaves_no_trace(self, secret, before, after):
        """A token between spaces is removed from any message."""
        clean, count = redact(f"{before} {secret} {after}", KINDS)
        assert count >= 1
        assert secret not in clean
        assert secret[-20:] not in clean

    @given(TEXTS)
    def test_a_text_without_letters_or_digits_is_unchanged(self, text):
        bare = re.sub(r"\w", "", text)
        assert redact(bare, KINDS) == (bare, 0)


REPEATED = [
    "a", "a.", "a-", "a_", "a@", "a@b.", "a@b.co.-", "@", "1.", "1:", "91.12.7.88/", "+1 ", "+1(1)", "http://a:",
    "https://", "://", ":", "password ", 'password="', "password=", "token=1", "KEY=", "bearer ", "eyJ",
    "eyJaaaaaaaa.", "M", "MMMMMMMMMMMMMMMMMMMMMMMM.", "ghp_", "sk-", "xoxb-", "AKIA", "https://discord.com/api/",
    "-----BEGIN PRIVATE KEY-----\n", "-----BEGIN PRIVATE KEY----- a", "-----", "-", "AAAAAAAAAAAAAAAA\n", "\\n", "\n", " ", "a b@", "a@b.version 91.12.7.88/",
]  # fmt: skip
TAILS = ["", "@", "password", "-----BEGIN PRIVATE KEY-----", '"', ".", "@b", "!"]


@pytest.mark.parametrize("piece", REPEATED)
def test_a_hostile_text_of_100_kb_takes_linear_time(piece):
    """With quadratic time, this test would take minutes."""
    body = piece * (100_000 // len(piece))
    for tail in TAILS:
        for text in (body + tail, tail + body):
            clean, _ = redact(text, KINDS)
            assert redact(clean, KINDS) == (clean, 0)
