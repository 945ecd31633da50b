# SPDX-License-Identifier: MIT
#
# s3_server.py FOLDER KEY SECRET TOKEN REGION: a bucket on 127.0.0.1, which takes and gives files of FOLDER to those whose requests are
# signed as Amazon wants it (signature 4) with that key, and with that token unless it is "".  What is not there is 403, as for those who
# may not list a bucket.  Writes the port to the file s3-port, and to the file s3-requests a line "METHOD PATH STATUS" for each.  Ends when there
# is a file named stop, and after five minutes.
import hashlib
import hmac
import http.server
import os
import sys
import urllib.parse

sys.dont_write_bytecode = True
from serving import serve

folder, key, secret, token, region = sys.argv[1:]


def mac(k, text):
    return hmac.new(k, text.encode(), hashlib.sha256).digest()


def is_signed(r, body):
    kind, _, rest = r.headers.get("Authorization", "").partition(" ")
    fields = dict(f.strip().partition("=")[::2] for f in rest.split(","))
    who, day, where, service, end = (fields.get("Credential", "") + "////").split("/")[:5]
    sent = r.headers.get("x-amz-content-sha256", hashlib.sha256(body).hexdigest())
    names = fields.get("SignedHeaders", "").split(";")
    if (kind, who, where, service, end) != ("AWS4-HMAC-SHA256", key, region, "s3", "aws4_request"):
        return False
    if "host" not in names or token and (r.headers.get("x-amz-security-token") != token or "x-amz-security-token" not in names):
        return False
    path, _, query = r.path.partition("?")
    canonical = "\n".join([r.command, path, query] + [n + ":" + " ".join(r.headers.get(n, "").split()) for n in names] + ["", ";".join(names), sent])
    scope = "/".join([day, where, service, end])
    text = "\n".join([kind, r.headers.get("X-Amz-Date", ""), scope, hashlib.sha256(canonical.encode()).hexdigest()])
    k = mac(mac(mac(mac(("AWS4" + secret).encode(), day), where), service), end)
    return hmac.compare_digest(mac(k, text).hex(), fields.get("Signature", ""))


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def say(self, status, body=b""):
        with open("s3-requests", "a") as f:
            f.write("%s %s %d\n" % (self.command, self.path, status))
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_any(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        name = folder + urllib.parse.unquote(self.path)
        if not is_signed(self, body):
            return self.say(403)
        if self.command == "PUT":
            os.makedirs(os.path.dirname(name), exist_ok=True)
            with open(name, "wb") as f:
                f.write(body)
            return self.say(200)
        try:
            self.say(200, open(name, "rb").read())
        except OSError:
            self.say(403)

    do_GET = do_HEAD = do_PUT = do_any


serve(Handler, 300, "s3-port")
