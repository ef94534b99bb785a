"""`completion`: the shell's completion script."""

from __future__ import annotations

import rich_click as click

from investigator.cli import options

SHELLS = ("bash", "zsh", "fish")


@click.command(
    "completion",
    epilog=options.examples(
        "investigator completion bash > ~/.local/share/bash-completion/completions/investigator",
        "investigator completion fish > ~/.config/fish/completions/investigator.fish",
    ),
)
@click.argument("shell", type=click.Choice(SHELLS))
@options.debug_option
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print the completion script of a shell."""
    from click.shell_completion import get_completion_class

    made = get_completion_class(shell)
    if made is None:  # pragma: no cover - the choice above and click's table agree
        raise click.UsageError(f"no completion for {shell}", ctx)
    click.echo(made(ctx.find_root().command, {}, "investigator", "_INVESTIGATOR_COMPLETE").source())
