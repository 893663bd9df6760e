"""The parts of Bluesky's protocol that are called, over HTTP on the loopback."""

import base64
import time
from hashlib import sha256

import orjson

from tests.actions.service import Answer, Request, Service

HANDLE, PASSWORD, DID = "canvas.example", "app-pass-w0rd", "did:plc:abcdefghijklmnopqrstuvwx"
ADA = "did:plc:adaadaadaadaadaadaadaada"
CID = "bafyreidfayvfuwqa7qlnopdjiqrxzs6blmoeu4rujcjtnci5beludirz2a"


def token(scope: str, *, expires_in: float = 3600) -> str:
    """Make what looks like a JWT, which is what the library reads the end from."""
    parts = [{"alg": "none"}, {"scope": scope, "sub": DID, "exp": int(time.time() + expires_in)}]
    return ".".join([*(base64.urlsafe_b64encode(orjson.dumps(part)).decode().rstrip("=") for part in parts), "c2ln"])


class Bluesky(Service):
    """Keeps records and pictures; forgets logins when told to."""

    def __init__(self) -> None:
        super().__init__()
        self.records: dict[str, dict] = {}
        self.blobs: list[bytes] = []
        self.tokens: set[str] = set()
        self.expires_in = 3600.0
        self.refusals: dict[str, Answer] = {}

    def answer(self, request: Request) -> Answer:
        if refusal := next((a for end, a in self.refusals.items() if request.path.endswith(end)), None):
            return refusal
        method = request.path.removeprefix("/xrpc/").rpartition(".")[2]
        if method not in ("createSession", "refreshSession") and not self.knows(request):
            return Answer({"error": "ExpiredToken", "message": "Token has expired"}, 400)
        return getattr(self, method)(request)

    def knows(self, request: Request) -> bool:
        return request.headers.get("authorization", "").removeprefix("Bearer ") in self.tokens

    def session(self) -> Answer:
        access = token("com.atproto.access", expires_in=self.expires_in)
        self.tokens.add(access)
        refresh = token("com.atproto.refresh")
        self.tokens.add(refresh)
        return Answer({"did": DID, "handle": HANDLE, "accessJwt": access, "refreshJwt": refresh, "active": True})

    def createSession(self, request: Request) -> Answer:
        if (request.json["identifier"], request.json["password"]) != (HANDLE, PASSWORD):
            return Answer({"error": "AuthenticationRequired", "message": "Invalid identifier or password"}, 401)
        return self.session()

    def refreshSession(self, request: Request) -> Answer:
        self.expires_in = 3600.0
        return self.session()

    def resolveHandle(self, request: Request) -> Answer:
        if request.query["handle"] in (["ada.example"], ["ada.bsky.social"]):
            return Answer({"did": ADA})
        return Answer({"error": "InvalidRequest", "message": "Unable to resolve handle"}, 400)

    def uploadBlob(self, request: Request) -> Answer:
        self.blobs.append(request.body)
        link = {"$link": "bafkrei" + sha256(request.body).hexdigest()[:52]}
        return Answer({"blob": {"$type": "blob", "ref": link, "mimeType": "image/png", "size": len(request.body)}})

    def getRecord(self, request: Request) -> Answer:
        uri = f"at://{request.query['repo'][0]}/{request.query['collection'][0]}/{request.query['rkey'][0]}"
        if uri not in self.records:
            return Answer({"error": "RecordNotFound", "message": f"Could not locate record: {uri}"}, 400)
        return Answer({"uri": uri, "cid": CID, "value": self.records[uri]})

    def createRecord(self, request: Request) -> Answer:
        body = request.json
        uri = f"at://{body['repo']}/{body['collection']}/{body['rkey']}"
        if uri in self.records:
            return Answer({"error": "InvalidSwap", "message": "Record already exists"}, 400)
        self.records[uri] = body["record"]
        return Answer({"uri": uri, "cid": CID, "validationStatus": "valid"})

    def getPosts(self, request: Request) -> Answer:
        found = [self.view(uri) for uri in request.query["uris"] if uri in self.records]
        return Answer({"posts": found})

    def view(self, uri: str) -> dict:
        author = {"did": ADA, "handle": "ada.example"}
        return {
            "uri": uri,
            "cid": CID,
            "author": author,
            "record": self.records[uri],
            "indexedAt": "2026-11-20T12:00:00Z",
        }
