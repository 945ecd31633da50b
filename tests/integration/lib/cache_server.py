# SPDX-License-Identifier: MIT
#
# cache_server.py FOLDER: a binary cache on 127.0.0.1 that serves and takes files of FOLDER at http://127.0.0.1:PORT/HOW/FILE, in ways that
# depend on HOW:
#
#   ok        as it should be            etag     the same, with an etag
#   html      a page with status 200     404, 401, 403, 500   that
#   away      leads to /ok on a server by another name
#   broken    the connection breaks in the middle of an archive; the rest is given to who asks for it
#   short     ends in the middle of an archive, as if that were all
#   slow      an archive comes with a byte in 0.2 seconds
#   silent    no answer to anything
#
# Writes the port to the file port, and to the file requests a line "METHOD HOW FILE RANGE AUTHORIZATION" for each request.  Ends when there is a
# file named stop, and after five minutes.
import http.server
import os
import socket
import struct
import sys
import time

sys.dont_write_bytecode = True
from serving import serve

folder = sys.argv[1]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def begin(self):
        _, how, name = self.path.split("/", 2)
        with open("requests", "a") as f:
            f.write("%s %s %s %s %s\n" % (self.command, how, name, self.headers.get("Range", "-"), self.headers.get("Authorization", "-")))
        return how, os.path.join(folder, name)

    def say(self, status, body=b"", **headers):
        self.send_response(status)
        for k, v in headers.items():
            self.send_header(k.replace("_", "-"), v)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_HEAD(self):
        self.do_GET()

    def do_PUT(self):
        how, name = self.begin()
        body = self.rfile.read(int(self.headers["Content-Length"]))
        os.makedirs(os.path.dirname(name), exist_ok=True)
        with open(name, "wb") as f:
            f.write(body)
        self.say(200)

    def do_GET(self):
        how, name = self.begin()
        if how == "silent":
            while not os.path.exists("stop"):
                time.sleep(0.05)
            return
        if how.isdigit():
            return self.say(int(how))
        if how == "html":
            return self.say(200, b"<html><body>Please log in.</body></html>\n")
        if how == "away":
            where = "http://localhost:%d/ok/%s" % (self.server.server_address[1], self.path.split("/", 2)[2])
            return self.say(302, Location=where)
        try:
            body = open(name, "rb").read()
        except OSError:
            return self.say(404)
        if "/nar/" in name:
            self.archive(how, body)
        else:
            self.say(200, body)

    def archive(self, how, body):
        start = int(self.headers.get("Range", "bytes=0-")[6:].rstrip("-"))
        if start:
            return self.say(206, body[start:], Content_Range="bytes %d-%d/%d" % (start, len(body) - 1, len(body)))
        if how == "short":
            return self.say(200, body[: len(body) // 2])
        if how == "etag":
            return self.say(200, body, ETag='"it"')
        if how == "broken":
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: len(body) // 2])
            self.wfile.flush()
            time.sleep(0.2)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            self.connection.close()
            return
        if how == "slow":
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            for i in range(len(body)):
                self.wfile.write(body[i : i + 1])
                self.wfile.flush()
                time.sleep(0.2)
            return
        self.say(200, body)


serve(Handler, 300)
