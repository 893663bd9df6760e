"""Makes the built pages independent of the address they are served from."""

import re
from typing import Any

from reflex.config import get_config
from reflex.plugins import Plugin

_ENDPOINT = re.compile(r"""(["'`])(http|ws)s?://[^/"'`]+(/[^"'`]*)\1""")
_SAME_ORIGIN = {"http": "${location.origin}", "ws": '${location.origin.replace(/^http/,"ws")}'}


class SameOriginPlugin(Plugin):
    """Reflex writes `http://localhost:8000` into the bundle; a page should talk to whoever served it instead."""

    def pre_compile(self, **context: Any) -> None:
        """Let the development server pass `/api` and its web sockets on to the backend."""
        port = get_config().backend_port or 8000
        proxy = f'proxy: {{"/api": {{target: "http://127.0.0.1:{port}", ws: true}}}},'
        context["add_modify_task"]("vite.config.js", lambda source: _with_proxy(source, proxy))

    def post_build(self, **context: Any) -> None:
        """Rewrite the endpoints in the one chunk that holds them.

        Raises:
            RuntimeError: Reflex changed how it writes endpoints; the bundle would only work on port 8000.
        """
        (chunk,) = (context["static_dir"] / "assets").glob("reflex-env-*.js")
        source, count = _ENDPOINT.subn(lambda found: f"`{_SAME_ORIGIN[found[2]]}{found[3]}`", chunk.read_text())
        if not count:
            raise RuntimeError(f"no endpoint addresses in {chunk.name}")
        chunk.write_text(source)


def _with_proxy(source: str, proxy: str) -> str:
    if "proxy:" in source:
        return source
    return source.replace("  server: {", "  server: {\n    " + proxy, 1)
