"""Tokens of services, which are known by their prefix or their form.

The forms are those that the services document, or that the rules of gitleaks, https://github.com/gitleaks/gitleaks, know.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from furytune._privacy.redaction.lazy import Lazy
from furytune._privacy.redaction.shape import Shape
from furytune._privacy.redaction.values import is_key, is_real

__all__ = ["SHAPES"]


def _random(match: re.Match[str]) -> bool:
    return is_key(match[0])


def _real(match: re.Match[str]) -> bool:
    return is_real(match[0])


def _token(
    prefix: str,
    body: str,
    *hints: str,
    after: str = r"(?<![A-Za-z0-9])",
    check: Callable[[re.Match[str]], bool] = _real,
) -> Shape:
    """Returns the shape of a token that begins with a known prefix and is not inside a longer word."""
    # It takes all that follows in the same word, so that replacing it uncovers no other token.
    rest = "" if body.endswith(")") else r"[\w-]*"
    return Shape(
        "secrets",
        hints=hints,
        pattern=Lazy(rf"{after}(?:{prefix}){body}{rest}", re.ASCII),
        check=check,
        long=True,
    )


def _weak(prefix: str, body: str, *hints: str) -> Shape:
    """Returns the shape of a token whose prefix is also the beginning of names in code."""
    return _token(prefix, body, *hints, check=_random)


# Services whose keys have no prefix; the name of the service must stand in front, as in gitleaks.
_SERVICES: Final = (
    "adafruit|adobe|airtable|algolia|alibaba|asana|atlassian|auth0|azure|beamer|bitbucket|bittrex|braintree|circleci|"
    "cloudflare|codecov|cohere|coinbase|confluent|contentful|datadog|deepgram|discord|droneci|dropbox|elevenlabs|etsy|"
    "facebook|fastly|finicity|finnhub|fireworks|flickr|freshbooks|gitter|heroku|hubspot|intercom|jfrog|jira|kraken|kucoin|"
    "launchdarkly|linkedin|lob|looker|mailchimp|mailgun|mapbox|mattermost|meraki|messagebird|mistral|netlify|newrelic|"
    "new_relic|ngrok|notion|okta|openweather(?:map)?|pagerduty|pinecone|plaid|rapidapi|reddit|resend|sendbird|sentry|"
    "shodan|snyk|sonar(?:qube)?|spotify|squarespace|steam|sumologic|supabase|telegram|tmdb|together|travisci|trello|"
    "twilio|twitch|twitter|typeform|vercel|virustotal|wandb|weather|yandex|zendesk|zoom"
)
_SERVICE_NAMES: Final = (
    *(name.partition("(")[0].rpartition("_")[2].rstrip("0") for name in _SERVICES.split("|")),
    "openweathermap",
    "sonarqube",
)
_LONG_VALUE: Final = Lazy(r"(?:[=:,>]|\sis\s)[\s\"'`]{0,4}[A-Za-z0-9][\w+/=~-]{19}", re.ASCII)
_NAMED: Final = Lazy(
    rf"(?P<keep>(?i:{_SERVICES})[\w. -]{{0,20}}?[\"'`]?\s{{0,3}}(?::=|=>|=|:|,|\sis\s)\s{{0,3}}[\"'`]?)"
    r"(?=[\w+/=~-]{0,60}\d)[A-Za-z0-9][\w+/=~-]{19,200}(?=[\"'`\s;,)]|\Z)",
    re.ASCII,
)


def _named(match: re.Match[str]) -> bool:
    return is_key(match[0][len(match["keep"]) :])


_BASE64_LINES: Final = r"(?:(?:[\s>]|\\[nr])*[A-Za-z0-9+/=]{16,})+"
_PRIVATE_KEY: Final = (
    r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
    rf"(?:(?:[^\[\]-]++|-(?!----))*-----END [A-Z0-9 ]{{0,40}}PRIVATE KEY(?: BLOCK)?-----(?:\\n(?=[\"']))?|{_BASE64_LINES})"
)

_KEY_LINE: Final = Lazy(r"[A-Za-z0-9+/=]{16}", re.ASCII)


def _has_key(match: re.Match[str]) -> bool:
    """Code that reads keys has the first and the last line of one, and nothing between."""
    return _KEY_LINE.search(match[0]) is not None


SHAPES: Final = (
    Shape("secrets", hints=("-----begin ",), pattern=Lazy(_PRIVATE_KEY), check=_has_key),
    # Discord: https://discord.com/developers/docs/reference; the last part has 27 characters or more.
    Shape(
        "secrets",
        hints=(".",),
        pattern=Lazy(r"(?<![\w.-])[MNO][\w-]{23,27}\.[\w-]{6,7}\.[\w-]{27,}", re.ASCII),
        core=Lazy(r"\.[\w-]{6,7}\.", re.ASCII),
        long=True,
    ),
    _token(r"mfa\.", r"[\w-]{60,}", "mfa."),
    _token(
        r"https?://(?:(?:ptb|canary)\.)?discord(?:app)?\.com/api/(?:v\d{1,3}/)?webhooks/",
        r"\d{5,25}/[\w-]{8,}",
        "/webhooks/",
    ),
    _token(r"https://hooks\.slack\.com/(?:services|workflows|triggers)/", r"[\w/-]{16,}", "hooks.slack.com"),
    _token(
        r"https://[\w-]{1,60}\.(?:webhook\.)?office(?:365)?\.com/webhook",
        r"[\w@/.-]{40,}",
        "office.com/webhook",
        "office365.com/webhook",
    ),
    _token(r"https://hooks\.zapier\.com/hooks/catch/", r"\d{2,20}/\w{4,}", "hooks.zapier.com"),
    _token(
        r"https://maker\.ifttt\.com/trigger/", r"[\w-]{1,80}/(?:json/)?with/key/[\w-]{15,}", "maker.ifttt.com"
    ),
    _token(
        r"https://chat\.googleapis\.com/v1/spaces/", r"[\w-]{5,40}/messages\?[\w%=&-]{30,}", "chat.googleapis"
    ),
    # Keys of code hosts and package registries
    _token(r"gh[opsur]_", r"\w{36,}", "gho_", "ghp_", "ghs_", "ghu_", "ghr_"),
    _token(r"github_pat_", r"\w{36,}", "github_pat_"),
    _token(
        r"gl(?:pat|dt|rt|ptt|cbt|imt|ft|oas|soat|agent|ffct|trt)-",
        r"[\w.-]{19,}\w",
        *[
            f"gl{kind}-"
            for kind in ("pat", "dt", "rt", "ptt", "cbt", "imt", "ft", "oas", "soat", "agent", "ffct", "trt")
        ],
    ),
    _token(r"GR1348941", r"[\w-]{20,}", "gr1348941"),
    _weak(r"AT[AC]TT3|ATBB|ATTA", r"[\w=-]{24,}", "atatt3", "atctt3", "atbb", "atta"),
    _token(r"pypi-", r"[\w-]{50,}", "pypi-"),
    _token(r"npm_", r"[A-Za-z0-9]{36,}\w*", "npm_"),
    _token(r"rubygems_", r"[0-9a-f]{48}", "rubygems_"),
    _weak(r"oy2", r"[a-z0-9]{43}(?![A-Za-z0-9])", "oy2"),  # NuGet
    _token(r"CLOJARS_", r"\w{60}", "clojars_"),
    _weak(r"cio", r"[A-Za-z0-9]{32}(?![A-Za-z0-9])", "cio"),  # crates.io
    _token(r"AKCp|cmVmd", r"[A-Za-z0-9]{58,}", "akcp", "cmvmd"),  # Artifactory
    _token(r"dckr_(?:pat|oat)_", r"[\w-]{20,}", "dckr_"),
    _token(r"sgp_", r"[\w]{40,}", "sgp_"),
    _token(r"sq[upa]_", r"[0-9a-f]{40}", "squ_", "sqp_", "sqa_"),  # SonarQube
    _token(r"CCIPAT_|CCIPRJ_", r"\w{30,}", "ccip"),
    _token(r"bk(?:ua|aj|ct)_", r"[0-9a-f]{40}", "bkua_", "bkaj_", "bkct_"),
    # Cloud providers
    _token(r"AIza", r"[\w-]{35,}", "aiza"),
    _token(r"ya29\.", r"[\w-]{20,}", "ya29."),
    _token(r"1//0", r"[\w-]{60,}", "1//0"),  # Google's refresh token
    _token(r"GOCSPX-", r"[\w-]{20,}", "gocspx-"),
    _token(r"A(?:KIA|SIA|BIA|CCA)", r"[A-Z0-9]{16}(?![A-Za-z0-9])", "akia", "asia", "abia", "acca"),
    _token(r"ABSK", r"[A-Za-z0-9+/]{100,}=*", "absk"),
    _token(r"[\w~.]{3}\dQ~", r"[\w~.-]{31,34}(?![\w~-])", "q~", after=r"(?<![\w~.-])"),  # Microsoft Entra
    _token(
        r"[A-Za-z0-9+/]{76}(?:\+ASt|AzFu|AzSe|AAzCa|ACDb)",
        r"[\w+/=]{4,10}",
        "+ast",
        "azfu",
        "azse",
        "azca",
        "acdb",
    ),
    _token(r"LTAI", r"[A-Za-z0-9]{16,20}(?![A-Za-z0-9])", "ltai"),
    _token(r"do[opr]_v1_", r"[0-9a-f]{40,}", "_v1_"),
    _token(r"HRKU-", r"[\w-]{36,}", "hrku-"),
    _token(r"v1\.0-", r"[0-9a-f]{24}-[0-9a-f]{146}", "v1.0-"),  # Cloudflare's origin CA
    _token(r"cfut_|cfat_|cfk_", r"[\w-]{30,}", "cfut_", "cfat_", "cfk_"),
    _token(r"dapi", r"[0-9a-f]{32}(?:-\d)?(?![A-Za-z0-9])", "dapi"),
    _token(r"dose?", r"[0-9a-f]{32}(?![A-Za-z0-9])", "dose", "dos"),
    _weak(r"fo1_|fm[12][ar]?_|FlyV1 fm", r"[\w+/=-]{30,}", "fo1_", "fm1", "fm2", "flyv1"),
    _token(r"nfp_|nfc_|nfo_", r"\w{30,}", "nfp_", "nfc_", "nfo_"),
    _token(r"v(?:cp|ci|ca|cr|ck)_", r"\w{24,}", "vcp_", "vci_", "vca_", "vcr_", "vck_"),
    _token(r"vercel_blob_rw_", r"\w{20,}", "vercel_blob_rw_"),
    _token(r"sbp_", r"[0-9a-f]{40}", "sbp_"),
    _token(r"sb_secret_", r"[\w-]{20,}", "sb_secret_"),
    _token(r"pscale_(?:tkn|pw|oauth)_", r"[\w.=-]{30,}", "pscale_"),
    _token(r"napi_", r"\w{40,}", "napi_"),
    _token(r"rnd_", r"[A-Za-z0-9]{28,}", "rnd_"),
    _token(r"tskey-(?:auth|api|client|webhook|scim)-", r"[\w-]{16,}", "tskey-"),
    _token(r"pul-", r"[0-9a-f]{40}", "pul-"),
    _token(r"sha256~", r"[\w-]{43}", "sha256~"),  # OpenShift
    _weak(r"API-", r"[A-Z0-9]{26,}(?![A-Za-z0-9])", "api-"),  # Octopus Deploy
    _token(r"t1\.", r"[\w-]{10,}={0,2}\.[\w-]{60,}", "t1."),  # Yandex
    _token(r"AQVN", r"[\w-]{35,38}", "aqvn"),
    _token(r"scw_secret_|SCW", r"[A-Z0-9]{17}(?![A-Za-z0-9])", "scw"),
    _token(r"eyJrIjoi", r"[A-Za-z0-9+/]{60,}={0,2}", "eyjrijoi"),  # Grafana, before 2023
    _token(r"glc_", r"[A-Za-z0-9+/]{32,}={0,2}", "glc_"),
    _token(r"glsa_", r"\w{32}_[0-9a-fA-F]{8}", "glsa_"),
    _token(r"dt0[a-z]\d\d\.", r"[A-Z0-9]{24}\.[A-Z0-9]{64}", "dt0"),  # Dynatrace
    _token(r"NRAK-|NRII-|NRJS-|NRIQ-|NRRA-", r"[\w-]{19,}", "nrak-", "nrii-", "nrjs-", "nriq-", "nrra-"),
    Shape(
        "secrets",
        hints=("nral",),
        pattern=Lazy(r"(?<![A-Za-z0-9])[0-9a-f]{32,36}(?:FFFF)?NRAL", re.ASCII),
        long=True,
    ),
    _token(r"sntry[su]_", r"[\w+/=]{40,}", "sntrys_", "sntryu_"),
    _token(r"(?:dd|ddog)_?(?:api|app)_?", r"[0-9a-f]{32,40}", "dd"),
    _token(r"lsv2_(?:pt|sk)_", r"\w{32,}", "lsv2_"),
    # Vaults and keys
    _token(r"hv[sbr]\.", r"[\w-]{24,}", "hvs.", "hvb.", "hvr."),
    _token(r"s\.", r"[A-Za-z0-9]{24}(?![\w.(])", "s.", after=r"(?<![\w./-])"),
    _token(r"[A-Za-z0-9]{14}\.atlasv1\.", r"[\w=-]{50,}", ".atlasv1."),
    _token(r"dp\.(?:pt|st|ct|sa|scim|audit)\.", r"[\w.-]{40,}", "dp."),
    _token(r"ops_eyJ", r"[A-Za-z0-9+/_-]{100,}={0,3}", "ops_eyj"),
    _token(r"A3-[A-Z0-9]{6}-", r"(?:[A-Z0-9]{11}|[A-Z0-9]{6}-[A-Z0-9]{5})(?:-[A-Z0-9]{5}){3}", "a3-"),
    _token(r"AGE-SECRET-KEY-(?:PQ-)?1", r"[A-Z0-9]{50,}", "age-secret-key-"),
    _token(r"PuTTY-User-Key-File-\d", r":[^\[\]]{0,4000}?Private-MAC: [0-9a-f]{32,}", "putty-user-key-file-"),
    # Models
    _token(r"sk-(?:proj|svcacct|admin|ant|or|lf|None|service)-", r"[\w-]{20,}", "sk-"),
    _token(r"sk-", r"[A-Za-z0-9]{20,}[\w-]*", "sk-"),
    _token(r"hf_|api_org_", r"[A-Za-z0-9]{30,}\w*", "hf_", "api_org_"),
    _weak(
        r"gsk_|csk-|xai-|pplx-|nvapi-|tvly-|jina_|pcsk_|fw_|esecret_|voyage-|pa-",
        r"[\w-]{36,}",
        "gsk_",
        "csk-",
        "xai-",
        "pplx-",
        "nvapi-",
        "tvly-",
        "jina_",
        "pcsk_",
        "fw_",
        "esecret_",
        "pa-",
    ),
    _weak(r"tvly-|fc-", r"(?:dev-|prod-)?[A-Za-z0-9]{28,}", "tvly-", "fc-"),
    _token(r"r8_", r"\w{30,}", "r8_"),
    _token(r"sk_", r"[0-9a-f]{48}(?![A-Za-z0-9])", "sk_"),  # ElevenLabs
    _token(r"wandb_v1_", r"\w{40,}", "wandb_v1_"),
    # Messages and mail
    _token(r"xox[abceoprs](?:\.xox[abp])?-", r"[\w-]{10,}", "xox"),
    _token(r"xapp-", r"\d-[\w-]{20,}", "xapp-"),
    _token(r"\d{8,12}:AA", r"[\w-]{30,}", ":aa", after=r"(?:(?<![A-Za-z0-9])|(?<=/bot))"),  # Telegram
    _token(r"SG\.", r"[\w-]{16,32}\.[\w-]{32,}", "sg."),
    _token(r"key-", r"[0-9a-f]{32}(?![A-Za-z0-9])", "key-"),  # Mailgun
    _token(r"(?:pubkey-)?[0-9a-f]{32}-", r"[0-9a-f]{8}-[0-9a-f]{8}(?![\w-])", "-"),
    _token(r"[0-9a-f]{32}-us", r"\d{1,2}(?![A-Za-z0-9])", "-us"),  # Mailchimp
    _token(r"xkeysib-|xsmtpsib-", r"[0-9a-f]{64}-\w{16}", "keysib-", "smtpsib-"),
    _weak(r"re_", r"[A-Za-z0-9]{8}_[A-Za-z0-9]{20,}", "re_"),
    _token(r"live_", r"\d{6,12}_[A-Za-z0-9]{30}", "live_"),  # Twitch
    _token(r"SK", r"[0-9a-f]{32}(?![A-Za-z0-9])", "sk"),  # Twilio
    _token(r"pat-(?:na|eu)\d-", r"[0-9a-f-]{36}", "pat-na", "pat-eu"),  # HubSpot
    _weak(
        r"secret-(?:test|live)-|live_|test_", r"[A-Za-z0-9]{32,}(?![A-Za-z0-9])", "secret-", "live_", "test_"
    ),
    # Money
    _token(
        r"[rs]k_(?:live|test|prod)_|(?:sk|pk)_(?:live|test)_", r"\w{16,}", "k_live_", "k_test_", "k_prod_"
    ),
    _token(r"whsec_", r"[\w+/=-]{24,}", "whsec_"),
    _token(r"sq0(?:atp|csp|idp)-", r"[\w-]{22,}", "sq0"),
    _weak(r"EAA", r"[A-Za-z0-9]{1}[\w-]{56,}", "eaa"),  # Square, Facebook
    _token(
        r"shp(?:at|ca|pa|ss|ua|tka)_",
        r"[0-9a-fA-F]{32}",
        *[f"shp{k}_" for k in ("at", "ca", "pa", "ss", "ua", "tka")],
    ),
    _token(r"access-(?:sandbox|development|production)-", r"[0-9a-f-]{36}", "access-"),
    _token(r"access_token\$(?:sandbox|production)\$", r"\w{16}\$[0-9a-f]{32}", "access_token$"),
    _token(r"EZ[AT]K", r"[A-Za-z0-9]{54}", "ezak", "eztk"),
    _token(r"FLWSECK(?:_TEST)?-", r"[\w-]{12,}", "flwseck"),
    _token(r"shippo_(?:live|test)_", r"[0-9a-f]{40}", "shippo_"),
    _token(r"duffel_(?:live|test)_", r"[\w-]{40,}", "duffel_"),
    _token(r"A21AA", r"[\w-]{60,}", "a21aa"),  # PayPal
    # Work
    _token(r"lin_(?:api|oauth)_", r"[A-Za-z0-9]{30,}", "lin_api_", "lin_oauth_"),
    _token(r"ntn_", r"[A-Za-z0-9]{36,}", "ntn_"),
    _weak(r"secret_", r"[A-Za-z0-9]{43}(?![A-Za-z0-9])", "secret_"),  # Notion, before 2024
    _token(r"pat[A-Za-z0-9]{14}\.", r"[0-9a-f]{64}", "pat"),  # Airtable
    _token(r"PMAK-", r"[0-9a-f]{24}-[0-9a-f]{34}", "pmak-"),
    _token(r"fig[douh][rh]?_", r"[\w-]{30,}", "figd_", "figo_", "figu_", "figh_"),
    _token(r"[sp]k\.eyJ", r"[\w-]{40,}\.[\w-]{20,}", "k.eyj"),  # Mapbox
    _token(r"sl\.(?:u\.)?", r"[\w-]{100,}", "sl."),  # Dropbox
    _token(r"CFPAT-", r"[\w-]{43}", "cfpat-"),
    _token(r"tfp_", r"[\w.-]{44,}", "tfp_"),
    _token(r"rdme_", r"[a-z0-9]{70}", "rdme_"),
    _token(r"pnu_", r"[A-Za-z0-9]{36}", "pnu_"),
    _weak(r"aio_", r"[A-Za-z0-9]{28}", "aio_"),
    _weak(r"ico-", r"[A-Za-z0-9]{32}", "ico-"),
    _token(r"phx_|phc_|phs_", r"[A-Za-z0-9]{40,}", "phx_", "phc_", "phs_"),
    _token(r"PRMR-|p8e-|fio-u-|tk-us-|dG9rO", r"[\w-]{32,}", "prmr-", "p8e-", "fio-u-", "tk-us-", "dg9ro"),
    _token(
        r"sdk-|api-|mob-",
        r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        "sdk-",
        "api-",
        "mob-",
    ),
    # What many services use
    _token(r"eyJ", r"[\w-]{8,}\.eyJ[\w-]{8,}(?:\.[\w-]*)?", "eyj"),  # JSON Web Token, RFC 7519
    Shape(
        "secrets", pattern=_NAMED, check=_named, words=_SERVICE_NAMES, core=_LONG_VALUE, digit=True, long=True
    ),
)
