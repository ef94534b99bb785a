"""Synthetic secrets and innocent numbers, seeded: nothing here opens anything. Each secret stands in a log's own words."""

from __future__ import annotations

import base64
import json
import random
import string
from collections.abc import Callable, Iterator
from typing import NamedTuple

SEED = 20260218
EACH = 8
_HEX, _ALNUM, _URL = (
    "0123456789abcdef",
    string.ascii_letters + string.digits,
    string.ascii_letters + string.digits + "-_",
)


class Planted(NamedTuple):
    """A secret: `value` must not be shown; `text` is how it is written where it leaks."""

    kind: str
    value: str
    text: str


class Maker:
    """Random strings of the shapes that keys have."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def of(self, alphabet: str, count: int) -> str:
        # One digit and one letter at the front: a real key of this length always has both somewhere.
        tail = "".join(self._random.choices(alphabet, k=count))
        return tail if count < 3 else f"{self._random.choice('23456789')}{self._random.choice('abcdef')}{tail[2:]}"

    def hex(self, count: int) -> str:
        return self.of(_HEX, count)

    def alnum(self, count: int) -> str:
        return self.of(_ALNUM, count)

    def url(self, count: int) -> str:
        return self.of(_URL, count - 1) + self._random.choice(_ALNUM)

    def upper(self, count: int) -> str:
        return self.of(string.ascii_uppercase + "234567", count).upper()

    def number(self, low: int, high: int) -> int:
        return self._random.randint(low, high)

    def pick(self, *choices: str) -> str:
        return self._random.choice(choices)

    def name(self) -> str:
        return self.pick("amoon", "bwolf", "cstone", "drivers", "efield", "fhill") + str(self.number(10, 99))

    def ip(self) -> str:
        return f"{self.pick('8', '52', '91', '185', '203')}.{self.number(1, 254)}.{self.number(114, 254)}.{self.number(1, 254)}"

    def pem(self) -> str:
        body = base64.b64encode(self._random.randbytes(144)).decode()
        return "\n".join(body[i : i + 64] for i in range(0, len(body), 64))


#: Kinds that are known by their own form.
BARE: dict[str, Callable[[Maker], str]] = {
    "anthropic": lambda m: f"sk-ant-api03-{m.url(90)}",
    "openrouter": lambda m: f"sk-or-v1-{m.hex(64)}",
    "openai": lambda m: f"sk-{m.alnum(48)}",
    "openai-project": lambda m: f"sk-proj-{m.url(120)}",
    "litellm": lambda m: f"sk-{m.url(22)}",
    "langfuse": lambda m: f"sk-lf-{m.hex(8)}-{m.hex(4)}-{m.hex(12)}",
    "hugging-face": lambda m: f"hf_{m.alnum(34)}",
    "google": lambda m: f"AIza{m.url(35)}",
    "groq": lambda m: f"gsk_{m.alnum(52)}",
    "replicate": lambda m: f"r8_{m.alnum(37)}",
    "perplexity": lambda m: f"pplx-{m.alnum(48)}",
    "xai": lambda m: f"xai-{m.alnum(80)}",
    "nvidia": lambda m: f"nvapi-{m.url(64)}",
    "together": lambda m: f"tgp_v1_{m.url(43)}",
    "ollama": lambda m: f"{m.hex(32)}.{m.url(24)}",
    "github": lambda m: f"{m.pick('ghp', 'gho', 'ghu', 'ghs')}_{m.alnum(36)}",
    "github-fine": lambda m: f"github_pat_{m.alnum(22)}_{m.alnum(59)}",
    "gitlab": lambda m: f"glpat-{m.url(20)}",
    "slack": lambda m: f"xoxb-{m.number(10**11, 10**12)}-{m.alnum(24)}",
    "aws-id": lambda m: f"{m.pick('AKIA', 'ASIA')}{m.upper(16)}",
    "jwt": lambda m: f"eyJ{m.url(33)}.eyJ{m.url(60)}.{m.url(43)}",
    "pem": lambda m: f"-----BEGIN RSA PRIVATE KEY-----\n{m.pem()}\n-----END RSA PRIVATE KEY-----",
    "npm": lambda m: f"npm_{m.alnum(36)}",
    "pypi": lambda m: f"pypi-AgEIcHlwaS5vcmc{m.url(60)}",
    "digitalocean": lambda m: f"dop_v1_{m.hex(64)}",
    "sendgrid": lambda m: f"SG.{m.url(22)}.{m.url(43)}",
    "mailgun": lambda m: f"key-{m.hex(32)}",
    "stripe": lambda m: f"{m.pick('sk', 'rk')}_{m.pick('live', 'test')}_{m.alnum(24)}",
    "twilio": lambda m: f"{m.pick('SK', 'AC')}{m.hex(32)}",
    "telegram": lambda m: f"{m.number(10**8, 10**10 - 1)}:AA{m.url(33)}",
    "discord": lambda m: f"M{m.alnum(23)}.{m.url(6)}.{m.url(38)}",
    "google-oauth": lambda m: f"ya29.{m.url(60)}",
    "google-client": lambda m: f"GOCSPX-{m.url(28)}",
    "azure-client": lambda m: f"{m.alnum(3)}8Q~{m.url(34)}",
    "databricks": lambda m: f"dapi{m.hex(32)}",
    "vault": lambda m: f"hvs.{m.url(24)}",
    "docker-hub": lambda m: f"dckr_pat_{m.url(27)}",
    "tavily": lambda m: f"tvly-dev-{m.alnum(32)}",
    "langsmith": lambda m: f"lsv2_pt_{m.hex(32)}_{m.hex(10)}",
    "email": lambda m: f"{m.name()}@{m.pick('mail', 'corp')}.example.org",
    "ipv4": lambda m: m.ip(),
    "ipv6": lambda m: f"2a02:8{m.hex(3)}:{m.hex(4)}:1::{m.hex(4)}",
    "mac": lambda m: ":".join(m.hex(2) for _ in range(6)),
}

#: Kinds that only their surroundings tell: (secret, how it is written).
NAMED: dict[str, Callable[[Maker], tuple[str, str]]] = {
    "authorization": lambda m: _in(m.alnum(28), "Authorization: Bearer {}"),
    "basic": lambda m: _in(base64.b64encode(f"{m.name()}:{m.alnum(9)}".encode()).decode(), "authorization: Basic {}"),
    "cookie": lambda m: _in(m.hex(32), "Cookie: theme=dark; session={}"),
    "x-api-key": lambda m: _in(m.alnum(32), "X-Api-Key: {}"),
    "azure-openai": lambda m: _in(m.hex(32), "api-key: {}"),
    "aws-secret": lambda m: _in(m.of(_ALNUM + "/+", 40), "aws_secret_access_key = {}"),
    "mistral": lambda m: _in(m.alnum(32), "MISTRAL_API_KEY={}"),
    "cohere": lambda m: _in(m.alnum(40), "CO_API_KEY={}"),
    "password": lambda m: _in(m.alnum(12), "password={}"),
    "token": lambda m: _in(m.alnum(24), "token: {}"),
    "option": lambda m: _in(m.alnum(20), "llama-server --port 8080 --api-key {}"),
    "url": lambda m: _in(m.alnum(14), f"https://{m.name()}:{{}}@proxy.example.org:3128"),
    "azure-storage": lambda m: _in(m.of(_ALNUM + "+/", 86) + "==", "AccountName=x;AccountKey={};EndpointSuffix=y"),
    "slack-hook": lambda m: _in(f"T{m.upper(8)}/B{m.upper(8)}/{m.alnum(24)}", "https://hooks.slack.com/services/{}"),
    "discord-hook": lambda m: _in(f"{m.number(10**17, 10**18)}/{m.url(68)}", "https://discord.com/api/webhooks/{}"),
    "unix-home": lambda m: _in(m.name(), m.pick("/home/{}/.ollama/models", "/Users/{}/proj", "file:///Users/{}/x.md")),
    "windows-home": lambda m: _in(m.name(), m.pick("C:\\Users\\{}\\.ollama", "C:\\\\Users\\\\{}\\\\x", "%2FUsers%2F{}%2Fx")),
    "folder-name": lambda m: _in(m.name(), m.pick("projects/-Users-{}-src-app/", "sessions/--home-{}-app--/")),
    "local-host": lambda m: _in(f"{m.name()}s-macbook", "http://{}.local:11434/api/chat"),
}  # fmt: skip


def _in(value: str, where: str) -> tuple[str, str]:
    return value, where.format(value)


def planted(each: int = EACH, seed: int = SEED) -> list[Planted]:
    """`each` secrets of every kind."""
    maker = Maker(seed)
    found = []
    for _ in range(each):
        for kind, bare in BARE.items():
            value = bare(maker)
            found.append(Planted(kind, value, value))
        found += [Planted(kind, *named(maker)) for kind, named in NAMED.items()]
    return found


#: A line of each format with room for a secret; JSON ones carry it escaped, as the programs do.
LINES: dict[str, Callable[[str], str]] = {
    "ollama-server": lambda t: f'time=2026-02-18T11:10:22.981+01:00 level=WARN source=routes.go:1553 msg="request" detail={json.dumps(t)}',
    "ollama-gin": lambda t: f'[GIN] 2026/02/18 - 11:10:22 | 200 |  1.2s |  127.0.0.1 | POST "/api/chat?{t}"',
    "llama-server": lambda t: f"srv  log_server_r: request: POST /v1/chat/completions 127.0.0.1 400 {t}",
    "journald": lambda t: f"Feb 18 11:10:22 gpubox77 ollama[1234]: {t}",
    "docker": lambda t: json.dumps({"log": f"{t}\n", "stream": "stderr", "time": "2026-02-18T10:10:22.981Z"}),
    "openclaw-log": lambda t: json.dumps({"0": {"subsystem": "agent"}, "1": f"embedded run error: {t}", "_meta": {"logLevelName": "ERROR"}}),
    "openclaw-session": lambda t: json.dumps({"type": "message", "message": {"role": "toolResult", "content": [{"type": "text", "text": f"out:\n{t}\nend"}]}}),
    "pi-session": lambda t: json.dumps({"type": "message", "message": {"role": "user", "content": json.dumps({"cmd": f"run\t{t}"})}}),
    "openclaw-config": lambda t: f'  "note": {json.dumps(t)},',
    "client-errors": lambda t: f"Error: 500 Internal Server Error: upstream said ({t})",
    "modelfile": lambda t: f"# {t}",
}  # fmt: skip


def lines(secrets: list[Planted]) -> Iterator[tuple[str, Planted, str]]:
    """(format, secret, line): every secret in a line, every kind in every format over the corpus."""
    formats = list(LINES)
    for n, secret in enumerate(secrets):
        name = formats[n % len(formats)]
        yield name, secret, LINES[name](secret.text)


def innocents(count: int = 4_000, seed: int = SEED) -> list[str]:
    """Lines with numbers that are nobody's secret: tokens, ids, hashes, durations, sizes, versions, times, places."""
    m = Maker(seed + 1)
    makers: tuple[Callable[[], str], ...] = (
        lambda: f"prompt_tokens={m.number(1, 300_000)} n_tokens = {m.number(1, 300_000)}",
        lambda: f"slot update_slots: id  0 | task {m.number(0, 99_999)} | n_past = {m.number(0, 262_144)}, n_tokens = {m.number(1, 4096)}",
        lambda: f"prompt eval time = {m.number(1, 10**6) / 100:.2f} ms / {m.number(1, 99_999)} tokens ({m.number(1, 10**5) / 100:.2f} tokens per second)",
        lambda: f"sha256-{m.hex(64)}", lambda: f"commit {m.hex(40)}", lambda: f"build {m.hex(8)} md5 {m.hex(32)}",
        lambda: f"{m.hex(8)}-{m.hex(4)}-4{m.hex(3)}-a{m.hex(3)}-{m.hex(12)}", lambda: f"chatcmpl-{m.alnum(29)}",
        lambda: f"call_{m.alnum(24)}", lambda: f"toolu_01{m.alnum(22)}", lambda: f"msg_{m.alnum(24)} req_{m.alnum(24)}",
        lambda: f'"id":"{m.hex(8)}","parentId":"{m.hex(8)}","usage":{{"input":{m.number(1, 10**6)},"cacheRead":{m.number(0, 10**5)}}}',
        lambda: f"duration={m.number(1, 60)}m{m.number(0, 59)}.{m.number(0, 999_999_999):09d}s", lambda: f"{m.number(1, 10**13)}",
        lambda: f"time=2026-0{m.number(1, 9)}-1{m.number(0, 9)}T1{m.number(0, 9)}:{m.number(10, 59)}:{m.number(10, 59)}.{m.number(100, 999)}+01:00",
        lambda: f"0x{m.hex(12)} pid={m.number(2, 4_194_304)} port={m.number(1024, 65_535)}",
        lambda: f"127.0.0.1:{m.number(1024, 65_535)} 192.168.{m.number(0, 255)}.{m.number(1, 254)} 10.0.{m.number(0, 255)}.7 [::1]:11434",
        lambda: f"ollama version is 0.{m.number(10, 40)}.{m.number(0, 9)} driver=550.{m.number(10, 99)}.{m.number(10, 15)} openclaw@2026.{m.number(1, 12)}.{m.number(1, 28)}",
        lambda: f"general.name=model-{m.number(1, 400)}b size={m.number(1, 400)}.{m.number(0, 9)} GiB vocab={m.number(1000, 300_000)}",
        lambda: f"print_info: EOS token        = {m.number(1, 300_000)} '<|im_end|>'", lambda: f"llama_kv_cache: size = {m.number(1, 99_999)}.00 MiB ( {m.number(1, 262_144)} cells)",
        lambda: f"token: {m.number(1, 300_000)} eos_token_id={m.number(1, 300_000)} max_tokens={m.number(1, 99_999)}",
        lambda: f"digest: sha256:{m.hex(64)} etag=\"{m.hex(32)}\"", lambda: f"task-{m.number(1, 10**9)} run-{m.alnum(22)} sess_{m.alnum(20)}",
        lambda: f"runId={m.hex(8)}-{m.hex(4)}-{m.hex(4)}-{m.hex(4)}-{m.hex(12)} durationMs={m.number(1, 10**7)} isError=true",
    )  # fmt: skip
    return [makers[n % len(makers)]() for n in range(count)]


def log_text(bytes_: int, seed: int = SEED) -> str:
    """About `bytes_` of log, one line in a hundred with a secret."""
    secrets = [line for _, _, line in lines(planted(seed=seed))]
    plain = innocents(seed=seed)
    out, size, n = [], 0, 0
    while size < bytes_:
        n += 1
        body = plain[n % len(plain)]
        text = (
            secrets[n // 100 % len(secrets)]
            if n % 100 == 0
            else LINES["ollama-server"](body)
            if n % 2
            else f"srv  info: {body}"
        )
        out.append(text)
        size += len(text) + 1
    return "\n".join(out)
