# SPDX-License-Identifier: MIT
#
# What the servers of the tests share.  Nothing of it is kept as compiled files beside the source.
import http.server
import os
import threading
import time


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *args):  # a client that goes away is no news
        pass


def start(server):
    """Serves from a thread of its own."""
    threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True).start()


def announce(name, text):
    """Writes a file that is there whole or not at all: the test waits for it."""
    with open(name + ".new", "w") as f:
        f.write(text)
    os.rename(name + ".new", name)


def until_stopped(seconds):
    """Returns when there is a file named stop, or after so long."""
    end = time.time() + seconds
    while time.time() < end and not os.path.exists("stop"):
        time.sleep(0.05)


def serve(handler, seconds, name="port", port=0):
    """One server on 127.0.0.1, its port in the file of that name."""
    server = Server(("127.0.0.1", port), handler)
    start(server)
    announce(name, "%d\n" % server.server_address[1])
    until_stopped(seconds)
