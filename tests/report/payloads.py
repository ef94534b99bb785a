"""What a stranger may write into a log to be run, loaded, linked, or taken for a template."""

from __future__ import annotations


def payloads() -> list[str]:
    """What a stranger may write into a log to be run, loaded, or taken for a template: about 300 of them."""
    tags = (
        "script",
        "img",
        "svg",
        "iframe",
        "object",
        "embed",
        "video",
        "audio",
        "body",
        "input",
        "details",
        "a",
        "base",
        "link",
        "style",
        "meta",
        "math",
        "form",
    )
    events = (
        "onerror",
        "onload",
        "ontoggle",
        "onclick",
        "onmouseover",
        "onfocus",
        "onwheel",
        "onbegin",
        "onanimationstart",
    )
    closers = ("", '">', "'>", "</pre>", "</details>", "</code></li></ol>", "</title>", "</style>", "--><!--", "]]>")
    found = [f"<{tag} src=x href=javascript:alert(1) {event}=alert(1) autofocus>" for tag in tags for event in events]
    found += [f"{closer}<script>alert({n})</script>" for n, closer in enumerate(closers)]
    found += [f"{quote} {event}=alert(1) x={quote}" for quote in "\"'`" for event in events]
    found += [
        f"{opening} 7*7 {closing}"
        for opening, closing in (("{{", "}}"), ("{%", "%}"), ("${", "}"), ("#{", "}"), ("<%=", "%>"), ("{#", "#}"))
    ]
    found += [f"&#{code};script&gt;alert(1)" for code in ("60", "x3c", "0000060")] + [
        "\x00<script>",
        "<scr\x00ipt>",
        "<\u200bscript>",
        "\x1b]8;;http://x.example\x07link\x1b]8;;\x07",
    ]
    found += [f"{scheme}:alert(1)" for scheme in ("javascript", "data", "vbscript", "JaVaScRiPt")]
    found += [
        f"<svg><{tag}><style>@import'//x.example'</style></{tag}></svg>"
        for tag in ("desc", "title", "foreignObject", "defs")
    ]
    return found
