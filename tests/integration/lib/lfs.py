# SPDX-License-Identifier: MIT
#
# lfs.py: on 127.0.0.1, the repositories NAME.git of the current folder (as plain files, which git reads) and a server of their large
# files, from the folder objects.  The port may be given.  How it answers is in the file mode.  Writes its port to the file port, and a line "METHOD HOST PATH
# AUTHORIZATION" for each request to the file requests.  Ends when there is a file named stop, and after two minutes.
import http.server
import json
import os
import sys

sys.dont_write_bytecode = True
from serving import serve


def mode():
    return open("mode").read().strip()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def note(self):
        host = self.headers.get("Host", "").split(":")[0]
        with open("requests", "a") as f:
            f.write("%s %s %s %s\n" % (self.command, host, self.path, self.headers.get("Authorization", "none")))

    def send(self, status, body, *headers):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.note()
        path = self.path.split("?")[0].lstrip("/")
        if path.startswith("away/"):
            host = "http://localhost:%d/" % self.server.server_address[1]
            return self.send(302, b"", ("Location", host + path[5:]))
        if not path.startswith("objects/") and ".git/" not in path or not os.path.isfile(path):
            return self.send(404, b"")
        body = open(path, "rb").read()
        if path.startswith("objects/"):
            body = {"wrong": b"x" * len(body), "long": body + b"more", "short": body[:-1]}.get(mode(), body)
        self.send(200, body)

    def do_POST(self):
        self.note()
        question = self.rfile.read(int(self.headers["Content-Length"]))
        with open("questions", "ab") as f:
            f.write(question + b"\n")
        how = mode()
        if how == "private" and self.headers.get("Authorization", "none") == "none":
            return self.send(401, b"")
        if how == "moved" and not self.path.startswith("/new"):
            return self.send(307, b"", ("Location", "/new" + self.path))
        if self.headers["Content-Type"] != "application/vnd.git-lfs+json" or not self.path.endswith(".git/info/lfs/objects/batch"):
            return self.send(404, b"")
        if how == "garbage":
            return self.send(200, b"<html>")
        if how == "none":
            return self.send(200, b'{"objects":[]}')
        answer = {"transfer": "basic", "objects": [self.about(o, how) for o in json.loads(question)["objects"]]}
        self.send(200, json.dumps(answer).encode(), ("Content-Type", "application/vnd.git-lfs+json"))

    def about(self, o, how):
        if how == "missing":
            return {"oid": o["oid"], "error": {"code": 404, "message": "Object does not exist"}}
        if how == "other":
            o["size"] += 1
        host = "http://127.0.0.1:%d/" % self.server.server_address[1]
        href = {"file": "file:///etc/passwd", "tls": "ftp://x/y"}.get(how, host + ("away/" if how == "away" else "") + "objects/" + o["oid"])
        download = {"href": href}
        if how in ("token", "away"):
            download["header"] = {"Authorization": "RemoteAuth secret", "X-Extra": "yes"}
        if how == "inject":
            download["header"] = {"X": "a\r\nY: b"}
        return {"oid": o["oid"], "size": o["size"], "actions": {"download": download}}


serve(Handler, 120, port=int(sys.argv[1]) if len(sys.argv) > 1 else 0)
