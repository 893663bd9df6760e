"""The parts of Mastodon's API that are called, over HTTP on the loopback."""

from datetime import datetime

from tests.actions.service import Answer, Request, Service

TOKEN = "masto-t0ken"
LIMITS = {
    "statuses": {"max_characters": 100, "max_media_attachments": 2, "characters_reserved_per_url": 23},
    "media_attachments": {"supported_mime_types": ["image/png", "image/jpeg"]},
}


class Mastodon(Service):
    """Keeps posts and pictures; a picture is ready the second time it is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.statuses: dict[str, dict] = {"7": self.status("7", "Is it open?", "unlisted", acct="ada@far.example")}
        self.media: dict[str, dict] = {}
        self.keys: dict[str, Answer] = {}
        self.limits: dict | None = LIMITS
        self.refusals: dict[str, Answer] = {}

    def answer(self, request: Request) -> Answer:
        if refusal := next((a for end, a in self.refusals.items() if request.path.endswith(end)), None):
            return refusal
        if request.path.startswith(("/api/v1/instance", "/api/v2/instance")):
            return self.instance(request)
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return Answer({"error": "The access token is invalid"}, 401)
        name = request.path.removeprefix("/api/").replace("/", "_").strip("_")
        word = "_".join(part for part in name.split("_") if not part.isdigit())
        return getattr(self, f"{request.method.lower()}_{word}")(request)

    def instance(self, request: Request) -> Answer:
        if self.limits is None:
            return Answer({"error": "Not Found"}, 404)
        if request.path.startswith("/api/v1"):
            return Answer({"uri": "loop", "version": "4.5.0", "configuration": self.limits})
        return Answer(
            {"domain": "loop", "version": "4.5.0", "api_versions": {"mastodon": 7}, "configuration": self.limits}
        )

    def get_v1_accounts_verify_credentials(self, request: Request) -> Answer:
        return Answer({"id": "1", "username": "canvas", "acct": "canvas"})

    def post_v2_media(self, request: Request) -> Answer:
        key = str(len(self.media) + 100)
        _, kind, content = request.form["file"]
        self.media[key] = {"id": key, "type": "image", "kind": kind, "content": content, "asked": 0}
        self.media[key]["description"] = request.form.get("description")
        return Answer({"id": key, "type": "image", "url": None}, 202)

    def get_v1_media(self, request: Request) -> Answer:
        kept = self.media[request.path.rpartition("/")[2]]
        kept["asked"] += 1
        is_done = kept["asked"] > 1
        url = f"{self.url}/files/{kept['id']}" if is_done else None
        return Answer({"id": kept["id"], "type": "image", "url": url}, 200 if is_done else 206)

    def post_v1_statuses(self, request: Request) -> Answer:
        key = request.headers["idempotency-key"]
        if key not in self.keys:
            self.keys[key] = self.posted(request.form)
        return self.keys[key]

    def posted(self, form: dict) -> Answer:
        if "scheduled_at" in form:
            at = datetime.fromisoformat(form["scheduled_at"]).isoformat()
            kept = {"id": "3221", "scheduled_at": at, "params": {"text": form["status"]}, "media_attachments": []}
            self.statuses["3221"] = {**kept, "form": form}
            return Answer(kept)
        status = self.status(str(len(self.statuses) + 1000), form["status"], form.get("visibility", "public"))
        self.statuses[status["id"]] = {**status, "form": form}
        return Answer(status)

    def status(self, key: str, text: str, visibility: str, acct: str = "canvas") -> dict:
        return {
            "id": key,
            "content": text,
            "visibility": visibility,
            "url": f"https://loop.example/@canvas/{key}",
            "created_at": "2026-11-20T12:00:00.000Z",
            "account": {"id": "1", "username": acct.partition("@")[0], "acct": acct},
        }

    def get_v1_statuses(self, request: Request) -> Answer:
        found = self.statuses.get(request.path.rpartition("/")[2])
        return Answer(found) if found else Answer({"error": "Record not found"}, 404)

    def get_v2_search(self, request: Request) -> Answer:
        wanted = request.query["q"][0]
        found = [status for status in self.statuses.values() if status.get("url") == wanted]
        return Answer({"accounts": [], "hashtags": [], "statuses": found})

    @property
    def forms(self) -> list[dict]:
        """What was posted, in order."""
        return [status["form"] for status in self.statuses.values() if "form" in status]
