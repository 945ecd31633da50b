# SPDX-License-Identifier: MIT
#
# auth.py: a module proxy over TLS (localhost.pem, localhost.key) that serves the folder proxy on 127.0.0.1, and another one, "other".
# The first part of a path says what it wants: /open/, /basic/ (joe and secret), /token/ (a header Private-Token), /led/ (the
# same, and leads on to the other server), /http/ to the one without TLS.  Writes "NAME PORT" lines to the file ports, and to requests a line "NAME PATH
# AUTHORIZATION TOKEN" for each request.  Ends when there is a file named stop, and after two minutes.
import http.server
import os
import ssl
import sys

sys.dont_write_bytecode = True
from serving import announce, start, until_stopped

ports = {}


def handler(name):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self, status, body=b"", **headers):
            self.send_response(status)
            for k, v in headers.items():
                self.send_header(k, v)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self):
            user, token = self.headers.get("Authorization", "none"), self.headers.get("Private-Token", "none")
            with open("requests", "a") as f:
                f.write("%s %s %s %s\n" % (name, self.path, user, token))
            _, how, path = self.path.split("/", 2)
            if how == "basic" and user != "Basic am9lOnNlY3JldA==" or how in ("token", "led") and token != "s3cr3t":
                self.answer(401, b"who are you\n", Realm="here")
            elif how == "led":
                self.answer(302, b"elsewhere\n", Location="https://localhost:%d/open/%s" % (ports["other"], path))
            elif how == "down":
                self.answer(302, b"elsewhere\n", Location="http://localhost:%d/open/%s" % (ports["plain"], path))
            elif os.path.exists("proxy/" + path):
                self.answer(200, open("proxy/" + path, "rb").read())
            else:
                self.answer(404)

        def log_message(self, *args):
            pass

    return Handler


def serve(name, tls):
    s = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler(name))
    s.daemon_threads = True
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain("localhost.pem", "localhost.key")
        s.socket = context.wrap_socket(s.socket, server_side=True)
    ports[name] = s.server_address[1]
    start(s)


for name in "proxy", "other", "plain":
    serve(name, name != "plain")
announce("ports", "".join("%s %d\n" % p for p in ports.items()))
until_stopped(120)
