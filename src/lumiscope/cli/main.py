"""The entry point: dispatch to a command, and errors as text with an exit code."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys

import typer

from lumiscope.cli._stdout import forget_unwritten_data, give_data_a_handle
from lumiscope.cli.command import add_commands
from lumiscope.errors import LumiscopeError
from lumiscope.files import failure_in_words
from lumiscope.printable import printable

LINES = "\n\t"
HELP = """What an image classifier sees, and how far that can be believed.

One command takes any vision model and any images and writes one report: what the model's units respond to, where it
looks, which regions matter, and whether these explanations agree.

\b
    lumiscope run                     what comes with lumiscope: nothing is fetched
    lumiscope run --images photos/ --model timm:resnet50.a1_in1k

Exit codes: 0 all well, 1 failure, 2 usage, 3 some images were skipped (the report says which and why), 130 stopped
(Ctrl-C, SIGTERM).
"""

app = typer.Typer(
    name="lumiscope",
    help=HELP,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help needs no rich: it answers in a third of the time
    context_settings={"help_option_names": ["-h", "--help"]},
)
add_commands(app)


class _Stopped(BaseException):
    """Ctrl-C or SIGTERM; not a KeyboardInterrupt, which the command framework would swallow."""


def main() -> None:
    """Run the command line and exit."""
    # Read when torch is imported: its threads wait asleep, not turning, which costs next to nothing alone and saves
    # most of the time on a machine that others use, too.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    logging.getLogger("lumiscope").addHandler(_WarningsToStderr(logging.WARNING))
    give_data_a_handle()
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, _stop)
    try:
        try:
            app()
        finally:
            sys.stdout.flush()
    except LumiscopeError as error:
        _fail(str(error), error.exit_code)
    except _Stopped:
        _fail("stopped. Run the same command again: it goes on from here.", 130)
    except BrokenPipeError:
        forget_unwritten_data()
        sys.exit(1)
    except OSError as error:
        forget_unwritten_data()
        _fail(failure_in_words(error), 1)
    except MemoryError as error:
        _fail(f"memory ran out ({error or 'no more is known'}). Free some, or take fewer or smaller images.", 1)
    except Exception as error:
        _fail(f"unexpected {type(error).__name__}: {error}. This is a bug; the log of the run has the details.", 1)


def _stop(*_: object) -> None:
    raise _Stopped


def _fail(text: str, code: int) -> None:
    with contextlib.suppress(OSError):  # nobody may be there to hear it
        print(f"lumiscope: {printable(text, keep=LINES)}", file=sys.stderr)
    sys.exit(code)


class _WarningsToStderr(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        print(f"lumiscope: {printable(record.getMessage(), keep=LINES)}", file=sys.stderr)
