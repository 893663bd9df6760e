"""The web process: pages and API on one port. `canvas serve` starts it as `python -m canvas.web`."""

import os
import shutil
from pathlib import Path

from canvas.frontend import ROOT, WEB
from canvas.settings import Settings
from canvas.supervisor import die_with_parent


def run_web(settings: Settings) -> None:
    """Serve pages, API and web sockets on `settings.host` and `settings.port` until stopped by a signal."""
    settings.start_logging()
    web = _prepare(settings.data_dir)
    os.environ.update(_reflex_environment(settings, web))
    os.chdir(ROOT)
    os.register_at_fork(after_in_child=die_with_parent)  # the server's worker would live on, and keep the port
    from reflex.utils import exec as reflex_exec  # reads its environment when imported

    reflex_exec.run_backend_prod(settings.host, settings.port, mount_frontend_compiled_app=True)


def _prepare(data: Path) -> Path:
    """Give Reflex a directory it may write to, with the built pages linked into it."""
    web = data / "web"
    web.mkdir(parents=True, exist_ok=True)
    shutil.copytree(WEB / "backend", web / "backend", dirs_exist_ok=True)
    link = web / "build"
    link.unlink(missing_ok=True)
    link.symlink_to(WEB / "build", target_is_directory=True)
    return web


def _reflex_environment(settings: Settings, web: Path) -> dict[str, str]:
    names = {settings.host, "localhost", "127.0.0.1"}
    return {
        "REFLEX_WEB_WORKDIR": str(web),
        "REFLEX_STATES_WORKDIR": str(settings.data_dir / "states"),
        "REFLEX_ENV_MODE": "prod",
        "__REFLEX_SKIP_COMPILE": "true",
        "REFLEX_BACKEND_ONLY": "true",
        "REFLEX_TELEMETRY_ENABLED": "false",
        "REFLEX_CHECK_LATEST_VERSION": "false",
        "REFLEX_CORS_ALLOWED_ORIGINS": ",".join(sorted(f"http://{name}:{settings.port}" for name in names)),
        "GRANIAN_WORKERS": "1",
        "REFLEX_SOCKET_MAX_HTTP_BUFFER_SIZE": str(4 * 1024 * 1024),  # a pasted definition of 1 MiB fits
    }


if __name__ == "__main__":
    run_web(Settings.from_environment())
