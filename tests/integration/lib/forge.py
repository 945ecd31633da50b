# SPDX-License-Identifier: MIT
#
# A forge on this machine: it answers as github, gitlab and sourcehut do, by the name it is called by.  To be started where port
# 443 is free and names lead here (lib/forge.sh).  What it reads, in the folder it is started in:
#
#     OWNER/NAME/commits      of each repository lines of "REF COMMIT", the first is the default branch
#     OWNER/NAME/tree-COMMIT  the folder that the commit has
#     mode                    words for how it behaves: "limited", "private", "down", "slow", "wrong", "flaky"
#
# The site has what is in owner/repo.  Each request is a line in `requests`: host, path, Authorization.
import http.server
import io
import json
import os
import ssl
import tarfile
import threading
import time

lock = threading.Lock()
counts = {}


def repository(parts):
    """The folder of the one that OWNER/NAME names, None when there is none."""
    path = "/".join(parts)
    return path if len(parts) == 2 and all(parts) and os.path.exists(path + "/commits") else None


def commits(repo="owner/repo"):
    return [line.split() for line in open(repo + "/commits")]


def tree(repo, commit):
    return "%s/tree-%s" % (repo, commit)


def mode(word):
    return word in open("mode").read().split()


def archive(repo, top, commit):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz", format=tarfile.PAX_FORMAT, pax_headers={"comment": commit}) as tar:
        tar.add(tree(repo, commit), arcname=top, filter=as_forges_do)
    return out.getvalue()


def as_forges_do(member):
    member.uid = member.gid = 0
    member.uname = member.gname = "root"
    member.mtime = 1700000000
    return member


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def say(self, status, body, kind="application/json; charset=utf-8", headers=()):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def say_json(self, status, document, headers=()):
        self.say(status, json.dumps(document).encode(), headers=headers)

    def redirect(self, url):
        self.say(302, b"", "text/html; charset=utf-8", [("Location", url)])

    def tarball(self, repo, top, commit, headers=()):
        if not repo or not os.path.isdir(tree(repo, commit)):
            return self.say(404, b"404: Not Found", "text/plain")
        self.say(200, archive(repo, top, commit), "application/x-gzip", headers)

    def authorized(self):
        return not mode("private") or self.headers.get("Authorization") == "Bearer sesame"

    def find(self, repo, ref):
        known = commits(repo)
        if ref == "HEAD":
            return known[0][1]
        return next((c for name, c in known if ref in (name, c)), None)

    # --- github

    def github_limits(self):
        left = "0" if mode("limited") else "59"
        return [("X-RateLimit-Limit", "60"), ("X-RateLimit-Remaining", left), ("X-RateLimit-Reset", "1800000000")]

    def github_api(self, parts):
        if mode("limited") and not self.headers.get("Authorization"):
            return self.say_json(403, {"message": "API rate limit exceeded for 127.0.0.1."}, self.github_limits())
        repo = repository(parts[1:3])
        if parts[0] != "repos" or not repo or not self.authorized():
            return self.say_json(404, {"message": "Not Found", "status": "404"}, self.github_limits())
        if parts[3] == "commits":
            ref = "/".join(parts[4:])
            commit = self.find(repo, ref)
            if not commit:
                return self.say_json(422, {"message": "No commit found for SHA: " + ref}, self.github_limits())
            return self.say_json(200, {"sha": commit, "commit": {"tree": {"sha": commit}}}, self.github_limits())
        if parts[3] == "tarball":
            return self.redirect("https://codeload.github.com/%s/legacy.tar.gz/%s?token=once" % (repo, parts[4]))
        self.say_json(404, {"message": "Not Found"})

    def github(self, parts):
        repo = repository(parts[:2])
        if not repo or not self.authorized():
            return self.say(404, b"Not Found", "text/plain")
        self.redirect("https://codeload.github.com/%s/tar.gz/%s" % (repo, parts[3].removesuffix(".tar.gz")))

    def codeload(self, parts):
        commit = parts[3].split("?")[0]
        if mode("private") and not parts[3].endswith("?token=once"):
            return self.say(404, b"404: Not Found", "text/plain")
        self.tarball(repository(parts[:2]), parts[1] + "-" + commit, commit)

    # --- gitlab

    def gitlab(self, parts):
        if mode("limited"):
            return self.say(429, b"Retry later\n", "text/plain",
                            [("RateLimit-Remaining", "0"), ("RateLimit-Reset", "1800000000"), ("Retry-After", "60")])
        repo = repository(parts[3].split("%2F"))
        if parts[:3] != ["api", "v4", "projects"] or not repo or not self.authorized():
            return self.say_json(404, {"message": "404 Project Not Found"})
        what, _, query = parts[5].partition("?")
        _, _, value = query.partition("=")
        if what == "commits":
            commit = self.find(repo, value)
            return self.say_json(200, [{"id": commit, "short_id": commit[:8]}] if commit else [])
        self.tarball(repo, "%s-%s-%s" % (repo.split("/")[1], value, value), value)

    # --- sourcehut

    def sourcehut(self, parts):
        repo = repository([parts[0].removeprefix("~"), parts[1]])
        if not parts[0].startswith("~") or not repo or not self.authorized():
            return self.say(404, b"404", "text/plain")
        if parts[2] == "HEAD":
            return self.say(200, b"ref: refs/heads/%s\n" % commits(repo)[0][0].encode(), "text/plain")
        if parts[2:] == ["info", "refs"]:
            lines = ["%s\trefs/heads/%s\n" % (commit, name) for name, commit in commits(repo)]
            return self.say(200, "".join(lines).encode(), "text/plain")
        commit = parts[3].removesuffix(".tar.gz")
        self.tarball(repo, parts[1] + "-" + commit, commit)

    # --- a site with archives and files

    def site(self, parts):
        tag = '"%s"' % commits()[0][1]
        if parts[0] == "latest.tar.gz":
            if self.headers.get("If-None-Match") == tag:
                return self.say(304, b"", "text/plain", [("ETag", tag)])
            link = '<https://site.example/%s.tar.gz?rev=%s&revCount=7>; rel="immutable"' % (commits()[0][1], commits()[0][1])
            return self.tarball("owner/repo", "x", commits()[0][1], [("ETag", tag), ("Link", link)])
        if parts[0] == "evil.tar.gz":
            return self.tarball("owner/repo", "x", commits()[0][1], [("Link", '<file:///etc/passwd>; rel="immutable"')])
        if parts[0] == "file":
            if self.headers.get("If-None-Match") == tag:
                return self.say(304, b"", "text/plain", [("ETag", tag)])
            return self.say(200, b"at %s\n" % commits()[0][1].encode(), "text/plain", [("ETag", tag)])
        commit = parts[0].split("?")[0].removesuffix(".tar.gz")
        self.tarball("owner/repo", "x", commit)

    # --- what goes wrong

    def goes_wrong(self, host):
        what = host + self.path
        with lock:
            counts[what] = counts.get(what, 0) + 1 if mode("flaky") and host != "codeload.github.com" else 0
        if mode("down") or counts[what] % 4:
            self.say(500, b"no", "text/plain")
        elif mode("wrong"):
            self.say(200, b"<html>welcome to the hotel</html>", "text/html")
        elif mode("cut"):
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"half")
            self.close_connection = True
        else:
            return False
        return True

    def do_GET(self):
        host = self.headers["Host"]
        with lock, open("requests", "a") as log:
            log.write("%s %s %s\n" % (host, self.path, self.headers.get("Authorization", "none")))
        parts = self.path[1:].split("/")
        if self.goes_wrong(host):
            return
        answers = {"api.github.com": self.github_api, "github.com": self.github, "codeload.github.com": self.codeload,
                   "gitlab.com": self.gitlab, "lab.example": self.gitlab, "git.sr.ht": self.sourcehut,
                   "site.example": self.site}
        if host == "hub.example":
            self.github_api(parts[2:])
        else:
            answers[host](parts)

    def log_message(self, *args):
        pass


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("forge.pem", "forge.key")
server = http.server.ThreadingHTTPServer(("127.0.0.1", 443), Handler)
server.daemon_threads = True
server.socket = context.wrap_socket(server.socket, server_side=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
open("ready", "w").close()
while not os.path.exists("stop"):
    time.sleep(0.05)
