# SPDX-License-Identifier: MIT
#
# registry.py: a registry on 127.0.0.1 (OCI distribution specification 1.1) that keeps everything in memory, and does what the words in the file
# named mode say, read for each request:
#
#   token, basic       it wants a token of its own /token, for user "me" with password "secret"; or these with each request
#   everybody          tokens are given to everybody
#   realm-elsewhere    tokens are to be asked for under another host's name
#   refresh            a token is given for the refresh token "again"
#   junk-token         with a line end in it         huge-token   without end         no-token   the answer has none
#   expired            a token is refused after its fourth use
#   deny               403 to who writes             busy         429 to all
#   away               uploads go to another host's name
#   no-location, bad-location                        what an upload's begin says of where to send
#   break              the first PATCH of each upload breaks off half-way; its session knows what came
#   forget             the first PATCH for a repository is answered 404, and its session is gone
#   too-far            it says to have more than there is
#   broken             each PATCH breaks off at once
#   no-mount           nothing is taken over from another repository
#   lie-digest         it says that it has something else
#   lie-length         blobs have another length than they have
#   other-manifest, cut-manifest, huge-manifest, deep-manifest, many-manifest
#                      what it gives for a manifest
#   redirect-away, redirect-loop, redirect-file, redirect-flood
#                      where it sends those who read blobs and manifests: to another host's name, back again and again, to a file, through 100 places
#   other-blob, short-blob, long-blob                what it gives for a blob
#   referrers          it knows the referrers API
#
# Writes the port to the file port, and to the file requests a line "METHOD PATH HOST AUTHORIZATION-SCHEME" for each request.  Ends when there is a
# file named stop, and after five minutes.
import base64
import hashlib
import http.server
import json
import re
import sys
import uuid

sys.dont_write_bytecode = True
from serving import serve

blobs, manifests, uploads, seen, uses = {}, {}, {}, set(), {}
BASIC = "Basic " + base64.b64encode(b"me:secret").decode()


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def handle_one_request(self):
        try:
            super().handle_one_request()
        except (ConnectionError, BrokenPipeError):
            self.close_connection = True

    def say(self, status, body=b"", **headers):
        self.send_response(status)
        for k, v in headers.items():
            self.send_header(k.replace("_", "-"), v)
        if not any(k.lower() == "content_length" for k in headers):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def has(self, *words):
        return any(w in self.mode for w in words)

    @property
    def port(self):
        return self.server.server_address[1]

    def body(self):
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def do_ALL(self):
        self.mode = open("mode").read().split()
        scheme = self.headers.get("Authorization", "-").split(" ")[0]
        with open("requests", "a") as f:
            f.write("%s %s %s %s\n" % (self.command, self.path, self.headers["Host"].split(":")[0], scheme))
        if self.path.startswith("/token"):
            return self.token()
        if self.has("busy"):
            self.body()
            return self.say(429, Retry_After="3600")
        if not self.path.startswith("/away/") and not self.let_in():
            return
        if self.has("deny") and self.command != "GET" and self.command != "HEAD":
            self.body()
            return self.say(403)
        path = self.path[5:] if self.path.startswith("/away") else self.path
        m = re.match(r"/v2/(.+)/(blobs/uploads|blobs|manifests|referrers)/([^?]*)(\?(.*))?$", path)
        if not m:
            return self.say(404)
        query = dict(p.split("=", 1) for p in (m[5] or "").split("&") if "=" in p)
        getattr(self, m[2].replace("blobs/", ""))(m[1], m[3], query)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_ALL

    # --- who is let in ---

    def let_in(self):
        given = self.headers.get("Authorization", "")
        if self.has("basic") and given != BASIC:
            self.body()
            self.say(401, WWW_Authenticate='Basic realm="here"')
            return False
        if self.has("token"):
            token = given[7:] if given.startswith("Bearer ") else None
            uses[token] = uses.get(token, 0) + 1
            if token not in seen or self.has("expired") and uses[token] > 4:
                self.body()
                host = "localhost" if self.has("realm-elsewhere") else "127.0.0.1"
                self.say(401, WWW_Authenticate='Bearer realm="http://%s:%d/token",service="here, \\"there\\"",scope="x"' % (host, self.port))
                return False
        return True

    def token(self):
        body = self.body().decode()
        with open("tokens", "a") as f:
            f.write("%s %s\n" % (self.path, body))
        if self.has("junk-token"):
            return self.say(200, json.dumps({"token": "a\r\nX-Evil: 1"}).encode())
        if self.has("no-token"):
            return self.say(200, b"{}")
        if self.has("huge-token"):
            return self.say(200, json.dumps({"token": "a" * 1000000}).encode())
        ok = self.headers.get("Authorization") == BASIC or self.has("everybody") or self.has("refresh") and "refresh_token=again" in body
        if not ok:
            return self.say(401)
        t = "token-" + uuid.uuid4().hex
        seen.add(t)
        self.say(200, json.dumps({"token": t, "expires_in": 60}).encode())

    # --- uploads ---

    def location(self, repo, session):
        if self.has("no-location"):
            return {}
        if self.has("bad-location"):
            return {"Location": "ftp://127.0.0.1/x"}
        if self.has("away"):
            return {"Location": "http://localhost:%d/away/v2/%s/blobs/uploads/%s?state=1" % (self.port, repo, session)}
        return {"Location": "/v2/%s/blobs/uploads/%s" % (repo, session)}

    def uploads(self, repo, session, query):
        if self.command == "POST":
            self.body()
            if "mount" in query and not self.has("no-mount") and (query["from"], query["mount"]) in blobs:
                blobs[repo, query["mount"]] = blobs[query["from"], query["mount"]]
                return self.say(201, Location="/v2/%s/blobs/%s" % (repo, query["mount"]))
            session = uuid.uuid4().hex
            uploads[session] = b""
            return self.say(202, **self.location(repo, session))
        if session not in uploads:
            self.body()
            return self.say(404)
        if self.command == "GET":
            n = len(uploads[session]) + (1000000000 if self.has("too-far") else 0)
            return self.say(204, Range="0-%d" % max(0, n - 1), **self.location(repo, session))
        if self.command == "PATCH":
            return self.patch(repo, session)
        uploads[session] += self.body()
        data = uploads.pop(session)
        if digest(data) != query.get("digest"):
            return self.say(400)
        blobs[repo, digest(data)] = data
        said = digest(b"other") if self.has("lie-digest") else digest(data)
        self.say(201, Location="/v2/x", Docker_Content_Digest=said)

    def patch(self, repo, session):
        size = int(self.headers["Content-Length"])
        first = session not in seen
        seen.add(session)
        if self.has("broken"):
            self.connection.close()
            raise ConnectionError
        if self.has("forget") and ("forgot", repo) not in seen:
            seen.add(("forgot", repo))
            self.body()
            del uploads[session]
            return self.say(404)
        if first and self.has("break"):
            uploads[session] += self.rfile.read(size // 2)
            self.connection.close()
            raise ConnectionError
        start = int(self.headers["Content-Range"].split("-")[0])
        if start != len(uploads[session]):
            self.body()
            return self.say(416)
        uploads[session] += self.body()
        self.say(202, Range="0-%d" % (len(uploads[session]) - 1), **self.location(repo, session))

    # --- what is there ---

    def blobs(self, repo, name, query):
        data = blobs.get((repo, name))
        if data is None:
            return self.say(404)
        if self.command == "GET" and self.led_on():
            return
        if self.has("other-blob"):
            data = b"x" * len(data)
        if self.has("short-blob"):
            data = data[:-1]
        if self.has("long-blob"):
            data += b"x"
        if self.command == "HEAD" and self.has("lie-length"):
            return self.say(200, Content_Length=str(len(data) + 1))
        self.say(200, data)

    def led_on(self):
        """Sends a reader elsewhere, where the mode says so."""
        to = None
        if self.has("redirect-away") and not self.path.startswith("/away/"):
            to = "http://localhost:%d/away%s" % (self.port, self.path)
        if self.has("redirect-loop"):
            to = self.path
        if self.has("redirect-file"):
            to = "file:///etc/passwd"
        if self.has("redirect-flood"):
            n = int(self.path.partition("?n=")[2] or 0)
            to = "%s?n=%d" % (self.path.partition("?")[0], n + 1) if n < 100 else None
        if to:
            self.say(307, Location=to)
        return to

    def manifests(self, repo, name, query):
        if self.command == "GET" and self.led_on():
            return
        if self.command == "PUT":
            data = self.body()
            x = json.loads(data)
            for d in x.get("layers", []) + ([x["config"]] if "config" in x else []):
                if (repo, d["digest"]) not in blobs:
                    return self.say(400)
            for n in (name, digest(data)):
                manifests[repo, n] = data, self.headers["Content-Type"]
            more = {"OCI-Subject": x["subject"]["digest"]} if "subject" in x and self.has("referrers") else {}
            said = digest(b"other") if self.has("lie-digest") else digest(data)
            return self.say(201, Docker_Content_Digest=said, **more)
        data, kind = manifests.get((repo, name), (None, None))
        if data is None:
            return self.say(404)
        said = digest(data)
        if self.has("other-manifest"):
            data += b" "
        if self.has("cut-manifest"):
            data = data[: len(data) // 2]
        if self.has("huge-manifest"):
            data = b"{" + b" " * (5 << 20) + b"}"
        if self.has("deep-manifest"):
            data = b'{"schemaVersion":2,"layers":' + b"[" * 100000 + b"]" * 100000 + b"}"
        if self.has("many-manifest"):
            one = {"mediaType": "x", "digest": digest(b""), "size": 0}
            data = json.dumps({"schemaVersion": 2, "config": one, "layers": [one] * 5000}).encode()
        if self.has("deep-manifest", "many-manifest"):
            said = digest(data)
        self.say(200, data, Docker_Content_Digest=said, Content_Type=kind)

    def referrers(self, repo, name, query):
        if not self.has("referrers"):
            return self.say(404)
        found = []
        for (r, n), (data, kind) in manifests.items():
            x = json.loads(data)
            if r == repo and n.startswith("sha256:") and x.get("subject", {}).get("digest") == name:
                found.append({"mediaType": kind, "digest": n, "size": len(data), "artifactType": x.get("artifactType")})
        self.say(200, json.dumps({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": found}).encode())


serve(Handler, 300)
