# SPDX-License-Identifier: MIT
#
# servers.py: a server for each certificate NAME.pem (with NAME.key) in the current folder, and one without TLS called "plain", all
# on 127.0.0.1.  They answer with what is in the file body, and in other ways to the paths of `answer`.  Writes "NAME PORT" lines to the file ports, and to the file requests a line "NAME PATH AUTHORIZATION" for
# each request that arrives.  Ends when there is a file named stop, and after two minutes.
import http.server
import os
import socket
import ssl
import struct
import sys
import time

sys.dont_write_bytecode = True
from serving import announce, start, until_stopped

ports = {}
asked = {}  # how often, by path


def handler(name):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            with open("requests", "a") as f:
                f.write("%s %s %s\n" % (name, self.path, self.headers.get("Authorization", "none")))
            if self.path.startswith("/to/"):  # /to/SERVER/HOST/PATH
                _, _, server, host, path = self.path.split("/", 4)
                self.send_response(302)
                scheme = "http" if server == "plain" else "https"
                self.send_header("Location", "%s://%s:%d/%s" % (scheme, host, ports[server], path))
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self.answer(self.path.rsplit("/", 1)[1], open("body", "rb").read())

        def answer(self, how, body):
            asked[self.path] = asked.get(self.path, 0) + 1
            fails = {"missing": 404, "once404": 404, "thrice500": 500}.get(how)
            if fails and asked[self.path] <= {"missing": 1000, "once404": 1, "thrice500": 3}[how]:
                self.send_response(fails)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            if "sha256" in self.path or how in ("once404", "thrice500", "stall"):
                body = b"hello\n"
            elif how == "wrong":
                body = b"jello\n"
            elif how == "late":
                time.sleep(1)
            if how == "html":
                body = b"<html><body>Please log in.</body></html>\n"
            elif how == "built":
                body = b"hello\n"
            elif how == "bomb":
                body = open("bomb", "rb").read()
            self.send_response(200)
            size = len(body) * 2 if how == "cut" else len(body) // 2 if how == "short" else len(body)
            self.send_header("Content-Length", str(size))
            self.end_headers()
            if how == "stall":
                self.wfile.write(body[:3])
                self.wfile.flush()
                time.sleep(4)
            elif how == "reset":
                self.wfile.write(body[: len(body) // 2])
                self.wfile.flush()
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.connection.close()
            else:
                self.wfile.write(body)
            self.close_connection = how in ("cut", "short", "reset", "stall")

        def log_message(self, *args):
            pass

    return Handler


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *args):
        pass


class TLSServer(Server):
    def __init__(self, name):
        super().__init__(("127.0.0.1", 0), handler(name))
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(name + ".pem", name + ".key")

    def finish_request(self, request, address):  # in the thread of the connection
        request.settimeout(10)
        super().finish_request(self.context.wrap_socket(request, server_side=True), address)


def main():
    names = [f[:-4] for f in sorted(os.listdir(".")) if f.endswith(".pem") and os.path.exists(f[:-4] + ".key")]
    servers = {name: TLSServer(name) for name in names}
    servers["plain"] = Server(("127.0.0.1", 0), handler("plain"))
    for name, server in servers.items():
        ports[name] = server.server_address[1]
        start(server)
    announce("ports", "".join("%s %d\n" % p for p in ports.items()))
    until_stopped(120)


sys.exit(main())
