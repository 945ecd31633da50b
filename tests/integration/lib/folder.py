# SPDX-License-Identifier: MIT
#
# folder.py FOLDER: a server of its files on 127.0.0.1, whose port is in the file port.  Ends when there is a file named stop, and after ten minutes.
import functools
import http.server
import sys

sys.dont_write_bytecode = True
from serving import serve

serve(functools.partial(http.server.SimpleHTTPRequestHandler, directory=sys.argv[1]), 600)
