"""What starting costs: no library that only some workflows need is imported before one of them needs it."""

import subprocess
import sys

LARGE = ("aiosmtplib", "atproto_client", "mastodon", "slack_sdk")


def test_knowing_the_actions_imports_no_large_library():
    """Every process asks for the actions at start; importing these libraries would take it seconds."""
    program = (
        "import sys; from canvas.actions.registry import registry; registry();"
        f"print([name for name in {LARGE!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert "[]" == done.stdout.strip()
