"""What a configuration may say. The JSON Schema, `config show` and the checks come from these types."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from investigator.config.quantities import Bytes, Seconds
from investigator.rulebook.exceptions import RuleOverride

Severity = Literal["info", "low", "medium", "high", "critical"]
_STATE = "~/.local/state/investigator"


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Keep(_Table):
    """How long reports stay; the pages of an open incident always do."""

    age: Seconds = Field(default=400 * 86_400, description="reports older than this are removed")
    size: Bytes = Field(default=2 * 10**9, description="the oldest reports go when the folder is larger than this")


class Warn(_Table):
    """Early warnings."""

    closest_miss: float = Field(
        default=0.9, gt=0, le=1, description="warn when a rule came this near to its limit (1 is the limit)"
    )
    slower_by: float = Field(
        default=0.25, gt=0, lt=1, description="share by which a measure must be worse than its last nights"
    )
    baseline_nights: int = Field(default=14, ge=3, description="nights that a baseline is made of")


class Notify(_Table):
    """Whom to tell, and when."""

    urls: tuple[str, ...] = Field(default=(), description="apprise URLs; $NAME is taken from the environment")
    when: Literal["new", "worse", "always", "never"] = Field(
        default="worse", description="new: new incidents; worse: new or worse ones; always: after each scan"
    )
    attach: bool = Field(default=False, description="attach the report where the service can take it")
    healthcheck: str | None = Field(default=None, description="URL to ping at the start and the end of a scan")


class Tickets(_Table):
    """The tracker that incidents are filed in. Its token comes from the environment, the keyring or credentials."""

    to: Literal["redmine", "roundup", "rt", "jira", "github", "gitlab", "gitea"] | None = Field(
        default=None, description="kind of tracker; without it `scan` files nothing"
    )
    url: str | None = Field(default=None, description="address of the tracker, https unless it is this machine")
    project: str | None = Field(default=None, description="project as the tracker names it: key, queue, owner/name")
    when: Literal["new", "worse", "always", "never"] = Field(
        default="worse", description="what a scan files or comments: new incidents; also worse ones; each that is there"
    )
    closed: Literal["reopen", "link"] = Field(
        default="reopen", description="an incident with a closed ticket is back: open that, or file one that names it"
    )
    issue_type: str = Field(default="Task", description="type of issue, in Jira")
    labels: tuple[str, ...] = Field(default=(), description="labels of a new ticket, where the tracker has labels")
    markup: Literal["markdown", "textile", "jira", "plain"] | None = Field(
        default=None, description="markup of the tracker's texts, where it differs from what is usual"
    )


class Scan(_Table):
    """What `investigator scan` reads, keeps and writes."""

    sources: tuple[str, ...] = Field(
        default=(), description="files, folders and patterns such as /var/log/ollama/*.log"
    )
    journal: tuple[str, ...] = Field(
        default=(), description="systemd units whose journal is read, such as ollama.service"
    )
    case: Path = Field(
        default=Path(f"{_STATE}/nightly.case.duckdb"), description="the case file that grows every night"
    )
    reports: Path = Field(default=Path(f"{_STATE}/reports"), description="folder of the pages")
    rules: tuple[Path, ...] = Field(default=(), description="rule files or folders besides the built-in ones")
    fail_on: Severity = Field(default="medium", description="exit with 1 from this severity on")
    tz: str | None = Field(default=None, description="zone of local times where the logs do not tell it")
    lookback: Seconds = Field(default=86_400, description="how far before the new lines a night is judged anew")
    memory: Bytes = Field(default=10**9, description="limit of the database's memory")
    nice: int = Field(default=0, ge=0, le=19, description="how far to step back for other programs")
    lang: Literal["en", "de"] = Field(default="en", description="language of the pages")
    keep: Keep = Keep()
    warn: Warn = Warn()


class Settings(_Table):
    """The whole configuration. Tables of the catalogue are checked where they are used."""

    scan: Scan = Scan()
    notify: Notify = Notify()
    tickets: Tickets = Tickets()
    rules: dict[str, RuleOverride] = Field(default={}, description="overrides by rule id")
    machines: tuple[dict[str, Any], ...] = Field(default=(), description="own machines")
    models: tuple[dict[str, Any], ...] = Field(default=(), description="own models")
    cloud_models: tuple[dict[str, Any], ...] = Field(default=(), description="own cloud models")
    private: dict[str, Any] = Field(default={}, description="calls that never leave the machine")
